//! What the encoder puts into its table, and what it never does.

use super::*;
use crate::wire::HeaderId;

fn encode(encoder: &mut Encoder, name: &str, value: &str, never: bool) -> Vec<u8> {
    let mut out = Vec::new();
    encoder.begin(&mut out);
    encoder.field(Name::of(name.as_bytes()), value.as_bytes(), never, &mut out);
    out
}

#[test]
fn secrets_are_never_indexed() {
    let mut encoder = Encoder::default();
    for (name, value, never) in [
        ("authorization", "Bearer x", false),
        ("proxy-authorization", "Basic x", false),
        ("set-cookie", "a=b", false),
        ("cookie", "session=0123456789", false),
        ("x-api-key", "k", true),
        (":path", "/", true),
    ] {
        for _ in 0..3 {
            let block = encode(&mut encoder, name, value, never);
            assert_eq!(block[0] & 0xf0, 0x10, "{name}");
            assert!(decode(&mut Decoder::new(), &block).unwrap()[0].2);
        }
    }
    assert_eq!(encoder.table.len(), 0);
}

#[test]
fn what_is_steady_is_indexed_at_once_and_what_varies_never() {
    let mut encoder = Encoder::default();
    encode(&mut encoder, "user-agent", "curl/8", false);
    assert_eq!(encode(&mut encoder, "user-agent", "curl/8", false), [0xbe]);
    for (name, value) in [("content-length", "17"), ("etag", "\"a\""), (":path", "/a?token=b"), ("x-request-id", "1")] {
        for _ in 0..3 {
            assert_eq!(encode(&mut encoder, name, value, false)[0] & 0xf0, 0, "{name}");
        }
    }
    assert_eq!(encoder.table.len(), 1);
}

#[test]
fn others_are_indexed_when_they_come_a_second_time() {
    let mut encoder = Encoder::default();
    for (name, value) in [("x-tenant", "blue"), ("date", "Mon, 21 Oct 2013 20:13:21 GMT"), (":path", "/a")] {
        assert_eq!(encode(&mut encoder, name, value, false)[0] & 0xf0, 0);
        assert_eq!(encode(&mut encoder, name, value, false)[0] & 0x40, 0x40);
        assert_eq!(encode(&mut encoder, name, value, false), [0xbe]);
    }
    // The name is found again under another value.
    let block = encode(&mut encoder, "x-tenant", "red", false);
    assert_eq!(block[..2], [0x0f, 0x31]);
}

#[test]
fn static_entries_are_used() {
    let mut encoder = Encoder::default();
    for index in 1..=61 {
        let (name, value) = crate::hpack::static_table::get(index).unwrap();
        let mut out = Vec::new();
        encoder.field(name, value, false, &mut out);
        let secret = matches!(
            name,
            Name::Known(
                HeaderId::Authorization | HeaderId::ProxyAuthorization | HeaderId::SetCookie | HeaderId::Cookie
            )
        );
        match (secret, value.is_empty()) {
            (true, _) => assert_eq!(out[0] & 0xf0, 0x10),
            (false, false) => assert_eq!(out, [0x80 | index as u8]),
            // A literal with that index as its name.
            (false, true) => assert!(out.len() <= 3),
        }
    }
}

#[test]
fn a_table_that_was_made_smaller_and_larger_is_signalled_as_both() {
    let mut encoder = Encoder::new(4096);
    encoder.set_table_size_max(100);
    encoder.set_table_size_max(2000);
    let mut out = Vec::new();
    encoder.begin(&mut out);
    assert_eq!(out, hex("3f 45 3f b1 0f"));
    out.clear();
    encoder.begin(&mut out);
    assert!(out.is_empty());
    // More than it wants is not used.
    encoder.set_table_size_max(1 << 20);
    encoder.begin(&mut out);
    assert_eq!(out, hex("3f e1 1f"));
    // A caller that wants no table says so at once.
    out.clear();
    let mut none = Encoder::new(0);
    none.begin(&mut out);
    assert_eq!(out, hex("20"));
    none.field(Name::of(b"user-agent"), b"x", false, &mut out);
    assert_eq!(none.table.len(), 0);
}

#[test]
fn a_table_that_is_given_up_is_emptied_on_both_sides() {
    let (mut encoder, mut decoder) = (Encoder::default(), Decoder::new());
    for _ in 0..3 {
        let block = encode(&mut encoder, "user-agent", "curl/8", false);
        decode(&mut decoder, &block).unwrap();
    }
    assert_eq!((encoder.table.len(), decoder.table.len()), (1, 1));
    encoder.shrink();
    let block = encode(&mut encoder, "accept", "*/*", false);
    assert_eq!(block[..4], hex("20 3f e1 1f"));
    assert_eq!(decode(&mut decoder, &block).unwrap(), [line("accept", "*/*")]);
    assert_eq!((encoder.table.len(), decoder.table.len()), (1, 1));
}

#[test]
fn capital_letters_are_seen() {
    assert_eq!(Name::of(b"content-length"), Name::Known(HeaderId::ContentLength));
    assert_eq!(Name::of(b"Content-Length"), Name::Other(b"Content-Length"));
    assert_eq!(Name::of(b":status"), Name::Pseudo(Pseudo::Status));
    assert_eq!(Name::of(b":Status"), Name::Other(b":Status"));
}
