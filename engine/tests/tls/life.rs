//! The end of a process that has TLS connections, idle and in their handshakes.

use crate::support::process::Process;
use crate::support::service::ok;
use crate::support::tls::{self, Version};
use crate::support::{Authority, Plan, Service};
use crate::{BINARY, secured};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn a_stop_waits_for_no_handshake_and_no_idle_connection() {
    for driver in ["auto", "epoll"] {
        let service = Service::answering(|_| ok("good"));
        let authority = Authority::new("of a process");
        let plan = Plan::to(&service).listener(&secured(&authority, ""));
        let mut process = Process::start(BINARY, &plan.text(), driver);
        let config = Arc::new(tls::client_config(&authority, Version::Any));
        let mut idle: Vec<_> = (0..5).map(|_| tls::client(process.address(), &config, "localhost")).collect();
        for client in &mut idle[1..] {
            assert_eq!(client.get("/").status, 200);
        }
        // Nothing was said yet, half of a hello, a whole one that is not gone on with.
        let mut hello = Vec::new();
        let mut unfinished = tls::connect(process.address(), &config, "localhost");
        unfinished.tls.write_tls(&mut hello).expect("memory");
        let mut half_open: Vec<TcpStream> =
            (0..6).map(|_| TcpStream::connect(process.address()).expect("a connection")).collect();
        for (n, stream) in half_open.iter_mut().enumerate() {
            stream.write_all([&[][..], &hello[..100], &hello][n % 3]).expect("sent");
        }
        unfinished.tcp.write_all(&hello).expect("sent");
        assert_eq!(idle[0].get("/").status, 200, "they have been accepted");
        let begun = Instant::now();
        process.signal("TERM");
        // Idle connections end with TLS' own word.
        for client in &mut idle {
            let mut rest = Vec::new();
            client.wire.stream.read_to_end(&mut rest).expect("a close_notify");
            assert!(rest.is_empty());
        }
        drop(half_open);
        drop(unfinished);
        let status = process.wait();
        assert_eq!(status.code(), Some(0), "{}", process.stderr());
        assert!(begun.elapsed() < Duration::from_secs(3), "{driver}: it took {:?}", begun.elapsed());
    }
}

#[test]
fn a_handshake_that_goes_on_when_the_stop_comes_may_end_with_its_answer() {
    let service = Service::answering(|_| ok("good"));
    let authority = Authority::new("of a process");
    let plan = Plan::to(&service).listener(&secured(&authority, ""));
    let mut process = Process::start(BINARY, &plan.text(), "auto");
    let config = Arc::new(tls::client_config(&authority, Version::Tls12));
    let mut other = tls::client(process.address(), &config, "localhost");
    let mut socket = tls::connect(process.address(), &config, "localhost");
    let mut hello = Vec::new();
    socket.tls.write_tls(&mut hello).expect("memory");
    socket.tcp.write_all(&hello).expect("sent");
    // Its first flight has come: the gateway has heard it.
    assert!(socket.tls.read_tls(&mut socket.tcp).expect("a flight") > 0);
    socket.tls.process_new_packets().expect("a flight");
    assert_eq!(other.get("/").status, 200);
    process.signal("TERM");
    other.wire.stream.read_to_end(&mut Vec::new()).expect("it ends, so the stop has begun");
    // It ends as it does: with an answer, or with an end. It holds nothing up.
    if socket.shake().is_ok() {
        let _ = socket.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
    }
    drop(socket);
    let begun = Instant::now();
    assert_eq!(process.wait().code(), Some(0), "{}", process.stderr());
    assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
}
