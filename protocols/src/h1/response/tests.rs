use super::*;

const LIMITS: HeadLimits = HeadLimits { header_bytes: 512, headers: 8, target_bytes: 4 };

fn parse(bytes: &[u8]) -> Result<ResponseHead, HeadError> {
    let mut head = ResponseHead::new();
    head.parse(bytes, &LIMITS).map(|()| head)
}

fn with(status_line: &str, lines: &str) -> Result<ResponseHead, HeadError> {
    parse(format!("{status_line}\r\n{lines}\r\n").as_bytes())
}

fn body(request: Method, status: u16, lines: &str) -> Result<BodyLength, HeadError> {
    with(&format!("HTTP/1.1 {status} X"), lines)?.body(request)
}

#[test]
fn a_whole_head() {
    let bytes = b"HTTP/1.1 404 Not \tFound\xe4\r\nServer: x\r\nContent-Length: 5\r\n\r\n";
    let head = parse(bytes).unwrap();
    assert_eq!((head.version, head.status), (Version::Http11, 404));
    assert_eq!(head.reason.of(bytes), b"Not \tFound\xe4");
    assert_eq!((head.fields.len(), head.len), (2, bytes.len()));
    assert_eq!(head.content_length, Some(5));
    assert!(head.keep_alive);
}

#[test]
fn status_lines() {
    for (line, status, reason) in [
        ("HTTP/1.1 200 OK", 200, "OK"),
        ("HTTP/1.0 200 OK", 200, "OK"),
        ("HTTP/1.1 200 ", 200, ""),
        ("HTTP/1.1 200", 200, ""),
        ("HTTP/1.1 200  OK ", 200, " OK "),
        ("HTTP/1.1 100 C", 100, "C"),
        ("HTTP/1.1 599 C", 599, "C"),
        ("HTTP/1.1 999 C", 999, "C"),
    ] {
        let bytes = format!("{line}\r\n\r\n");
        let head = parse(bytes.as_bytes()).unwrap();
        assert_eq!((head.status, head.reason.of(bytes.as_bytes())), (status, reason.as_bytes()), "{line:?}");
    }
    for (line, error) in [
        ("HTTP/1.1 099 X", HeadError::Status),
        ("HTTP/1.1 000 X", HeadError::Status),
        ("HTTP/1.1 20 X", HeadError::Status),
        ("HTTP/1.1 2000 X", HeadError::Status),
        ("HTTP/1.1 2x0 X", HeadError::Status),
        ("HTTP/1.1 +20 X", HeadError::Status),
        ("HTTP/1.1  200 X", HeadError::Status),
        ("HTTP/1.1\t200 X", HeadError::Status),
        ("HTTP/1.1 200\tX", HeadError::Status),
        ("HTTP/1.1 ", HeadError::Status),
        ("HTTP/1.1", HeadError::Status),
        ("HTTP/1.12 200", HeadError::Status),
        ("HTTP/2.0 200 X", HeadError::Version),
        ("HTTP/1.2 200 X", HeadError::Version),
        ("HTTP/0.9 200 X", HeadError::Version),
        ("http/1.1 200 X", HeadError::Version),
        (" HTTP/1.1 200 X", HeadError::Version),
        ("ICY 200 X", HeadError::Version),
        ("HTTP/1.1 200 a\x01", HeadError::Reason),
        ("HTTP/1.1 200 a\x7f", HeadError::Reason),
        ("HTTP/1.1 200 a\0", HeadError::Nul),
        ("HTTP/1.1 200 a\n", HeadError::BareLf),
        ("HTTP/1.1 200 a\r", HeadError::BareCr),
        ("", HeadError::BlankLines),
        ("\r\nHTTP/1.1 200 OK", HeadError::BlankLines),
    ] {
        assert_eq!(with(line, "a: b\r\n").err(), Some(error), "{line:?}");
    }
}

#[test]
fn field_lines_are_as_strict_as_those_of_requests() {
    for (lines, error) in [
        ("a : b\r\n", HeadError::SpaceBeforeColon),
        ("a: b\r\n c\r\n", HeadError::FoldedLine),
        (" a: b\r\n", HeadError::LeadingSpace),
        ("a: b\n", HeadError::BareLf),
        (": b\r\n", HeadError::NoFieldName),
        ("a: \x02\r\n", HeadError::FieldValue),
        ("a\r\n", HeadError::NoColon),
    ] {
        assert_eq!(with("HTTP/1.1 200 OK", lines).err(), Some(error), "{lines:?}");
    }
}

