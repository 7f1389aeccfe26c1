//! Answers that break the rules: the client gets 502, and never a byte of them in its next answer or in another's.

use crate::support::service::ok;
use crate::support::{Plan, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;

on_both_drivers!(
    a_malformed_head_gives_502,
    a_head_beyond_the_limits_gives_502,
    a_malformed_body_is_never_taken_for_whole,
    bytes_behind_an_answer_reach_nobody,
    bytes_that_nobody_asked_for_reach_nobody,
    bodies_where_there_can_be_none_reach_nobody,
);

const EVIL: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";

/// Gives this for `/bad`, and a good answer that names the path for anything else.
fn service(bad: Vec<u8>) -> Service {
    Service::answering(move |request| if request.target == "/bad" { bad.clone() } else { ok(&request.target) })
}

fn a_malformed_head_gives_502(driver: Choice) {
    let cases: &[&[u8]] = &[
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4, 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\ncontent-length: +4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\ncontent-length: -4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0x4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4 \x0b\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.2 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"http/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1  200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1\t200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 099 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 OK\r\ncontent-length: 0\r\n\r\n",
        b"ICY 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"220 mail.example.com ESMTP\r\n\r\n",
        b"<html>no head at all</html>\r\n\r\n",
        b"\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\n\r\n",
        b"HTTP/1.1 200 OK\rcontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 O\0K\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 O\x01K\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n x: a\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx : a\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx\t: a\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: a\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx y: a\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\x7fb\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\rb: c\r\ncontent-length: 0\r\n\r\n",
    ];
    for (n, bad) in cases.iter().enumerate() {
        let service = service([*bad, EVIL.as_bytes()].concat());
        let gate = Plan::to(&service).start(driver);
        let shown = String::from_utf8_lossy(bad);
        let (mut one, mut other) = (gate.client(), gate.client());
        assert_eq!(one.get("/before").text(), "/before");
        let answer = one.get("/bad");
        assert_eq!((answer.status, &answer.json()["error"]), (502, &"upstream_bad_answer".into()), "{n}: {shown:?}");
        assert_eq!(other.get("/other").text(), "/other", "{n}: {shown:?}");
        assert_eq!(one.get("/after").text(), "/after", "{n}: {shown:?}");
        assert_eq!(service.connections(), 2, "{n}: {shown:?}: its connection is not used again");
    }
}

fn a_head_beyond_the_limits_gives_502(driver: Choice) {
    let head = |filler: String| format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n{filler}\r\nok").into_bytes();
    let line = |bytes: usize| format!("x: {}\r\n", "y".repeat(bytes - 5));
    let length = head(String::new()).len() - 2;
    let cases = [
        (head(line(1024 - length)), 200, "bytes at the limit"),
        (head(line(1025 - length)), 502, "a byte past it"),
        (head(line(500_000)), 502, "far past it"),
        (head("x: y\r\n".repeat(19)), 200, "fields at the limit"),
        (head("x: y\r\n".repeat(20)), 502, "a field past it"),
    ];
    for (bad, status, what) in cases {
        let service = service(bad);
        let gate = Plan::to(&service).limits("header_bytes: 1KiB, target_bytes: 512, headers: 20").start(driver);
        assert_eq!(gate.client().get("/bad").status, status, "{what}");
        assert_eq!(gate.client().get("/after").text(), "/after");
    }
}

fn a_malformed_body_is_never_taken_for_whole(driver: Choice) {
    let bodies: &[&str] = &[
        "x\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "3\nabc\n0\n\n",
        "3\r\nabc\r\n0\r\n\n",
        "3 \r\nabc\r\n0\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "+3\r\nabc\r\n0\r\n\r\n",
        "-1\r\nabc\r\n0\r\n\r\n",
        "\r\nabc\r\n0\r\n\r\n",
        ";x\r\nabc\r\n0\r\n\r\n",
        "3;\0\r\nabc\r\n0\r\n\r\n",
        "10000000000000003\r\nabc\r\n0\r\n\r\n",
        "ffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc\r\n0\r\nno colon\r\n\r\n",
        "3\r\nabc\r\n0\r\nx : y\r\n\r\n",
    ];
    for body in bodies {
        // Head and body in one piece, and the body later.
        for apart in [false, true] {
            let service = Service::start(move |connection| {
                while let Some(request) = connection.request() {
                    if request.target != "/bad" {
                        connection.send(ok(&request.target));
                        continue;
                    }
                    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                    if apart {
                        connection.send(format!("{head}1\r\nz\r\n"));
                        crate::support::client::settle();
                        connection.send(format!("{body}{EVIL}"));
                    } else {
                        connection.send(format!("{head}{body}{EVIL}"));
                    }
                }
            });
            let gate = Plan::to(&service).start(driver);
            let mut client = gate.client();
            client.send("GET /bad HTTP/1.1\r\nhost: h\r\n\r\n");
            if let Ok(answer) = client.try_answer() {
                assert_eq!(answer.status, 502, "{body:?} was taken for {:?}", answer.text());
            }
            assert_eq!(gate.client().get("/after").text(), "/after", "{body:?}");
            assert_eq!(gate.log(1)[0]["fault"], "upstream_bad_answer", "{body:?}");
        }
    }
}

/// Asks for `/bad`, waits until the gateway has dropped the service's connection, and asks for more.
fn stays_with(driver: Choice, bad: String, request: &str, method: &str) {
    let service = service(bad.clone().into_bytes());
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send(request);
    assert_ne!(client.answer_to(method).text(), "evil", "{bad:?}");
    for n in 0..3 {
        let path = format!("/{n}");
        assert_eq!(client.get(&path).text(), path, "{bad:?}");
        assert_eq!(gate.client().get(&path).text(), path, "{bad:?}");
    }
    assert_eq!(service.connections(), 2, "{bad:?}");
}

const GET_BAD: &str = "GET /bad HTTP/1.1\r\nhost: h\r\n\r\n";

fn bytes_behind_an_answer_reach_nobody(driver: Choice) {
    for good in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
    ] {
        for behind in [EVIL, "\r\n", "x"] {
            stays_with(driver, format!("{good}{behind}"), GET_BAD, "GET");
        }
    }
}

