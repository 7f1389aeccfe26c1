//! A connection under test, and a small language for the frames of its peer.

// Each test target uses a part of it.
#![allow(dead_code)]

use ringgate_protocols::h2::frame::{self, Head as FrameHead, Kind, Setting, flags};
use ringgate_protocols::h2::{Connection, ConnectionError, ErrorCode, Event, Head, Limits, StreamId};
use std::sync::Arc;

/// Any frame.
pub(crate) fn raw(kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let head = FrameHead { len: payload.len() as u32, kind, flags, stream };
    [&head.bytes()[..], payload].concat()
}

/// A field block without compression: literals, not indexed.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            // Seven bits, or seven bits and one more byte.
            match text.len() {
                len @ 0..=126 => block.push(len as u8),
                len @ 127..=254 => block.extend([0x7f, (len - 127) as u8]),
                len => block.extend([0x7f, ((len - 127) % 128 + 128) as u8, ((len - 127) / 128) as u8]),
            }
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

pub(crate) const GET: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")];
pub(crate) const POST: [(&str, &str); 4] =
    [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a")];
pub(crate) const OK: [(&str, &str); 1] = [(":status", "200")];

pub(crate) const END_STREAM: u8 = flags::END_STREAM;
pub(crate) const END_HEADERS: u8 = flags::END_HEADERS;
pub(crate) const END: u8 = END_STREAM | END_HEADERS;

/// HEADERS with a whole block.
pub(crate) fn headers(stream: u32, flags: u8, fields: &[(&str, &str)]) -> Vec<u8> {
    raw(Kind::HEADERS, flags, stream, &block(fields))
}

pub(crate) fn with(
    fields: &[(&'static str, &'static str)],
    more: &[(&'static str, &'static str)],
) -> Vec<(&'static str, &'static str)> {
    [fields, more].concat()
}

pub(crate) fn data(stream: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    raw(Kind::DATA, flags, stream, payload)
}

pub(crate) fn reset(stream: u32, code: ErrorCode) -> Vec<u8> {
    let mut out = Vec::new();
    frame::reset(stream, code, &mut out);
    out
}

pub(crate) fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    let mut out = Vec::new();
    frame::window_update(stream, increment, &mut out);
    out
}

pub(crate) fn settings(settings: &[Setting]) -> Vec<u8> {
    let mut out = Vec::new();
    frame::settings(settings, &mut out);
    out
}

pub(crate) fn settings_ack() -> Vec<u8> {
    raw(Kind::SETTINGS, flags::ACK, 0, b"")
}

/// The stream of that number.
pub(crate) fn id(number: u32) -> StreamId {
    StreamId::new(number).unwrap()
}

/// An event with what it came with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// Stream, fields with those that begin with a colon, and whether the message is complete.
    Head(u32, Vec<(String, String)>, bool),
    Informational(u32, u16),
    Data(u32, Vec<u8>, bool),
    Trailers(u32, Vec<(String, String)>),
    Other(Event),
}

/// One end under test.
pub(crate) struct End {
    pub(crate) connection: Connection,
    pub(crate) head: Head,
    pub(crate) out: Vec<u8>,
    pub(crate) now_us: u64,
    /// What has been received and not been consumed.
    pub(crate) rest: Vec<u8>,
    /// Whether data is given back at once.
    pub(crate) reads: bool,
}

impl End {
    pub(crate) fn server(limits: Limits) -> Self {
        let mut out = Vec::new();
        let connection = Connection::server(Arc::new(limits), 0, &mut out);
        Self { connection, head: Head::new(), out, now_us: 0, rest: Vec::new(), reads: true }
    }

    pub(crate) fn client(limits: Limits) -> Self {
        let mut out = Vec::new();
        let connection = Connection::client(Arc::new(limits), 0, &mut out);
        Self { connection, head: Head::new(), out, now_us: 0, rest: Vec::new(), reads: true }
    }

    /// A server whose client has sent preface and SETTINGS and acknowledged those of the server.
    pub(crate) fn open_server(limits: Limits) -> Self {
        let mut end = Self::server(limits);
        end.give(&[&frame::PREFACE[..], &settings(&[]), &settings_ack()].concat()).unwrap();
        end.out.clear();
        end.connection.sent();
        end
    }

    /// A client whose server has sent SETTINGS and acknowledged those of the client.
    pub(crate) fn open_client(limits: Limits) -> Self {
        let mut end = Self::client(limits);
        end.give(&[settings(&[]), settings_ack()].concat()).unwrap();
        end.out.clear();
        end.connection.sent();
        end
    }

    /// Sends a request as a client.
    pub(crate) fn request(&mut self, method: &str, end: bool) -> StreamId {
        let fields = [(":method", method), (":scheme", "http"), (":path", "/"), (":authority", "a")];
        let connection = &mut self.connection;
        let stream = connection.send_request(end, &mut self.out, |writer| {
            for (name, value) in fields {
                match ringgate_protocols::hpack::Name::of(name.as_bytes()) {
                    ringgate_protocols::hpack::Name::Pseudo(pseudo) => writer.pseudo(pseudo, value.as_bytes()),
                    _ => unreachable!(),
                }
            }
        });
        stream.unwrap()
    }

