//! Services that close or reset their connection too early. A client never takes a part for the whole.

use crate::support::client::End;
use crate::support::service::ok;
use crate::support::{Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;
use std::io::ErrorKind;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

on_both_drivers!(
    a_service_that_ends_before_its_answers_head_gives_502,
    a_body_that_ends_too_early_can_be_told_from_a_whole_one,
    a_late_end_of_a_body_can_be_told_from_a_whole_one,
    a_body_that_ends_with_a_reset_can_be_told_from_a_whole_one,
    a_service_that_closes_while_it_is_sent_to_gives_502,
);

fn a_service_that_ends_before_its_answers_head_gives_502(driver: Choice) {
    for part in
        ["", "H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r", "HTTP/1.1 100 Continue\r\n\r\n"]
    {
        for reset in [false, true] {
            let service = Service::start(move |connection| {
                connection.request();
                connection.send(part);
                if reset {
                    connection.reset_on_close();
                }
            });
            let gate = Plan::to(&service).start(driver);
            let mut client = gate.client();
            for n in 1..3 {
                client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
                let mut answer = client.answer();
                if answer.status == 100 {
                    answer = client.answer();
                }
                assert_eq!(
                    (answer.status, &answer.json()["error"]),
                    (502, &"upstream_closed".into()),
                    "after {part:?}"
                );
                assert_eq!(gate.log(n)[n - 1]["fault"], "upstream_closed");
                assert_eq!(service.request_count(), n, "a new connection that dies is not tried again");
            }
        }
    }
}

/// Heads and first parts of bodies that go on, with how the client's request is written.
const PARTS: [(&str, &str); 5] = [
    ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345", "1.1"),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n", "1.1"),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n12345", "1.1"),
    ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345", "1.0"),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n", "1.0"),
];

/// A service that sends a part, waits for leave if it is to be late, and ends.
fn partial(part: &'static str, late: bool, reset: bool) -> (Service, mpsc::Sender<()>) {
    let (leave, wait) = mpsc::channel();
    let wait = Arc::new(Mutex::new(wait));
    let service = Service::start(move |connection| {
        connection.request();
        connection.send(part);
        if late {
            let _ = wait.lock().expect("no panic inside").recv_timeout(crate::support::STUCK);
        }
        if reset {
            connection.reset_on_close();
        }
    });
    (service, leave)
}

/// What the client reads must not be a whole answer.
fn must_be_partial(driver: Choice, late: bool, reset: bool) {
    for (part, version) in PARTS {
        let (service, leave) = partial(part, late, reset);
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        client.send(format!("GET / HTTP/{version}\r\nhost: h\r\n\r\n"));
        if late {
            // Wait for the part, and longer than the tick after which the gateway looks whether the client has left.
            let head = client.wire.head().expect("a head").expect("a head");
            assert_eq!(head.line, "HTTP/1.1 200 OK");
            while !client.wire.pending.windows(5).any(|w| w == b"12345") {
                assert!(client.wire.fill().expect("the part") > 0);
            }
            client.silent_for(Duration::from_millis(700));
            leave.send(()).expect("a service");
            let end = client.end_after_bytes();
            assert!(!client.wire.pending.ends_with(b"0\r\n\r\n"), "{part:?}");
            // Only a reset tells that a body which ends with its connection was cut.
            let framed = head.fields.has("content-length") || head.fields.has("transfer-encoding");
            assert!(framed || end == End::Reset, "{part:?} for HTTP/{version} ended by {end:?}");
        } else {
            match client.try_answer() {
                Ok(answer) => assert_eq!(answer.status, 502, "{part:?} for HTTP/{version}: {:?}", answer.text()),
                Err(error) => {
                    let cut = matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset);
                    assert!(cut, "{part:?} for HTTP/{version}: {error}");
                }
            }
        }
        assert_eq!(gate.log(1)[0]["fault"], "upstream_closed", "{part:?}");
    }
}

fn a_body_that_ends_too_early_can_be_told_from_a_whole_one(driver: Choice) {
    must_be_partial(driver, false, false);
}

fn a_late_end_of_a_body_can_be_told_from_a_whole_one(driver: Choice) {
    must_be_partial(driver, true, false);
}

fn a_body_that_ends_with_a_reset_can_be_told_from_a_whole_one(driver: Choice) {
    must_be_partial(driver, false, true);
    // Also where only the connection's end would tell its end.
    for version in ["1.0", "1.1"] {
        let (service, leave) = partial("HTTP/1.0 200 OK\r\n\r\n12345", true, true);
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        client.send(format!("GET / HTTP/{version}\r\nhost: h\r\n\r\n"));
        assert!(client.wire.head().expect("a head").is_some());
        leave.send(()).expect("a service");
        let end = client.end_after_bytes();
        assert!(version == "1.1" || end == End::Reset, "{end:?}");
        assert!(!client.wire.pending.ends_with(b"0\r\n\r\n"));
    }
}

fn a_service_that_closes_while_it_is_sent_to_gives_502(driver: Choice) {
    const BYTES: usize = 8 << 20;
    let service = Service::start(|connection| {
        if connection.head().is_some_and(|request| request.target == "/good") {
            connection.send(ok("good"));
        }
        // Bytes that it has not read make its close a reset.
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send(format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {BYTES}\r\n\r\n"));
    let mut sender = client.wire.stream.try_clone().expect("a copy");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // It may be cut off, once the answer is there.
            let _ = std::io::Write::write_all(&mut sender, &vec![0; BYTES]);
        });
        let answer = client.answer();
        assert_eq!((answer.status, &answer.json()["error"]), (502, &"upstream_closed".into()));
        drop(client);
    });
    assert_eq!(gate.client().get("/good").text(), "good");
}
