//! Section 8: messages. A malformed one is a stream error of type PROTOCOL_ERROR (section 8.1.1).

use crate::wire::*;
use crate::*;
use ringgate_protocols::h2::{Event, HeadLimit, Malformed};

const BAD: Outcome = stream(1, ErrorCode::PROTOCOL_ERROR);

/// The rule for which a server refuses a request with these fields, if it does.
fn refused(fields: &[(&'static str, &'static str)]) -> Option<Malformed> {
    let mut end = End::open_server(Limits::default());
    let seen = end.give(&headers(1, END, fields)).unwrap();
    match &seen[0] {
        Seen::Other(Event::Refused { cause: ringgate_protocols::h2::Cause::Malformed(malformed), .. }) => {
            assert_eq!(end.out, reset(1, ErrorCode::PROTOCOL_ERROR));
            assert_eq!(end.connection.stream_count(), 0);
            Some(*malformed)
        }
        Seen::Head(1, _, true) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn section_8_1_framing_of_requests() {
    let open = headers(1, END_HEADERS, &POST);
    let row = |frames: &[Vec<u8>]| [&open[..], &frames.concat()].concat();
    server(vec![
        ("trailers", row(&[data(1, 0, b"x"), headers(1, END, &[("x", "y")])]), Outcome::Fine),
        ("trailers without data", row(&[headers(1, END, &[("x", "y")])]), Outcome::Fine),
        ("a second head", row(&[headers(1, END_HEADERS, &[("x", "y")])]), BAD),
        ("pseudo-header fields in trailers", row(&[headers(1, END, &GET)]), BAD),
        ("a connection's field in trailers", row(&[headers(1, END, &[("connection", "close")])]), BAD),
    ]);
}

#[test]
fn section_8_1_framing_of_responses() {
    let early = |status| headers(1, END_HEADERS, &[(":status", status)]);
    client(vec![
        ("data before a head", data(1, 0, b"x"), BAD),
        ("data behind an informational head", [early("103"), data(1, 0, b"x")].concat(), BAD),
        ("two informational heads", [early("100"), early("103"), headers(1, END, &OK)].concat(), Outcome::Fine),
        ("an informational head that ends the stream", headers(1, END, &[(":status", "103")]), BAD),
        ("a second final head", [headers(1, END_HEADERS, &OK), headers(1, END_HEADERS, &OK)].concat(), BAD),
        (
            "trailers that do not end the stream",
            [headers(1, END_HEADERS, &OK), headers(1, END_HEADERS, &[])].concat(),
            BAD,
        ),
        ("8.6 status 101", headers(1, END_HEADERS, &[(":status", "101")]), BAD),
    ]);
}

#[test]
fn section_8_1_1_content_length() {
    let sized = |len: &'static str| headers(1, END_HEADERS, &with(&POST, &[("content-length", len)]));
    server(vec![
        ("as much", [sized("3"), data(1, 0, b"ab"), data(1, END_STREAM, b"c")].concat(), Outcome::Fine),
        ("none", [sized("0"), data(1, END_STREAM, b"")].concat(), Outcome::Fine),
        ("less", [sized("3"), data(1, END_STREAM, b"ab")].concat(), BAD),
        ("less, with trailers", [sized("3"), data(1, 0, b"ab"), headers(1, END, &[])].concat(), BAD),
        ("more", [sized("3"), data(1, 0, b"abcd")].concat(), BAD),
        ("more in a second frame", [sized("3"), data(1, 0, b"abc"), data(1, 0, b"d")].concat(), BAD),
        ("a head alone", headers(1, END, &with(&POST, &[("content-length", "3")])), BAD),
        (
            "twice, the same",
            headers(1, END, &with(&POST, &[("content-length", "0"), ("content-length", "0")])),
            Outcome::Fine,
        ),
    ]);
    let answer = |len: &'static str| headers(1, END_HEADERS, &with(&OK, &[("content-length", len)]));
    client(vec![
        ("a response of as much", [answer("2"), data(1, END_STREAM, b"ab")].concat(), Outcome::Fine),
        ("a response of less", [answer("2"), data(1, END_STREAM, b"a")].concat(), BAD),
        ("304 states a length", headers(1, END, &[(":status", "304"), ("content-length", "9")]), Outcome::Fine),
        ("304 with data", [headers(1, END_HEADERS, &[(":status", "304")]), data(1, END_STREAM, b"a")].concat(), BAD),
        ("204 with data", [headers(1, END_HEADERS, &[(":status", "204")]), data(1, END_STREAM, b"a")].concat(), BAD),
    ]);
    for (frames, expected) in [
        (headers(1, END, &with(&OK, &[("content-length", "9")])), Outcome::Fine),
        ([headers(1, END_HEADERS, &OK), data(1, END_STREAM, b"a")].concat(), BAD),
    ] {
        let mut end = End::open_client(Limits::default());
        end.request("HEAD", true);
        assert_eq!(outcome(&mut end, &frames), expected);
    }
}

#[test]
fn section_8_2_1_names_and_values() {
    use Malformed::*;
    for (name, value, expected) in [
        ("x-a", "b", None),
        ("x-a", "", None),
        ("x-a", "b\tc \u{e9}", None),
        ("X-a", "b", Some(CapitalLetter)),
        ("Content-Length", "0", Some(CapitalLetter)),
        ("", "b", Some(FieldName)),
        ("x a", "b", Some(FieldName)),
        ("x:a", "b", Some(FieldName)),
        ("x\r\na", "b", Some(FieldName)),
        ("x\u{e9}", "b", Some(FieldName)),
        ("x-a", "b\0", Some(FieldValue)),
        ("x-a", "b\rc", Some(FieldValue)),
        ("x-a", "b\nc", Some(FieldValue)),
        ("x-a", "b\r\nc: d", Some(FieldValue)),
        ("x-a", "b\x7f", Some(FieldValue)),
        ("x-a", " b", Some(FieldSpace)),
        ("x-a", "b\t", Some(FieldSpace)),
        ("cookie", "b\0", Some(FieldValue)),
        ("host", "a\n", Some(FieldValue)),
    ] {
        assert_eq!(refused(&with(&GET, &[(name, value)])), expected, "{name:?}: {value:?}");
    }
}

#[test]
fn section_8_2_2_fields_of_connections() {
    for name in ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"] {
        assert_eq!(refused(&with(&GET, &[(name, "x")])), Some(Malformed::ConnectionField));
    }
    assert_eq!(refused(&with(&GET, &[("te", "trailers")])), None);
    assert_eq!(refused(&with(&GET, &[("te", "trailers, gzip")])), Some(Malformed::Te));
    client(vec![
        ("in a response", headers(1, END, &with(&OK, &[("transfer-encoding", "chunked")])), BAD),
        ("te in a response", headers(1, END, &with(&OK, &[("te", "gzip")])), BAD),
    ]);
}

#[test]
fn section_8_2_3_cookies_are_joined() {
    let mut end = End::open_server(Limits::default());
    let cookies = [("cookie", "a=b"), ("x", "y"), ("cookie", ""), ("cookie", "c=d"), ("cookie", "e=f"), ("cookie", "")];
    let fields = with(&GET, &cookies);
    let seen = end.give(&headers(1, END, &fields)).unwrap();
    let Seen::Head(_, fields, _) = &seen[0] else { panic!("{seen:?}") };
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(fields[4..], [text("x", "y"), text("cookie", "a=b; c=d; e=f")]);
}

#[test]
fn section_8_3_pseudo_header_fields_of_requests() {
    use Malformed::*;
    let (method, scheme, path, host) = (GET[0], GET[1], GET[2], GET[3]);
    for (fields, expected) in [
        (vec![method, scheme, path, host], None),
        (vec![host, path, scheme, method], None),
        (vec![method, scheme, path, ("x", "y"), host], Some(PseudoOrder)),
        (vec![method, scheme, path, host, method], Some(PseudoRepeated)),
        (vec![method, scheme, path, host, path], Some(PseudoRepeated)),
        (vec![method, scheme, path, host, (":status", "200")], Some(PseudoUnknown)),
        (vec![method, scheme, path, host, (":x", "y")], Some(PseudoUnknown)),
        (vec![method, scheme, path, host, (":", "y")], Some(PseudoUnknown)),
        (vec![scheme, path, host], Some(PseudoMissing)),
        (vec![method, path, host], Some(PseudoMissing)),
        (vec![method, scheme, host], Some(PseudoMissing)),
        (vec![method, scheme, path], Some(HostMissing)),
        (vec![], Some(PseudoMissing)),
    ] {
        assert_eq!(refused(&fields), expected, "{fields:?}");
    }
}

#[test]
fn section_8_3_1_their_values() {
    use Malformed::*;
    use ringgate_protocols::wire::{host::HostError, target::TargetError};
    let (method, scheme, path, host) = (GET[0], GET[1], GET[2], GET[3]);
    for (fields, expected) in [
        (vec![(":method", "PURGE"), scheme, path, host], None),
        (vec![(":method", ""), scheme, path, host], Some(Method)),
        (vec![(":method", "GET /admin"), scheme, path, host], Some(Method)),
        (vec![(":method", "GET\r\nx"), scheme, path, host], Some(Method)),
        (vec![(":method", "A-METHOD-OF-MORE-THAN-THIRTYTWO-B"), scheme, path, host], Some(Method)),
        (vec![method, (":scheme", "https"), path, host], None),
        (vec![method, (":scheme", "ftp"), path, host], Some(Scheme)),
        (vec![method, (":scheme", ""), path, host], Some(Scheme)),
        (vec![method, (":scheme", "http://x/"), path, host], Some(Scheme)),
        (vec![method, scheme, (":path", ""), host], Some(Path)),
        (vec![method, scheme, (":path", "a"), host], Some(Path)),
        (vec![method, scheme, (":path", "http://b/"), host], Some(Path)),
        (vec![method, scheme, (":path", "/a b"), host], Some(Target(TargetError::Byte))),
        (vec![method, scheme, (":path", "/a HTTP/1.1\r\nx: y"), host], Some(Target(TargetError::Byte))),
        (vec![method, scheme, (":path", "/\0"), host], Some(Target(TargetError::Byte))),
        (vec![method, scheme, (":path", "/#a"), host], Some(Target(TargetError::Fragment))),
        (vec![method, scheme, (":path", "*"), host], Some(Target(TargetError::Asterisk))),
        (vec![(":method", "OPTIONS"), scheme, (":path", "*"), host], None),
        (vec![(":method", "OPTIONS"), scheme, (":path", "*x"), host], Some(Path)),
        (vec![method, scheme, path, (":authority", "")], Some(Host(HostError::Empty))),
        (vec![method, scheme, path, (":authority", "user@a")], Some(Host(HostError::Userinfo))),
        (vec![method, scheme, path, (":authority", "a b")], Some(Host(HostError::Byte))),
        (vec![method, scheme, path, (":authority", "a/b")], Some(Host(HostError::Byte))),
        (vec![method, scheme, path, (":authority", "a\r\nx: y")], Some(Host(HostError::Byte))),
        (vec![method, scheme, path, (":authority", "a:80")], None),
        (vec![method, scheme, path, ("host", "a")], None),
        (vec![method, scheme, path, host, ("host", "A")], None),
        (vec![method, scheme, path, host, ("host", "b")], Some(HostDiffers)),
        (vec![method, scheme, path, host, ("host", "a"), ("host", "a")], Some(HostRepeated)),
    ] {
        assert_eq!(refused(&fields), expected, "{fields:?}");
    }
}

#[test]
fn lengths_must_be_plain_numbers() {
    use Malformed::*;
    for value in ["", "+1", "-1", "0x1", "1,1", "1 1", "9223372036854775808", "99999999999999999999"] {
        assert_eq!(refused(&with(&GET, &[("content-length", value)])), Some(ContentLength), "{value:?}");
    }
    let differing = with(&GET, &[("content-length", "0"), ("content-length", "1")]);
    assert_eq!(refused(&differing), Some(ContentLengthsDiffer));
}

#[test]
fn section_8_3_2_responses() {
    client(vec![
        ("no status", headers(1, END, &[("x", "y")]), BAD),
        ("two", headers(1, END, &[OK[0], OK[0]]), BAD),
        ("two digits", headers(1, END, &[(":status", "20")]), BAD),
        ("four digits", headers(1, END, &[(":status", "2000")]), BAD),
        ("below 100", headers(1, END, &[(":status", "099")]), BAD),
        ("no digits", headers(1, END, &[(":status", "2x0")]), BAD),
        ("behind a field", headers(1, END, &[("x", "y"), OK[0]]), BAD),
        ("a request's", headers(1, END, &[OK[0], (":path", "/")]), BAD),
        ("status 599", headers(1, END, &[(":status", "599")]), Outcome::Fine),
    ]);
}

#[test]
fn section_8_5_connect() {
    use Malformed::*;
    let method = (":method", "CONNECT");
    assert_eq!(refused(&[method, (":authority", "a:443")]), None);
    assert!(matches!(refused(&[method, (":authority", "a")]), Some(Target(_))));
    assert_eq!(refused(&[method]), Some(HostMissing));
    assert_eq!(refused(&[method, ("host", "a:443")]), Some(HostMissing));
    assert_eq!(refused(&[method, (":authority", "a:443"), (":scheme", "http")]), Some(Connect));
    assert_eq!(refused(&[method, (":authority", "a:443"), (":path", "/")]), Some(Connect));
}

#[test]
fn rfc_8441_section_4_extended_connect() {
    use Malformed::*;
    let websocket = (":protocol", "websocket");
    let whole = [(":method", "CONNECT"), websocket, GET[1], GET[2], GET[3]];
    assert_eq!(refused(&whole), None);
    assert_eq!(refused(&with(&GET, &[websocket])), Some(Protocol));
    assert_eq!(refused(&whole[..4]), Some(HostMissing));
    assert_eq!(refused(&[whole[0], websocket, GET[3]]), Some(PseudoMissing));
    assert_eq!(refused(&[whole[0], (":protocol", "a b"), GET[1], GET[2], GET[3]]), Some(Protocol));
    let mut plain = End::open_server(Limits { extended_connect: false, ..Limits::default() });
    assert_eq!(outcome(&mut plain, &headers(1, END_HEADERS, &whole)), BAD);
}

#[test]
fn section_10_5_1_large_heads_are_answered_or_end_the_connection() {
    let limit = |limits: Limits, fields: &[(&str, &str)]| {
        let mut end = End::open_server(limits);
        let seen = end.give(&headers(1, END, fields)).unwrap();
        // Whatever comes of it, the connection goes on.
        assert!(matches!(end.give(&headers(3, END, &GET)).unwrap()[0], Seen::Head(3, ..)));
        match seen[0] {
            Seen::Other(Event::TooLarge { stream, limit, end: true }) => {
                end.answer(stream, true);
                Some(limit)
            }
            Seen::Head(..) => None,
            _ => panic!("{seen:?}"),
        }
    };
    let size: usize = GET.iter().map(|(name, value)| name.len() + value.len() + 32).sum();
    let large = "x".repeat(100);
    let fields = [&GET[..], &[("x", &large)]].concat();
    let bytes = |header_bytes| Limits { header_bytes, ..Limits::default() };
    assert_eq!(limit(bytes(size + 133), &fields), None);
    assert_eq!(limit(bytes(size + 132), &fields), Some(HeadLimit::Bytes));
    let some = [&GET[..], &[("a", "b"), ("c", "d")]].concat();
    assert_eq!(limit(Limits { headers: 2, ..Limits::default() }, &some), None);
    assert_eq!(limit(Limits { headers: 1, ..Limits::default() }, &some), Some(HeadLimit::Fields));
    for fields in [[("a", "b"), ("cookie", "c"), ("cookie", "d")], [("cookie", "c"), ("cookie", "d"), ("a", "b")]] {
        let some = [&GET[..], &fields].concat();
        assert_eq!(limit(Limits { headers: 2, ..Limits::default() }, &some), None);
        assert_eq!(limit(Limits { headers: 1, ..Limits::default() }, &some), Some(HeadLimit::Fields));
    }
    let long = [GET[0], GET[1], (":path", "/12345"), GET[3]];
    assert_eq!(limit(Limits { target_bytes: 6, ..Limits::default() }, &long), None);
    assert_eq!(limit(Limits { target_bytes: 5, ..Limits::default() }, &long), Some(HeadLimit::Target));
    // Four times as much is a bomb.
    let mut end = End::open_server(bytes(size));
    let bomb: Vec<_> = std::iter::repeat_n(("x", &large[..]), 5 * size / 133).collect();
    assert_eq!(outcome(&mut end, &headers(1, END, &[&GET[..], &bomb].concat())), CALM);
}
