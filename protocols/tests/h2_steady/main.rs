//! What a connection costs when it has been in use for a while: no allocation, and little memory.

// Clippy takes only functions marked as tests for tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod allocations;

use ringgate_protocols::h2::{BlockWriter, Connection, Event, Head, Limits};
use ringgate_protocols::hpack::Pseudo;
use ringgate_protocols::wire::HeaderId;
use std::sync::Arc;

/// Exchanges at once.
const AT_ONCE: usize = 20;

/// A client and a server, and what is on its way between them.
struct Pair {
    client: Connection,
    server: Connection,
    head: Head,
    requests: Vec<u8>,
    answers: Vec<u8>,
    now_us: u64,
}

impl Pair {
    fn new() -> Self {
        let (mut requests, mut answers) = (Vec::new(), Vec::new());
        let client = Connection::client(Arc::new(Limits::default()), 0, &mut requests);
        let server = Connection::server(Arc::new(Limits::default()), 0, &mut answers);
        Self { client, server, head: Head::new(), requests, answers, now_us: 0 }
    }

    /// Some exchanges with a body each way; the path and a field differ from one to the next.
    fn round(&mut self, number: u8) {
        self.now_us += 1_000;
        for _ in 0..AT_ONCE {
            let stream = self.client.send_request(false, &mut self.requests, |writer| request(writer, number)).unwrap();
            self.requests.extend(self.client.data_head(stream, 100, true).unwrap());
            self.requests.extend([number; 100]);
        }
        self.serve();
        while let Some(turn) = self.server.next_turn(self.now_us) {
            let len = turn.bytes.min(5_000);
            self.answers.extend(self.server.data_head(turn.stream, len, true).unwrap());
            self.answers.resize(self.answers.len() + len, number);
            self.server.release(turn.stream, &mut self.answers);
        }
        self.client_receives();
        assert_eq!(self.client.stream_count() + self.server.stream_count(), 0);
    }

    fn serve(&mut self) {
        let mut rest = &self.requests[..];
        loop {
            let received = self.server.receive(rest, self.now_us, &mut self.head, &mut self.answers).unwrap();
            rest = &rest[received.consumed..];
            match received.event {
                Event::Need(_) => break,
                Event::Data { stream, data, end } => {
                    self.server.consumed(stream, data.len(), &mut self.answers);
                    assert!(end);
                    self.server.send_response(stream, false, &mut self.answers, answer).unwrap();
                    self.server.wants_to_send(stream);
                }
                _ => {}
            }
        }
        self.requests.clear();
        self.client.sent();
    }

    fn client_receives(&mut self) {
        let mut rest = &self.answers[..];
        loop {
            let received = self.client.receive(rest, self.now_us, &mut self.head, &mut self.requests).unwrap();
            rest = &rest[received.consumed..];
            match received.event {
                Event::Need(_) => break,
                Event::Data { stream, data, end } => {
                    self.client.consumed(stream, data.len(), &mut self.requests);
                    if end {
                        self.client.release(stream, &mut self.requests);
                    }
                }
                _ => {}
            }
        }
        self.answers.clear();
        self.server.sent();
    }
}

fn request(writer: &mut BlockWriter<'_>, number: u8) {
    writer.pseudo(Pseudo::Method, b"POST");
    writer.pseudo(Pseudo::Scheme, b"https");
    writer.pseudo(Pseudo::Path, &[b'/', b'a' + number % 26]);
    writer.pseudo(Pseudo::Authority, b"api.example.com");
    writer.known(HeaderId::UserAgent, b"a client", false);
    writer.known(HeaderId::ContentLength, b"100", false);
    writer.named(b"X-Custom", &[b'0' + number % 10; 60], false);
    writer.named(b"x-secret", b"secret", true);
}

fn answer(writer: &mut BlockWriter<'_>) {
    writer.status(200);
    writer.known(HeaderId::ContentType, b"text/plain", false);
    writer.known(HeaderId::SetCookie, b"a=b; Secure", false);
}

#[test]
fn nothing_is_allocated_once_a_connection_is_warm() {
    let mut pair = Pair::new();
    for number in 0..=255 {
        pair.round(number);
    }
    let before = allocations::count();
    for number in 0..=255 {
        pair.round(number);
    }
    assert_eq!(allocations::count() - before, 0);
}

#[test]
fn a_connection_that_is_idle_holds_little() {
    let size = size_of::<Connection>();
    assert!(size <= 2_048, "{size}");
    let mut pair = Pair::new();
    pair.round(1);
    let before = allocations::live_bytes();
    for number in 0..=255 {
        pair.round(number);
    }
    // Twice: what is shrunk goes on.
    pair.client.shrink();
    pair.server.shrink();
    pair.round(1);
    pair.client.shrink();
    pair.server.shrink();
    pair.head = Head::new();
    pair.requests = Vec::new();
    pair.answers = Vec::new();
    // The table of the client's requests has grown; nothing else has.
    let grown = allocations::live_bytes() - before;
    assert!(grown < 3 * 4_096, "{grown}");
}
