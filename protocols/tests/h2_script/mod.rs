//! A client and a server of ours on two pipes, led by a script: random steps of both callers, random pieces of what
//! lies in the pipes. Whatever the script, neither may be at fault, no data may be lost or change, and when all is over
//! nothing may be left. Used by a property test and by the fuzz target `h2_connection`.

use ringgate_protocols::h2::{BudgetName, Connection, ErrorCode, Event, Head, Limits, OpenError, Rate, Role, StreamId};
use ringgate_protocols::hpack::Pseudo;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far a stream's caller has come, and what it has sent and received.
#[derive(Default)]
struct Use {
    sent: usize,
    received: usize,
    unconsumed: usize,
    head_sent: bool,
    end_sent: bool,
    end_received: bool,
    /// Reset or refused, by whomever.
    ended: bool,
}

struct Side {
    connection: Connection,
    head: Head,
    /// What has been written and not been carried over, and what has been carried over and not been received.
    out: Vec<u8>,
    rest: Vec<u8>,
    streams: BTreeMap<StreamId, Use>,
}

/// The byte at an offset of a stream's data: every loss and every mix-up shows.
fn pattern(stream: StreamId, at: usize) -> u8 {
    (stream.number() as usize * 131 + at * 7 + at / 251) as u8
}

fn limits(seed: u8) -> Limits {
    let mut limits = Limits {
        streams: 1 + u32::from(seed & 7),
        stream_window: [1, 100, 65_535, 300_000][usize::from(seed >> 3 & 3)],
        connection_window: [65_535, 100_000][usize::from(seed >> 5 & 1)],
        table_bytes: [0, 4_096][usize::from(seed >> 6 & 1)],
        encoder_table_bytes: [100, 8_192][usize::from(seed >> 7)],
        unsent_bytes: usize::MAX,
        ..Limits::default()
    };
    for &name in BudgetName::ALL {
        limits.rates.set(name, Rate { window: u32::MAX, window_us: 1, lifetime: u64::MAX });
    }
    limits
}

impl Side {
    fn new(role: Role, seed: u8) -> Self {
        let mut out = Vec::new();
        let limits = Arc::new(limits(seed));
        let connection = match role {
            Role::Server => Connection::server(limits, 0, &mut out),
            Role::Client => Connection::client(limits, 0, &mut out),
        };
        Self { connection, head: Head::new(), out, rest: Vec::new(), streams: BTreeMap::new() }
    }

    /// The stream that a number of the script means.
    fn pick(&self, number: u8) -> Option<StreamId> {
        let streams = self.streams.len();
        self.streams.keys().nth(usize::from(number) % streams.max(1)).copied()
    }

    fn request(&mut self, number: u8) {
        let end = number & 1 == 0;
        let opened = self.connection.send_request(end, &mut self.out, |writer| {
            writer.pseudo(Pseudo::Method, b"POST");
            writer.pseudo(Pseudo::Scheme, b"http");
            writer.pseudo(Pseudo::Path, [&b"/a"[..], b"/b", b"/c?d"][usize::from(number) % 3]);
            writer.pseudo(Pseudo::Authority, b"a");
            writer.named(b"x-number", &[b'0' + number % 10], number & 2 != 0);
            writer.named(b"x-long", &vec![b'{'; usize::from(number) * 40], false);
        });
        match opened {
            Ok(stream) => {
                let new = Use { head_sent: true, end_sent: end, ..Use::default() };
                assert!(self.streams.insert(stream, new).is_none());
            }
            Err(OpenError::Full) => assert_eq!(self.connection.openable(), 0),
            Err(OpenError::Closing) => assert!(self.connection.is_draining()),
        }
    }