#[test]
fn limits_and_one_past_them() {
    let lines = |count: usize| with("HTTP/1.1 200 OK", &"a: b\r\n".repeat(count)).err();
    assert_eq!(lines(LIMITS.headers), None);
    assert_eq!(lines(LIMITS.headers + 1), Some(HeadError::Headers));
    let head = |len: usize| {
        let fixed = b"HTTP/1.1 200 OK\r\nx: \r\n\r\n".len();
        with("HTTP/1.1 200 OK", &format!("x: {}\r\n", "y".repeat(len - fixed))).err()
    };
    assert_eq!(head(LIMITS.header_bytes), None);
    assert_eq!(head(LIMITS.header_bytes + 1), Some(HeadError::HeaderBytes));
    // The limit on targets is not for reasons.
    assert_eq!(with(&format!("HTTP/1.1 200 {}", "r".repeat(200)), "").err(), None);
    assert_eq!(with(&format!("HTTP/1.1 200 {}\x01", "r".repeat(200)), "").err(), Some(HeadError::Reason));
}

#[test]
fn body_lengths() {
    let chunked = "Transfer-Encoding: chunked\r\n";
    let five = "Content-Length: 5\r\n";
    for status in [200, 201, 206, 205, 400, 404, 500, 999] {
        assert_eq!(body(Method::Get, status, ""), Ok(BodyLength::UntilClose));
        assert_eq!(body(Method::Get, status, five), Ok(BodyLength::Length(5)));
        assert_eq!(body(Method::Post, status, chunked), Ok(BodyLength::Chunked));
        assert_eq!(body(Method::Head, status, ""), Ok(BodyLength::None));
        assert_eq!(body(Method::Head, status, five), Ok(BodyLength::None));
        assert_eq!(body(Method::Head, status, chunked), Ok(BodyLength::None));
    }
    for status in [100, 101, 103, 199, 204, 304] {
        assert_eq!(body(Method::Get, status, ""), Ok(BodyLength::None), "{status}");
    }
    assert_eq!(body(Method::Get, 304, five), Ok(BodyLength::None));
    assert_eq!(body(Method::Get, 304, chunked), Ok(BodyLength::None));
    assert_eq!(body(Method::Connect, 200, five), Ok(BodyLength::None));
    assert_eq!(body(Method::Connect, 299, chunked), Ok(BodyLength::None));
    assert_eq!(body(Method::Connect, 403, five), Ok(BodyLength::Length(5)));
}

#[test]
fn ambiguous_framing_is_refused_whatever_the_status() {
    for status in [101, 200, 204, 304] {
        for (lines, error) in [
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", HeadError::LengthAndEncoding),
            ("Content-Length: 5\r\nContent-Length: 6\r\n", HeadError::ContentLengthsDiffer),
            ("Content-Length: 5, 5\r\n", HeadError::ContentLength),
            ("Content-Length: -1\r\n", HeadError::ContentLength),
            ("Transfer-Encoding: gzip, chunked\r\n", HeadError::TransferEncoding),
            ("Transfer-Encoding: gzip\r\n", HeadError::TransferEncoding),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", HeadError::TransferEncoding),
        ] {
            assert_eq!(body(Method::Head, status, lines), Err(error), "{status} {lines:?}");
        }
    }
    let in_10 = with("HTTP/1.0 200 OK", "Transfer-Encoding: chunked\r\n");
    assert_eq!(in_10.err(), Some(HeadError::TransferEncodingInHttp10));
}

#[test]
fn the_stated_length_is_known_without_a_body_too() {
    let head = with("HTTP/1.1 304 X", "Content-Length: 5\r\n").unwrap();
    assert_eq!((head.content_length, head.keep_alive), (Some(5), true));
    assert!(!head.fields.get(HeaderId::ContentLength).unwrap().hop);
}

#[test]
fn a_length_where_no_body_can_be() {
    // Harmless, but must not be forwarded (RFC 9110 section 8.6).
    let head = with("HTTP/1.1 204 X", "Content-Length: 0\r\n").unwrap();
    assert!(head.keep_alive && head.fields.get(HeaderId::ContentLength).unwrap().hop);
    // A server that states a body may have sent it.
    for lines in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
        let head = with("HTTP/1.1 204 X", lines).unwrap();
        assert!(!head.keep_alive && head.fields.iter().all(|field| field.hop), "{lines}");
        assert_eq!(with("HTTP/1.1 100 X", lines).err(), Some(HeadError::InformationalBody));
        assert_eq!(with("HTTP/1.1 101 X", lines).err(), Some(HeadError::InformationalBody));
    }
    assert!(with("HTTP/1.1 103 X", "Content-Length: 0\r\n").is_ok());
}

#[test]
fn keeping_the_connection_open() {
    let keeps = |line: &str, lines: &str| with(line, lines).unwrap().keep_alive;
    assert!(keeps("HTTP/1.1 200 OK", ""));
    assert!(!keeps("HTTP/1.1 200 OK", "Connection: close\r\n"));
    assert!(!keeps("HTTP/1.0 200 OK", ""));
    assert!(keeps("HTTP/1.0 200 OK", "Connection: keep-alive\r\n"));
}

#[test]
fn upgrades() {
    let head = with("HTTP/1.1 101 X", "Connection: upgrade\r\nUpgrade: websocket\r\n").unwrap();
    assert!(head.upgrade.is_some());
    assert_eq!(with("HTTP/1.1 101 X", "Upgrade: websocket\r\n").unwrap().upgrade, None);
}
