//! Whatever request HTTP/2 lets in is one request in HTTP/1.1 too, with the same method, target, host, fields and length:
//! nothing legal here becomes another line or another length there.

// Clippy takes only functions marked as tests for tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "h2_wire/mod.rs"]
mod wire;

use proptest::prelude::*;
use ringgate_protocols::h1::{BodyLength, HeadLimits, RequestHead};
use ringgate_protocols::h2::frame::Kind;
use ringgate_protocols::h2::{Event, Head, Limits};
use wire::*;

/// A field block with any bytes.
fn literals(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let text = |text: &[u8]| [&[text.len() as u8][..], text].concat();
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

/// The head of a request as HTTP/1.1 has it, made of what was received.
fn as_http_1(head: &Head) -> Vec<u8> {
    let bytes = head.bytes();
    let mut message = [head.method_text.of(bytes), b" ", head.target_text.of(bytes), b" HTTP/1.1\r\nhost: "].concat();
    message.extend_from_slice(head.host.unwrap().text.of(bytes));
    message.extend_from_slice(b"\r\n");
    for field in &head.fields {
        message.extend_from_slice(field.line.of(bytes));
    }
    message.extend_from_slice(b"\r\n");
    message
}

/// Gives a block to a server; whether it lets it in, after a look at what it becomes.
fn check(block: &[u8]) -> Result<bool, TestCaseError> {
    let mut end = End::open_server(Limits::default());
    let bytes = raw(Kind::HEADERS, END_HEADERS, 1, block);
    let received = end.connection.receive(&bytes, 0, &mut end.head, &mut end.out).unwrap();
    let Event::Request { .. } = received.event else { return Ok(false) };
    let (head, message) = (&end.head, as_http_1(&end.head));
    let bytes = head.bytes();
    let mut plain = RequestHead::new();
    let limits = HeadLimits { header_bytes: 1 << 20, headers: 1_000, target_bytes: 1 << 20 };
    if let Err(error) = plain.parse(&message, &limits) {
        // The one thing that HTTP/1.1 answers by itself: an expectation that can't be met.
        prop_assert_eq!(error.status(), 417, "{:?} {:?}", error, String::from_utf8_lossy(&message));
        return Ok(true);
    }
    prop_assert_eq!(plain.method_text.of(&message), head.method_text.of(bytes));
    prop_assert_eq!(plain.target_text.of(&message), head.target_text.of(bytes));
    prop_assert_eq!(plain.target.path.of(&message), head.target.path.of(bytes));
    let host = plain.host.unwrap();
    prop_assert_eq!(head.target.authority, Some(head.host.unwrap().text));
    prop_assert_eq!((plain.method, plain.target.form), (head.method, head.target.form));
    prop_assert_eq!((host.text.of(&message), host.port), (head.host.unwrap().text.of(bytes), head.host.unwrap().port));
    let length = head.content_length.map_or(BodyLength::None, BodyLength::Length);
    prop_assert_eq!(plain.body, length);
    prop_assert!(plain.keep_alive && plain.upgrade.is_none());
    // Behind the host, one field for each.
    prop_assert_eq!(plain.fields.len(), head.fields.len() + 1);
    for (line, field) in plain.fields.iter().skip(1).zip(&head.fields) {
        prop_assert_eq!(line.id, field.id);
        prop_assert_eq!(line.name.of(&message), field.name.of(bytes));
        prop_assert_eq!(line.value.of(&message), field.value.of(bytes));
    }
    Ok(true)
}

/// Names and values that are nearly right, with bytes in them that separate things in HTTP/1.1.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => "[a-z0-9/.-]{1,8}".prop_map(String::into_bytes),
        1 => prop::sample::select(vec![
            "\r\n", "\n", "\r", "\0", " ", "\t", ":", ",", "@", "#", "%", "%00", "?", "\\", "\u{e9}", "HTTP/1.1", "chunked",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn field() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let names = vec![
        "content-length",
        "transfer-encoding",
        "connection",
        "host",
        "te",
        "expect",
        "cookie",
        "upgrade",
        "x-a",
        "trailer",
    ];
    let name = prop_oneof![
        2 => prop::sample::select(names).prop_map(|name| name.as_bytes().to_vec()),
        2 => "[a-z-]{1,10}".prop_map(String::into_bytes),
        1 => hostile(),
    ];
    let value = prop_oneof![hostile(), "[0-9]{1,3}".prop_map(String::into_bytes), Just(b"trailers".to_vec())];
    (name, value)
}

fn pseudo(name: &'static str, usual: &'static [&'static str]) -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let value = prop_oneof![
        5 => prop::sample::select(usual).prop_map(|text| text.as_bytes().to_vec()),
        1 => hostile(),
    ];
    value.prop_map(move |value| (name.as_bytes().to_vec(), value))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn what_is_let_in_is_one_request(
        method in pseudo(":method", &["GET", "POST", "OPTIONS", "PURGE", "CONNECT"]),
        scheme in pseudo(":scheme", &["http", "https"]),
        path in pseudo(":path", &["/", "/a/b?c=d", "*", "http://x/"]),
        authority in pseudo(":authority", &["a", "example.com:8080", "[::1]"]),
        more in prop::collection::vec(field(), 0..5),
        without in 0usize..12,
    ) {
        let mut fields = vec![method, scheme, path, authority];
        if without < 4 {
            fields.remove(without);
        }
        fields.extend(more);
        check(&literals(&fields))?;
    }
}

#[test]
fn most_usual_requests_are_let_in() {
    for (fields, expected) in [
        (with(&GET, &[]), true),
        (with(&POST, &[("content-length", "5"), ("cookie", "a=b"), ("cookie", "c=d")]), true),
        (with(&GET, &[("x-a", "b: c, \"d\"; e=\u{e9}")]), true),
        (with(&GET, &[("expect", "more")]), true),
        (with(&GET, &[("x-a", "b\r\nc: d")]), false),
    ] {
        assert_eq!(check(&block(&fields)).unwrap(), expected, "{fields:?}");
    }
}
