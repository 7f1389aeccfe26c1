//! A service that closes before its answer is whole.

use crate::support::client::End;
use crate::support::{Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;
use std::io::ErrorKind;

on_both_drivers!(
    before_any_byte_it_is_502,
    in_the_middle_of_the_head_it_is_502,
    in_the_middle_of_a_counted_body_the_client_sees_it_cut,
    in_the_middle_of_a_chunked_body_the_client_sees_it_cut,
    in_the_middle_of_a_body_an_http_1_0_client_is_reset,
    a_reset_in_a_body_without_a_length_is_seen_as_a_cut,
);

/// A service that reads one request, sends this, and closes or resets.
fn sends(bytes: &'static [u8], reset: bool) -> Service {
    Service::start(move |connection| {
        if connection.request().is_some() {
            connection.send(bytes);
        }
        if reset {
            // What was sent must have been taken: a reset would overtake it.
            std::thread::sleep(std::time::Duration::from_millis(50));
            connection.reset_on_close();
        }
    })
}

#[track_caller]
fn gives_502(bytes: &'static [u8], driver: Choice) {
    for reset in [false, true] {
        let service = sends(bytes, reset);
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        for n in 1..=2 {
            let answer = client.get("/");
            assert_eq!((answer.status, answer.json()["error"].as_str()), (502, Some("upstream_closed")));
            // A fresh connection is not tried again, and the client keeps its own.
            assert_eq!((service.request_count(), service.connections()), (n, n));
        }
        let line = &gate.log(1)[0];
        assert_eq!((line["status"].as_u64(), line["fault"].as_str()), (Some(502), Some("upstream_closed")));
        assert_eq!(line["endpoint"], service.endpoint());
    }
}

fn before_any_byte_it_is_502(driver: Choice) {
    gives_502(b"", driver);
}

fn in_the_middle_of_the_head_it_is_502(driver: Choice) {
    gives_502(b"HTT", driver);
    gives_502(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n", driver);
}

#[track_caller]
fn is_cut(bytes: &'static [u8], reset: bool, driver: Choice) {
    let service = sends(bytes, reset);
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    let status = match client.try_answer() {
        // Where the end comes with the head, nothing has been sent on yet.
        Ok(answer) => {
            assert_eq!(answer.status, 502, "the answer is not whole");
            502
        }
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset), "{error}");
            200
        }
    };
    let line = &gate.log(1)[0];
    assert_eq!((line["status"].as_u64(), line["fault"].as_str()), (Some(status), Some("upstream_closed")));
    assert_eq!(service.request_count(), 1, "an answer that has begun is not asked for again");
}

fn in_the_middle_of_a_counted_body_the_client_sees_it_cut(driver: Choice) {
    for reset in [false, true] {
        is_cut(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n", reset, driver);
        is_cut(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n123456789", reset, driver);
    }
}

fn in_the_middle_of_a_chunked_body_the_client_sees_it_cut(driver: Choice) {
    for reset in [false, true] {
        is_cut(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", reset, driver);
        is_cut(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n", reset, driver);
        is_cut(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n", reset, driver);
    }
}

fn in_the_middle_of_a_body_an_http_1_0_client_is_reset(driver: Choice) {
    let service = sends(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n", false);
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send("GET / HTTP/1.0\r\n\r\n");
    let end = client.end_after_bytes();
    let told = client.wire.pending.starts_with(b"HTTP/1.1 502 ");
    assert!(end == End::Reset || told, "{:?}", String::from_utf8_lossy(&client.wire.pending));
}

fn a_reset_in_a_body_without_a_length_is_seen_as_a_cut(driver: Choice) {
    is_cut(b"HTTP/1.1 200 OK\r\n\r\nsome", true, driver);
}
