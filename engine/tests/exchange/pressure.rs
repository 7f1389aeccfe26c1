//! A slow side slows the other: nothing piles up in the gateway.

use crate::support::service::ok;
use crate::support::{Client, Plan, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

on_both_drivers!(
    a_client_that_does_not_read_slows_its_service,
    a_service_that_does_not_read_slows_its_client,
    a_tunnel_slows_its_sender_too,
    a_client_that_does_not_read_does_not_slow_others,
);

/// More than the kernel's buffers on the way hold, with room to spare.
const BYTES: usize = 200 << 20;
/// What those buffers hold at most: two sockets on each of two connections, and the gateway's own four buffers.
const HELD_MAX: usize = 64 << 20;

/// Waits until a count stands still, and returns it.
#[track_caller]
fn settled(count: &AtomicUsize) -> usize {
    let mut last = (usize::MAX, 0);
    wait_for("the sender to be held up", || {
        std::thread::sleep(Duration::from_millis(100));
        let now = count.load(Ordering::SeqCst);
        last = (now, if last.0 == now && now > 0 { last.1 + 1 } else { 0 });
        (last.1 == 3).then_some(now)
    })
}

/// Sends, and counts what has been taken.
fn send_counted(to: &mut impl Write, count: &AtomicUsize) {
    let piece = vec![b'p'; 256 * 1024];
    for _ in 0..BYTES / piece.len() {
        if to.write_all(&piece).is_err() {
            return;
        }
        count.fetch_add(piece.len(), Ordering::SeqCst);
    }
}

fn read_on(client: &mut Client, mut bytes: usize) {
    while bytes > 0 {
        bytes -= client.wire.pending.len();
        client.wire.pending.clear();
        if bytes > 0 {
            assert!(client.wire.fill().expect("more") > 0, "{bytes} bytes are missing");
        }
    }
}

fn pouring() -> (Service, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let service = Service::start(move |connection| {
        while let Some(request) = connection.request() {
            if request.target == "/small" {
                connection.send(ok("small"));
                continue;
            }
            connection.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {BYTES}\r\n\r\n"));
            send_counted(&mut connection.wire.stream, &counted);
        }
    });
    (service, count)
}

fn a_client_that_does_not_read_slows_its_service(driver: Choice) {
    let (service, count) = pouring();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    let held = settled(&count);
    assert!(held < HELD_MAX, "{held} bytes were taken from the service");
    client.wire.head().expect("a head");
    read_on(&mut client, BYTES);
    assert_eq!(client.get("/small").text(), "small");
}

fn a_service_that_does_not_read_slows_its_client(driver: Choice) {
    let go = Arc::new(AtomicUsize::new(0));
    let read = go.clone();
    let service = Service::start(move |connection| {
        if connection.head().is_some() {
            wait_for("leave to read", || (read.load(Ordering::SeqCst) > 0).then_some(()));
            let mut left = BYTES - connection.wire.pending.len();
            while left > 0 {
                connection.wire.pending.clear();
                match connection.wire.fill() {
                    Ok(n) if n > 0 => left -= n,
                    _ => return,
                }
            }
            connection.send(ok("all of it"));
        }
    });
    let gate = Plan::to(&service).limits("body_bytes: 1GiB").start(driver);
    let mut client = gate.client();
    let mut sender = client.wire.stream.try_clone().expect("a copy");
    let count = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let head = format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {BYTES}\r\n\r\n");
            sender.write_all(head.as_bytes()).expect("the gateway takes it");
            send_counted(&mut sender, &count);
        });
        let held = settled(&count);
        go.store(1, Ordering::SeqCst);
        assert!(held < HELD_MAX, "{held} bytes were taken from the client");
        assert_eq!(client.answer().text(), "all of it");
    });
}

fn a_tunnel_slows_its_sender_too(driver: Choice) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let service = Service::start(move |connection| {
        connection.request();
        connection.send("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
        send_counted(&mut connection.wire.stream, &counted);
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    let answer = client.exchange("GET / HTTP/1.1\r\nhost: h\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
    assert_eq!(answer.status, 101);
    let held = settled(&count);
    assert!(held < HELD_MAX, "{held} bytes were taken from the service");
    read_on(&mut client, BYTES);
}

fn a_client_that_does_not_read_does_not_slow_others(driver: Choice) {
    let (service, count) = pouring();
    let gate = Plan::to(&service).start(driver);
    let stuck: Vec<Client> = (0..10)
        .map(|_| {
            let mut client = gate.client();
            client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
            client
        })
        .collect();
    settled(&count);
    let mut others: Vec<Client> = (0..5).map(|_| gate.client()).collect();
    for _ in 0..50 {
        for client in &mut others {
            assert_eq!(client.get("/small").text(), "small");
        }
    }
    drop(stuck);
}
