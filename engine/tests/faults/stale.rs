//! A connection that waited and dies under the next request: tried again where that does no harm, never otherwise.

use crate::support::service::ok;
use crate::support::{Plan, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;

on_both_drivers!(
    get_is_tried_again_on_a_fresh_connection,
    put_is_tried_again_with_its_body,
    post_is_never_sent_twice,
    nothing_is_tried_a_third_time,
    nothing_is_tried_again_once_an_answer_has_begun,
    a_connection_that_the_service_has_closed_is_not_used,
);

/// Answers the first request on its first connection, reads the next one and closes, having sent these bytes.
fn dies(bytes: &'static [u8]) -> Service {
    Service::start(move |connection| {
        if connection.number > 0 {
            return connection.answer_all(|request| ok(format!("{} {}", request.target, request.body.len())));
        }
        if connection.request().is_some() && connection.send(ok("first")) && connection.request().is_some() {
            connection.send(bytes);
        }
    })
}

fn get_is_tried_again_on_a_fresh_connection(driver: Choice) {
    let service = dies(b"");
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    assert_eq!(client.get("/one").text(), "first");
    assert_eq!(client.get("/two").text(), "/two 0");
    let targets: Vec<_> = service.requests().into_iter().map(|r| (r.connection, r.target)).collect();
    assert_eq!(targets, [(0, "/one".into()), (0, "/two".into()), (1, "/two".into())]);
    assert!(gate.log(2)[1]["fault"].is_null());
}

fn put_is_tried_again_with_its_body(driver: Choice) {
    for body in ["content-length: 4\r\n\r\nbody", "transfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"] {
        let service = dies(b"");
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        assert_eq!(client.get("/one").text(), "first");
        let answer = client.exchange(format!("PUT /two HTTP/1.1\r\nhost: h\r\n{body}"));
        assert_eq!(answer.text(), "/two 4", "{body:?}");
        assert_eq!(service.requests()[2].body, b"body");
        assert_eq!(client.get("/three").text(), "/three 0");
    }
}

fn post_is_never_sent_twice(driver: Choice) {
    for request in [
        "POST /two HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nbody",
        "POST /two HTTP/1.1\r\nhost: h\r\n\r\n",
        "PATCH /two HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nbody",
        "UNHEARDOF /two HTTP/1.1\r\nhost: h\r\n\r\n",
    ] {
        let service = dies(b"");
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        assert_eq!(client.get("/one").text(), "first");
        let answer = client.exchange(request);
        assert_eq!((answer.status, answer.json()["error"].as_str()), (502, Some("upstream_closed")), "{request}");
        assert_eq!(client.get("/three").text(), "/three 0");
        let targets: Vec<_> = service.requests().into_iter().map(|r| r.target).collect();
        assert_eq!(targets, ["/one", "/two", "/three"], "{request}");
    }
}

fn nothing_is_tried_a_third_time(driver: Choice) {
    let service = Service::start(|connection| {
        let first = connection.request().is_some_and(|r| r.target == "/one");
        if first && connection.send(ok("first")) {
            connection.request();
        }
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    assert_eq!(client.get("/one").text(), "first");
    assert_eq!(client.get("/two").status, 502);
    assert_eq!(service.request_count(), 3);
}

fn nothing_is_tried_again_once_an_answer_has_begun(driver: Choice) {
    let service = dies(b"H");
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    assert_eq!(client.get("/one").text(), "first");
    assert_eq!(client.get("/two").status, 502);
    assert_eq!(service.request_count(), 2);
}

fn a_connection_that_the_service_has_closed_is_not_used(driver: Choice) {
    let service = Service::start(|connection| {
        if connection.request().is_some() {
            connection.send(ok("one each"));
        }
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for n in 1..=3 {
        let answer = client.exchange("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nbody");
        assert_eq!(answer.text(), "one each");
        wait_for("the service to close", || (service.ended() == n).then_some(()));
    }
}
