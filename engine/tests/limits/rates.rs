//! `min_rate`: the slowest that a body may come or an answer be taken.

use crate::support::service::ok;
use crate::support::{Client, Gate, Plan, STUCK, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::time::{Duration, Instant};

on_both_drivers!(
    an_upload_below_the_rate_gets_408,
    an_upload_that_stops_gets_408,
    an_upload_at_the_rate_is_not_cut,
    a_body_that_the_service_does_not_take_is_not_the_clients_fault,
    a_large_answer_that_is_not_read_is_cut,
    a_large_answer_read_below_the_rate_is_cut,
    a_large_answer_read_at_the_rate_is_not_cut,
    a_small_answer_that_stays_in_the_kernels_queue_is_cut,
    a_small_last_answer_that_stays_in_the_kernels_queue_is_cut,
    a_service_that_is_slow_is_not_the_clients_fault,
    without_a_rate_nobody_is_cut,
);

const RATE: &str = "min_rate: { bytes: 1000, grace: 1s }, idle_timeout: 20s";
const PACE: Duration = Duration::from_millis(100);

/// Nothing comes for the length of one step.
fn step(client: &mut Client) -> bool {
    client.wire.stream.sock().set_read_timeout(Some(PACE)).expect("a time limit");
    let silent = client
        .wire
        .fill()
        .is_err_and(|error| matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut));
    client.wire.stream.sock().set_read_timeout(Some(STUCK)).expect("a time limit");
    silent
}

/// A service that discards what is uploaded, piece by piece.
fn sink() -> Service {
    Service::start(|connection| {
        while let Some(head) = connection.head() {
            let whole = connection.wire.body(&head.fields, false);
            if !whole.is_ok_and(|(body, _)| connection.send(ok(body.len().to_string()))) {
                return;
            }
        }
    })
}

fn post(n: usize) -> String {
    format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {n}\r\n\r\n")
}

fn an_upload_below_the_rate_gets_408(driver: Choice) {
    let service = sink();
    let gate = Plan::to(&service).limits(RATE).start(driver);
    let mut client = gate.client();
    client.send(post(1_000_000));
    let begun = Instant::now();
    while begun.elapsed() < STUCK && client.try_send([b'b'; 20]).is_ok() && step(&mut client) {}
    let answer = client.answer();
    assert_eq!((answer.status, answer.json()["error"].as_str()), (408, Some("slow_body")));
    client.end_after_bytes();
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    wait_for("the service's connection to end", || (service.ended() == 1).then_some(()));
    let line = &gate.log(1)[0];
    assert_eq!((line["fault"].as_str(), line["status"].as_u64()), (Some("slow_body"), Some(408)));
}

fn an_upload_that_stops_gets_408(driver: Choice) {
    let service = sink();
    let gate = Plan::to(&service).limits(RATE).start(driver);
    for sent in ["", "some"] {
        let mut client = gate.client();
        client.send(format!("{}{sent}", post(1_000_000)));
        assert_eq!(client.answer().status, 408, "{sent:?}");
        client.end();
    }
    let mut client = gate.client();
    client.send("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n4\r\nso");
    assert_eq!(client.answer().status, 408);
    client.end();
}

fn an_upload_at_the_rate_is_not_cut(driver: Choice) {
    let service = sink();
    let gate = Plan::to(&service).limits(RATE).start(driver);
    let mut client = gate.client();
    client.send(post(30 * 600));
    for _ in 0..30 {
        client.send([b'b'; 600]);
        step(&mut client);
    }
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (200, "18000"));
}

fn a_body_that_the_service_does_not_take_is_not_the_clients_fault(driver: Choice) {
    let service = Service::start(|connection| {
        let Some(head) = connection.head() else { return };
        // More than twice the grace, with every buffer on the way full.
        std::thread::sleep(Duration::from_millis(2500));
        let whole = connection.wire.body(&head.fields, false);
        connection.send(ok(whole.map_or(0, |(body, _)| body.len()).to_string()));
    });
    let gate = Plan::to(&service).limits(&format!("{RATE}, body_bytes: off")).start(driver);
    let bytes = 32 << 20;
    let mut client = gate.client();
    client.send(post(bytes));
    client.send(vec![b'b'; bytes]);
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (200, bytes.to_string().as_str()));
}

/// A service whose answers have so many bytes.
fn large(bytes: usize) -> Service {
    let answer = ok(vec![b'l'; bytes]);
    Service::answering(move |_| answer.clone())
}

/// Waits until the connection is reset, without reading anything.
#[track_caller]
fn reset_unread(client: &Client) {
    wait_for("the connection to be reset", || client.wire.stream.sock().take_error().expect("SO_ERROR"));
}

