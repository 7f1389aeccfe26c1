//! Unix sockets and IPv6 on either side.

use crate::support::process::scratch;
use crate::support::service::ok;
use crate::support::{Client, Gate, Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;
use std::path::PathBuf;

on_both_drivers!(
    a_unix_socket_is_listened_on,
    connections_to_a_unix_socket_are_dealt_out_to_the_shards,
    a_unix_socket_is_an_endpoint,
    a_unix_socket_that_nobody_listens_on_gives_502,
    ipv6_is_listened_on_and_connected_to,
    a_large_body_passes_both_ways_over_unix_sockets,
);

/// A path for a socket; the file is removed in the end.
struct SocketPath(PathBuf);

impl SocketPath {
    fn new(name: &str) -> SocketPath {
        SocketPath(scratch(name))
    }

    fn address(&self) -> String {
        format!("unix:{}", self.0.display())
    }
}

impl Drop for SocketPath {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn echo() -> Service {
    Service::answering(|request| ok(&request.body))
}

fn a_unix_socket_is_listened_on(driver: Choice) {
    let (service, path) = (echo(), SocketPath::new("listener"));
    let gate = Plan::to(&service).listen(&path.address()).start(driver);
    let mut client = Client::connect_unix(&path.0);
    for _ in 0..3 {
        assert_eq!(client.exchange("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc").text(), "abc");
    }
    let request = &service.requests()[0];
    assert_eq!(request.fields.get("x-forwarded-for"), Some("unknown"), "a Unix socket has no address");
    assert_eq!(gate.log(3)[0]["status"], 200);
}

/// Receives of each shard.
fn receives(gate: &Gate) -> Vec<u64> {
    gate.running().counters.iter().map(|counters| counters.recv.get()).collect()
}

fn connections_to_a_unix_socket_are_dealt_out_to_the_shards(driver: Choice) {
    if ringgate_rt::cores::allowed().len() < 2 {
        eprintln!("SKIPPED: one core alone, so one shard");
        return;
    }
    let (service, path) = (echo(), SocketPath::new("dealt"));
    let gate = Plan::to(&service).listen(&path.address()).two_shards().start(driver);
    let mut clients: Vec<Client> = (0..40).map(|_| Client::connect_unix(&path.0)).collect();
    for client in &mut clients {
        assert_eq!(client.get("/").status, 200);
    }
    let work = receives(&gate);
    assert_eq!(work.len(), 2);
    let all: u64 = work.iter().sum();
    assert!(work.iter().all(|n| *n * 4 >= all), "each shard has a fair part: {work:?}");
}

fn a_unix_socket_is_an_endpoint(driver: Choice) {
    let path = SocketPath::new("endpoint");
    let service = Service::start_unix(&path.0, |connection| connection.answer_all(|request| ok(&request.body)));
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for _ in 0..5 {
        assert_eq!(client.exchange("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc").text(), "abc");
    }
    assert_eq!((service.request_count(), service.connections()), (5, 1));
    assert_eq!(service.requests()[0].fields.get("host"), Some("h"));
}

fn a_unix_socket_that_nobody_listens_on_gives_502(driver: Choice) {
    let path = SocketPath::new("nobody");
    let gate = Plan::to_endpoints([path.address()]).start(driver);
    let mut client = gate.client();
    for _ in 0..3 {
        let answer = client.get("/");
        assert!(matches!(answer.status, 502 | 503), "{answer:?}");
    }
}

fn ipv6_is_listened_on_and_connected_to(driver: Choice) {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        eprintln!("SKIPPED: no IPv6 here");
        return;
    }
    let service = Service::start_on("[::1]:0".parse().expect("an address"), |connection| {
        connection.answer_all(|request| ok(&request.body));
    });
    let gate = Plan::to(&service).listen("[::1]:0").start(driver);
    assert!(gate.address().is_ipv6());
    let mut client = gate.client();
    for _ in 0..3 {
        assert_eq!(client.exchange("POST / HTTP/1.1\r\nhost: [::1]\r\ncontent-length: 3\r\n\r\nabc").text(), "abc");
    }
    let request = &service.requests()[0];
    assert_eq!(request.fields.get("x-forwarded-for"), Some("::1"));
    assert!(request.fields.get("forwarded").is_some_and(|f| f.contains("for=\"[::1]\"")), "{request:?}");
    assert_eq!(gate.log(1)[0]["client"], "::1");
}

fn a_large_body_passes_both_ways_over_unix_sockets(driver: Choice) {
    let (front, back) = (SocketPath::new("front"), SocketPath::new("back"));
    let service = Service::start_unix(&back.0, |connection| connection.answer_all(|request| ok(&request.body)));
    let gate = Plan::to(&service).listen(&front.address()).start(driver);
    let body = crate::support::bodies::Noise::new(7).bytes(3 << 20);
    let mut client = Client::connect_unix(&front.0);
    for _ in 0..2 {
        client.send(format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", body.len()));
        client.send(&body);
        assert!(client.answer().body == body, "the same bytes");
    }
    drop(gate);
}
