//! The server without a gateway: what it says before there is one, and when nobody listens to it.

use super::*;
use crate::proxy::{Permits, Readiness};
use ringgate_config::Secret;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// An answer that does not come within this is not coming.
const STUCK: Duration = Duration::from_secs(20);
const TOKEN: &str = "a-token";

/// An admin API, and the events that it sends. It says that the gateway is starting.
fn open() -> (Admin, mpsc::Receiver<Event>) {
    let file = "listeners: [{ name: a, address: \"127.0.0.1:0\" }]\nroutes: []\n";
    let config = ringgate_config::parse("test.yaml", file, &|_| None).expect("a configuration");
    let address = Address::Tcp("127.0.0.1:0".parse().expect("an address"));
    let own =
        ringgate_config::Admin { address, token: Some(Secret::new(TOKEN.to_owned())), at: config.listeners[0].at };
    let config = Config { admin: Some(own), ..config };
    let status = Status::starting(Arc::new(config.clone()), &Permits::new(1), &Readiness::default());
    let (tell, events) = mpsc::channel();
    let mut admin = Admin::new(status, tell, Registry::new(1));
    let prepared = admin.prepare(&config).expect("a port");
    admin.commit(prepared);
    (admin, events)
}

fn connect(admin: &Admin) -> TcpStream {
    let Some(Address::Tcp(at)) = admin.address() else { panic!("no TCP address") };
    let stream = TcpStream::connect(at).expect("a connection");
    stream.set_read_timeout(Some(STUCK)).expect("a time limit");
    stream
}

/// Everything that comes until the connection ends.
fn ask(admin: &Admin, call: &str) -> String {
    let mut stream = connect(admin);
    let host = admin.address().map(ToString::to_string).unwrap_or_default();
    let fields = format!("host: {host}\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n");
    stream.write_all(format!("{call} HTTP/1.1\r\n{fields}\r\n").as_bytes()).expect("it is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an end");
    answer
}

#[test]
fn a_gateway_that_starts_is_alive_and_not_ready() {
    let (admin, _events) = open();
    assert!(ask(&admin, "GET /livez").starts_with("HTTP/1.1 200 "));
    let readiness = ask(&admin, "GET /readyz");
    assert!(readiness.starts_with("HTTP/1.1 503 ") && readiness.contains("{\"status\":\"starting\"}"), "{readiness}");
}

#[test]
fn a_change_that_nobody_takes_is_answered() {
    let (admin, events) = open();
    drop(events);
    let answer = ask(&admin, "POST /drain");
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\"error\":\"stopping\""), "{answer}");
}

#[test]
fn a_change_that_is_thrown_away_is_answered() {
    let (admin, events) = open();
    let thrown = std::thread::spawn(move || drop(events.recv_timeout(STUCK).expect("an event")));
    let answer = ask(&admin, "POST /reload");
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\"error\":\"stopping\""), "{answer}");
    thrown.join().expect("no panic");
}

#[test]
fn a_panic_ends_its_connection_and_gives_its_place_back() {
    let (admin, _events) = open();
    for _ in 0..server::CONNECTIONS_MAX + 1 {
        assert_eq!(ask(&admin, &format!("GET {}", calls::PANIC_PATH)), "");
    }
    assert!(ask(&admin, "GET /livez").starts_with("HTTP/1.1 200 "));
}

#[test]
fn what_is_dropped_listens_no_more() {
    let (admin, _events) = open();
    let mut idle = connect(&admin);
    let at = admin.address().expect("it is open").to_string();
    drop(admin);
    assert_eq!(idle.read(&mut [0; 1]).unwrap_or(0), 0, "the end, by FIN or by RST");
    let begun = std::time::Instant::now();
    while TcpStream::connect(&at).is_ok() {
        assert!(begun.elapsed() < STUCK, "it still listens");
        std::thread::yield_now();
    }
}
