//! Many requests in one write: answered in order, each with its own answer.

use crate::support::service::ok;
use crate::support::{Plan, Service, on_both_drivers};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use ringgate_rt::driver::Choice;

on_both_drivers!(
    a_hundred_requests_in_one_write_are_answered_in_order,
    requests_behind_bodies_are_answered_in_order,
    nothing_behind_a_request_to_close_is_answered,
    good_requests_before_a_bad_one_are_answered,
    empty_lines_before_a_request_are_passed_over,
    any_requests_in_any_pieces_get_their_own_answers,
    a_half_close_behind_pipelined_requests_still_gets_all_answers,
);

/// Answers with the target and the body of the request.
fn mirror() -> Service {
    Service::answering(|request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        ok(if request.method == "HEAD" { String::new() } else { format!("{}={body}", request.target) })
    })
}

fn a_hundred_requests_in_one_write_are_answered_in_order(driver: Choice) {
    let service = mirror();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for round in 0..3 {
        let all: String = (0..100).map(|n| format!("GET /{round}/{n} HTTP/1.1\r\nhost: h\r\n\r\n")).collect();
        client.send(all);
        for n in 0..100 {
            assert_eq!(client.answer().text(), format!("/{round}/{n}="));
        }
    }
    assert_eq!(service.request_count(), 300);
    assert_eq!(service.connections(), 1);
}

fn requests_behind_bodies_are_answered_in_order(driver: Choice) {
    let service = mirror();
    let gate = Plan::to(&service).start(driver);
    let large = "z".repeat(50_000);
    let all = format!(
        "POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nhost: h\r\n\r\n\
         PUT /c HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nt: 1\r\n\r\n\
         HEAD /d HTTP/1.1\r\nhost: h\r\n\r\nPOST /e HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n\
         POST /f HTTP/1.1\r\nhost: h\r\ncontent-length: 50000\r\n\r\n{large}GET /g HTTP/1.1\r\nhost: h\r\n\r\n"
    );
    let mut client = gate.client();
    for _ in 0..3 {
        client.send(&all);
        assert_eq!(client.answer().text(), "/a=hello");
        assert_eq!(client.answer().text(), "/b=");
        assert_eq!(client.answer().text(), "/c=abcde");
        assert_eq!(client.answer_to("HEAD").status, 200);
        assert_eq!(client.answer().text(), "/e=");
        assert_eq!(client.answer().text(), format!("/f={large}"));
        assert_eq!(client.answer().text(), "/g=");
    }
}

fn nothing_behind_a_request_to_close_is_answered(driver: Choice) {
    let service = mirror();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send(
        "GET /a HTTP/1.1\r\nhost: h\r\n\r\nGET /b HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n\
         GET /c HTTP/1.1\r\nhost: h\r\n\r\n",
    );
    assert_eq!(client.answer().text(), "/a=");
    let last = client.answer();
    assert_eq!((last.text(), last.fields.get("connection")), ("/b=", Some("close")));
    client.end();
    assert_eq!(service.request_count(), 2);
}

fn good_requests_before_a_bad_one_are_answered(driver: Choice) {
    let service = mirror();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send(
        "GET /a HTTP/1.1\r\nhost: h\r\n\r\nGET /b HTTP/1.1\r\nhost : h\r\n\r\nGET /c HTTP/1.1\r\nhost: h\r\n\r\n",
    );
    assert_eq!(client.answer().text(), "/a=");
    let refused = client.answer();
    assert_eq!((refused.status, refused.fields.get("connection")), (400, Some("close")));
    client.end();
    assert_eq!(service.only_request().target, "/a");
}

fn empty_lines_before_a_request_are_passed_over(driver: Choice) {
    let service = mirror();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send("\r\nGET /a HTTP/1.1\r\nhost: h\r\n\r\n\r\n\r\nGET /b HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(client.answer().text(), "/a=");
    assert_eq!(client.answer().text(), "/b=");
    client.send("\r\n\r\n\r\n\r\nGET /c HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(client.answer().status, 400);
    client.end();
}

/// One request: what is sent, and what must come back.
#[derive(Clone, Debug)]
struct Asked {
    bytes: Vec<u8>,
    head: bool,
    answer: String,
}

fn asked() -> impl Strategy<Value = Asked> {
    let body = proptest::collection::vec("[a-z\r\n ]{1,40}", 0..6);
    ("[a-z0-9]{1,12}", 0..4u8, body, any::<bool>(), any::<bool>()).prop_map(
        |(path, kind, pieces, extended, trailed)| {
            let body = pieces.concat();
            let (bytes, body) = match kind {
                0 => (format!("GET /{path} HTTP/1.1\r\nhost: h\r\n\r\n"), String::new()),
                1 => (format!("HEAD /{path} HTTP/1.1\r\nhost: h\r\n\r\n"), String::new()),
                2 => {
                    (format!("POST /{path} HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n{body}", body.len()), body)
                }
                _ => {
                    let extension = if extended { ";e=\"f\"" } else { "" };
                    let chunks: String =
                        pieces.iter().map(|piece| format!("{:x}{extension}\r\n{piece}\r\n", piece.len())).collect();
                    let trailer = if trailed { "t: 1\r\n" } else { "" };
                    let head = format!("PUT /{path} HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n");
                    (format!("{head}{chunks}0\r\n{trailer}\r\n"), body)
                }
            };
            let head = kind == 1;
            let answer = if head { String::new() } else { format!("/{path}={body}") };
            Asked { bytes: bytes.into_bytes(), head, answer }
        },
    )
}

fn any_requests_in_any_pieces_get_their_own_answers(driver: Choice) {
    let service = mirror();
    let gate = Plan::to(&service).start(driver);
    let mut runner = TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() });
    let cases = (proptest::collection::vec(asked(), 1..8), proptest::collection::vec(1..200usize, 1..10));
    runner
        .run(&cases, |(all, sizes)| {
            let bytes: Vec<u8> = all.iter().flat_map(|asked| asked.bytes.clone()).collect();
            let mut client = gate.client();
            let (mut rest, mut sizes) = (bytes.as_slice(), sizes.iter().cycle());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.len().min(*sizes.next().unwrap_or(&1)));
                client.send(piece);
                rest = after;
            }
            for asked in &all {
                let answer = client.answer_to(if asked.head { "HEAD" } else { "GET" });
                prop_assert_eq!(answer.text(), asked.answer.as_str());
            }
            Ok(())
        })
        .expect("holds for all");
}

fn a_half_close_behind_pipelined_requests_still_gets_all_answers(driver: Choice) {
    let service = mirror();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send((0..10).map(|n| format!("GET /{n} HTTP/1.1\r\nhost: h\r\n\r\n")).collect::<String>());
    client.half_close();
    for n in 0..10 {
        assert_eq!(client.answer().text(), format!("/{n}="));
    }
    client.end();
}
