//! Clients that leave: the service hears of it soon, and a client that only stops sending still gets its answer.

use crate::support::service::{Connection, Deaf, ok};
use crate::support::{Client, Plan, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::io::Write;
use std::time::{Duration, Instant};

on_both_drivers!(
    a_client_that_resets_while_it_waits_is_noticed,
    a_client_that_resets_on_a_busy_connection_is_noticed,
    a_client_that_resets_behind_a_pipelined_request_is_noticed,
    a_client_that_resets_while_it_uploads_is_noticed,
    a_client_that_resets_while_nobody_takes_its_upload_is_noticed,
    a_client_that_resets_while_its_service_is_connected_to_is_noticed,
    a_client_that_resets_while_it_downloads_is_noticed,
    a_client_that_resets_while_the_answer_pauses_is_noticed,
    a_half_close_still_gets_the_answer,
    a_half_close_in_the_middle_of_a_request_ends_it,
);

/// A client that leaves must be noticed at the service within this time.
const SOON: Duration = Duration::from_secs(1);

/// Lets clients begin something and leave; asserts that the service's connection ends soon. The best of three tries
/// counts, since the machine may be busy.
#[track_caller]
fn noticed_soon(
    driver: Choice,
    script: impl Fn(&mut Connection) + Send + Sync + 'static,
    begin: impl Fn(&mut Client, &Service),
) {
    let service = Service::start(script);
    let gate = Plan::to(&service).limits("body_bytes: 1GiB").start(driver);
    let mut best = Duration::MAX;
    for n in 1..4 {
        let mut client = gate.client();
        begin(&mut client, &service);
        let left = Instant::now();
        client.reset();
        wait_for("the service to see that the client has left", || (service.ended() == n).then_some(()));
        best = best.min(left.elapsed());
        if best < SOON {
            break;
        }
    }
    assert!(best < SOON, "after {best:?}");
    wait_for("the log", || gate.log(1).iter().any(|line| line["fault"] == "client_gone").then_some(()));
}

fn never_answers(connection: &mut Connection) {
    connection.request();
    connection.wait_for_end();
}

const GET: &str = "GET /slow HTTP/1.1\r\nhost: h\r\n\r\n";

fn a_client_that_resets_while_it_waits_is_noticed(driver: Choice) {
    noticed_soon(driver, never_answers, |client, service| {
        let before = service.request_count();
        client.send(GET);
        service.wait_for_requests(before + 1);
    });
    noticed_soon(driver, never_answers, |client, service| {
        let before = service.request_count();
        client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nbody");
        service.wait_for_requests(before + 1);
    });
}

fn a_client_that_resets_on_a_busy_connection_is_noticed(driver: Choice) {
    let script = |connection: &mut Connection| {
        while let Some(request) = connection.request() {
            if request.target == "/slow" {
                connection.wait_for_end();
                return;
            }
            connection.send(ok(""));
        }
    };
    noticed_soon(driver, script, |client, service| {
        for _ in 0..5 {
            assert_eq!(client.get("/quick").status, 200);
        }
        let before = service.request_count();
        client.send(GET);
        service.wait_for_requests(before + 1);
    });
}

fn a_client_that_resets_behind_a_pipelined_request_is_noticed(driver: Choice) {
    noticed_soon(driver, never_answers, |client, service| {
        let before = service.request_count();
        client.send(format!("{GET}{GET}"));
        service.wait_for_requests(before + 1);
    });
}

fn a_client_that_resets_while_it_uploads_is_noticed(driver: Choice) {
    let script = |connection: &mut Connection| {
        connection.head();
        connection.wait_for_end();
    };
    noticed_soon(driver, script, |client, service| {
        let before = service.request_count();
        client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1000000\r\n\r\nsome of it");
        service.wait_for_requests(before + 1);
    });
}

fn a_client_that_resets_while_nobody_takes_its_upload_is_noticed(driver: Choice) {
    // The service reads the head, and then only looks whether its peer is still there.
    let script = |connection: &mut Connection| {
        connection.head();
        let crate::support::client::Socket::Tcp(stream) = &connection.wire.stream else { return };
        wait_for("the connection to end", || super::leaving::is_over(stream).then_some(()));
    };
    noticed_soon(driver, script, |client, service| {
        let before = service.request_count();
        client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1000000000\r\n\r\n");
        service.wait_for_requests(before + 1);
        // Until nothing more fits on the way.
        client.wire.stream.sock().set_write_timeout(Some(Duration::from_millis(300))).expect("a time limit");
        while client.wire.stream.write(&[0; 65536]).is_ok() {}
    });
}

fn a_client_that_resets_while_its_service_is_connected_to_is_noticed(driver: Choice) {
    let deaf = Deaf::new();
    let gate = Plan::to_endpoints([deaf.address]).upstream("connect_timeout: 60s").start(driver);
    let mut client = gate.client();
    client.send(GET);
    client.silent_for(Duration::from_millis(100));
    client.reset();
    assert_eq!(gate.log(1)[0]["fault"], "client_gone");
}

fn a_client_that_resets_while_it_downloads_is_noticed(driver: Choice) {
    let script = |connection: &mut Connection| {
        connection.request();
        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n");
        while connection.send([0; 65536]) {}
    };
    noticed_soon(driver, script, |client, _| {
        client.send(GET);
        client.wire.exactly(200_000).expect("a part");
    });
}

fn a_client_that_resets_while_the_answer_pauses_is_noticed(driver: Choice) {
    let script = |connection: &mut Connection| {
        connection.request();
        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome of it");
        connection.wait_for_end();
    };
    noticed_soon(driver, script, |client, _| {
        client.send(GET);
        client.wire.head().expect("a head");
        client.wire.exactly(10).expect("a part");
    });
}

fn a_half_close_still_gets_the_answer(driver: Choice) {
    let service = Service::start(|connection| {
        while let Some(request) = connection.request() {
            // Longer than the tick after which the gateway looks whether the client has left.
            std::thread::sleep(Duration::from_millis(700));
            connection.send(ok(&request.body));
        }
    });
    let gate = Plan::to(&service).start(driver);
    for request in [
        "GET / HTTP/1.1\r\nhost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nbody",
        "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    ] {
        let mut client = gate.client();
        client.send(request);
        client.half_close();
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (200, if request.starts_with("POST") { "body" } else { "" }));
        client.end();
    }
    assert!(gate.log(3).iter().all(|line| line["fault"].is_null()));
}

