//! `body_bytes`: how long a request's body may be.

use crate::support::service::ok;
use crate::support::{Plan, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;

on_both_drivers!(
    a_body_of_body_bytes_is_forwarded_and_a_longer_one_never_reaches_the_service,
    a_chunked_body_of_body_bytes_is_forwarded_and_a_longer_one_is_cancelled,
    a_chunked_body_that_comes_whole_but_is_too_long_gets_413,
    no_body_fits_into_zero_bytes_but_none_does,
    a_client_that_waits_for_100_gets_413_instead,
    without_a_limit_a_large_body_is_forwarded,
);

fn echo() -> Service {
    Service::answering(|request| ok(request.body.len().to_string()))
}

fn a_body_of_body_bytes_is_forwarded_and_a_longer_one_never_reaches_the_service(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).limits("body_bytes: 1KiB").start(driver);
    let request =
        |n: usize| format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {n}\r\n\r\n{}", "b".repeat(n)).into_bytes();
    let mut client = gate.client();
    let answer = client.exchange(request(1025));
    assert_eq!((answer.status, answer.json()["error"].as_str()), (413, Some("body_too_large")));
    client.end();
    assert_eq!(service.connections(), 0);
    let mut client = gate.client();
    let answer = client.exchange(request(1024));
    assert_eq!((answer.status, answer.text()), (200, "1024"));
    assert_eq!(client.exchange(request(1024)).status, 200);
    // One that is only announced is refused as well.
    let answer = client.exchange("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 99999999999\r\n\r\n");
    assert_eq!(answer.status, 413);
    client.end();
    assert_eq!(service.request_count(), 2);
}

fn a_chunked_body_of_body_bytes_is_forwarded_and_a_longer_one_is_cancelled(driver: Choice) {
    let service = Service::start(|connection| {
        while let Some(head) = connection.head() {
            let body = connection.wire.body(&head.fields, false);
            if !body.is_ok_and(|(body, _)| connection.send(ok(body.len().to_string()))) {
                return;
            }
        }
    });
    let gate = Plan::to(&service).limits("body_bytes: 1000").start(driver);
    let head = "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = |n: usize| format!("{n:x}\r\n{}\r\n", "c".repeat(n));
    let mut client = gate.client();
    client.send(head);
    for n in [1, 499, 500] {
        client.send(chunk(n));
    }
    client.send("0\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (200, "1000"));
    client.send(head);
    client.send(chunk(999));
    service.wait_for_requests(2);
    client.send(chunk(2));
    let answer = client.answer();
    assert_eq!((answer.status, answer.json()["error"].as_str()), (413, Some("body_too_large")));
    client.end();
    wait_for("the service's connection to end", || (service.ended() == service.connections()).then_some(()));
}

fn a_chunked_body_that_comes_whole_but_is_too_long_gets_413(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).limits("body_bytes: 10").start(driver);
    let head = "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut client = gate.client();
    assert_eq!(client.exchange(format!("{head}a\r\n0123456789\r\n0\r\n\r\n")).status, 200);
    assert_eq!(client.exchange(format!("{head}b\r\n0123456789a\r\n0\r\n\r\n")).status, 413);
    assert_eq!(service.request_count(), 1);
    // All of it has been read, so the connection is as good as before.
    assert_eq!(client.get("/").status, 200);
}

fn no_body_fits_into_zero_bytes_but_none_does(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).limits("body_bytes: 0").start(driver);
    let mut client = gate.client();
    assert_eq!(client.get("/").status, 200);
    assert_eq!(client.exchange("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n").status, 200);
    let chunked = "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(client.exchange(chunked).status, 200);
    assert_eq!(client.exchange("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\n\r\nx").status, 413);
    client.end();
}

fn a_client_that_waits_for_100_gets_413_instead(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).limits("body_bytes: 10").start(driver);
    let mut client = gate.client();
    client.send("PUT / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 11\r\n\r\n");
    assert_eq!(client.answer().status, 413);
    assert_eq!(service.connections(), 0);
}

fn without_a_limit_a_large_body_is_forwarded(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).limits("body_bytes: off").start(driver);
    let bytes = 24 << 20;
    let mut client = gate.client();
    client.send(format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {bytes}\r\n\r\n"));
    client.send(vec![b'b'; bytes]);
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (200, bytes.to_string().as_str()));
    let gate = Plan::to(&service).start(driver);
    let answer = gate.client().exchange(format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {bytes}\r\n\r\n"));
    assert_eq!(answer.status, 413, "the default is 10 MiB");
}
