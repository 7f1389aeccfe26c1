//! Bodies of every size around the gateway's buffers, both ways, in both framings, small pieces and huge ones.

use crate::support::bodies::{Noise, digest, hex};
use crate::support::service::{Connection, ok};
use crate::support::wire::{Wire, cut};
use crate::support::{Client, Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

on_both_drivers!(
    bodies_of_any_size_go_both_ways_in_both_framings,
    a_body_in_many_tiny_chunks_is_the_same,
    a_body_of_any_method_goes_on,
    a_hundred_megabytes_go_up,
    a_hundred_megabytes_come_down,
    both_directions_flow_at_once,
);

const STANDARD: usize = ringgate_rt::buffer::STANDARD_BYTES;
const LARGE: usize = ringgate_rt::buffer::LARGE_BYTES;
const HUGE: usize = 100 << 20;
const UNLIMITED: &str = "body_bytes: 1GiB";

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() * 2);
    for piece in body.chunks(size) {
        out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

fn framed(start: &str, body: &[u8], chunks: Option<usize>) -> Vec<u8> {
    let (framing, payload) = match chunks {
        Some(size) => ("transfer-encoding: chunked".to_string(), chunked(body, size)),
        None => (format!("content-length: {}", body.len()), body.to_vec()),
    };
    let mut out = format!("{start}\r\n{framing}\r\n\r\n").into_bytes();
    out.extend(payload);
    out
}

fn bodies_of_any_size_go_both_ways_in_both_framings(driver: Choice) {
    let service = Service::answering(|request| {
        let chunks = request.fields.has("transfer-encoding").then_some(10_000);
        framed("HTTP/1.1 200 OK", &request.body, chunks)
    });
    let gate = Plan::to(&service).limits(UNLIMITED).start(driver);
    let mut client = gate.client();
    let mut noise = Noise::new(1);
    for around in [1, 512, 8192, STANDARD, 2 * STANDARD, LARGE, LARGE + STANDARD, 1 << 20] {
        for size in [around - 1, around, around + 1, around + 1500] {
            let body = noise.bytes(size);
            for chunks in [None, Some(7000)] {
                client.send(framed("POST / HTTP/1.1\r\nhost: h", &body, chunks));
                let answer = client.answer();
                assert_eq!(answer.status, 200);
                assert!(answer.body == body, "{size} bytes, chunks of {chunks:?}: {} came back", answer.body.len());
            }
        }
    }
    assert_eq!(service.connections(), 1);
}

fn a_body_in_many_tiny_chunks_is_the_same(driver: Choice) {
    let service = Service::answering(|request| framed("HTTP/1.1 200 OK", &request.body, Some(3)));
    let gate = Plan::to(&service).start(driver);
    let body = Noise::new(2).bytes(40_000);
    let mut client = gate.client();
    for size in [1, 2, 3, 5] {
        client.send(framed("POST / HTTP/1.1\r\nhost: h", &body, Some(size)));
        assert!(client.answer().body == body, "chunks of {size}");
    }
}

fn a_body_of_any_method_goes_on(driver: Choice) {
    let service = Service::answering(|request| ok(&request.body));
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for method in ["GET", "DELETE", "OPTIONS", "PATCH", "QUERY"] {
        for chunks in [None, Some(2)] {
            client.send(framed(&format!("{method} / HTTP/1.1\r\nhost: h"), b"body", chunks));
            assert_eq!(client.answer().text(), "body", "{method}");
        }
        client.send(framed(&format!("{method} / HTTP/1.1\r\nhost: h"), b"", None));
        assert_eq!(client.answer().text(), "", "{method}");
    }
    client.send(framed("HEAD / HTTP/1.1\r\nhost: h", b"body", None));
    assert_eq!(client.answer_to("HEAD").fields.get("content-length"), Some("4"));
    assert_eq!(client.get("/").text(), "");
}

/// Sends noise, and returns its digest.
fn send_noise(to: &mut impl Write, bytes: usize) -> io::Result<String> {
    let mut noise = Noise::new(bytes as u64);
    let mut sha = Sha256::new();
    let mut left = bytes;
    while left > 0 {
        let piece = noise.bytes(left.min(256 * 1024));
        sha.update(&piece);
        to.write_all(&piece)?;
        left -= piece.len();
    }
    Ok(hex(&sha.finalize()))
}

/// Reads so many bytes, and returns their digest.
fn digest_of<S: Read>(wire: &mut Wire<S>, bytes: usize) -> io::Result<String> {
    let mut sha = Sha256::new();
    let mut left = bytes;
    loop {
        let here = wire.pending.len().min(left);
        sha.update(&wire.pending[..here]);
        wire.pending.drain(..here);
        left -= here;
        if left == 0 {
            return Ok(hex(&sha.finalize()));
        }
        if wire.fill()? == 0 {
            return Err(cut("a body"));
        }
    }
}

fn length(connection: &mut Connection) -> Option<usize> {
    let request = connection.head()?;
    request.fields.get("content-length").map(|n| n.parse().expect("a number"))
}

fn a_hundred_megabytes_go_up(driver: Choice) {
    let service = Service::start(|connection| {
        while let Some(length) = length(connection) {
            let Ok(digest) = digest_of(&mut connection.wire, length) else { return };
            connection.send(ok(digest));
        }
    });
    let gate = Plan::to(&service).limits(UNLIMITED).start(driver);
    let mut client = gate.client();
    client.send(format!("PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: {HUGE}\r\n\r\n"));
    let sent = send_noise(&mut client.wire.stream, HUGE).expect("the gateway takes it");
    assert_eq!(client.answer().text(), sent);
    assert_eq!(client.exchange("PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc").text(), digest(b"abc"));
    assert_eq!(gate.log(1)[0]["bytes_in"], HUGE);
}

fn a_hundred_megabytes_come_down(driver: Choice) {
    let service = Service::start(|connection| {
        while connection.request().is_some() {
            connection.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {HUGE}\r\n\r\n"));
            if send_noise(&mut connection.wire.stream, HUGE).is_err() {
                return;
            }
        }
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    let head = client.wire.head().expect("a head").expect("a head");
    assert_eq!(head.fields.get("content-length"), Some(HUGE.to_string().as_str()));
    let got = digest_of(&mut client.wire, HUGE).expect("all of it");
    let sent = send_noise(&mut io::sink(), HUGE).expect("a sink");
    assert_eq!(got, sent);
    assert_eq!(gate.log(1)[0]["bytes_out"], HUGE);
}

fn both_directions_flow_at_once(driver: Choice) {
    const BYTES: usize = 24 << 20;
    // Sends back what comes, as it comes: more than all buffers on the way hold.
    let service = Service::start(|connection| {
        let Some(length) = length(connection) else { return };
        connection.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n"));
        let mut left = length;
        while left > 0 {
            let piece = std::mem::take(&mut connection.wire.pending);
            left -= piece.len();
            if !connection.send(piece) || (left > 0 && connection.wire.fill().unwrap_or(0) == 0) {
                return;
            }
        }
    });
    let gate = Plan::to(&service).limits(UNLIMITED).start(driver);
    let mut client: Client = gate.client();
    let mut sender = client.wire.stream.try_clone().expect("a copy");
    let (sent, got) = std::thread::scope(|scope| {
        let sending = scope.spawn(move || {
            sender.write_all(format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {BYTES}\r\n\r\n").as_bytes())?;
            send_noise(&mut sender, BYTES)
        });
        assert_eq!(client.wire.head().expect("a head").expect("a head").line, "HTTP/1.1 200 OK");
        let got = digest_of(&mut client.wire, BYTES).expect("all of it");
        (sending.join().expect("no panic").expect("the gateway takes it"), got)
    });
    assert_eq!(sent, got);
}