fn a_half_close_in_the_middle_of_a_request_ends_it(driver: Choice) {
    let service = Service::start(|connection| {
        connection.head();
        connection.wait_for_end();
    });
    let gate = Plan::to(&service).start(driver);
    for (part, reaches) in [
        ("GET / HT", false),
        ("GET / HTTP/1.1\r\nhost: h\r\n", false),
        ("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nbody", true),
        ("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n", true),
    ] {
        let before = service.ended();
        let mut client = gate.client();
        client.send(part);
        client.half_close();
        client.end_after_bytes();
        if reaches {
            wait_for("the service to see it", || (service.ended() == before + 1).then_some(()));
        }
    }
    assert_eq!(service.connections(), 2);
}

/// Whether the peer has closed or reset, without reading what it has sent.
fn is_over(stream: &std::net::TcpStream) -> bool {
    let mut state = String::new();
    let port = |address: std::io::Result<std::net::SocketAddr>| {
        address.map(|a| format!(":{:04X} ", a.port())).unwrap_or_default()
    };
    let (local, peer) = (port(stream.local_addr()), port(stream.peer_addr()));
    if peer.is_empty() {
        return true;
    }
    for line in std::fs::read_to_string("/proc/net/tcp").expect("the system's connections").lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is = |n: usize, port: &str| fields.get(n).is_some_and(|f| format!("{f} ").ends_with(port));
        if is(1, &local) && is(2, &peer) {
            state = fields[3].to_string();
        }
    }
    state != "01"
}
