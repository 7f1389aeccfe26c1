//! A service that can't be reached, or does not answer in time.

use crate::support::service::ok;
use crate::support::{Gate, Plan, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use socket2::{Domain, Socket, Type};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

on_both_drivers!(
    a_service_that_refuses_gives_502_each_time,
    the_other_endpoint_answers_for_one_that_refuses,
    an_endpoint_that_refused_is_passed_over_for_a_second,
    an_endpoint_that_is_back_is_used_at_once_if_it_is_the_only_one,
    a_service_that_does_not_accept_gives_504,
    the_other_endpoint_answers_for_one_that_does_not_accept,
    a_service_that_does_not_answer_gives_504,
    a_service_that_stops_in_its_head_gives_504,
);

/// A port that refuses connections until it listens.
fn refusing() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
    let address = socket.local_addr().ok().and_then(|a| a.as_socket()).expect("an address");
    (socket, address)
}

/// A port whose queue of connections is full.
struct Full {
    _socket: Socket,
    _queued: Vec<TcpStream>,
    address: SocketAddr,
}

fn full() -> Full {
    let (socket, address) = refusing();
    socket.listen(0).expect("a listener");
    let queued: Vec<_> =
        std::iter::from_fn(|| TcpStream::connect_timeout(&address, Duration::from_millis(300)).ok()).take(8).collect();
    assert!(queued.len() < 8, "the queue does not fill");
    Full { _socket: socket, _queued: queued, address }
}

fn a_service_that_refuses_gives_502_each_time(driver: Choice) {
    let (_socket, address) = refusing();
    let gate = Plan::to_endpoints([address]).start(driver);
    let mut client = gate.client();
    for n in 0..3 {
        let answer = client.get("/");
        assert_eq!((answer.status, answer.json()["error"].as_str()), (502, Some("upstream_connect_failed")));
        let line = &gate.log(n + 1)[n];
        assert_eq!((line["status"].as_u64(), line["fault"].as_str()), (Some(502), Some("upstream_connect_failed")));
    }
    let answer = client.exchange("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nbody");
    assert_eq!(answer.status, 502);
}

fn the_other_endpoint_answers_for_one_that_refuses(driver: Choice) {
    let (_socket, address) = refusing();
    let service = Service::answering(|request| ok(&request.body));
    let gate = Plan::to_endpoints([address.to_string(), service.endpoint()]).start(driver);
    let mut client = gate.client();
    for n in 0..20 {
        // Nothing was sent to the one that refused, so POST may go to the other.
        let answer = client.exchange(format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{n:02}"));
        assert_eq!((answer.status, answer.text()), (200, format!("{n:02}").as_str()));
    }
    assert_eq!(service.request_count(), 20);
    assert!(gate.log(20).iter().all(|line| line["endpoint"] == service.endpoint() && line["fault"].is_null()));
}

fn an_endpoint_that_refused_is_passed_over_for_a_second(driver: Choice) {
    let (socket, address) = refusing();
    let service = Service::answering(|_| ok("other"));
    let gate = Plan::to_endpoints([address.to_string(), service.endpoint()]).start(driver);
    let mut client = gate.client();
    let begun = Instant::now();
    assert_eq!(client.get("/").text(), "other");
    assert_eq!(client.get("/").text(), "other");
    socket.listen(16).expect("a listener");
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(true).expect("O_NONBLOCK");
    let asked = wait_for("the endpoint to be used again", || match listener.accept() {
        Ok((stream, _)) => Some(stream),
        Err(_) => {
            // Nobody answers at the endpoint: this one is not waited for.
            ask(&gate);
            None
        }
    });
    drop(asked);
    assert!(begun.elapsed() >= Duration::from_millis(980), "{:?}", begun.elapsed());
}

/// Sends a request, and waits a little for its answer.
fn ask(gate: &Gate) {
    let mut client = gate.client();
    client.wire.stream.sock().set_read_timeout(Some(Duration::from_millis(50))).expect("a time limit");
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    let _ = client.try_answer();
}

fn an_endpoint_that_is_back_is_used_at_once_if_it_is_the_only_one(driver: Choice) {
    let (socket, address) = refusing();
    let gate = Plan::to_endpoints([address]).start(driver);
    let mut client = gate.client();
    assert_eq!(client.get("/").status, 502);
    drop(socket);
    let _service = Service::start_on(address, |connection| connection.answer_all(|_| ok("back")));
    assert_eq!(client.get("/").text(), "back");
}

fn a_service_that_does_not_accept_gives_504(driver: Choice) {
    let full = full();
    let gate = Plan::to_endpoints([full.address]).upstream("connect_timeout: 300ms").start(driver);
    let begun = Instant::now();
    let answer = gate.client().get("/");
    assert_eq!((answer.status, answer.json()["error"].as_str()), (504, Some("upstream_connect_timeout")));
    assert!(begun.elapsed() >= Duration::from_millis(290) && begun.elapsed() < Duration::from_secs(5));
    assert_eq!(gate.log(1)[0]["fault"], "upstream_connect_timeout");
}

fn the_other_endpoint_answers_for_one_that_does_not_accept(driver: Choice) {
    let full = full();
    let service = Service::answering(|_| ok("other"));
    let gate = Plan::to_endpoints([full.address.to_string(), service.endpoint()])
        .upstream("connect_timeout: 200ms")
        .start(driver);
    let mut client = gate.client();
    for _ in 0..4 {
        assert_eq!(client.get("/").text(), "other");
    }
}

#[track_caller]
fn gives_504(bytes: &'static [u8], driver: Choice) {
    let service = Service::start(move |connection| {
        if connection.request().is_some() && connection.send(bytes) {
            connection.wait_for_end();
        }
    });
    let gate = Plan::to(&service).forward("timeout: 300ms").start(driver);
    let mut client = gate.client();
    for n in 1..=2 {
        let begun = Instant::now();
        let answer = client.get("/");
        assert_eq!((answer.status, answer.json()["error"].as_str()), (504, Some("upstream_timeout")));
        assert!(begun.elapsed() >= Duration::from_millis(290) && begun.elapsed() < Duration::from_secs(5));
        wait_for("the service's connection to end", || (service.ended() == n).then_some(()));
    }
    assert_eq!(service.request_count(), 2, "nothing is sent twice");
    assert_eq!(gate.log(1)[0]["fault"], "upstream_timeout");
}

fn a_service_that_does_not_answer_gives_504(driver: Choice) {
    gives_504(b"", driver);
}

fn a_service_that_stops_in_its_head_gives_504(driver: Choice) {
    gives_504(b"HTTP/1.1 200 OK\r\ncontent-", driver);
    gives_504(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n", driver);
}
