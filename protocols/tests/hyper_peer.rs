//! hyper as an independent reader: what both accept, both must read alike, and what hyper refuses for its framing we
//! refuse too. Over in-memory pipes.

// Clippy takes only functions marked as tests for tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod trace;

use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use ringgate_protocols::wire::Method;
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use trace::{Seen, requests, responses};

/// One message as a reader understood it: method and target, or status; and the payload.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Message {
    start: String,
    payload: Vec<u8>,
}

/// What was read, and whether an error ended it.
#[derive(PartialEq, Eq, Debug)]
struct Reading {
    messages: Vec<Message>,
    failed: bool,
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        tokio::time::timeout(Duration::from_secs(10), future).await.expect("a peer hangs")
    })
}

/// hyper's server reads `bytes` as requests.
fn hyper_server(bytes: &[u8]) -> Reading {
    let messages = Rc::new(RefCell::new(Vec::new()));
    let failed = block_on(async {
        let (mut near, far) = tokio::io::duplex(1 << 20);
        near.write_all(bytes).await.unwrap();
        near.shutdown().await.unwrap();
        let seen = messages.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let seen = seen.clone();
            async move {
                let start = format!("{} {}", request.method(), request.uri());
                if let Ok(body) = request.into_body().collect().await {
                    let payload = body.to_bytes().to_vec();
                    seen.borrow_mut().push(Message { start, payload });
                }
                Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
            }
        });
        let mut builder = hyper::server::conn::http1::Builder::new();
        let connection = builder.half_close(true).serve_connection(TokioIo::new(far), service);
        let answers = async {
            let mut answers = Vec::new();
            let _ = near.read_to_end(&mut answers).await;
            answers
        };
        let (served, answers) = tokio::join!(connection, answers);
        served.is_err() || answers.windows(13).any(|window| window == b"HTTP/1.1 400 " || window == b"HTTP/1.1 431 ")
    });
    let messages = messages.take();
    Reading { messages, failed }
}

/// hyper's client reads `bytes` as the response to a request.
fn hyper_client(bytes: &[u8], method: &str) -> Reading {
    let result = block_on(async {
        let (mut near, far) = tokio::io::duplex(1 << 20);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(far)).await.unwrap();
        tokio::task::spawn_local(connection.with_upgrades());
        let request =
            Request::builder().method(method).uri("/").header("host", "a").body(Full::<Bytes>::default()).unwrap();
        let answer = async {
            // Bytes before the request would be an error of their own.
            let mut request = [0; 1024];
            assert_ne!(near.read(&mut request).await.unwrap(), 0);
            near.write_all(bytes).await.unwrap();
            near.shutdown().await.unwrap();
            let mut rest = Vec::new();
            let _ = near.read_to_end(&mut rest).await;
        };
        let receive = async {
            let response = sender.send_request(request).await.map_err(drop)?;
            let start = response.status().as_u16().to_string();
            let payload = response.into_body().collect().await.map_err(drop)?.to_bytes().to_vec();
            drop(sender);
            Ok::<_, ()>(Message { start, payload })
        };
        tokio::join!(receive, answer).0
    });
    Reading { failed: result.is_err(), messages: result.into_iter().collect() }
}

/// Our reading: complete messages, with the start line's parts out of the trace.
fn ours(seen: Vec<Seen>) -> Reading {
    let mut messages = Vec::new();
    let mut start = String::new();
    let mut payload = Vec::new();
    let mut failed = false;
    for seen in seen {
        match seen {
            Seen::Head(head) => start = head,
            Seen::Data(data) => payload = data,
            Seen::End => {
                let payload = std::mem::take(&mut payload);
                let last = start.contains(" keep=false ");
                messages.push(Message { start: std::mem::take(&mut start), payload });
                // A server closes here, and never sees what follows.
                if last {
                    break;
                }
            }
            Seen::Error(_) => failed = true,
            Seen::Trailers(_) | Seen::Eof => {}
        }
    }
    Reading { messages, failed }
}

fn our_server(bytes: &[u8]) -> Reading {
    let mut reading = ours(requests(bytes, []));
    for message in &mut reading.messages {
        // "Get GET /target ..."
        let parts: Vec<_> = message.start.split(' ').skip(1).take(2).collect();
        message.start = parts.join(" ");
    }
    reading
}

fn our_client(bytes: &[u8], method: Method) -> Reading {
    let mut reading = ours(responses(bytes, &[method], []));
    for message in &mut reading.messages {
        message.start = message.start.split(' ').nth(1).unwrap().to_owned();
    }
    reading
}

const FRAMINGS: [&str; 24] = [
    "",
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 12\r\n",
    "Content-Length: +5\r\n",
    "Content-Length: 5, 5\r\n",
    "Content-Length: 5\r\nContent-Length: 5\r\n",
    "Content-Length: 5\r\nContent-Length: 6\r\n",
    "Content-Length: 0x5\r\n",
    "Content-Length:\r\n",
    "Content-Length: 99999999999999999999\r\n",
    "Content-Length : 5\r\n",
    "Content-Length: 5\n",
    " Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: Chunked\r\n",
    "Transfer-Encoding: gzip\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Transfer-Encoding: chunked, gzip\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "Transfer-Encoding: xchunked\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "X: a\r\n Transfer-Encoding: chunked\r\n",
];

