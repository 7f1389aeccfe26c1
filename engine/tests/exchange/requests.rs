//! What a service gets of a request: method, target, fields, host, body.

use crate::support::service::ok;
use crate::support::{Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;
use std::time::{Duration, Instant};

on_both_drivers!(
    a_head_goes_on_as_it_came,
    methods_go_on_as_they_came,
    host_is_kept_as_received,
    host_is_replaced_where_the_route_says_so,
    an_absolute_target_overrides_host,
    the_asterisk_of_options_goes_on,
    http_1_0_is_answered_and_closed,
    http_1_0_keeps_a_connection_that_it_asks_to_keep,
    http_1_0_without_host_gets_the_endpoints,
    http_1_0_without_host_gets_a_valid_one_for_a_unix_socket_too,
    paths_and_queries_are_not_touched,
    a_request_split_at_any_byte_is_the_same,
    a_new_connection_does_not_wait_for_a_timer,
);

fn echo() -> Service {
    Service::answering(|_| ok("good"))
}

fn a_head_goes_on_as_it_came(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    let answer = client.exchange(
        "GET /a/b?c=d HTTP/1.1\r\nHost: api.example.com\r\nX-One:  two words \r\nCookie: a=1\r\nCookie: b=2\r\n\
         x-empty:\r\nX-HIGH: caf\u{e9}\r\nAccept-Encoding: gzip\r\n\r\n",
    );
    assert_eq!((answer.status, answer.reason.as_str(), answer.text()), (200, "OK", "good"));
    let request = service.only_request();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/a/b?c=d"));
    assert_eq!(request.version, "HTTP/1.1");
    assert_eq!(request.fields.get("x-one"), Some("two words"));
    assert_eq!(request.fields.all("cookie"), ["a=1", "b=2"]);
    assert_eq!(request.fields.get("x-empty"), Some(""));
    assert_eq!(request.fields.get("x-high"), Some("caf\u{e9}"));
    assert_eq!(request.fields.get("accept-encoding"), Some("gzip"));
    assert!(request.body.is_empty());
    assert!(!request.fields.has("content-length") && !request.fields.has("transfer-encoding"));
    assert!(!request.fields.has("connection"));
}

fn methods_go_on_as_they_came(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND", "get", "X!#$%&'*+-.^_`|~9"];
    let mut client = gate.client();
    for method in methods {
        client.send(format!("{method} /m HTTP/1.1\r\nhost: h\r\n\r\n"));
        assert_eq!(client.answer_to(method).status, 200, "{method}");
    }
    let got: Vec<String> = service.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(got, methods);
}

fn host_is_kept_as_received(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    let hosts = ["API.Example.com:8443", "192.0.2.7", "[2001:db8::1]:80", "localhost"];
    for host in hosts {
        gate.client().exchange(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    }
    let got: Vec<String> = service.requests().iter().filter_map(|r| r.fields.get("host").map(str::to_string)).collect();
    assert_eq!(got, hosts);
}

fn host_is_replaced_where_the_route_says_so(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).forward("host: users.internal").start(driver);
    gate.client().exchange("GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
    gate.client().exchange("GET http://other.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
    gate.client().exchange("GET / HTTP/1.0\r\n\r\n");
    for request in service.wait_for_requests(3) {
        assert_eq!(request.fields.get("host"), Some("users.internal"));
    }
    let forwarded: Vec<_> =
        service.requests().iter().map(|r| r.fields.get("x-forwarded-host").map(str::to_string)).collect();
    assert_eq!(forwarded, [Some("api.example.com".into()), Some("other.example.com".into()), None]);
}

fn an_absolute_target_overrides_host(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    let cases = [
        ("GET http://a.example.com/x?y HTTP/1.1\r\nHost: b.example.com\r\n\r\n", "a.example.com", "/x?y"),
        ("GET HTTP://A.example.com:8080?y HTTP/1.1\r\nHost: b\r\n\r\n", "A.example.com:8080", "/?y"),
        ("GET https://[::1]:7/ HTTP/1.1\r\nHost: b\r\n\r\n", "[::1]:7", "/"),
        ("GET http://a.example.com HTTP/1.1\r\nHost: b\r\n\r\n", "a.example.com", "/"),
        ("OPTIONS http://a.example.com HTTP/1.1\r\nHost: b\r\n\r\n", "a.example.com", "*"),
    ];
    for (request, ..) in cases {
        assert_eq!(client.exchange(request).status, 200, "{request}");
    }
    for (request, (sent, host, target)) in service.requests().iter().zip(cases) {
        assert_eq!(request.fields.all("host"), [host], "{sent}");
        assert_eq!(request.target, target, "{sent}");
        assert_eq!(request.fields.get("x-forwarded-host"), Some(host), "{sent}");
    }
}

fn the_asterisk_of_options_goes_on(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    assert_eq!(gate.client().exchange("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
    assert_eq!(service.only_request().target, "*");
}

fn http_1_0_is_answered_and_closed(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    let answer = client.exchange("GET /old HTTP/1.0\r\nHost: h\r\n\r\n");
    assert_eq!((answer.status, answer.text()), (200, "good"));
    assert_eq!(answer.fields.get("connection"), Some("close"));
    client.end();
    let request = service.only_request();
    assert_eq!((request.version.as_str(), request.fields.get("via")), ("HTTP/1.1", Some("1.0 ringgate")));
}

fn http_1_0_keeps_a_connection_that_it_asks_to_keep(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for _ in 0..3 {
        let answer = client.exchange("GET /old HTTP/1.0\r\nHost: h\r\nConnection: Keep-Alive\r\n\r\n");
        assert_eq!((answer.status, answer.text()), (200, "good"));
        assert_eq!(answer.fields.get("connection"), Some("keep-alive"));
    }
    let last = client.exchange("GET /old HTTP/1.0\r\nHost: h\r\n\r\n");
    assert_eq!(last.fields.get("connection"), Some("close"));
    client.end();
    assert_eq!(service.request_count(), 4);
}

fn http_1_0_without_host_gets_the_endpoints(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    assert_eq!(gate.client().exchange("GET /old HTTP/1.0\r\n\r\n").status, 200);
    assert_eq!(service.only_request().fields.all("host"), [service.endpoint()]);
}

fn http_1_0_without_host_gets_a_valid_one_for_a_unix_socket_too(driver: Choice) {
    let path = crate::support::process::scratch("host.sock");
    let service = Service::start_unix(&path, |connection| connection.answer_all(|_| ok("good")));
    let gate = Plan::to(&service).start(driver);
    assert_eq!(gate.client().exchange("GET /old HTTP/1.0\r\n\r\n").status, 200);
    // A path is no host (RFC 9110 section 7.2), and a service may refuse it.
    assert_eq!(service.only_request().fields.all("host"), ["localhost"]);
    drop(service);
    let _ = std::fs::remove_file(path);
}

fn paths_and_queries_are_not_touched(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    let targets = [
        "/",
        "/?",
        "/a//b",
        "/a/./b/../c",
        "/%2e%2E/%2f%5c",
        "/a;b=c/d",
        "/%41%7e",
        "/\"<>^`{|}",
        "/a?b=%zz&c=/../",
        "/a?b?c",
    ];
    let mut client = gate.client();
    for target in targets {
        assert_eq!(client.get(target).status, 200, "{target}");
    }
    let got: Vec<String> = service.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(got, targets);
}

fn a_request_split_at_any_byte_is_the_same(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    let request = b"POST /split?a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nx-t: 1\r\n\r\n";
    let mut client = gate.client();
    for at in 1..request.len() {
        client.send(&request[..at]);
        // The gateway must have taken the first part on its own: it has when its socket's queue is empty again. That
        // can't be seen from here; a connection of another client is served after it.
        gate.client().get("/between");
        client.send(&request[at..]);
        assert_eq!(client.answer().text(), "good", "split at {at}");
    }
    let mut bytewise = gate.client();
    for byte in request {
        bytewise.send([*byte]);
    }
    assert_eq!(bytewise.answer().text(), "good");
    let split: Vec<_> = service.requests().into_iter().filter(|r| r.method == "POST").collect();
    assert_eq!(split.len(), request.len());
    for request in split {
        assert_eq!((request.target.as_str(), request.body.as_slice()), ("/split?a", &b"hello!"[..]));
        assert_eq!(request.trailers.get("x-t"), Some("1"));
    }
}

fn a_new_connection_does_not_wait_for_a_timer(driver: Choice) {
    let service = Service::start(|connection| {
        if connection.request().is_some() {
            connection.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    let gate = Plan::to(&service).start(driver);
    let exchange = || {
        let begun = Instant::now();
        assert_eq!(gate.client().get("/").status, 200);
        begun.elapsed()
    };
    // The shortest of several: this machine may be busy.
    let shortest = (0..5).map(|_| exchange()).min();
    assert!(shortest < Some(Duration::from_millis(200)), "{shortest:?}");
}