fn bytes_that_nobody_asked_for_reach_nobody(driver: Choice) {
    // Some time after an answer, as a service does that gives an idle connection up with a 408.
    for unasked in [EVIL, "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"] {
        let (say, said) = (std::sync::Mutex::new(None), std::sync::mpsc::channel());
        let (leave, wait) = said;
        *say.lock().expect("no panic inside") = Some(wait);
        let service = Service::start(move |connection| {
            if connection.number > 0 {
                return connection.answer_all(|request| ok(&request.target));
            }
            connection.request();
            connection.send(ok("first"));
            let wait = say.lock().expect("no panic inside").take();
            let _ = wait.map(|wait: std::sync::mpsc::Receiver<()>| wait.recv_timeout(crate::support::STUCK));
            connection.send(unasked);
            connection.wait_for_end();
        });
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        assert_eq!(client.get("/").text(), "first");
        leave.send(()).expect("a service");
        // Whoever looks at it first finds it unusable: the pool now and then, or the next request.
        wait_for("the connection to be dropped", || (service.ended() == 1).then_some(()));
        assert_eq!(client.get("/mine").text(), "/mine");
        assert_eq!(gate.client().get("/other").text(), "/other");
        assert_eq!(service.connections(), 2);
    }
}

fn bodies_where_there_can_be_none_reach_nobody(driver: Choice) {
    stays_with(driver, EVIL.into(), "HEAD /bad HTTP/1.1\r\nhost: h\r\n\r\n", "HEAD");
    for bad in [
        "HTTP/1.1 204 No Content\r\ncontent-length: 4\r\n\r\nevil",
        "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 4\r\n\r\nevil",
        "HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n",
    ] {
        stays_with(driver, bad.into(), GET_BAD, "GET");
    }
}