    fn answer(&mut self, stream: StreamId, number: u8) {
        let Some(used) = self.streams.get_mut(&stream) else { return };
        if used.head_sent || used.ended {
            return;
        }
        if number & 2 != 0 {
            let early = |writer: &mut ringgate_protocols::h2::BlockWriter<'_>| writer.status(103);
            self.connection.send_informational(stream, &mut self.out, early).unwrap();
        }
        used.end_sent = number & 1 == 0;
        used.head_sent = true;
        let write = |writer: &mut ringgate_protocols::h2::BlockWriter<'_>| {
            writer.status(200);
            writer.named(b"server", b"x", false);
        };
        self.connection.send_response(stream, used.end_sent, &mut self.out, write).unwrap();
    }

    /// Sends data of up to so many bytes, and perhaps the end.
    fn send(&mut self, stream: StreamId, number: u8) {
        let Some(used) = self.streams.get_mut(&stream) else { return };
        if !used.head_sent || used.end_sent || used.ended {
            return;
        }
        let wanted = usize::from(number) * usize::from(number) / 2;
        let len = self.connection.grant(stream, wanted);
        let end = number % 8 == 7 && len == wanted;
        let head = self.connection.data_head(stream, len, end).unwrap();
        self.out.extend_from_slice(&head);
        self.out.extend((used.sent..used.sent + len).map(|at| pattern(stream, at)));
        used.sent += len;
        used.end_sent = end;
    }

    fn trailers(&mut self, stream: StreamId) {
        let Some(used) = self.streams.get_mut(&stream) else { return };
        if used.head_sent && !used.end_sent && !used.ended {
            used.end_sent = true;
            let write = |writer: &mut ringgate_protocols::h2::BlockWriter<'_>| writer.named(b"x-check", b"1", false);
            self.connection.send_trailers(stream, &mut self.out, write).unwrap();
        }
    }

    fn consume(&mut self, stream: StreamId, number: u8) {
        let Some(used) = self.streams.get_mut(&stream) else { return };
        let bytes = if number > 200 { used.unconsumed } else { used.unconsumed.min(usize::from(number) * 50) };
        used.unconsumed -= bytes;
        self.connection.consumed(stream, bytes, &mut self.out);
    }

    fn reset(&mut self, stream: StreamId) {
        self.connection.reset(stream, ErrorCode::CANCEL, &mut self.out);
        if let Some(used) = self.streams.get_mut(&stream) {
            used.ended = true;
        }
    }

    fn release(&mut self, stream: StreamId) {
        self.connection.release(stream, &mut self.out);
        self.streams.remove(&stream);
    }

    /// Receives what has been carried over.
    fn receive(&mut self) {
        let rest = std::mem::take(&mut self.rest);
        let mut at = 0;
        // Each call but the last consumes something, or ends a frame of no bytes.
        for _ in 0..=2 * rest.len() + 2 {
            let bytes = &rest[at..];
            let received = self.connection.receive(bytes, 0, &mut self.head, &mut self.out);
            let received = received.unwrap_or_else(|error| panic!("{:?}: {error}", self.connection.role()));
            assert!(received.consumed <= bytes.len());
            at += received.consumed;
            if let Event::Need(needed) = received.event {
                assert!(needed > rest.len() - at);
                self.rest = rest[at..].to_vec();
                return;
            }
            self.event(received.event, bytes);
        }
        panic!("it makes no progress");
    }

    fn event(&mut self, event: Event, bytes: &[u8]) {
        match event {
            Event::Request { stream, end } => {
                let new = Use { end_received: end, ..Use::default() };
                assert!(self.streams.insert(stream, new).is_none());
            }
            Event::Response { stream, end } => self.used(stream).end_received |= end,
            Event::Trailers { stream } => self.used(stream).end_received = true,
            Event::Data { stream, data, end } => {
                let used = self.used(stream);
                for byte in &bytes[data.clone()] {
                    assert_eq!(*byte, pattern(stream, used.received));
                    used.received += 1;
                }
                used.unconsumed += data.len();
                used.end_received |= end;
            }
            Event::Ended { stream } => self.used(stream).ended = true,
            Event::GoAway { .. } => {
                let connection = &self.connection;
                for (stream, used) in &mut self.streams {
                    used.ended |= connection.stream_end(*stream).is_some();
                }
            }
            Event::Informational { .. } | Event::Settings | Event::Pong(_) => {}
            // More than the limit before the client knew it.
            Event::Refused { cause, .. } => assert_eq!(cause.code(), ErrorCode::REFUSED_STREAM),
            other => panic!("{other:?}"),
        }
    }

    /// A stream that the caller has not released: no event may name another.
    fn used(&mut self, stream: StreamId) -> &mut Use {
        let used = self.streams.get_mut(&stream).unwrap();
        assert!(!used.ended);
        used
    }
}

