//! Every pairing of clear text, TLS 1.2 and TLS 1.3 on both sides: bodies of every size arrive as they were sent.

use crate::support::bodies::{Noise, digest};
use crate::support::service::{Connection, ok};
use crate::support::tls::{self, Version};
use crate::support::wire::Request;
use crate::support::{Authority, Client, Gate, Plan, Service, on_both_drivers};
use crate::{Site, believing, secured, secured_service};
use ringgate_rt::driver::Choice;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::sync::Arc;

on_both_drivers!(
    every_pairing_carries_bodies_whole,
    a_hundred_megabytes_go_both_ways,
    an_answer_that_ends_with_its_connection_is_whole_only_with_a_word,
    an_answer_is_sent_while_its_request_is_not_over,
    an_upload_that_is_refused_gets_its_answer,
    requests_may_come_before_their_answers,
);

const SIDES: [Option<Version>; 3] = [None, Some(Version::Tls12), Some(Version::Tls13)];
/// Around one record, and many.
const SIZES: [usize; 9] = [0, 1, 100, 4095, 4097, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 1 << 20];
const LARGE: usize = 100 << 20;

/// Sends a request's body back; to `/chunked` in chunks.
fn mirror(request: &Request) -> Vec<u8> {
    let digest = digest(&request.body);
    if request.target != "/chunked" {
        let length = if request.method == "HEAD" { 5 } else { request.body.len() };
        let answer = format!("HTTP/1.1 200 OK\r\nx-sum: {digest}\r\ncontent-length: {length}\r\n\r\n");
        return [answer.as_bytes(), &request.body].concat();
    }
    let mut answer = format!("HTTP/1.1 200 OK\r\nx-sum: {digest}\r\ntransfer-encoding: chunked\r\n\r\n").into_bytes();
    for piece in request.body.chunks(9000) {
        answer.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        answer.extend_from_slice(piece);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    answer
}

/// A gateway between two sides.
struct Between {
    gate: Gate,
    service: Service,
    authority: Authority,
    client: Option<Version>,
}

impl Between {
    fn start(
        client: Option<Version>,
        service: Option<Version>,
        driver: Choice,
        script: impl Fn(&mut Connection) + Send + Sync + 'static,
    ) -> Between {
        let authority = Authority::new("both sides believe it");
        let to = match service {
            None => Service::start(script),
            Some(version) => secured_service(&authority, version, script),
        };
        let mut plan = Plan::to(&to).limits("body_bytes: off");
        if service.is_some() {
            plan = plan.upstream(&believing(&authority, ""));
        }
        if client.is_some() {
            plan = plan.listener(&secured(&authority, ""));
        }
        Between { gate: plan.start(driver), service: to, authority, client }
    }

    fn client(&self) -> Client {
        let Some(version) = self.client else { return self.gate.client() };
        let config = Arc::new(tls::client_config(&self.authority, version));
        let mut client = tls::client(self.gate.address(), &config, "localhost");
        assert!(version.is_of(&client.wire.stream.tls().tls));
        client
    }
}

fn every_pairing_carries_bodies_whole(driver: Choice) {
    let mut noise = Noise::new(3);
    for client in SIDES {
        for service in SIDES {
            let between = Between::start(client, service, driver, move |connection| {
                let Some(request) = connection.request() else { return };
                if let Some(version) = service {
                    assert!(version.is_of(&connection.wire.stream.tls().tls));
                }
                connection.send(mirror(&request));
                connection.answer_all(mirror);
            });
            // All of them on one connection.
            let mut client = between.client();
            for size in SIZES {
                let body = noise.bytes(size);
                let head = format!("POST /counted HTTP/1.1\r\nhost: localhost\r\ncontent-length: {size}\r\n\r\n");
                let answer = client.exchange([head.as_bytes(), &body].concat());
                assert_eq!(answer.fields.get("x-sum"), Some(&*digest(&body)), "{size} bytes to the service");
                assert!(answer.body == body, "{size} bytes back");
                client.send("POST /chunked HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n");
                for piece in body.chunks(20_000) {
                    client.send([format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
                }
                let answer = client.exchange("0\r\n\r\n");
                assert_eq!(answer.fields.get("x-sum"), Some(&*digest(&body)), "{size} bytes in chunks");
                assert!(answer.body == body, "{size} bytes back in chunks");
            }
            client.send("HEAD /head HTTP/1.1\r\nhost: localhost\r\n\r\n");
            let head = client.answer_to("HEAD");
            assert_eq!((head.status, head.fields.get("content-length")), (200, Some("5")));
            assert_eq!(client.get("/counted").status, 200, "the connection goes on");
            assert_eq!(between.service.connections(), 1, "one connection to the service for all of them");
        }
    }
}

fn a_hundred_megabytes_go_both_ways(driver: Choice) {
    // TLS 1.3 on one side, 1.2 on the other. The body is digested as it comes, and comes back from the same noise.
    let between = Between::start(Some(Version::Tls13), Some(Version::Tls12), driver, |connection| {
        let Some(_) = connection.head() else { return };
        let mut sum = Sha256::new();
        let mut left = LARGE;
        let mut room = vec![0; 64 * 1024];
        let early = std::mem::take(&mut connection.wire.pending);
        sum.update(&early);
        left -= early.len();
        while left > 0 {
            let n = connection.wire.stream.read(&mut room).unwrap_or(0);
            assert!(n > 0, "cut off with {left} to come");
            sum.update(&room[..n]);
            left -= n;
        }
        let sum = crate::support::bodies::hex(&sum.finalize());
        connection.send(format!("HTTP/1.1 200 OK\r\nx-sum: {sum}\r\ncontent-length: {LARGE}\r\n\r\n"));
        let piece = Noise::new(8).bytes(1 << 20);
        for _ in 0..LARGE / piece.len() {
            connection.send(&piece);
        }
    });
    let mut client = between.client();
    client.send(format!("PUT /large HTTP/1.1\r\nhost: localhost\r\ncontent-length: {LARGE}\r\n\r\n"));
    let (there, back) = (Noise::new(7).bytes(1 << 20), Noise::new(8).bytes(1 << 20));
    let (mut sent, mut expected) = (Sha256::new(), Sha256::new());
    for _ in 0..LARGE / there.len() {
        sent.update(&there);
        expected.update(&back);
        client.send(&there);
    }
    let head = client.wire.head().expect("an answer").expect("an answer");
    assert_eq!(head.fields.get("x-sum"), Some(&*crate::support::bodies::hex(&sent.finalize())));
    let mut got = Sha256::new();
    let mut left = LARGE;
    while left > 0 {
        let piece = client.wire.exactly(left.min(1 << 16)).expect("more of the answer");
        got.update(&piece);
        left -= piece.len();
    }
    assert_eq!(got.finalize(), expected.finalize());
}

/// A service's answer without a length, which its connection's end ends: with a word, or without.
fn an_answer_that_ends_with_its_connection_is_whole_only_with_a_word(driver: Choice) {
    for version in [Version::Tls12, Version::Tls13] {
        for word in [true, false] {
            let between = Between::start(Some(version), Some(version), driver, move |connection| {
                if connection.request().is_some() {
                    connection.send([&b"HTTP/1.1 200 OK\r\n\r\n"[..], &[b'x'; 50_000]].concat());
                    if word {
                        connection.wire.stream.tls().close_notify().expect("sent");
                    }
                }
            });
            let mut client = between.client();
            client.send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
            match (word, client.try_answer()) {
                (true, Ok(answer)) => assert_eq!(answer.body.len(), 50_000),
                (true, Err(error)) => panic!("{version:?}: {error}"),
                (false, Ok(answer)) => panic!("{version:?}: taken for whole: {} bytes", answer.body.len()),
                (false, Err(_)) => {
                    assert_eq!(between.gate.log(1)[0]["fault"], "upstream_closed", "{version:?}");
                }
            }
        }
    }
}

fn an_answer_is_sent_while_its_request_is_not_over(driver: Choice) {
    let between = Between::start(Some(Version::Tls13), Some(Version::Tls13), driver, |connection| {
        let Some(_) = connection.head() else { return };
        let mut got = 0;
        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 400000\r\n\r\n");
        while got < 400_000 {
            let early = std::mem::take(&mut connection.wire.pending);
            got += early.len();
            connection.send(&early);
            if got < 400_000 && connection.wire.fill().unwrap_or(0) == 0 {
                return;
            }
        }
    });
    let mut client = between.client();
    let body = Noise::new(5).bytes(400_000);
    client.send("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 400000\r\n\r\n");
    let mut back = Vec::new();
    for (n, piece) in body.chunks(10_000).enumerate() {
        client.send(piece);
        if n == 0 {
            assert_eq!(client.wire.head().expect("a head").expect("a head").line, "HTTP/1.1 200 OK");
        }
        back.extend(client.wire.exactly(piece.len()).expect("it comes back before the next piece is sent"));
    }
    assert!(back == body);
    assert_eq!(between.gate.log(1)[0]["status"], 200);
}

fn an_upload_that_is_refused_gets_its_answer(driver: Choice) {
    let service = Service::answering(mirror);
    for version in [Version::Tls12, Version::Tls13] {
        let site = Site::start(Plan::to(&service).limits("body_bytes: 1KiB"), driver);
        let mut client = site.client_of(version);
        client.send("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n");
        // More is on its way when the answer is, and must not overtake it as a reset.
        for _ in 0..20 {
            if client.try_send([b'x'; 20_000]).is_err() {
                break;
            }
        }
        let answer = client.answer();
        assert_eq!((answer.status, answer.json()["error"].as_str()), (413, Some("body_too_large")), "{version:?}");
    }
    assert_eq!(service.request_count(), 0);
}

fn requests_may_come_before_their_answers(driver: Choice) {
    const REQUESTS: usize = 200;
    let service = Service::answering(|request| ok(&request.target));
    let site = Site::start(Plan::to(&service), driver);
    for version in [Version::Tls12, Version::Tls13] {
        let mut client = site.client_of(version);
        let request = |n: usize| format!("GET /{n} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        // As few records as hold them, and a record for each.
        client.send((0..REQUESTS).map(request).collect::<String>());
        for n in REQUESTS..2 * REQUESTS {
            client.send(request(n));
        }
        for n in 0..2 * REQUESTS {
            assert_eq!(client.answer().text(), format!("/{n}"), "{version:?}");
        }
    }
}
