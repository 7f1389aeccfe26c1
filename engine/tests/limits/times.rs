//! `header_timeout` and `idle_timeout`.

use crate::support::service::ok;
use crate::support::{Client, Gate, Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

on_both_drivers!(
    a_head_that_dribbles_gets_408_when_its_time_is_over,
    a_second_head_has_no_more_time_than_the_first,
    a_head_that_stops_gets_408,
    a_connection_that_sends_nothing_is_closed_without_a_word,
    blank_lines_do_not_keep_a_connection_open,
    an_idle_connection_is_closed_without_a_word,
    a_request_within_idle_timeout_is_served,
    an_exchange_longer_than_idle_timeout_goes_on,
);

const TIME: Duration = Duration::from_millis(400);
/// Later than this is not in time, however busy the machine.
const LATE: Duration = Duration::from_secs(6);

fn gate(service: &Service, driver: Choice) -> Gate {
    Plan::to(service).limits("header_timeout: 400ms, idle_timeout: 400ms").start(driver)
}

fn echo() -> Service {
    Service::answering(|_| ok("good"))
}

#[track_caller]
fn in_time(begun: Instant) {
    let taken = begun.elapsed();
    assert!(taken >= TIME - Duration::from_millis(20) && taken < LATE, "{taken:?}");
}

/// Sends byte after byte, one each `pace`, until something comes back.
fn dribble(client: &mut Client, bytes: impl Iterator<Item = u8>, pace: Duration) {
    client.wire.stream.sock().set_read_timeout(Some(pace)).expect("a time limit");
    for byte in bytes {
        if client.try_send([byte]).is_err() {
            break;
        }
        match client.wire.fill() {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            _ => break,
        }
    }
    client.wire.stream.sock().set_read_timeout(Some(crate::support::STUCK)).expect("a time limit");
}

fn endless_head() -> impl Iterator<Item = u8> {
    b"GET / HTTP/1.1\r\nhost: h\r\n".iter().copied().chain(b"x-a: bcdefghi\r\n".iter().copied().cycle())
}

fn a_head_that_dribbles_gets_408_when_its_time_is_over(driver: Choice) {
    let service = echo();
    let gate = gate(&service, driver);
    let mut client = gate.client();
    let begun = Instant::now();
    dribble(&mut client, endless_head(), Duration::from_millis(7));
    let answer = client.answer();
    in_time(begun);
    assert_eq!((answer.status, answer.json()["error"].as_str()), (408, Some("request_timeout")));
    assert_eq!(answer.fields.get("connection"), Some("close"));
    client.end_after_bytes();
    assert_eq!(service.connections(), 0);
    assert_eq!(gate.log(1)[0]["fault"], "request_timeout");
}

fn a_second_head_has_no_more_time_than_the_first(driver: Choice) {
    let service = echo();
    let gate = gate(&service, driver);
    let mut client = gate.client();
    assert_eq!(client.get("/").status, 200);
    assert_eq!(client.get("/").status, 200);
    let begun = Instant::now();
    dribble(&mut client, endless_head(), Duration::from_millis(7));
    assert_eq!(client.answer().status, 408);
    in_time(begun);
    client.end_after_bytes();
}

fn a_head_that_stops_gets_408(driver: Choice) {
    let service = echo();
    let gate = gate(&service, driver);
    for part in ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: h\r\n", "GET / HTTP/1.1\r\nhost: h\r\n\r"] {
        let mut client = gate.client();
        let begun = Instant::now();
        client.send(part);
        assert_eq!(client.answer().status, 408, "{part:?}");
        in_time(begun);
        client.end();
    }
}

fn a_connection_that_sends_nothing_is_closed_without_a_word(driver: Choice) {
    let service = echo();
    let gate = gate(&service, driver);
    let begun = Instant::now();
    gate.client().end();
    in_time(begun);
}

fn blank_lines_do_not_keep_a_connection_open(driver: Choice) {
    let service = echo();
    let gate = gate(&service, driver);
    let mut client = gate.client();
    let begun = Instant::now();
    dribble(&mut client, b"\r\n".iter().copied().cycle(), Duration::from_millis(100));
    client.end_after_bytes();
    assert!(begun.elapsed() < LATE, "{:?}", begun.elapsed());
}

fn an_idle_connection_is_closed_without_a_word(driver: Choice) {
    let service = echo();
    let gate = gate(&service, driver);
    for requests in [1, 2, 5] {
        let mut client = gate.client();
        for _ in 0..requests {
            assert_eq!(client.get("/").status, 200);
        }
        let begun = Instant::now();
        client.end();
        in_time(begun);
    }
}

fn a_request_within_idle_timeout_is_served(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).limits("header_timeout: 400ms, idle_timeout: 3s").start(driver);
    let mut client = gate.client();
    for _ in 0..3 {
        assert_eq!(client.get("/").status, 200);
        // Longer than a head may take, and than a connection is busy.
        client.silent_for(Duration::from_millis(500));
    }
    assert_eq!(client.get("/").status, 200);
}

fn an_exchange_longer_than_idle_timeout_goes_on(driver: Choice) {
    let service = Service::start(|connection| {
        while connection.request().is_some() {
            // An answer that takes three times as long.
            std::thread::sleep(TIME * 3);
            connection.send(ok("slow"));
        }
    });
    let gate = gate(&service, driver);
    let mut client = gate.client();
    assert_eq!(client.get("/").status, 200);
    assert_eq!(client.get("/").status, 200);
}
