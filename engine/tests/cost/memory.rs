//! Memory of exchanges that go slowly: bounded, whatever their length.

use crate::support::process::Process;
use crate::support::service::ok;
use crate::support::{Client, Plan, Service, wait_for};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const CLIENTS: usize = 50;
/// Three standard buffers and two large ones (engine/rt/src/buffer.rs).
const EXCHANGE_KIB_MAX: u64 = 320;
/// For how long the memory is looked at while everything moves slowly.
const WATCHED: Duration = Duration::from_secs(3);

/// Answers with a body that never ends, as fast as it is taken; `/` is answered at once.
fn endless(sent: Arc<AtomicUsize>) -> Service {
    Service::start(move |connection| {
        while let Some(request) = connection.request() {
            if request.target == "/" {
                connection.send(ok("good"));
                continue;
            }
            let chunk = vec![b'x'; 256 * 1024];
            connection.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 1u64 << 40));
            while connection.send(&chunk) {
                sent.fetch_add(chunk.len(), Ordering::Relaxed);
            }
            return;
        }
    })
}

/// Warms the process up: as many clients at once, each with a small exchange.
fn warm_up(process: &Process) -> u64 {
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| process.client()).collect();
    for client in &mut clients {
        assert_eq!(client.get("/").status, 200);
    }
    process.rss_kib()
}

#[test]
fn clients_that_read_slowly_cost_no_more_than_their_buffers() {
    let _alone = crate::alone();
    let sent = Arc::new(AtomicUsize::new(0));
    let service = endless(sent.clone());
    let process = Process::start(crate::BINARY, &Plan::to(&service).limits("min_rate: off").text(), "auto");
    let idle = warm_up(&process);
    let mut clients: Vec<Client> =
        (0..CLIENTS).map(|_| Client::connect_with_small_buffer(process.address(), 8 * 1024)).collect();
    for client in &mut clients {
        client.send("GET /endless HTTP/1.1\r\nhost: h\r\n\r\n");
    }
    let (begun, mut read) = (Instant::now(), 0);
    let mut room = vec![0; 32 * 1024];
    let highest = crate::highest_rss_kib(&process, || {
        for client in &mut clients {
            read += client.wire.stream.read(&mut room).expect("more of the answer");
        }
        begun.elapsed() > WATCHED
    });
    let (grown, bound) = (highest.saturating_sub(idle), CLIENTS as u64 * EXCHANGE_KIB_MAX);
    eprintln!("{CLIENTS} slow readers: {} KiB each ({idle} KiB idle); read {read} bytes", grown / CLIENTS as u64);
    assert!(read > CLIENTS * 32 * 1024, "they did not get on: {read}");
    assert!(grown <= bound, "{grown} KiB more than idle, {bound} KiB allowed");
    assert!(sent.load(Ordering::Relaxed) > read, "the service is held up, not starved");
}

#[test]
fn slow_uploads_cost_no_more_than_their_buffers() {
    let _alone = crate::alone();
    // The service reads slowly: the gateway must hold the clients up.
    let stop = Arc::new(AtomicBool::new(false));
    let taken = Arc::new(AtomicUsize::new(0));
    let (stopping, counting) = (stop.clone(), taken.clone());
    let service = Service::start(move |connection| {
        while let Some(request) = connection.head() {
            if request.target == "/" {
                connection.send(ok("good"));
                continue;
            }
            while !stopping.load(Ordering::Relaxed) {
                let mut room = [0; 8 * 1024];
                match connection.wire.stream.read(&mut room) {
                    Ok(n) if n > 0 => counting.fetch_add(n, Ordering::Relaxed),
                    _ => return,
                };
                std::thread::sleep(Duration::from_millis(10));
            }
            return;
        }
    });
    let limits = "min_rate: off, body_bytes: 1TiB";
    let process = Process::start(crate::BINARY, &Plan::to(&service).limits(limits).text(), "auto");
    let idle = warm_up(&process);
    let clients: Vec<Client> = (0..CLIENTS).map(|_| process.client()).collect();
    let sent = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for mut client in clients {
            let (sent, stop) = (&sent, &stop);
            scope.spawn(move || {
                client.send(format!("POST /endless HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", 1u64 << 39));
                client.wire.stream.set_timeouts(Duration::from_millis(100)).expect("time limits");
                let chunk = vec![b'x'; 16 * 1024];
                while !stop.load(Ordering::Relaxed) {
                    if client.try_send(&chunk).is_ok() {
                        sent.fetch_add(chunk.len(), Ordering::Relaxed);
                    }
                }
            });
        }
        let begun = Instant::now();
        let highest = crate::highest_rss_kib(&process, || begun.elapsed() > WATCHED);
        stop.store(true, Ordering::Relaxed);
        let (grown, bound) = (highest.saturating_sub(idle), CLIENTS as u64 * EXCHANGE_KIB_MAX);
        let each = grown / CLIENTS as u64;
        let (sent, taken) = (sent.load(Ordering::Relaxed), taken.load(Ordering::Relaxed));
        eprintln!("{CLIENTS} slow uploads: {each} KiB each ({idle} KiB idle); sent {sent} bytes, taken {taken}");
        assert!(taken > CLIENTS * 32 * 1024, "they did not get on: {taken}");
        assert!(grown <= bound, "{grown} KiB more than idle, {bound} KiB allowed");
    });
}

#[test]
fn memory_of_a_burst_goes_back() {
    let _alone = crate::alone();
    let service = endless(Arc::default());
    let process = Process::start(crate::BINARY, &Plan::to(&service).limits("min_rate: off").text(), "auto");
    let idle = warm_up(&process);
    let mut clients: Vec<Client> = (0..200).map(|_| process.client()).collect();
    for client in &mut clients {
        client.send("GET /endless HTTP/1.1\r\nhost: h\r\n\r\n");
    }
    for client in &mut clients {
        let got = client.wire.exactly(1 << 20);
        assert_eq!(got.expect("a part of the answer").len(), 1 << 20);
    }
    clients.into_iter().for_each(Client::reset);
    // Free buffers of both sizes that a shard keeps with their pages: 5 MiB and 4 MiB; and the tables of 200 connections.
    let bound = idle + 9 * 1024 + 4 * 1024;
    let after = wait_for("the memory to go back", || Some(process.rss_kib()).filter(|now| *now <= bound));
    eprintln!("200 large answers: {idle} KiB before, {after} KiB after");
}