#[track_caller]
fn cut_as_slow_reader(gate: &Gate, service: &Service) {
    let line = &gate.log(1)[0];
    assert_eq!(line["fault"], "slow_reader", "{line}");
    assert_eq!(line["status"], 200, "{line}");
    wait_for("the service's connection to end", || (service.ended() == service.connections()).then_some(()));
}

fn a_large_answer_that_is_not_read_is_cut(driver: Choice) {
    let service = large(64 << 20);
    let gate = Plan::to(&service).limits(RATE).start(driver);
    let mut client = Client::connect_with_small_buffer(gate.address(), 4096);
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    reset_unread(&client);
    cut_as_slow_reader(&gate, &service);
}

fn a_large_answer_read_below_the_rate_is_cut(driver: Choice) {
    let service = large(64 << 20);
    let gate = Plan::to(&service).limits(RATE).start(driver);
    let mut client = Client::connect_with_small_buffer(gate.address(), 4096);
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    let begun = Instant::now();
    let mut bytes = [0; 20];
    // What came before a reset can still be read, so the end of reading says nothing.
    while client.wire.stream.sock().take_error().expect("SO_ERROR").is_none() {
        assert!(begun.elapsed() < STUCK, "it was not cut");
        let Ok(n) = std::io::Read::read(&mut client.wire.stream, &mut bytes) else { break };
        assert!(n > 0, "the connection must be reset");
        // How slow this client is.
        std::thread::sleep(PACE);
    }
    cut_as_slow_reader(&gate, &service);
}

fn a_large_answer_read_at_the_rate_is_not_cut(driver: Choice) {
    let bytes = 4 << 20;
    let service = large(bytes);
    let gate = Plan::to(&service).limits(RATE).start(driver);
    let mut client = Client::connect_with_small_buffer(gate.address(), 32 << 10);
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    let begun = Instant::now();
    let mut chunk = [0; 16 << 10];
    // Three times the grace at a pace that leaves most of the answer waiting all the time, then the rest.
    while begun.elapsed() < Duration::from_secs(3) {
        let n = std::io::Read::read(&mut client.wire.stream, &mut chunk).expect("more of the answer");
        client.wire.pending.extend_from_slice(&chunk[..n]);
        std::thread::sleep(PACE);
    }
    assert!(client.wire.pending.len() < bytes / 2, "{}", client.wire.pending.len());
    assert_eq!(client.answer().body.len(), bytes);
    assert!(gate.log(1)[0]["fault"].is_null());
}

fn a_small_answer_that_stays_in_the_kernels_queue_is_cut(driver: Choice) {
    let service = large(60_000);
    let gate = Plan::to(&service).limits(RATE).start(driver);
    for requests in [1, 2] {
        let mut client = Client::connect_with_small_buffer(gate.address(), 2048);
        for _ in 1..requests {
            assert_eq!(client.get("/").body.len(), 60_000);
        }
        client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
        reset_unread(&client);
    }
}

fn a_small_last_answer_that_stays_in_the_kernels_queue_is_cut(driver: Choice) {
    let service = large(60_000);
    let gate = Plan::to(&service).limits(&format!("{RATE}, connections: 1")).start(driver);
    let mut client = Client::connect_with_small_buffer(gate.address(), 2048);
    client.send("GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    // It does not keep its place for ever.
    assert_eq!(gate.client().get("/").status, 200);
}

fn a_service_that_is_slow_is_not_the_clients_fault(driver: Choice) {
    let service = Service::start(|connection| {
        while connection.request().is_some() {
            connection.send("HTTP/1.1 200 OK\r\ncontent-length: 25\r\n\r\n");
            for _ in 0..25 {
                connection.send("s");
                std::thread::sleep(PACE);
            }
        }
    });
    let gate = Plan::to(&service).limits(RATE).start(driver);
    assert_eq!(gate.client().get("/").text(), "s".repeat(25));
}

fn without_a_rate_nobody_is_cut(driver: Choice) {
    let service = large(8 << 20);
    let gate = Plan::to(&service).limits("min_rate: off").start(driver);
    let mut reader = Client::connect_with_small_buffer(gate.address(), 4096);
    reader.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    let mut writer = gate.client();
    writer.send(post(4));
    writer.silent_for(Duration::from_secs(3));
    writer.send("done");
    assert_eq!(writer.answer().status, 200);
    reader.wire.stream.sock().set_recv_buffer_size(1 << 20).expect("SO_RCVBUF");
    assert_eq!(reader.answer().body.len(), 8 << 20);
}
