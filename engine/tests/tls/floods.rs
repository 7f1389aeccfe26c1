//! Many handshakes at once that nobody ends: others are served all the same.

use crate::Site;
use crate::handshakes::{hello, tcp};
use crate::support::service::ok;
use crate::support::tls::connect;
use crate::support::{Client, Plan, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use rustls::Connection;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

on_both_drivers!(half_open_handshakes_leave_others_alone, too_many_handshakes_cost_the_oldest);

/// The longest that one of many exchanges took.
fn slowest(client: &mut Client, exchanges: usize) -> Duration {
    let one = |_| {
        let begun = Instant::now();
        assert_eq!(client.get("/").status, 200);
        begun.elapsed()
    };
    (0..exchanges).map(one).max().unwrap_or_default()
}

fn half_open_handshakes_leave_others_alone(driver: Choice) {
    const HALF_OPEN: usize = 1000;
    ringgate_rt::descriptors::raise_limit(4 * HALF_OPEN as u64).expect("a limit");
    let service = Service::answering(|_| ok("good"));
    let site = Site::start(Plan::to(&service), driver);
    let hello = hello(&site.config);
    let mut client = site.client();
    slowest(&mut client, 50);
    let mut open = Vec::new();
    let mut worst = Duration::ZERO;
    for n in 0..HALF_OPEN {
        let mut stream = tcp(site.gate.address());
        // Nothing, half of a hello, all of it.
        stream.write_all([&[][..], &hello[..hello.len() / 2], &hello][n % 3]).expect("sent");
        open.push(stream);
        if n % 10 == 0 {
            worst = worst.max(slowest(&mut client, 1));
        }
    }
    worst = worst.max(slowest(&mut client, 200));
    eprintln!("{HALF_OPEN} half-open handshakes: the slowest exchange beside them took {worst:?}");
    assert!(worst < Duration::from_secs(1), "an exchange beside them took {worst:?}");
    site.serves();
    drop(open);
    site.serves();
}

fn too_many_handshakes_cost_the_oldest(driver: Choice) {
    const PLACES: usize = 20;
    let service = Service::answering(|_| ok("good"));
    let site = Site::start(Plan::to(&service).limits("handshakes: 20"), driver);
    let mut first = tcp(site.gate.address());
    let mut others: Vec<TcpStream> = (1..PLACES).map(|_| tcp(site.gate.address())).collect();
    // At the limit the first goes on, and takes no place any more; then it is as before.
    let mut slow = connect(site.gate.address(), &site.config, "localhost");
    wait_for("one past the limit to cost the oldest its place", || {
        first.set_nonblocking(true).expect("a socket");
        let ended = !matches!(first.read(&mut [0; 8]), Err(error) if error.kind() == ErrorKind::WouldBlock);
        ended.then_some(())
    });
    slow.shake().expect("the newest has a place");
    assert!(matches!(slow.tls, Connection::Client(_)));
    // A flood of them, and whoever shakes hands meanwhile does so.
    for _ in 0..10 {
        others.extend((0..50).map(|_| tcp(site.gate.address())));
        site.serves();
    }
    wait_for("those past the limit to lose their places", || {
        others.retain_mut(|stream| {
            stream.set_nonblocking(true).expect("a socket");
            matches!(stream.read(&mut [0; 8]), Err(error) if error.kind() == ErrorKind::WouldBlock)
        });
        (others.len() <= PLACES).then_some(())
    });
}
