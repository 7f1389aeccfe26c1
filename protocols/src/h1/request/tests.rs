use super::*;
use crate::wire::{TargetForm, host::HostError, target::TargetError};

const LIMITS: HeadLimits = HeadLimits { header_bytes: 4096, headers: 8, target_bytes: 64 };

fn parse(bytes: &[u8]) -> Result<RequestHead, HeadError> {
    let mut head = RequestHead::new();
    head.parse(bytes, &LIMITS).map(|()| head)
}

/// A GET with a Host and these lines.
fn with(lines: &str) -> Result<RequestHead, HeadError> {
    parse(format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_bytes())
}

#[test]
fn a_whole_head() {
    let bytes = b"PATCH /a/b?c=d HTTP/1.1\r\nhost:  example.com:8080 \r\nX-Empty:\r\nX-Text: \ta\xe4 b\t \r\n\r\n";
    let head = parse(bytes).unwrap();
    assert_eq!((head.method, head.version), (Method::Patch, Version::Http11));
    assert_eq!(head.method_text.of(bytes), b"PATCH");
    assert_eq!(head.target_text.of(bytes), b"/a/b?c=d");
    assert_eq!(head.target.path.of(bytes), b"/a/b");
    assert_eq!(head.target.query.unwrap().of(bytes), b"c=d");
    assert_eq!(head.host.unwrap().host.of(bytes), b"example.com");
    assert_eq!(head.host.unwrap().port, Some(8080));
    assert_eq!(head.body, BodyLength::None);
    assert!(head.keep_alive && !head.expect_continue);
    assert_eq!((head.upgrade, head.len), (None, bytes.len()));
    let fields: Vec<_> = head.fields.iter().map(|f| (f.name.of(bytes), f.value.of(bytes), f.line.of(bytes))).collect();
    assert_eq!(
        fields,
        [
            (&b"host"[..], &b"example.com:8080"[..], &b"host:  example.com:8080 \r\n"[..]),
            (b"X-Empty", b"", b"X-Empty:\r\n"),
            (b"X-Text", b"a\xe4 b", b"X-Text: \ta\xe4 b\t \r\n"),
        ]
    );
}

#[test]
fn a_head_is_reused() {
    let mut head = RequestHead::new();
    head.parse(b"POST * HTTP/1.1\r\nHost: a\r\n\r\n", &LIMITS).unwrap_err();
    head.parse(
        b"POST http://b/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: upgrade, close\r\nUpgrade: x\r\nExpect: 100-continue\r\n\r\n",
        &LIMITS,
    )
    .unwrap();
    assert!(head.expect_continue && head.upgrade.is_some() && !head.keep_alive);
    head.parse(b"GET / HTTP/1.0\r\n\r\n", &LIMITS).unwrap();
    assert_eq!((head.host, head.body, head.upgrade), (None, BodyLength::None, None));
    assert!(head.fields.is_empty() && !head.expect_continue && !head.keep_alive);
    assert_eq!((head.target.form, head.target.authority), (TargetForm::Origin, None));
}

