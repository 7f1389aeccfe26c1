//! Informational answers (1xx), and clients that wait for one of them.

use crate::support::service::ok;
use crate::support::{Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;

on_both_drivers!(
    early_hints_go_on_before_the_answer,
    http_1_0_gets_no_informational_answers,
    a_client_that_waits_for_100_gets_it_from_the_service,
    a_client_that_waits_for_100_may_get_the_answer_instead,
    a_body_that_does_not_wait_for_100_goes_on,
    too_many_informational_answers_are_refused,
    an_informational_answer_with_a_body_is_refused,
    other_expectations_are_refused,
);

fn early_hints_go_on_before_the_answer(driver: Choice) {
    let service = Service::start(|connection| {
        while connection.request().is_some() {
            connection.send(
                "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x-hop\r\nx-hop: 1\r\n\r\n",
            );
            connection
                .send("HTTP/1.1 103 Early Hints\r\nLink: </b.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
            connection.send(ok("page"));
        }
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for _ in 0..2 {
        client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
        let hints: Vec<_> = (0..3).map(|_| client.answer()).collect();
        assert_eq!(hints[0].status, 103);
        assert_eq!(hints[0].fields.get("link"), Some("</a.css>; rel=preload"));
        assert!(!hints[0].fields.has("x-hop") && !hints[0].fields.has("connection"));
        assert_eq!(hints[1].fields.get("link"), Some("</b.css>; rel=preload"));
        assert_eq!(hints[2].status, 102);
        assert_eq!(client.answer().text(), "page");
    }
    assert_eq!(service.connections(), 1);
    let log = gate.log(2);
    assert_eq!((&log[0]["status"], &log[0]["bytes_out"]), (&200.into(), &4.into()));
}

fn http_1_0_gets_no_informational_answers(driver: Choice) {
    let service = Service::answering(|_| {
        b"HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n".iter().copied().chain(ok("page")).collect()
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    assert_eq!(client.exchange("GET / HTTP/1.0\r\n\r\n").text(), "page");
    client.end();
}

const EXPECTING: &str = "POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";

fn a_client_that_waits_for_100_gets_it_from_the_service(driver: Choice) {
    let service = Service::start(|connection| {
        // Of each request the head, then leave to go on, then the body.
        while let Some(request) = connection.head() {
            assert_eq!(request.fields.get("expect"), Some("100-continue"));
            connection.send("HTTP/1.1 100 Continue\r\n\r\n");
            let Ok(body) = connection.wire.exactly(5) else { return };
            connection.send(ok(body));
        }
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for _ in 0..3 {
        client.send(EXPECTING);
        assert_eq!(client.answer().status, 100);
        client.send("hello");
        assert_eq!(client.answer().text(), "hello");
    }
    assert_eq!(service.connections(), 1);
}

fn a_client_that_waits_for_100_may_get_the_answer_instead(driver: Choice) {
    let service = Service::start(|connection| {
        if connection.head().is_some() {
            connection.send("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno");
            connection.wait_for_end();
        }
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send(EXPECTING);
    let answer = client.answer();
    // Whether the body still comes can't be known: the connection ends.
    assert_eq!((answer.status, answer.text(), answer.fields.get("connection")), (401, "no", Some("close")));
    client.end();
}

fn a_body_that_does_not_wait_for_100_goes_on(driver: Choice) {
    let service = Service::answering(|request| {
        b"HTTP/1.1 100 Continue\r\n\r\n".iter().copied().chain(ok(&request.body)).collect()
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send(EXPECTING);
    client.send("hello");
    assert_eq!(client.answer().status, 100);
    assert_eq!(client.answer().text(), "hello");
    // Without a body there is nothing to wait for, and HTTP/1.0 does not know it.
    for request in [
        "GET / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\n\r\n",
        "GET / HTTP/1.0\r\nhost: h\r\nexpect: 100-continue\r\n\r\n",
    ] {
        let mut client = gate.client();
        client.send(request);
        let mut answer = client.answer();
        if answer.status == 100 {
            assert!(request.contains("1.1"), "HTTP/1.0 gets no 100");
            answer = client.answer();
        }
        assert_eq!(answer.status, 200);
    }
}

fn too_many_informational_answers_are_refused(driver: Choice) {
    let service = Service::start(|connection| {
        connection.request();
        while connection.send("HTTP/1.1 102 Processing\r\n\r\n") {}
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    let mut answer = client.answer();
    let mut count = 0;
    while answer.status == 102 {
        count += 1;
        answer = client.answer();
    }
    assert_eq!((answer.status, count), (502, 32));
}

fn an_informational_answer_with_a_body_is_refused(driver: Choice) {
    for framing in ["content-length: 5", "transfer-encoding: chunked"] {
        let text =
            format!("HTTP/1.1 103 Early Hints\r\n{framing}\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil");
        let service = Service::answering(move |_| text.clone().into_bytes());
        let gate = Plan::to(&service).start(driver);
        let answer = gate.client().get("/");
        assert_eq!((answer.status, &answer.json()["error"]), (502, &"upstream_bad_answer".into()), "{framing}");
    }
}

fn other_expectations_are_refused(driver: Choice) {
    let service = Service::answering(|_| ok(""));
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    let answer = client.exchange("POST / HTTP/1.1\r\nhost: h\r\nexpect: magic\r\ncontent-length: 0\r\n\r\n");
    assert_eq!((answer.status, &answer.json()["error"]), (417, &"expectation_failed".into()));
    client.end();
    assert_eq!(service.request_count(), 0);
}
