//! What the deadline of a graceful stop ends, wherever it is at that moment.

use super::BINARY;
use crate::support::process::{Process, scratch};
use crate::support::service::ok;
use crate::support::{Client, Plan, Service, wait_for};
use std::time::{Duration, Instant};

/// Time that ending may take beyond the deadline. The machine may be busy.
const SLACK: Duration = Duration::from_millis(1500);

/// Starts a gateway, lets `begin` begin something, stops it, and asserts that it ends with its deadline, by itself and
/// with its log written.
#[track_caller]
fn ends_with_the_deadline(plan: &Plan, driver: &str, fault: Option<&str>, begin: impl FnOnce(&Process) -> Vec<Client>) {
    let config = plan.clone().and("shutdown: { deadline: 400ms }").text();
    let mut process = Process::start(BINARY, &config, driver);
    let clients = begin(&process);
    let begun = Instant::now();
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0));
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(400), "before the deadline: {took:?}");
    assert!(took < Duration::from_millis(400) + SLACK, "{took:?}; {}", process.stderr());
    assert!(!process.stderr().contains("did not end"), "{}", process.stderr());
    let log = process.stdout();
    assert_eq!(log.lines().count(), clients.len(), "{log}");
    let said = fault.map_or("\"fault\":null".to_string(), |fault| format!("\"fault\":\"{fault}\""));
    assert!(log.contains(&said), "{log}");
}

const DRIVERS: [&str; 2] = ["auto", "epoll"];

#[test]
fn a_tunnel_is_ended() {
    let service = Service::start(|connection| {
        connection.request();
        connection.send("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
        while connection.wire.fill().unwrap_or(0) > 0 {
            let bytes = std::mem::take(&mut connection.wire.pending);
            connection.send(bytes);
        }
    });
    for driver in DRIVERS {
        ends_with_the_deadline(&Plan::to(&service), driver, None, |process| {
            let mut client = process.client();
            let answer = client.exchange("GET / HTTP/1.1\r\nhost: h\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
            assert_eq!(answer.status, 101);
            client.send("hello");
            assert_eq!(client.wire.exactly(5).expect("an echo"), b"hello");
            vec![client]
        });
    }
}

#[test]
fn an_upload_and_a_download_are_ended() {
    let service = Service::start(|connection| {
        if connection.head().is_some_and(|request| request.method == "GET") {
            connection.send("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nsome of it");
        }
        connection.wait_for_end();
    });
    for driver in DRIVERS {
        ends_with_the_deadline(&Plan::to(&service), driver, Some("stopping"), |process| {
            let mut down = process.client();
            down.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
            down.wire.head().expect("a head");
            let mut up = process.client();
            let before = service.request_count();
            up.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1000\r\n\r\nsome of it");
            service.wait_for_requests(before + 1);
            vec![down, up]
        });
    }
}

#[test]
fn a_connect_that_goes_on_is_ended() {
    let deaf = crate::support::service::Deaf::new();
    let plan = Plan::to_endpoints([deaf.address]).upstream("connect_timeout: 60s");
    for driver in DRIVERS {
        ends_with_the_deadline(&plan, driver, Some("stopping"), |process| {
            let mut client = process.client();
            client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
            // The gateway has begun when it serves another request that came later.
            wait_for("the request to be read", || unread(&client).then_some(()));
            vec![client]
        });
    }
}

/// Whether the gateway has read all that this client has sent.
fn unread(client: &Client) -> bool {
    let crate::support::client::Socket::Tcp(stream) = &client.wire.stream else { return false };
    let port = |address: std::net::SocketAddr| format!(":{:04X}", address.port());
    let (own, peer) = (port(stream.local_addr().expect("an address")), port(stream.peer_addr().expect("an address")));
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the system's connections");
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // The gateway's side, with nothing in its receive queue.
        fields.len() > 4 && fields[1].ends_with(&peer) && fields[2].ends_with(&own) && fields[4].ends_with(":00000000")
    })
}

#[test]
fn a_client_that_does_not_take_its_answer_is_ended() {
    let service = Service::answering(|_| ok(vec![b'x'; 64 << 20]));
    for driver in DRIVERS {
        ends_with_the_deadline(&Plan::to(&service), driver, Some("stopping"), |process| {
            let mut client = process.client();
            client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
            client.wire.head().expect("a head");
            vec![client]
        });
    }
}

#[test]
fn a_client_that_is_refused_while_it_sends_does_not_hold_the_process_up() {
    let service = Service::answering(|_| ok(""));
    for driver in DRIVERS {
        let plan = Plan::to(&service).limits("body_bytes: 10");
        ends_with_the_deadline(&plan, driver, Some("body_too_large"), |process| {
            let mut client = process.client();
            client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1000\r\n\r\nsome of it");
            assert_eq!(client.answer().status, 413);
            vec![client]
        });
    }
}

#[test]
fn a_unix_socket_is_gone_in_the_end() {
    let service = Service::answering(|_| ok("by path"));
    for driver in DRIVERS {
        let path = scratch("stop.sock");
        let config = Plan::to(&service).listen(&format!("unix:{}", path.display())).text();
        let mut process = Process::start(BINARY, &config, driver);
        let mut client = Client::connect_unix(&path);
        assert_eq!(client.get("/").text(), "by path");
        process.signal("TERM");
        assert_eq!(process.wait().code(), Some(0));
        client.end();
        assert!(!path.exists(), "{path:?} is left over");
    }
}

#[test]
fn hup_changes_nothing() {
    let service = Service::answering(|_| ok("good"));
    let mut process = Process::start(BINARY, &Plan::to(&service).text(), "auto");
    let mut client = process.client();
    assert_eq!(client.get("/").text(), "good");
    process.signal("HUP");
    wait_for("a word about it", || process.stderr().contains("reload").then_some(()));
    assert_eq!(client.get("/").text(), "good");
    assert!(process.is_running());
}
