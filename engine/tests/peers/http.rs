//! hyper and reqwest through the gateway to hyper.

use crate::service::{pattern, start};
use crate::support::bodies::{Noise, digest};
use crate::support::{Gate, Plan, on_both_drivers};
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use ringgate_rt::driver::Choice;
use std::convert::Infallible;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;

on_both_drivers!(
    reqwest_gets_what_hyper_sends,
    reqwest_uploads_what_hyper_gets,
    hyper_sends_and_gets_trailers,
    many_clients_at_once_get_their_own_answers,
    a_slow_stream_comes_piece_by_piece,
    a_client_that_drops_a_stream_frees_its_service,
);

/// Runs a test with a service on hyper behind a gateway.
fn with_service<F: Future<Output = ()>>(driver: Choice, test: impl FnOnce(Rc<Gate>, String) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let service = start().await;
        let gate = Rc::new(Plan::to_endpoints([service]).limits("body_bytes: 1GiB").start(driver));
        let url = format!("http://{}", gate.address());
        let limit = crate::support::STUCK * 3;
        tokio::time::timeout(limit, test(gate.clone(), url)).await.expect("it does not hang");
    });
}

fn client() -> reqwest::Client {
    // reqwest is built with TLS for other tests, and wants to know by whom; nothing of it is used here.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

fn reqwest_gets_what_hyper_sends(driver: Choice) {
    with_service(driver, |_gate, url| async move {
        let client = client();
        for size in [0, 1, 1000, 20_000, 200_000, 3_000_000] {
            for kind in ["count", "flow"] {
                let answer = client.get(format!("{url}/{kind}/{size}")).send().await.expect("an answer");
                assert_eq!(answer.status(), 200);
                assert_eq!(answer.headers()["x-service"], "hyper");
                assert_eq!(answer.headers().contains_key("content-length"), kind == "count");
                let body = answer.bytes().await.expect("a body");
                assert!(body == pattern(size), "{kind} {size}: {} bytes", body.len());
            }
        }
        for status in [200, 204, 304, 404, 503] {
            let answer = client.get(format!("{url}/status/{status}")).send().await.expect("an answer");
            assert_eq!(answer.status(), status);
        }
        let head = client.head(format!("{url}/count/1234")).send().await.expect("an answer");
        assert_eq!(head.headers()["content-length"], "1234");
        let seen = client.get(format!("{url}/head?a=b")).header("x-mine", "1").send().await.expect("an answer");
        let seen = seen.text().await.expect("text");
        assert!(seen.starts_with("GET /head?a=b\n") && seen.contains("\"x-mine\": \"1\""), "{seen}");
    });
}

fn reqwest_uploads_what_hyper_gets(driver: Choice) {
    with_service(driver, |_gate, url| async move {
        let client = client();
        for size in [0, 1, 19_000, 400_000, 5_000_000] {
            let known = client.post(format!("{url}/mirror")).body(pattern(size)).send().await.expect("an answer");
            assert!(known.bytes().await.expect("a body") == pattern(size), "{size} bytes of known length");
            let pieces: Vec<_> = pattern(size).chunks(7777).map(|p| Ok::<_, Infallible>(p.to_vec())).collect();
            let body = reqwest::Body::wrap_stream(stream::iter(pieces));
            let flowing = client.put(format!("{url}/mirror")).body(body).send().await.expect("an answer");
            assert!(flowing.bytes().await.expect("a body") == pattern(size), "{size} bytes in chunks");
        }
        // A hundred megabytes there and back.
        let sent = pattern(100 << 20);
        let expected = digest(&sent);
        let answer = client.post(format!("{url}/mirror")).body(sent).send().await.expect("an answer");
        assert_eq!(digest(&answer.bytes().await.expect("a body")), expected);
    });
}

fn hyper_sends_and_gets_trailers(driver: Choice) {
    with_service(driver, |gate, _| async move {
        let stream = TcpStream::connect(gate.address()).await.expect("a connection");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a connection");
        tokio::spawn(connection);
        for round in 0..3 {
            let mut trailers = HeaderMap::new();
            trailers.insert(HeaderName::from_static("x-checksum"), HeaderValue::from(round));
            let frames: Vec<Result<_, Infallible>> =
                vec![Ok(Frame::data(Bytes::from_static(b"body"))), Ok(Frame::trailers(trailers))];
            let body = StreamBody::new(stream::iter(frames));
            let request = Request::post("/mirror").header("host", "h").header("te", "trailers");
            // hyper sends only those trailers that the head announces.
            let request = request.header("trailer", "x-checksum").body(BodyExt::boxed(body)).expect("a request");
            let answer = sender.send_request(request).await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes(), "body");
        }
        let empty = BodyExt::boxed(StreamBody::new(stream::iter(Vec::<Result<Frame<Bytes>, Infallible>>::new())));
        let request = Request::get("/flow/20000").header("host", "h").header("te", "trailers").body(empty);
        let answer = sender.send_request(request.expect("a request")).await.expect("an answer");
        let collected = answer.into_body().collect().await.expect("a body");
        assert_eq!(collected.trailers().and_then(|t| t.get("x-sum")).map(HeaderValue::as_bytes), Some(&b"20000"[..]));
        assert!(collected.to_bytes() == pattern(20_000));
    });
}

fn many_clients_at_once_get_their_own_answers(driver: Choice) {
    with_service(driver, |_gate, url| async move {
        let client = client();
        let one = |n: usize| {
            let (client, url) = (client.clone(), url.clone());
            async move {
                let mut noise = Noise::new(n as u64);
                let len = noise.below(60_000);
                let body = noise.bytes(len);
                let answer =
                    client.post(format!("{url}/mirror?{n}")).body(body.clone()).send().await.expect("an answer");
                assert!(answer.bytes().await.expect("a body") == body, "request {n}");
            }
        };
        stream::iter(0..600).for_each_concurrent(40, one).await;
    });
}

fn a_slow_stream_comes_piece_by_piece(driver: Choice) {
    with_service(driver, |_gate, url| async move {
        let answer = client().get(format!("{url}/slow/10")).send().await.expect("an answer");
        let mut pieces = answer.bytes_stream();
        let mut seen = Vec::new();
        while let Some(piece) = pieces.next().await {
            seen.push(piece.expect("a piece"));
        }
        assert!(seen.len() > 5, "nothing is held back to be sent together: {seen:?}");
        assert_eq!(seen.concat(), (0..10).map(|n| format!("{n}\n")).collect::<String>().as_bytes());
    });
}

fn a_client_that_drops_a_stream_frees_its_service(driver: Choice) {
    with_service(driver, |gate, url| async move {
        for _ in 0..20 {
            let answer = client().get(format!("{url}/count/50000000")).send().await.expect("an answer");
            let first = answer.bytes_stream().next().await.expect("a piece").expect("a piece");
            assert!(!first.is_empty());
        }
        // This thread is the clients' too: it must not block.
        while gate.logged().len() < 20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let lines = gate.logged();
        assert!(lines.iter().all(|line| line["fault"] == "client_gone"), "{lines:?}");
        let answer = client().get(format!("{url}/count/5")).send().await.expect("an answer");
        assert_eq!(answer.bytes().await.expect("a body"), pattern(5));
    });
}
