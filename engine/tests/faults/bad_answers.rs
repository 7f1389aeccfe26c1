//! A service whose answers break the rules.

use crate::support::service::ok;
use crate::support::{Plan, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

on_both_drivers!(
    a_bad_head_gives_502_and_ends_the_connection,
    a_head_over_a_limit_gives_502,
    a_bad_chunk_cuts_the_answer,
    bytes_behind_an_answer_never_reach_another_request,
    bytes_that_follow_an_answer_later_never_reach_another_request,
    a_whole_answer_behind_one_to_head_never_reaches_another_request,
);

/// A service that answers its first connection with these bytes and leaves it open, and the others well.
fn bad(bytes: Vec<u8>) -> Service {
    Service::start(move |connection| {
        if connection.number > 0 {
            return connection.answer_all(|request| ok(&request.target));
        }
        if connection.request().is_some() && connection.send(&bytes) {
            connection.wait_for_end();
        }
    })
}

#[track_caller]
fn gives_502(bytes: impl AsRef<[u8]>, driver: Choice) {
    let bytes = bytes.as_ref();
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).to_string();
    let service = bad(bytes.to_vec());
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    let answer = client.get("/bad");
    assert_eq!(answer.status, 502, "{text:?}");
    assert_eq!(answer.json()["error"], "upstream_bad_answer", "{text:?}");
    wait_for("the service's connection to end", || (service.ended() == 1).then_some(()));
    assert_eq!(client.get("/next").text(), "/next", "{text:?}");
    assert_eq!(gate.log(2)[0]["fault"], "upstream_bad_answer");
}

fn a_bad_head_gives_502_and_ends_the_connection(driver: Choice) {
    for fields in [
        "content-length: 3\r\ntransfer-encoding: chunked",
        "content-length: 3\r\ncontent-length: 4",
        "content-length: 3, 4",
        "content-length: -3",
        "content-length: 0x3",
        "content-length: 99999999999999999999",
        "transfer-encoding: chunked, gzip",
        "x-folded: a\r\n b",
        "x-bad : a",
        "x bad: a",
        ": a",
        "no colon",
        "x-nul: a\0b",
        "x-cr: a\rb",
    ] {
        gives_502(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\nabc"), driver);
    }
    for head in [
        "HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 abc OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 099 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        "ICY 200 OK\r\ncontent-length: 0\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: h\r\n\r\n",
        "HTTP/1.1 200 OK\ncontent-length: 0\n\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        "\u{16}\u{3}\u{1} not HTTP at all\r\n\r\n",
    ] {
        gives_502(head, driver);
    }
}

fn a_head_over_a_limit_gives_502(driver: Choice) {
    gives_502(format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "a".repeat(33 << 10)), driver);
    gives_502(format!("HTTP/1.1 200 OK\r\nx: {}", "a".repeat(40 << 10)), driver);
    gives_502(format!("HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n", "x: a\r\n".repeat(100)), driver);
    let large = format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "a".repeat(30 << 10));
    let service = Service::answering(move |_| large.clone().into_bytes());
    let gate = Plan::to(&service).start(driver);
    assert_eq!(gate.client().get("/").fields.get("x").map(str::len), Some(30 << 10));
}

fn a_bad_chunk_cuts_the_answer(driver: Choice) {
    for chunk in
        ["x\r\n", "5\r\n12345678\r\n", "-1\r\n", "11111111111111111\r\n", "5\n12345\n", "0\r\nbad trailer\r\n\r\n"]
    {
        let service = bad(format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n{chunk}").into());
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
        // Where the error comes with the head, all of it may be told in a 502.
        if let Ok(answer) = client.try_answer() {
            assert_eq!(answer.status, 502, "{chunk:?}");
        }
        wait_for("the service's connection to end", || (service.ended() == 1).then_some(()));
        assert_eq!(gate.client().get("/next").text(), "/next");
    }
}

const STOLEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen";

fn bytes_behind_an_answer_never_reach_another_request(driver: Choice) {
    for first in [
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n",
    ] {
        for extra in [STOLEN, "\r\n", "x"] {
            let service = bad(format!("{first}{extra}").into());
            let gate = Plan::to(&service).start(driver);
            let mut client = gate.client();
            assert!(client.get("/one").status < 400);
            assert_eq!(client.get("/two").text(), "/two", "{first:?} {extra:?}");
            assert_eq!(gate.client().get("/three").text(), "/three");
        }
    }
}

fn bytes_that_follow_an_answer_later_never_reach_another_request(driver: Choice) {
    let (go, gone) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (may, done) = (go.clone(), gone.clone());
    let service = Service::start(move |connection| {
        if connection.number > 0 {
            return connection.answer_all(|request| ok(&request.target));
        }
        if connection.request().is_some() && connection.send(ok("one")) {
            wait_for("leave", || may.load(Ordering::SeqCst).then_some(()));
            connection.send(STOLEN);
            done.store(true, Ordering::SeqCst);
            connection.wait_for_end();
        }
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    assert_eq!(client.get("/one").text(), "one");
    go.store(true, Ordering::SeqCst);
    wait_for("the bytes to be sent", || gone.load(Ordering::SeqCst).then_some(()));
    assert_eq!(client.get("/two").text(), "/two");
}

fn a_whole_answer_behind_one_to_head_never_reaches_another_request(driver: Choice) {
    let service = bad(ok("a body that HEAD must not have"));
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send("HEAD / HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(client.answer_to("HEAD").status, 200);
    assert_eq!(client.get("/two").text(), "/two");
}
