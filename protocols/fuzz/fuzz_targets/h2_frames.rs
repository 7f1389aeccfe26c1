//! Any bytes as what a peer sends, to a server and to a client: splits do not matter, what is written is well-formed
//! frames, and every call makes progress.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringgate_protocols::h2::frame::{HEAD_BYTES, Head as FrameHead, PREFACE, parse};
use ringgate_protocols::h2::{Connection, Event, Head, Limits, StreamId};
use ringgate_protocols::hpack::Pseudo;
use std::sync::Arc;

/// What SETTINGS without parameters and their acknowledgement look like.
const BEGINNING: &[u8] = b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0";

fuzz_target!(|data: &[u8]| {
    let Some((&seed, bytes)) = data.split_first() else { return };
    // Most inputs would fail in the first bytes, so they get those.
    let server = [&PREFACE[..], BEGINNING, bytes].concat();
    let client = [BEGINNING, bytes].concat();
    for (bytes, is_server) in [(&server[..], true), (bytes, true), (&client[..], false), (bytes, false)] {
        let whole = run(bytes, is_server, usize::MAX);
        let piece = usize::from(seed) % 40 + 1;
        assert_eq!(run(bytes, is_server, piece), whole);
    }
});

/// Events in words, data joined; and what was written.
type Run = (Vec<String>, Vec<u8>);

fn run(bytes: &[u8], is_server: bool, piece: usize) -> Run {
    let limits = Arc::new(Limits { header_bytes: 2_000, headers: 20, target_bytes: 100, ..Limits::default() });
    let mut out = Vec::new();
    let mut connection = if is_server {
        Connection::server(limits, 0, &mut out)
    } else {
        let mut connection = Connection::client(limits, 0, &mut out);
        for _ in 0..3 {
            let request = |writer: &mut ringgate_protocols::h2::BlockWriter<'_>| writer.pseudo(Pseudo::Method, b"GET");
            connection.send_request(false, &mut out, request).unwrap();
        }
        connection
    };
    let mut events = Vec::new();
    let mut head = Head::new();
    let mut rest = Vec::new();
    'pieces: for piece in bytes.chunks(piece.min(bytes.len().max(1))) {
        rest.extend_from_slice(piece);
        for _ in 0..=2 * rest.len() + 2 {
            let received = match connection.receive(&rest, 0, &mut head, &mut out) {
                Ok(received) => received,
                Err(error) => {
                    assert_eq!(connection.error(), Some(error));
                    events.push(error.to_string());
                    break 'pieces;
                }
            };
            assert!(received.consumed <= rest.len());
            match &received.event {
                Event::Need(needed) => {
                    assert!(*needed > rest.len() - received.consumed);
                    rest.drain(..received.consumed);
                    continue 'pieces;
                }
                Event::Data { stream, data, end } => {
                    data_event(&mut events, *stream, &rest[data.clone()], *end);
                    if data.len() % 2 == 0 {
                        connection.consumed(*stream, 0, &mut out);
                    }
                }
                Event::Request { .. } | Event::Response { .. } | Event::Trailers { .. } => {
                    fields(&head);
                    events.push(format!("{:?} {:?}", received.event, String::from_utf8_lossy(head.bytes())));
                }
                event => events.push(format!("{event:?}")),
            }
            rest.drain(..received.consumed);
        }
        panic!("it makes no progress");
    }
    well_formed(&out);
    (events, out)
}

/// Joins data that came in pieces.
fn data_event(events: &mut Vec<String>, stream: StreamId, data: &[u8], end: bool) {
    let text: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
    let start = format!("data {stream:?} ");
    let joined = match events.last_mut() {
        Some(last) if last.starts_with(&start) && !last.ends_with("end") => last,
        _ => {
            events.push(start);
            events.last_mut().unwrap()
        }
    };
    joined.push_str(&text);
    if end {
        joined.push_str(" end");
    }
}

/// Fields are lines that HTTP/1.1 could have, each with one name and one value.
fn fields(head: &Head) {
    let bytes = head.bytes();
    for field in &head.fields {
        let (name, value) = (field.name.of(bytes), field.value.of(bytes));
        assert!(!name.is_empty() && name.iter().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase()));
        assert!(!name.contains(&b':'));
        assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
        assert!(!value.starts_with(b" ") && !value.ends_with(b" "));
        assert_eq!(field.line.of(bytes), [name, b": ", value, b"\r\n"].concat());
    }
    for span in [head.method_text, head.target_text].into_iter().chain(head.host.map(|host| host.text)) {
        assert!(span.of(bytes).iter().all(u8::is_ascii_graphic));
    }
}

fn well_formed(out: &[u8]) {
    let mut rest = out.strip_prefix(&PREFACE[..]).unwrap_or(out);
    while !rest.is_empty() {
        let head = FrameHead::read(rest).unwrap();
        let end = HEAD_BYTES + head.len as usize;
        parse(head, &rest[HEAD_BYTES..end]).unwrap();
        rest = &rest[end..];
    }
}
