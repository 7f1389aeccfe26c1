//! Drives the receivers over bytes that arrive in pieces, and writes down what they say.
//!
//! Also the body of the `connection` fuzz target. It checks in passing what must hold for any input: nothing beyond
//! the bytes given is consumed, data lies within them, and every call but the last gets on.

use ringgate_protocols::h1::{
    Advance, BodyLimits, Event, HeadLimits, RequestHead, RequestReceiver, ResponseHead, ResponseReceiver, Trailers,
};
use ringgate_protocols::wire::{Fields, HostPort, Method, Span};
use std::fmt::Display;

/// Small, so that inputs reach them.
pub(crate) const LIMITS: HeadLimits = HeadLimits { header_bytes: 2048, headers: 24, target_bytes: 256 };

/// Small, so that inputs reach them.
pub(crate) const BODY_LIMITS: BodyLimits = BodyLimits { extension_bytes: 64, trailer_bytes: 256, trailers: 8 };

/// One thing that a receiver has said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// A head, everything in it spelled out.
    Head(String),
    /// Payload, joined.
    Data(Vec<u8>),
    /// Trailers.
    Trailers(Vec<(Vec<u8>, Vec<u8>)>),
    /// The end of a message.
    End,
    /// The bytes ended where they may.
    Eof,
    /// An error, or an end where none may be.
    Error(String),
}

/// What the receiver of requests says to `bytes`, which arrive in pieces of these lengths (then the rest), and end.
pub(crate) fn requests(bytes: &[u8], pieces: impl IntoIterator<Item = usize>) -> Vec<Seen> {
    run(RequestReceiver::with_limits(LIMITS, BODY_LIMITS), bytes, pieces)
}

/// The same for responses to requests with these methods, over and over.
pub(crate) fn responses(bytes: &[u8], methods: &[Method], pieces: impl IntoIterator<Item = usize>) -> Vec<Seen> {
    let receiver = ResponseReceiver::with_limits(LIMITS, BODY_LIMITS);
    run(Responses { receiver, methods, answered: 0, between: true }, bytes, pieces)
}

trait Receiver {
    type Error: Display + Copy;
    fn advance(&mut self, bytes: &mut [u8]) -> Result<Advance, Self::Error>;
    fn eof(&mut self) -> Result<(), Self::Error>;
    fn describe(&self, bytes: &[u8]) -> String;
    fn trailers(&mut self) -> Option<Box<Trailers>>;
    /// Whether another message may follow.
    fn next(&mut self) -> bool;
}

impl Receiver for RequestReceiver {
    type Error = ringgate_protocols::h1::RequestError;

    fn advance(&mut self, bytes: &mut [u8]) -> Result<Advance, Self::Error> {
        Self::advance(self, bytes)
    }

    fn eof(&mut self) -> Result<(), Self::Error> {
        Self::eof(self)
    }

    fn describe(&self, bytes: &[u8]) -> String {
        request(self.head(), bytes)
    }

    fn trailers(&mut self) -> Option<Box<Trailers>> {
        Self::trailers(self)
    }

    fn next(&mut self) -> bool {
        self.next_message();
        true
    }
}

struct Responses<'a> {
    receiver: ResponseReceiver,
    methods: &'a [Method],
    answered: usize,
    /// Whether the next byte begins an answer.
    between: bool,
}

impl Receiver for Responses<'_> {
    type Error = ringgate_protocols::h1::ResponseError;

    fn advance(&mut self, bytes: &mut [u8]) -> Result<Advance, Self::Error> {
        if self.between && bytes.is_empty() {
            return Ok(Advance { consumed: 0, event: Event::NeedMore });
        }
        if self.between {
            self.between = false;
            let method = self.methods.get(self.answered % self.methods.len().max(1));
            self.receiver.expect(method.copied().unwrap_or(Method::Get));
        }
        self.receiver.advance(bytes)
    }

    fn eof(&mut self) -> Result<(), Self::Error> {
        self.receiver.eof()
    }

    fn describe(&self, bytes: &[u8]) -> String {
        response(self.receiver.head(), bytes)
    }

    fn trailers(&mut self) -> Option<Box<Trailers>> {
        self.receiver.trailers()
    }

    fn next(&mut self) -> bool {
        self.answered += 1;
        self.between = true;
        self.receiver.is_reusable()
    }
}