const BODIES: [&str; 27] = [
    "",
    "hello",
    "hello, world",
    "5\r\nhello\r\n0\r\n\r\n",
    "5;a=b\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
    "5;a=\"b\"\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
    "0\r\n\r\n",
    "000\r\n\r\n",
    "5\r\nhello0\r\n\r\n",
    "5\nhello\r\n0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhello\r\n0\n\r\n",
    "5\r\nhello\r\n0\r\n\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "+5\r\nhello\r\n0\r\n\r\n",
    " 5\r\nhello\r\n0\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n\r\n0\r\n\r\n",
    "4\r\nhello\r\n0\r\n\r\n",
    "6\r\nhello\r\n0\r\n\r\n",
    "ffffffffffffffff\r\nhello",
    "10000000000000005\r\nhello\r\n0\r\n\r\n",
    "5;a\nb\r\nhello\r\n0\r\n\r\n",
    "5;\r\nhello\r\n0\r\na b: c\r\n\r\n",
    "5\r\nhello\r\n0\r\n GET: c\r\n\r\n",
    "\r\n5\r\nhello\r\n0\r\n\r\n",
    "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
];

const LINES: [&str; 14] = [
    "",
    "A: b\r\n",
    "A:b\r\n",
    "A: \u{e4}\r\n",
    "A : b\r\n",
    "A: b\r\n c\r\n",
    ": b\r\n",
    "A\r\n",
    "A: b\0\r\n",
    "A: b\x01\r\n",
    "A: b\rc\r\n",
    "A: b\n",
    "A@: b\r\n",
    "Connection: keep-alive\r\n",
];

const REQUEST_LINES: [&str; 16] = [
    "GET / HTTP/1.1\r\n",
    "POST /a?b=c HTTP/1.1\r\n",
    "POST http://b/c HTTP/1.1\r\n",
    "OPTIONS * HTTP/1.1\r\n",
    "X-METHOD / HTTP/1.1\r\n",
    "POST / HTTP/1.0\r\n",
    "POST  / HTTP/1.1\r\n",
    "POST /  HTTP/1.1\r\n",
    "POST / HTTP/1.1 \r\n",
    "POST / HTTP/1.2\r\n",
    "POST / HTTP/2.0\r\n",
    "POST / HTTP/1.1\n",
    "P@ST / HTTP/1.1\r\n",
    "POST /a b HTTP/1.1\r\n",
    "POST /\r\n",
    " POST / HTTP/1.1\r\n",
];

const STATUS_LINES: [&str; 16] = [
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 \r\n",
    "HTTP/1.1 200\r\n",
    "HTTP/1.1 204 No Content\r\n",
    "HTTP/1.1 304 Not Modified\r\n",
    "HTTP/1.1 404 Not Found\r\n",
    "HTTP/1.0 200 OK\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
    "HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 404 X\r\n",
    "HTTP/1.1  200 OK\r\n",
    "HTTP/1.1 20 OK\r\n",
    "HTTP/1.1 2000 OK\r\n",
    "HTTP/1.2 200 OK\r\n",
    "HTTP/1.1 200 O\0K\r\n",
    "HTTP/1.1 200 OK\n",
    "\r\nHTTP/1.1 200 OK\r\n",
];

/// One of a list; often the harmless ones at its start.
fn pick(list: &'static [&'static str], harmless: usize) -> impl Strategy<Value = &'static str> {
    prop_oneof![
        6 => prop::sample::select(&list[..harmless]),
        1 => prop::sample::select(list)
    ]
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let parts = (pick(&REQUEST_LINES, 6), pick(&LINES, 4), pick(&FRAMINGS, 3), pick(&LINES, 1), pick(&BODIES, 8));
    parts.prop_map(|(line, before, framing, after, body)| {
        format!("{line}Host: a\r\n{before}{framing}{after}\r\n{body}").into_bytes()
    })
}

fn response() -> impl Strategy<Value = Vec<u8>> {
    let parts = (pick(&STATUS_LINES, 8), pick(&LINES, 4), pick(&FRAMINGS, 3), pick(&BODIES, 8));
    parts.prop_map(|(line, before, framing, body)| format!("{line}{before}{framing}\r\n{body}").into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_are_read_alike(messages in proptest::collection::vec(request(), 1..3)) {
        let bytes = messages.concat();
        let (ours, theirs) = (our_server(&bytes), hyper_server(&bytes));
        // All that we accept, they accept, and read as the same.
        prop_assert!(
            theirs.messages.starts_with(&ours.messages),
            "ours {:#?} theirs {:#?} of {}", ours, theirs, bytes.escape_ascii()
        );
        prop_assert!(ours.failed || !theirs.failed, "we accept what hyper refuses: {}", bytes.escape_ascii());
    }

    #[test]
    fn responses_are_read_alike(
        bytes in response(),
        (name, method) in prop::sample::select(&[("GET", Method::Get), ("HEAD", Method::Head)][..]),
    ) {
        let (ours, theirs) = (our_client(&bytes, method), hyper_client(&bytes, name));
        if let Some(first) = ours.messages.first() {
            prop_assert_eq!(Some(first), theirs.messages.first(), "{}", bytes.escape_ascii());
        }
        prop_assert!(!theirs.failed || ours.messages.is_empty(), "we accept what hyper refuses: {}", bytes.escape_ascii());
    }
}
