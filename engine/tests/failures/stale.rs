//! Connections that a service closed while they waited, or closes just as they are used again.

use crate::support::service::{Connection, ok};
use crate::support::{Plan, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::sync::Mutex;
use std::sync::mpsc;

on_both_drivers!(
    a_connection_that_the_service_closed_is_not_used_again,
    a_safe_request_on_a_connection_that_dies_is_tried_again,
    a_request_that_may_do_harm_is_never_sent_twice,
    a_request_is_tried_again_once,
    an_answer_that_has_begun_is_not_tried_again,
    a_new_connection_that_dies_is_not_tried_again,
    a_body_that_is_gone_is_not_sent_again,
    the_next_request_behind_a_body_that_is_sent_again_is_not_lost,
);

/// Answers the first request on each of its first connections, and closes when the next has come; later connections
/// are good. So a connection that waits dies just as it is used.
fn dying(first: usize) -> Service {
    Service::start(move |connection| {
        if connection.number < first {
            if connection.request().is_some_and(|request| connection.send(ok(&request.target))) {
                connection.request();
            }
            return;
        }
        connection.answer_all(|request| ok(&request.target));
    })
}

fn a_connection_that_the_service_closed_is_not_used_again(driver: Choice) {
    let service = Service::start(|connection| {
        if connection.request().is_some() {
            connection.send(ok("once"));
        }
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for n in 1..6 {
        let answer = client.exchange("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\n\r\nx");
        assert_eq!(answer.text(), "once");
        wait_for("the service to close", || (service.ended() == n).then_some(()));
        // The FIN is in the gateway's socket by now, on this machine.
    }
    assert_eq!(service.request_count(), 5);
}

fn a_safe_request_on_a_connection_that_dies_is_tried_again(driver: Choice) {
    let requests = [
        ("GET", ""),
        ("HEAD", ""),
        ("OPTIONS", ""),
        ("DELETE", ""),
        ("PUT", "content-length: 5\r\n\r\nhello"),
        ("PUT", "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nt: 1\r\n\r\n"),
    ];
    for (method, rest) in requests {
        let service = dying(1);
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        assert_eq!(client.get("/first").text(), "/first");
        let end = if rest.is_empty() { "\r\n" } else { rest };
        client.send(format!("{method} /again HTTP/1.1\r\nhost: h\r\n{end}"));
        assert_eq!(client.answer_to(method).status, 200, "{method}");
        let seen: Vec<_> =
            service.requests().iter().map(|r| (r.connection, r.target.clone(), r.body.clone())).collect();
        let body = if rest.is_empty() { Vec::new() } else { b"hello".to_vec() };
        assert_eq!(
            seen,
            [(0, "/first".into(), Vec::new()), (0, "/again".into(), body.clone()), (1, "/again".into(), body)],
            "{method}"
        );
        let last = service.requests().pop().expect("a request");
        assert_eq!(last.trailers.has("t"), rest.contains("t: 1"), "{method}");
        assert_eq!(client.get("/after").text(), "/after");
    }
}

fn a_request_that_may_do_harm_is_never_sent_twice(driver: Choice) {
    for method in ["POST", "PATCH", "LINK"] {
        let service = dying(1);
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        assert_eq!(client.get("/first").text(), "/first");
        client.send(format!("{method} /once HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\n\r\nx"));
        let answer = client.answer();
        assert_eq!((answer.status, &answer.json()["error"]), (502, &"upstream_closed".into()), "{method}");
        assert_eq!(client.get("/after").text(), "/after");
        let times = service.requests().iter().filter(|request| request.target == "/once").count();
        assert_eq!(times, 1, "{method}");
    }
}

fn a_request_is_tried_again_once(driver: Choice) {
    // The second connection dies too, without a word.
    let service = Service::start(|connection| {
        if connection.number == 0 && connection.request().is_some() {
            connection.send(ok("first"));
        }
        connection.request();
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    assert_eq!(client.get("/first").text(), "first");
    assert_eq!(client.get("/again").status, 502);
    assert_eq!(service.connections(), 2);
    assert_eq!(service.request_count(), 3);
}

fn an_answer_that_has_begun_is_not_tried_again(driver: Choice) {
    for part in ["H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 102 Processing\r\n\r\n"] {
        let service = Service::start(move |connection: &mut Connection| {
            connection.request();
            connection.send(ok("first"));
            connection.request();
            connection.send(part);
        });
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        assert_eq!(client.get("/first").text(), "first");
        client.send("GET /again HTTP/1.1\r\nhost: h\r\n\r\n");
        let mut answer = client.answer();
        if answer.status == 102 {
            answer = client.answer();
        }
        assert_eq!(answer.status, 502, "after {part:?}");
        assert_eq!((service.connections(), service.request_count()), (1, 2), "after {part:?}");
    }
}

fn a_new_connection_that_dies_is_not_tried_again(driver: Choice) {
    let service = Service::start(|connection| {
        connection.request();
    });
    let gate = Plan::to(&service).start(driver);
    assert_eq!(gate.client().get("/").status, 502);
    assert_eq!((service.connections(), service.request_count()), (1, 1));
}

fn a_body_that_is_gone_is_not_sent_again(driver: Choice) {
    const BYTES: usize = 300_000;
    let (took, taken) = mpsc::channel();
    let took = Mutex::new(took);
    let service = Service::start(move |connection| {
        connection.request();
        connection.send(ok("first"));
        // Takes a good part of the body, and dies.
        connection.head();
        let _ = connection.wire.exactly(BYTES / 2);
        let _ = took.lock().expect("no panic inside").send(());
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    assert_eq!(client.get("/first").text(), "first");
    client.send(format!("PUT /large HTTP/1.1\r\nhost: h\r\ncontent-length: {BYTES}\r\n\r\n"));
    let _ = client.try_send(vec![b'x'; BYTES]);
    taken.recv_timeout(crate::support::STUCK).expect("half of it");
    assert_eq!(client.answer().status, 502);
    assert_eq!(service.connections(), 1);
}

fn the_next_request_behind_a_body_that_is_sent_again_is_not_lost(driver: Choice) {
    let service = dying(1);
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    assert_eq!(client.get("/first").text(), "/first");
    client.send(
        "PUT /again HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhelloGET /next HTTP/1.1\r\nhost: h\r\n\r\n\
         PUT /last HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nGET /end HTTP/1.1\r\nhost: h\r\n\r\n",
    );
    for path in ["/again", "/next", "/last", "/end"] {
        assert_eq!(client.answer().text(), path);
    }
    let targets: Vec<String> = service.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets, ["/first", "/again", "/again", "/next", "/last", "/end"]);
}