/// Carries bytes over, and lets the other side receive them.
fn carry(from: &mut Side, to: &mut Side, bytes: usize) {
    let bytes = bytes.min(from.out.len());
    to.rest.extend(from.out.drain(..bytes));
    to.receive();
}

fn carry_all(client: &mut Side, server: &mut Side) {
    while !client.out.is_empty() || !server.out.is_empty() {
        carry(client, server, usize::MAX);
        carry(server, client, usize::MAX);
    }
}

/// Runs a script: two seeds, then steps of two bytes.
pub(crate) fn run(script: &[u8]) {
    let Some((&[first, second], steps)) = script.split_first_chunk::<2>() else { return };
    let mut client = Side::new(Role::Client, first);
    let mut server = Side::new(Role::Server, second);
    for step in steps.chunks_exact(2) {
        let (action, number) = (step[0] & 15, step[1]);
        let (near, far) = match step[0] & 16 {
            0 => (&mut client, &mut server),
            _ => (&mut server, &mut client),
        };
        let stream = near.pick(step[0] >> 5 ^ number);
        match (action, stream) {
            (0..=2, _) => carry(near, far, usize::from(number) * 20),
            (3, _) => carry(near, far, usize::from(number & 15)),
            (4..=5, _) if near.connection.role() == Role::Client => near.request(number),
            (4..=6, Some(stream)) => near.answer(stream, number),
            (7..=9, Some(stream)) => near.send(stream, number),
            (10, Some(stream)) => near.trailers(stream),
            (11..=12, Some(stream)) => near.consume(stream, number),
            (13, Some(stream)) if number < 64 => near.reset(stream),
            (13..=14, Some(stream)) if number < 128 => near.release(stream),
            (15, _) if number < 8 => near.connection.drain(&mut near.out),
            (15, _) => near.connection.ping([number; 8], &mut near.out),
            _ => {}
        }
    }
    finish(client, server, limits(second).stream_window);
}

/// Lets everything come to its end, and sees that nothing is left.
fn finish(mut client: Side, mut server: Side, server_window: u32) {
    carry_all(&mut client, &mut server);
    for (stream, used) in &server.streams {
        // What one has sent, the other has received, if both still have the stream.
        let Some(other) = client.streams.get(stream).filter(|other| !other.ended && !used.ended) else { continue };
        assert_eq!((used.received, used.end_received), (other.sent, other.end_sent), "{stream:?}");
        assert_eq!((other.received, other.end_received), (used.sent, used.end_sent), "{stream:?}");
    }
    for side in [&mut client, &mut server] {
        for stream in side.streams.keys().copied().collect::<Vec<_>>() {
            side.release(stream);
        }
        assert_eq!(side.connection.stream_count(), 0);
    }
    carry_all(&mut client, &mut server);
    assert_eq!(client.connection.stream_count() + server.connection.stream_count(), 0);
    if client.connection.is_draining() || server.connection.is_draining() {
        client.connection.drain(&mut client.out);
        server.connection.drain(&mut server.out);
        carry_all(&mut client, &mut server);
        assert!(client.connection.is_drained() && server.connection.is_drained());
        return;
    }
    // Windows are whole again: more data than the connection's window goes through.
    client.request(1);
    carry_all(&mut client, &mut server);
    let stream = client.pick(0).unwrap();
    for _ in 0..40 {
        client.send(stream, 255 - 7);
        carry_all(&mut client, &mut server);
        server.consume(stream, 255);
        carry_all(&mut client, &mut server);
    }
    let (sent, received) = (client.streams[&stream].sent, server.streams[&stream].received);
    assert_eq!(sent, received);
    // One byte a round at least; without a small stream window, more than the connection's.
    assert!(sent >= 40 && (server_window < 65_535 || sent > 100_000), "{sent}");
}
