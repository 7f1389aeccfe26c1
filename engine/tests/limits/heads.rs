//! Limits on a request's head: its bytes, its fields, its target, its hops.

use crate::support::service::ok;
use crate::support::{Answer, Gate, Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;

on_both_drivers!(
    a_head_of_header_bytes_is_served_and_a_longer_one_gets_431,
    a_head_larger_than_a_buffer_is_served_up_to_the_default_limit,
    an_endless_head_gets_431_before_its_end,
    a_request_with_headers_fields_is_served_and_one_more_gets_431,
    a_target_of_target_bytes_is_served_and_a_longer_one_gets_414,
    an_endless_request_line_gets_414,
    a_request_that_has_passed_max_hops_times_gets_508,
    hops_of_other_gateways_do_not_count,
);

/// A head of exactly so many bytes, or the shortest.
fn head(bytes: usize) -> String {
    let (front, back) = ("GET / HTTP/1.1\r\nhost: h\r\nx-long: ", "\r\n\r\n");
    format!("{front}{}{back}", "a".repeat(bytes.saturating_sub(front.len() + back.len())))
}

/// Sends a request on a connection of its own, and asserts that the connection ends behind a refusal.
#[track_caller]
fn once(gate: &Gate, request: &str) -> Answer {
    let mut client = gate.client();
    let answer = client.exchange(request);
    if answer.status != 200 {
        assert_eq!(answer.fields.get("connection"), Some("close"));
        client.end();
    }
    answer
}

fn echo() -> Service {
    Service::answering(|_| ok("good"))
}

fn a_head_of_header_bytes_is_served_and_a_longer_one_gets_431(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).limits("header_bytes: 512").start(driver);
    assert_eq!(once(&gate, &head(512)).status, 200);
    let answer = once(&gate, &head(513));
    assert_eq!((answer.status, answer.json()["error"].as_str()), (431, Some("head_too_large")));
    // However it arrives.
    let mut client = gate.client();
    for piece in head(513).as_bytes().chunks(100) {
        client.send(piece);
    }
    assert_eq!(client.answer().status, 431);
    client.end();
    let mut client = gate.client();
    for piece in head(512).as_bytes().chunks(100) {
        client.send(piece);
    }
    assert_eq!(client.answer().status, 200);
    // The limit is a head's, not a connection's.
    assert_eq!(client.exchange(head(512)).status, 200);
    assert_eq!(client.exchange(head(513)).status, 431);
    client.end();
    assert_eq!(service.request_count(), 3);
}

fn a_head_larger_than_a_buffer_is_served_up_to_the_default_limit(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    for bytes in [8 << 10, 16 << 10, 20 << 10, 21 << 10, 32 << 10] {
        assert_eq!(once(&gate, &head(bytes)).status, 200, "{bytes}");
        let request = service.requests().pop().expect("a request");
        assert_eq!(request.fields.get("x-long").map(str::len), Some(bytes - head(0).len()), "{bytes}");
    }
    assert_eq!(once(&gate, &head((32 << 10) + 1)).status, 431);
}

fn an_endless_head_gets_431_before_its_end(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send("GET / HTTP/1.1\r\nhost: h\r\n");
    client.send(format!("x: {}\r\n", "a".repeat(40 << 10)));
    assert_eq!(client.answer().status, 431);
    client.end();
    assert_eq!(service.connections(), 0);
}

fn a_request_with_headers_fields_is_served_and_one_more_gets_431(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).limits("headers: 7").start(driver);
    let request = |fields: usize| format!("GET / HTTP/1.1\r\nhost: h\r\n{}\r\n", "x-a: b\r\n".repeat(fields - 1));
    assert_eq!(once(&gate, &request(7)).status, 200);
    assert_eq!(service.only_request().fields.all("x-a").len(), 6);
    let answer = once(&gate, &request(8));
    assert_eq!((answer.status, answer.json()["error"].as_str()), (431, Some("head_too_large")));
    let gate = Plan::to(&service).start(driver);
    assert_eq!(once(&gate, &request(100)).status, 200);
    assert_eq!(once(&gate, &request(101)).status, 431);
}

fn a_target_of_target_bytes_is_served_and_a_longer_one_gets_414(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).limits("target_bytes: 64").start(driver);
    let request = |bytes: usize| format!("GET /{} HTTP/1.1\r\nhost: h\r\n\r\n", "t".repeat(bytes - 1));
    assert_eq!(once(&gate, &request(64)).status, 200);
    let answer = once(&gate, &request(65));
    assert_eq!((answer.status, answer.json()["error"].as_str()), (414, Some("target_too_long")));
    let gate = Plan::to(&service).start(driver);
    assert_eq!(once(&gate, &request(16 << 10)).status, 200);
    assert_eq!(once(&gate, &request((16 << 10) + 1)).status, 414);
}

fn an_endless_request_line_gets_414(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).limits("target_bytes: 1KiB").start(driver);
    let mut client = gate.client();
    client.send(format!("GET /{}", "t".repeat(40 << 10)));
    assert_eq!(client.answer().status, 414);
    client.end();
}

fn a_request_that_has_passed_max_hops_times_gets_508(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).limits("max_hops: 2").start(driver);
    let request = |via: &str| format!("GET / HTTP/1.1\r\nhost: h\r\n{via}\r\n");
    assert_eq!(once(&gate, &request("")).status, 200);
    let via = service.only_request().fields.get("via").expect("a Via").to_string();
    assert_eq!(once(&gate, &request(&format!("via: {via}\r\n"))).status, 200);
    for twice in [format!("via: {via}, {via}\r\n"), format!("via: {via}\r\nVia: 1.0 other,{via}\r\n")] {
        let mut client = gate.client();
        let answer = client.exchange(request(&twice));
        assert_eq!((answer.status, answer.json()["error"].as_str()), (508, Some("too_many_hops")), "{twice}");
        // The connection is as good as before.
        assert_eq!(client.get("/").status, 200);
    }
    // What the gateway itself added counts, so a circle ends.
    let twice = service.requests()[1].fields.all("via").join(", ");
    assert_eq!(gate.client().exchange(request(&format!("via: {twice}\r\n"))).status, 508, "{twice}");
}

fn hops_of_other_gateways_do_not_count(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).limits("max_hops: 1").start(driver);
    let via = "via: 1.1 one, 1.0 two (ringgate), HTTP/2 three:8080\r\n";
    assert_eq!(once(&gate, &format!("GET / HTTP/1.1\r\nhost: h\r\n{via}\r\n")).status, 200);
}