    /// Answers as a server.
    pub(crate) fn answer(&mut self, stream: StreamId, end: bool) {
        self.connection.send_response(stream, end, &mut self.out, |writer| writer.status(200)).unwrap();
    }

    /// Receives bytes; every event that they bring.
    pub(crate) fn give(&mut self, bytes: &[u8]) -> Result<Vec<Seen>, ConnectionError> {
        self.rest.extend_from_slice(bytes);
        let mut seen = Vec::new();
        loop {
            let received = self.connection.receive(&self.rest, self.now_us, &mut self.head, &mut self.out)?;
            let event = match received.event {
                Event::Need(bytes) => {
                    assert!(bytes > self.rest.len() - received.consumed, "it has what it needs");
                    self.rest.drain(..received.consumed);
                    return Ok(seen);
                }
                Event::Request { stream, end } | Event::Response { stream, end } => {
                    Seen::Head(stream.number(), fields(&self.head), end)
                }
                Event::Informational { stream } => Seen::Informational(stream.number(), self.head.status),
                Event::Trailers { stream } => Seen::Trailers(stream.number(), fields(&self.head)),
                Event::Data { stream, data, end } => {
                    assert!(data.end <= received.consumed);
                    let payload = self.rest[data].to_vec();
                    if self.reads {
                        self.connection.consumed(stream, payload.len(), &mut self.out);
                    }
                    Seen::Data(stream.number(), payload, end)
                }
                other => Seen::Other(other),
            };
            seen.push(event);
            self.rest.drain(..received.consumed);
        }
    }

    /// Everything that has been written, as frames.
    pub(crate) fn frames(&mut self) -> Vec<(FrameHead, Vec<u8>)> {
        let frames = frames(&self.out);
        self.out.clear();
        self.connection.sent();
        frames
    }
}

/// Takes bytes apart into frames; a preface is passed over.
pub(crate) fn frames(bytes: &[u8]) -> Vec<(FrameHead, Vec<u8>)> {
    let mut rest = bytes.strip_prefix(&frame::PREFACE[..]).unwrap_or(bytes);
    let mut frames = Vec::new();
    while let Some(head) = FrameHead::read(rest) {
        let end = frame::HEAD_BYTES + head.len as usize;
        frames.push((head, rest[frame::HEAD_BYTES..end].to_vec()));
        rest = &rest[end..];
    }
    assert!(rest.is_empty());
    frames
}

/// The fields of a head, what was in pseudo-header fields in front.
pub(crate) fn fields(head: &Head) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut fields = Vec::new();
    let mut pseudo = |name: &str, value: Option<String>| fields.extend(value.map(|value| (name.to_owned(), value)));
    let of = |span: ringgate_protocols::wire::Span| text(span.of(head.bytes()));
    pseudo(":method", (!head.method_text.is_empty()).then(|| of(head.method_text)));
    pseudo(":scheme", head.scheme.map(of));
    pseudo(":path", (!head.method_text.is_empty()).then(|| of(head.target_text)));
    pseudo(":authority", head.host.map(|host| of(host.text)));
    pseudo(":protocol", head.protocol.map(of));
    pseudo(":status", (head.status != 0).then(|| head.status.to_string()));
    for field in &head.fields {
        assert_eq!(of(field.line), format!("{}: {}\r\n", of(field.name), of(field.value)));
        fields.push((of(field.name), of(field.value)));
    }
    fields
}

/// What the peer's bytes came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// The connection goes on, and no stream was reset.
    Fine,
    /// That stream was reset.
    Stream(u32, ErrorCode),
    /// The connection ended.
    Connection(ErrorCode),
}

/// Gives bytes, and sees what has been answered: the first RST_STREAM, or GOAWAY.
pub(crate) fn outcome(end: &mut End, bytes: &[u8]) -> Outcome {
    let result = end.give(bytes);
    let frames = end.frames();
    let goaway = frames.iter().find(|(head, _)| head.kind == Kind::GOAWAY);
    if let Some((_, payload)) = goaway {
        let code = ErrorCode(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
        assert_eq!(result.map_err(|error| error.code()), Err(code));
        // It stays at its end.
        assert!(end.give(b"").is_err());
        assert!(end.out.is_empty());
        return Outcome::Connection(code);
    }
    result.unwrap();
    let reset = frames.iter().find(|(head, _)| head.kind == Kind::RST_STREAM);
    if let Some((head, payload)) = reset {
        return Outcome::Stream(head.stream, ErrorCode(u32::from_be_bytes(payload[..].try_into().unwrap())));
    }
    Outcome::Fine
}
