//! Heads and bodies in HTTP/1.1's form.

use crate::model::{AnswerHead, BodySize, Edits, RequestHead};
use ringgate_protocols::h1::{CHUNK_END, CHUNK_HEAD_BYTES_MAX, LAST_CHUNK, Trailers, chunk_head, encode_trailers};
use ringgate_protocols::wire::{Fields, HeaderId, list};
use ringgate_rt::Buf;

/// How a body is delimited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Framing {
    /// There is no body; a length is stated all the same where it means something (HEAD, 304).
    None(Option<u64>),
    Length(u64),
    Chunked,
    /// The connection's end.
    Close,
}

impl Framing {
    /// How a request's body is delimited on its way to the service.
    pub(super) fn of_request(body: BodySize) -> Framing {
        match body {
            BodySize::None => Framing::None(None),
            BodySize::Known(n) => Framing::Length(n),
            BodySize::Unknown => Framing::Chunked,
        }
    }
}

/// Writes an answer's head, without its last empty line.
#[inline]
pub(super) fn answer_head(out: &mut Vec<u8>, head: &AnswerHead<'_>, edits: &Edits, framing: Framing) {
    out.extend_from_slice(b"HTTP/1.1 ");
    decimal(out, u64::from(head.status));
    out.push(b' ');
    out.extend_from_slice(head.reason);
    out.extend_from_slice(b"\r\n");
    fields(out, head.bytes, head.fields, edits);
    added(out, edits);
    framing_fields(out, framing);
}

/// Writes a request's head, without its last empty line.
#[inline]
pub(super) fn request_head(out: &mut Vec<u8>, head: &RequestHead<'_>, edits: &Edits, framing: Framing) {
    out.extend_from_slice(head.method_text());
    out.push(b' ');
    out.extend_from_slice(head.path());
    if let Some(query) = head.query() {
        out.push(b'?');
        out.extend_from_slice(query);
    }
    out.extend_from_slice(b" HTTP/1.1\r\n");
    fields(out, head.bytes, head.fields, edits);
    added(out, edits);
    framing_fields(out, framing);
    if let Some(upgrade) = head.upgrade {
        field(out, "connection", b"upgrade");
        field(out, "upgrade", upgrade.of(head.bytes));
    } else if takes_trailers(head) {
        field(out, "connection", b"te");
        field(out, "te", b"trailers");
    }
}

/// A request's head as a service gets it, with its last empty line.
pub(crate) fn written_request(head: &RequestHead<'_>, edits: &Edits) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    request_head(&mut out, head, edits, Framing::of_request(head.body));
    out.extend_from_slice(b"\r\n");
    out
}

/// Whether the client says that it takes trailers, which the gateway passes on: a service may send them only then (RFC
/// 9110 section 6.5.1). The codings that `TE` may name besides are not passed on.
#[inline]
fn takes_trailers(head: &RequestHead<'_>) -> bool {
    let named = |value: &[u8]| list::elements(value).any(|element| element.eq_ignore_ascii_case(b"trailers"));
    head.fields.has(HeaderId::Te)
        && head.version != "1.0"
        && head.fields.all(HeaderId::Te).any(|field| named(field.value.of(head.bytes)))
}

/// Copies the fields that stay, lines that follow one another in one piece. The length is always written anew.
#[inline]
fn fields(out: &mut Vec<u8>, bytes: &[u8], fields: &Fields, edits: &Edits) {
    let removed = edits.removed() | HeaderId::ContentLength.bit();
    let mut dropped = edits.dropped();
    let (mut from, mut to) = (0, 0);
    for (position, field) in fields.iter().enumerate() {
        if dropped.first() == Some(&position) {
            dropped = &dropped[1..];
            continue;
        }
        if field.hop || removed & field.id.bit() != 0 {
            continue;
        }
        if field.line.start != to {
            out.extend_from_slice(bytes.get(from as usize..to as usize).unwrap_or(b""));
            from = field.line.start;
        }
        to = field.line.end;
    }
    out.extend_from_slice(bytes.get(from as usize..to as usize).unwrap_or(b""));
}

#[inline]
fn added(out: &mut Vec<u8>, edits: &Edits) {
    for (name, value) in edits.added() {
        field(out, name, value);
    }
}

#[inline]
pub(super) fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn framing_fields(out: &mut Vec<u8>, framing: Framing) {
    match framing {
        Framing::Length(n) | Framing::None(Some(n)) => {
            out.extend_from_slice(b"content-length: ");
            decimal(out, n);
            out.extend_from_slice(b"\r\n");
        }
        Framing::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::None(None) | Framing::Close => {}
    }
}

fn decimal(out: &mut Vec<u8>, mut n: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Frames a piece of a body in place: the chunk's size goes in front, its end behind.
#[inline]
pub(super) fn frame(buf: &mut Buf, framing: Framing, last: bool) {
    if framing != Framing::Chunked {
        return;
    }
    if !buf.is_empty() {
        let mut head = [0u8; CHUNK_HEAD_BYTES_MAX];
        let len = buf.len();
        // Every buffer keeps headroom and tailroom for these; see `HEADROOM_BYTES` and `TAILROOM_BYTES`.
        let fits = buf.prepend(chunk_head(len, &mut head)) && buf.append_tail(CHUNK_END);
        debug_assert!(fits);
    }
    if last {
        let fits = buf.append_tail(LAST_CHUNK);
        debug_assert!(fits);
    }
}

/// Puts a head in front of a piece of a body: in the same buffer where there is room in front or behind, so that both
/// leave in one send.
#[inline]
pub(super) fn join(head: &[u8], body: Option<Buf>) -> Buf {
    let mut body = body;
    if let Some(buf) = &mut body
        && buf.prepend(head)
        && let Some(joined) = body.take()
    {
        return joined;
    }
    let payload = body.as_ref().map_or(&b""[..], |buf| buf.data());
    let mut joined = Buf::with_room_for(head.len() + payload.len());
    joined.append(head);
    joined.append_tail(payload);
    joined
}

/// Writes the end of a chunked body.
pub(super) fn end_chunked(out: &mut Vec<u8>, trailers: Option<Box<Trailers>>) {
    match trailers {
        Some(trailers) => encode_trailers(&trailers, out),
        None => out.extend_from_slice(LAST_CHUNK),
    }
}