#[test]
fn methods() {
    for (name, method) in
        [("GET", Method::Get), ("get", Method::Other), ("M-SEARCH", Method::Other), ("DELETE", Method::Delete)]
    {
        let head = parse(format!("{name} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(head.method, method);
    }
    for (len, ok) in [(METHOD_BYTES_MAX, true), (METHOD_BYTES_MAX + 1, false)] {
        let parsed = parse(format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "X".repeat(len)).as_bytes());
        assert_eq!(parsed.err(), (!ok).then_some(HeadError::Method));
    }
}

#[test]
fn malformed_request_lines() {
    for (line, error) in [
        (" GET / HTTP/1.1", HeadError::Method),
        ("G@T / HTTP/1.1", HeadError::Method),
        ("GET\t/ HTTP/1.1", HeadError::Method),
        ("G\u{e4}T / HTTP/1.1", HeadError::Method),
        ("GET", HeadError::Method),
        ("GET  / HTTP/1.1", HeadError::RequestLine),
        ("GET /  HTTP/1.1", HeadError::RequestLine),
        ("GET /", HeadError::RequestLine),
        ("GET ", HeadError::RequestLine),
        ("GET  HTTP/1.1", HeadError::RequestLine),
        ("GET / HTTP/1.1 ", HeadError::Version),
        ("GET / HTTP/1.1\t", HeadError::Version),
        ("GET / x HTTP/1.1", HeadError::Version),
        ("GET / HTTP/1.2", HeadError::Version),
        ("GET / HTTP/0.9", HeadError::Version),
        ("GET / HTTP/2.0", HeadError::Version),
        ("PRI * HTTP/2.0", HeadError::Version),
        ("GET / HTTP/1.10", HeadError::Version),
        ("GET / HTTP/1", HeadError::Version),
        ("GET / http/1.1", HeadError::Version),
        ("GET / HTTPS/1.1", HeadError::Version),
        ("GET / ", HeadError::Version),
        ("GET /\tHTTP/1.1", HeadError::RequestLine),
        ("GET /a\tb HTTP/1.1", HeadError::Target(TargetError::Byte)),
        ("GET /a#b HTTP/1.1", HeadError::Target(TargetError::Fragment)),
        ("GET * HTTP/1.1", HeadError::Target(TargetError::Asterisk)),
        ("CONNECT / HTTP/1.1", HeadError::Target(TargetError::Connect)),
        ("GET /\n HTTP/1.1", HeadError::BareLf),
        ("GET /\r HTTP/1.1", HeadError::BareCr),
        ("GET /\0 HTTP/1.1", HeadError::Nul),
    ] {
        let parsed = parse(format!("{line}\r\nHost: a\r\n\r\n").as_bytes());
        assert_eq!(parsed.err(), Some(error), "{line:?}");
    }
}

#[test]
fn malformed_field_lines() {
    for (lines, error) in [
        ("a b: c\r\n", HeadError::SpaceBeforeColon),
        ("a : c\r\n", HeadError::SpaceBeforeColon),
        ("a\t: c\r\n", HeadError::SpaceBeforeColon),
        (": c\r\n", HeadError::NoFieldName),
        ("a\r\n", HeadError::NoColon),
        ("a\r\nb: c\r\n", HeadError::NoColon),
        ("a@: c\r\n", HeadError::FieldName),
        ("a\u{e4}: c\r\n", HeadError::FieldName),
        ("(a): c\r\n", HeadError::FieldName),
        ("a\x7f: c\r\n", HeadError::FieldName),
        (" a: c\r\n", HeadError::FoldedLine),
        ("a: b\r\n c\r\n", HeadError::FoldedLine),
        ("a: b\r\n\tc: d\r\n", HeadError::FoldedLine),
        ("a: \x01\r\n", HeadError::FieldValue),
        ("a: b\x0bc\r\n", HeadError::FieldValue),
        ("a: b\x1f\r\n", HeadError::FieldValue),
        ("a: b\x7f\r\n", HeadError::FieldValue),
        ("a: b\0\r\n", HeadError::Nul),
        ("a\0: b\r\n", HeadError::Nul),
        ("a: b\rc\r\n", HeadError::BareCr),
        ("a: b\r\r\n", HeadError::BareCr),
        ("a\r: b\r\n", HeadError::BareCr),
        ("\r: b\r\n", HeadError::BareCr),
        ("a: b\n", HeadError::BareLf),
        ("a: b\nc: d\r\n", HeadError::BareLf),
        ("a: b\r\n\nc: d\r\n", HeadError::BareLf),
    ] {
        assert_eq!(with(lines).err(), Some(error), "{lines:?}");
    }
    let first = parse(b"GET / HTTP/1.1\r\n Host: a\r\n\r\n");
    assert_eq!(first.err(), Some(HeadError::LeadingSpace));
}

#[test]
fn every_byte_in_a_value() {
    for byte in 0..=255u8 {
        let allowed = byte == b'\t' || (byte >= 0x20 && byte != 0x7f);
        for place in 0..12 {
            let mut value = b"0123456789ab".to_vec();
            value[place] = byte;
            let bytes = [b"GET / HTTP/1.1\r\nHost: a\r\nx: ", &value[..], b"\r\n\r\n"].concat();
            assert_eq!(parse(&bytes).is_ok(), allowed, "{byte:#x} at {place}");
        }
    }
}

#[test]
fn something_else_than_one_head() {
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: a\r\n"[..],
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nx",
        b"GET / HTTP/1.1\r\nHos",
        b"GET /",
    ] {
        let error = parse(bytes).err();
        assert_eq!(error, Some(HeadError::Incomplete), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn limits_and_one_past_them() {
    let lines = |count: usize| "a: b\r\n".repeat(count);
    assert!(with(&lines(LIMITS.headers - 1)).is_ok());
    assert_eq!(with(&lines(LIMITS.headers)).err(), Some(HeadError::Headers));

    let target =
        |len: usize| parse(format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(len - 1)).as_bytes()).err();
    assert_eq!(target(LIMITS.target_bytes), None);
    assert_eq!(target(LIMITS.target_bytes + 1), Some(HeadError::TargetBytes));
    assert_eq!(target(LIMITS.target_bytes + 1000), Some(HeadError::TargetBytes));

    let head = |len: usize| {
        let fixed = b"GET / HTTP/1.1\r\nHost: a\r\nx: \r\n\r\n".len();
        with(&format!("x: {}\r\n", "y".repeat(len - fixed))).map(|head| assert_eq!(head.len, len)).err()
    };
    assert_eq!(head(LIMITS.header_bytes), None);
    assert_eq!(head(LIMITS.header_bytes + 1), Some(HeadError::HeaderBytes));

    let options = |count: usize| with(&format!("Connection: {}\r\n", "a,".repeat(count))).err();
    assert_eq!(options(32), None);
    assert_eq!(options(33), Some(HeadError::ConnectionOptions));
    assert_eq!(with("Connection: ,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\r\n").err(), None);
}

#[test]
fn statuses() {
    assert_eq!(HeadError::TargetBytes.status(), 414);
    assert_eq!(HeadError::HeaderBytes.status(), 431);
    assert_eq!(HeadError::Headers.status(), 431);
    assert_eq!(HeadError::Expectation.status(), 417);
    assert_eq!(HeadError::BareLf.status(), 400);
    assert_eq!(HeadError::Host(HostError::Empty).to_string(), "the host is empty");
}

#[test]
fn hosts() {
    let get = |lines: &str| parse(format!("GET / HTTP/1.1\r\n{lines}\r\n").as_bytes()).err();
    assert_eq!(get("Host: a\r\n"), None);
    assert_eq!(get(""), Some(HeadError::HostMissing));
    assert_eq!(get("X-Host: a\r\n"), Some(HeadError::HostMissing));
    assert_eq!(get("Host: a\r\nHost: a\r\n"), Some(HeadError::HostRepeated));
    assert_eq!(get("Host: a\r\nhOST: b\r\n"), Some(HeadError::HostRepeated));
    assert_eq!(get("Host:\r\n"), Some(HeadError::Host(HostError::Empty)));
    assert_eq!(get("Host: a, b\r\n"), Some(HeadError::Host(HostError::Byte)));
    assert_eq!(get("Host: u@a\r\n"), Some(HeadError::Host(HostError::Userinfo)));
    let get_10 =
        |lines: &str| parse(format!("GET / HTTP/1.0\r\n{lines}\r\n").as_bytes()).map(|head| head.host.is_some());
    assert_eq!(get_10(""), Ok(false));
    assert_eq!(get_10("Host: a\r\n"), Ok(true));
    assert_eq!(get_10("Host: a\r\nHost: a\r\n"), Err(HeadError::HostRepeated));
    assert_eq!(get_10("Host: /\r\n"), Err(HeadError::Host(HostError::Byte)));
}

#[test]
fn the_authority_of_the_target_wins_over_host() {
    let bytes = b"GET http://b:81/c HTTP/1.1\r\nHost: a\r\n\r\n";
    let host = parse(bytes).unwrap().host.unwrap();
    assert_eq!((host.text.of(bytes), host.host.of(bytes), host.port), (&b"b:81"[..], &b"b"[..], Some(81)));
    let bytes = b"CONNECT b:81 HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(parse(bytes).unwrap().host.unwrap().text.of(bytes), b"b:81");
    let bytes = b"GET http://b HTTP/1.0\r\n\r\n";
    assert_eq!(parse(bytes).unwrap().host.unwrap().text.of(bytes), b"b");
    assert_eq!(parse(b"GET http://b/ HTTP/1.1\r\n\r\n").err(), Some(HeadError::HostMissing));
    let invalid = parse(b"GET http://b/ HTTP/1.1\r\nHost: a/\r\n\r\n");
    assert_eq!(invalid.err(), Some(HeadError::Host(HostError::Byte)));
}

#[test]
fn expectations() {
    let expects = |version: &str, lines: &str| {
        let bytes = format!("POST / HTTP/{version}\r\nHost: a\r\n{lines}\r\n");
        parse(bytes.as_bytes()).map(|head| head.expect_continue)
    };
    assert_eq!(expects("1.1", "Content-Length: 1\r\nExpect: 100-Continue\r\n"), Ok(true));
    assert_eq!(expects("1.1", "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"), Ok(true));
    assert_eq!(expects("1.1", "Content-Length: 0\r\nExpect: 100-continue\r\n"), Ok(false));
    assert_eq!(expects("1.1", "Expect: 100-continue\r\n"), Ok(false));
    assert_eq!(expects("1.1", "Content-Length: 1\r\nExpect: x\r\n"), Err(HeadError::Expectation));
    assert_eq!(expects("1.1", "Expect: 100-continue, x\r\n"), Err(HeadError::Expectation));
    assert_eq!(expects("1.1", "Expect: 100-continue\r\nExpect: x\r\n"), Err(HeadError::Expectation));
    assert_eq!(expects("1.0", "Content-Length: 1\r\nExpect: 100-continue\r\n"), Ok(false));
    assert_eq!(expects("1.0", "Expect: x\r\n"), Ok(false));
}
