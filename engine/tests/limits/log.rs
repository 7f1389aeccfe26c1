//! The access log: every key of the contract, with its value.

use crate::support::service::ok;
use crate::support::{Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;
use serde_json::Value;
use std::time::Duration;

on_both_drivers!(
    a_line_has_every_key_of_the_contract,
    a_refused_request_has_what_is_known_of_it,
    a_request_whose_head_is_not_one_has_a_line,
    bodies_are_counted_without_their_framing,
    behind_a_trusted_proxy_the_client_is_who_it_says,
    a_client_that_left_before_the_answer_has_status_0,
);

const KEYS: [&str; 17] = [
    "time",
    "request_id",
    "client",
    "listener",
    "protocol",
    "method",
    "host",
    "target",
    "route",
    "upstream",
    "endpoint",
    "status",
    "bytes_in",
    "bytes_out",
    "duration_ms",
    "upstream_ms",
    "fault",
];

#[track_caller]
fn has_all_keys(line: &Value) {
    let mut keys: Vec<&str> = line.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut wanted = KEYS;
    keys.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(keys, wanted);
    let time = line["time"].as_str().expect("a time");
    assert!(time.len() >= 20 && time.starts_with("20") && time.ends_with('Z') && &time[10..11] == "T", "{time}");
}

fn a_line_has_every_key_of_the_contract(driver: Choice) {
    let service = Service::answering(|_| {
        // Long enough to be told from nothing.
        std::thread::sleep(Duration::from_millis(30));
        ok("the answer")
    });
    let gate = Plan::to(&service).start(driver);
    let answer = gate
        .client()
        .exchange("POST /a%20b?c=\"d\" HTTP/1.1\r\nHost: Api.Example.com:81\r\ncontent-length: 4\r\n\r\nbody");
    assert_eq!(answer.status, 200);
    let line = &gate.log(1)[0];
    has_all_keys(line);
    assert_eq!(line["request_id"].as_str(), answer.fields.get("x-request-id"));
    assert_eq!(line["request_id"].as_str(), service.only_request().fields.get("x-request-id"));
    assert_eq!(line["client"], "127.0.0.1");
    assert_eq!(line["listener"], "plain");
    assert_eq!(line["protocol"], "HTTP/1.1");
    assert_eq!(line["method"], "POST");
    assert_eq!(line["host"], "Api.Example.com:81");
    assert_eq!(line["target"], "/a%20b?c=\"d\"");
    assert_eq!(line["route"], "all");
    assert_eq!(line["upstream"], "origin");
    assert_eq!(line["endpoint"], service.endpoint());
    assert_eq!(line["status"], 200);
    assert_eq!(line["bytes_in"], 4);
    assert_eq!(line["bytes_out"], 10);
    let (whole, waited) =
        (line["duration_ms"].as_f64().expect("a time"), line["upstream_ms"].as_f64().expect("a time"));
    assert!((30.0..20_000.0).contains(&waited) && whole >= waited, "{line}");
    assert_eq!(line["fault"], Value::Null);
}

fn a_refused_request_has_what_is_known_of_it(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let gate = Plan::to(&service).matches("path: \"/here\", methods: [GET]").start(driver);
    let mut client = gate.client();
    let length = client.get("/there").body.len();
    let line = &gate.log(1)[0];
    has_all_keys(line);
    for key in ["route", "upstream", "endpoint", "upstream_ms"] {
        assert_eq!(line[key], Value::Null, "{key}");
    }
    assert_eq!((&line["status"], &line["fault"]), (&Value::from(404), &Value::from("no_route")));
    assert_eq!(line["target"], "/there");
    assert_eq!(line["bytes_out"], length, "the body of an answer of ours counts as any other");
    client.exchange("PUT /here HTTP/1.1\r\nhost: h\r\n\r\n");
    let line = &gate.log(2)[1];
    assert_eq!((&line["status"], &line["fault"]), (&Value::from(405), &Value::from("method_not_allowed")));
}

fn a_request_whose_head_is_not_one_has_a_line(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    assert_eq!(client.get("/first").status, 200);
    let answer = client.exchange("GET / HTTP/1.1\r\nhost: h\r\nbad name: x\r\n\r\n");
    assert_eq!(answer.status, 400);
    let line = &gate.log(2)[1];
    has_all_keys(line);
    assert_eq!((&line["status"], &line["fault"]), (&Value::from(400), &Value::from("malformed_request")));
    assert_eq!(line["request_id"].as_str(), answer.fields.get("x-request-id"));
    assert_eq!(line["client"], "127.0.0.1");
    assert_eq!(line["endpoint"], Value::Null);
    assert_ne!(line["target"], "/first", "nothing of the request before");
}

fn bodies_are_counted_without_their_framing(driver: Choice) {
    let service = Service::answering(|_| {
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n3\r\n567\r\n0\r\nx-t: u\r\n\r\n".to_vec()
    });
    let gate = Plan::to(&service).start(driver);
    let request =
        "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
    let mut client = gate.client();
    assert_eq!(client.exchange(request).text(), "01234567");
    let line = &gate.log(1)[0];
    assert_eq!((&line["bytes_in"], &line["bytes_out"]), (&Value::from(7), &Value::from(8)));
    // An answer to HEAD has none, whatever its head says.
    let service = Service::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n".to_vec());
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send("HEAD / HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(client.answer_to("HEAD").status, 200);
    let line = &gate.log(1)[0];
    assert_eq!((&line["bytes_in"], &line["bytes_out"]), (&Value::from(0), &Value::from(0)));
    assert_eq!(line["method"], "HEAD");
}

fn behind_a_trusted_proxy_the_client_is_who_it_says(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let plan = Plan::to(&service);
    let request = "GET / HTTP/1.1\r\nhost: h\r\nx-forwarded-for: 192.0.2.1, 198.51.100.7, 127.0.0.9\r\n\r\n";
    let gate = plan.start(driver);
    gate.client().exchange(request);
    assert_eq!(gate.log(1)[0]["client"], "127.0.0.1");
    let gate = plan.and("trusted_proxies: [127.0.0.0/8]").start(driver);
    gate.client().exchange(request);
    assert_eq!(gate.log(1)[0]["client"], "198.51.100.7");
}

fn a_client_that_left_before_the_answer_has_status_0(driver: Choice) {
    let service = Service::start(|connection| {
        connection.request();
        connection.wait_for_end();
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send("GET /left HTTP/1.1\r\nhost: h\r\n\r\n");
    service.wait_for_requests(1);
    client.reset();
    let line = &gate.log(1)[0];
    has_all_keys(line);
    assert_eq!((&line["status"], &line["fault"]), (&Value::from(0), &Value::from("client_gone")));
    assert_eq!(line["target"], "/left");
    assert_eq!(line["endpoint"], service.endpoint());
}
