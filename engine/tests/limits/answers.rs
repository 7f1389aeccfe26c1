//! Answers that the gateway makes itself.

use crate::support::service::ok;
use crate::support::{Answer, Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;

on_both_drivers!(
    no_route_gets_404,
    a_method_that_no_route_takes_gets_405_with_those_that_would_do,
    trace_and_connect_get_405,
    a_malformed_head_gets_400,
    an_answer_to_head_has_no_body,
    a_request_id_is_only_taken_over_from_a_trusted_sender,
    an_http_1_0_client_gets_errors_too,
);

fn echo() -> Service {
    Service::answering(|_| ok("good"))
}

/// Asserts what all of the gateway's own answers have in common.
#[track_caller]
fn own(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.fields.get("content-type"), Some("application/json"));
    assert!(answer.fields.has("date") && answer.fields.has("content-length"), "{answer:?}");
    let id = answer.fields.get("x-request-id").expect("an x-request-id");
    assert!(!id.is_empty());
    let body = answer.json();
    assert_eq!(body["error"], error);
    assert_eq!(body["request_id"], id);
    assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
}

fn no_route_gets_404(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).matches("path: \"/here\"").start(driver);
    let mut client = gate.client();
    let first = client.get("/there");
    own(&first, 404, "no_route");
    // The connection lives on, with or without a body in the request.
    let answer = client.exchange("POST /there HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nbody");
    own(&answer, 404, "no_route");
    assert_ne!(answer.fields.get("x-request-id"), first.fields.get("x-request-id"));
    let mut client = gate.client();
    own(&client.get("/there"), 404, "no_route");
    assert_eq!(client.get("/here").status, 200);
    assert_eq!(service.request_count(), 1);
}

fn a_method_that_no_route_takes_gets_405_with_those_that_would_do(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).matches("path: \"/a\", methods: [GET, PUT]").start(driver);
    let mut client = gate.client();
    let answer = client.exchange("DELETE /a HTTP/1.1\r\nhost: h\r\n\r\n");
    own(&answer, 405, "method_not_allowed");
    let allow = answer.fields.get("allow").expect("an Allow").to_string();
    let mut methods: Vec<&str> = allow.split(", ").collect();
    methods.sort_unstable();
    assert_eq!(methods, ["GET", "PUT"]);
    let answer = client.exchange("DELETE /b HTTP/1.1\r\nhost: h\r\n\r\n");
    own(&answer, 404, "no_route");
    assert!(!answer.fields.has("allow"));
    assert_eq!(client.get("/a").status, 200);
}

fn trace_and_connect_get_405(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    for request in [
        "TRACE / HTTP/1.1\r\nhost: h\r\n\r\n",
        "TRACE /nowhere HTTP/1.1\r\nhost: h\r\nmax-forwards: 0\r\n\r\n",
        "CONNECT h:443 HTTP/1.1\r\nhost: h:443\r\n\r\n",
    ] {
        let answer = gate.client().exchange(request);
        own(&answer, 405, "method_not_allowed");
        let allow = answer.fields.get("allow").expect("an Allow");
        assert!(allow.contains("GET") && !allow.contains("TRACE") && !allow.contains("CONNECT"), "{allow}");
    }
    assert_eq!(service.connections(), 0);
}

fn a_malformed_head_gets_400(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    for request in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: h\r\nhost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nhost : h\r\n\r\n",
        "GET / HTTP/1.1\nhost: h\n\n",
        "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: h\r\nx: a\r\n b\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
    ] {
        let mut client = gate.client();
        let answer = client.exchange(request);
        own(&answer, 400, "malformed_request");
        assert_eq!(answer.fields.get("connection"), Some("close"), "{request:?}");
        client.end();
    }
    assert_eq!(service.connections(), 0);
}

fn an_answer_to_head_has_no_body(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).matches("path: \"/here\"").start(driver);
    let mut client = gate.client();
    client.send("HEAD /there HTTP/1.1\r\nhost: h\r\n\r\n");
    let answer = client.answer_to("HEAD");
    assert_eq!(answer.status, 404);
    assert!(answer.fields.has("x-request-id"));
    assert_eq!(client.get("/here").text(), "good");
}

fn a_request_id_is_only_taken_over_from_a_trusted_sender(driver: Choice) {
    let service = echo();
    let request = "GET /there HTTP/1.1\r\nhost: h\r\nx-request-id: mine-1\r\n\r\n";
    let plan = Plan::to(&service).matches("path: \"/here\"");
    let gate = plan.start(driver);
    let answer = gate.client().exchange(request);
    own(&answer, 404, "no_route");
    assert_ne!(answer.fields.get("x-request-id"), Some("mine-1"));
    let gate = plan.and("trusted_proxies: [127.0.0.0/8]").start(driver);
    let answer = gate.client().exchange(request);
    own(&answer, 404, "no_route");
    assert_eq!(answer.fields.get("x-request-id"), Some("mine-1"));
    assert_eq!(gate.log(1)[0]["request_id"], "mine-1");
}

fn an_http_1_0_client_gets_errors_too(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).matches("path: \"/here\"").start(driver);
    let mut client = gate.client();
    own(&client.exchange("GET /there HTTP/1.0\r\n\r\n"), 404, "no_route");
    client.end();
}