fn run<R: Receiver>(mut receiver: R, bytes: &[u8], pieces: impl IntoIterator<Item = usize>) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut kept = Vec::new();
    let mut rest = bytes;
    let mut pieces = pieces.into_iter();
    let mut calls = 0usize;
    while !rest.is_empty() {
        let len = pieces.next().unwrap_or(rest.len()).clamp(1, rest.len());
        let (piece, after) = rest.split_at(len);
        rest = after;
        kept.extend_from_slice(piece);
        if !drain(&mut receiver, &mut kept, &mut seen, &mut calls) {
            return seen;
        }
        // A piece costs at most: what it completes, one call that asks for more, and two events for each message.
        assert!(calls <= 4 * bytes.len() + 16, "no progress after {calls} calls");
    }
    match receiver.eof() {
        Err(error) => fail(&mut seen, error),
        // The end of a body until close is an event of its own.
        Ok(()) if drain(&mut receiver, &mut kept, &mut seen, &mut calls) => seen.push(Seen::Eof),
        Ok(()) => {}
    }
    seen
}

/// Advances until more bytes are needed; whether the connection goes on.
fn drain<R: Receiver>(receiver: &mut R, kept: &mut Vec<u8>, seen: &mut Vec<Seen>, calls: &mut usize) -> bool {
    loop {
        *calls += 1;
        let given = kept.len();
        let advance = match receiver.advance(kept) {
            Ok(advance) => advance,
            Err(error) => {
                fail(seen, error);
                return false;
            }
        };
        assert_eq!(kept.len(), given);
        assert!(advance.consumed <= given);
        let more = match advance.event {
            Event::NeedMore => false,
            Event::Head => {
                assert!(advance.consumed > 0);
                seen.push(Seen::Head(receiver.describe(kept)));
                true
            }
            Event::Data(range) => {
                assert!(range.start < range.end && range.end <= advance.consumed);
                data(seen, &kept[range]);
                true
            }
            Event::End => {
                if let Some(trailers) = receiver.trailers() {
                    let fields = trailers.iter().map(|(name, value)| (name.to_vec(), value.to_vec()));
                    seen.push(Seen::Trailers(fields.collect()));
                }
                seen.push(Seen::End);
                if !receiver.next() {
                    return false;
                }
                true
            }
        };
        kept.drain(..advance.consumed);
        if !more {
            return true;
        }
    }
}

fn data(seen: &mut Vec<Seen>, piece: &[u8]) {
    match seen.last_mut() {
        Some(Seen::Data(joined)) => joined.extend_from_slice(piece),
        _ => seen.push(Seen::Data(piece.to_vec())),
    }
}

/// Payload before an error may or may not have been given out, depending on how it arrived.
fn fail(seen: &mut Vec<Seen>, error: impl Display) {
    if let Some(Seen::Data(_)) = seen.last() {
        seen.pop();
    }
    seen.push(Seen::Error(error.to_string()));
}

fn text(span: Span, bytes: &[u8]) -> String {
    assert_eq!(span.of(bytes).len(), span.len(), "a span points outside of the bytes");
    span.of(bytes).escape_ascii().to_string()
}

fn request(head: &RequestHead, bytes: &[u8]) -> String {
    let part = |span: Option<Span>| span.map(|span| text(span, bytes));
    let host = |host: HostPort| (text(host.text, bytes), text(host.host, bytes), host.port);
    let target = &head.target;
    format!(
        "{:?} {} {} {:?} {:?} {:?} {} {:?} {:?} {:?} {:?} keep={} upgrade={:?} expect={} {}",
        head.method,
        text(head.method_text, bytes),
        text(head.target_text, bytes),
        target.form,
        part(target.scheme),
        part(target.authority),
        text(target.path, bytes),
        part(target.query),
        head.version,
        head.host.map(host),
        head.body,
        head.keep_alive,
        part(head.upgrade),
        head.expect_continue,
        fields(&head.fields, bytes),
    )
}

fn response(head: &ResponseHead, bytes: &[u8]) -> String {
    format!(
        "{:?} {} {} {:?} keep={} upgrade={:?} {}",
        head.version,
        head.status,
        text(head.reason, bytes),
        head.content_length,
        head.keep_alive,
        head.upgrade.map(|span| text(span, bytes)),
        fields(&head.fields, bytes),
    )
}

fn fields(fields: &Fields, bytes: &[u8]) -> String {
    let mut out = format!("[{:x}]", fields.present());
    for field in fields {
        let (name, value) = (text(field.name, bytes), text(field.value, bytes));
        let line = field.line.of(bytes);
        assert!(line.starts_with(field.name.of(bytes)) && line.ends_with(b"\r\n"));
        out.push_str(&format!("\n{:?} {} {name}: {value}", field.id, field.hop));
    }
    out
}
