//! Fields behind a body, both ways.

use crate::support::service::ok;
use crate::support::{Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;

on_both_drivers!(
    trailers_of_a_request_go_on,
    trailers_of_an_answer_go_on,
    trailers_behind_an_empty_body_go_on,
    trailers_that_would_change_the_head_stay_behind,
    http_1_0_gets_no_trailers,
    malformed_trailers_are_refused,
);

fn trailers_of_a_request_go_on(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let gate = Plan::to(&service).start(driver);
    let request = "POST / HTTP/1.1\r\nhost: h\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n\
                   3\r\nabc\r\n0\r\nX-Sum: 1 2\r\nx-sum: 3\r\netag: \"e\"\r\n\r\n";
    let mut client = gate.client();
    for _ in 0..2 {
        assert_eq!(client.exchange(request).status, 200);
    }
    for request in service.requests() {
        assert_eq!(request.body, b"abc");
        assert_eq!(request.fields.get("trailer"), Some("x-sum"));
        assert_eq!(request.trailers.all("x-sum"), ["1 2", "3"]);
        assert_eq!(request.trailers.get("etag"), Some("\"e\""));
    }
}

fn trailers_of_an_answer_go_on(driver: Choice) {
    let answer =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n";
    let service = Service::answering(|_| answer.into());
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for _ in 0..2 {
        let answer = client.get("/");
        assert_eq!((answer.text(), answer.trailers.get("x-sum")), ("abc", Some("7")));
    }
    assert_eq!(service.connections(), 1);
}

fn trailers_behind_an_empty_body_go_on(driver: Choice) {
    let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-sum: 0\r\n\r\n";
    let service = Service::answering(|_| answer.into());
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for _ in 0..2 {
        let answer =
            client.exchange("PUT / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-mine: 1\r\n\r\n");
        assert_eq!((answer.text(), answer.trailers.get("x-sum")), ("", Some("0")));
    }
    for request in service.requests() {
        assert_eq!((request.body.len(), request.trailers.get("x-mine")), (0, Some("1")));
    }
}

fn trailers_that_would_change_the_head_stay_behind(driver: Choice) {
    let hostile = "host: evil\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\nauthorization: x\r\nx-forwarded-for: 6.6.6.6\r\n\
                   connection: close\r\nx-request-id: mine\r\nx-good: 1\r\n";
    let answer = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n{hostile}\r\n");
    let service = Service::answering(move |_| answer.clone().into_bytes());
    let gate = Plan::to(&service).start(driver);
    let request =
        format!("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n{hostile}\r\n");
    let answer = gate.client().exchange(request);
    let good = vec![("x-good".to_string(), "1".to_string())];
    assert_eq!(answer.trailers.0, good);
    assert_eq!(service.only_request().trailers.0, good);
}

fn http_1_0_gets_no_trailers(driver: Choice) {
    let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n";
    let service = Service::answering(|_| answer.into());
    let gate = Plan::to(&service).start(driver);
    assert_eq!(gate.client().exchange("GET / HTTP/1.0\r\n\r\n").text(), "abc");
}

fn malformed_trailers_are_refused(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let gate = Plan::to(&service).limits("headers: 10, header_bytes: 2KiB").start(driver);
    let head = "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n";
    let many = "x: y\r\n".repeat(1000);
    let long = format!("x: {}\r\n", "y".repeat(70_000));
    for (trailers, status) in [
        ("no colon\r\n", 400),
        ("x : y\r\n", 400),
        (": y\r\n", 400),
        ("x: a\r\n b\r\n", 400),
        ("x: a\rb\r\n", 400),
        ("x: a\nb: c\r\n", 400),
        ("x: \0\r\n", 400),
        (many.as_str(), 431),
        (long.as_str(), 431),
    ] {
        let mut client = gate.client();
        let _ = client.try_send(format!("{head}{trailers}\r\n"));
        let answer = client.answer();
        assert_eq!(answer.status, status, "{:?}", &trailers[..trailers.len().min(20)]);
        client.end();
    }
    assert_eq!(service.request_count(), 0, "no request was whole");
    assert_eq!(gate.client().get("/").status, 200);
}
