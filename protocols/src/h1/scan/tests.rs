use super::*;

const LIMITS: HeadLimits = HeadLimits { header_bytes: 1000, headers: 10, target_bytes: 100 };

fn find(bytes: &[u8]) -> Result<Option<usize>, HeadError> {
    HeadScanner::new().find_end(bytes, &LIMITS)
}

/// The same, with one more byte in each call.
fn find_bytewise(bytes: &[u8]) -> Result<Option<usize>, HeadError> {
    let mut scanner = HeadScanner::new();
    for len in 0..=bytes.len() {
        match scanner.find_end(&bytes[..len], &LIMITS) {
            Ok(None) => {}
            found => return found,
        }
    }
    Ok(None)
}

#[test]
fn the_end_of_a_head() {
    for (bytes, expected) in [
        (&b""[..], None),
        (b"GET / HTTP/1.1", None),
        (b"GET / HTTP/1.1\r", None),
        (b"GET / HTTP/1.1\r\n", None),
        (b"GET / HTTP/1.1\r\n\r", None),
        (b"GET / HTTP/1.1\r\n\r\n", Some(18)),
        (b"GET / HTTP/1.1\r\na: b\r\n\r\nbody\n\0", Some(24)),
        (b"a\r\n\r\n\r\n", Some(5)),
    ] {
        assert_eq!(find(bytes), Ok(expected));
        assert_eq!(find_bytewise(bytes), Ok(expected));
    }
}

#[test]
fn what_no_head_may_hold_is_refused_at_once() {
    for (bytes, error) in [
        (&b"GET / HTTP/1.1\n"[..], HeadError::BareLf),
        (b"\n", HeadError::BareLf),
        (b"a\r\n\n", HeadError::BareLf),
        (b"a\r\nb: c\n\r\n", HeadError::BareLf),
        (b"a\r\nb: \rc", HeadError::BareCr),
        (b"a\r\r\n\r\n", HeadError::BareCr),
        (b"\r\r", HeadError::BareCr),
        (b"\0", HeadError::Nul),
        (b"a\r\nb: \0", HeadError::Nul),
        (b"a\r\n\0", HeadError::Nul),
        (b"\r\n", HeadError::BlankLines),
        (b"\r\na\n", HeadError::BlankLines),
    ] {
        assert_eq!(find(bytes), Err(error), "{:?}", String::from_utf8_lossy(bytes));
        assert_eq!(find_bytewise(bytes), Err(error), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_head_at_the_limit_and_one_byte_past_it() {
    for (len, expected) in
        [(LIMITS.header_bytes, Ok(Some(LIMITS.header_bytes))), (LIMITS.header_bytes + 1, Err(HeadError::HeaderBytes))]
    {
        let mut bytes = b"GET / HTTP/1.1\r\na: ".to_vec();
        bytes.resize(len - 4, b'x');
        bytes.extend_from_slice(b"\r\n\r\n");
        assert_eq!(bytes.len(), len);
        assert_eq!(find(&bytes), expected);
        assert_eq!(find_bytewise(&bytes), expected);
    }
    // As soon as it is certain: at the limit, not past it.
    assert_eq!(find(&[&b"a\r\n"[..], &[b'x'; 996]].concat()), Ok(None));
    assert_eq!(find(&[&b"a\r\n"[..], &[b'x'; 997]].concat()), Err(HeadError::HeaderBytes));
}

#[test]
fn a_request_line_without_end_is_a_long_target_as_soon_as_it_is_certain() {
    let longest = LIMITS.target_bytes + START_LINE_OVERHEAD;
    assert_eq!(find(&vec![b'x'; longest]), Ok(None));
    assert_eq!(find(&vec![b'x'; longest + 1]), Err(HeadError::TargetBytes));
    assert_eq!(find_bytewise(&vec![b'x'; longest + 1]), Err(HeadError::TargetBytes));
    // What comes after that does not change the error.
    let bytes = [vec![b'x'; longest + 1], b"\0\r\n\r\n".to_vec()].concat();
    assert_eq!(find(&bytes), Err(HeadError::TargetBytes));
    assert_eq!(find_bytewise(&bytes), Err(HeadError::TargetBytes));
    // Only the first line is meant.
    assert_eq!(find(&[b"a\r\n".to_vec(), vec![b'x'; longest + 9]].concat()), Ok(None));
}

#[test]
fn a_head_that_arrives_byte_by_byte_is_scanned_once() {
    let mut bytes = b"GET / HTTP/1.1\r\n".to_vec();
    while bytes.len() < 32 * 1024 - 100 {
        bytes.extend_from_slice(b"name: value of some length\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    let limits = HeadLimits { header_bytes: 32 * 1024, ..LIMITS };
    let mut scanner = HeadScanner::new();
    let mut looked_at = 0;
    for len in 1..=bytes.len() {
        let before = scanner.scanned();
        let found = scanner.find_end(&bytes[..len], &limits).unwrap();
        assert!(scanner.scanned() >= before);
        // What a call looks at begins where the one before stopped.
        looked_at += len - before;
        assert_eq!(found.is_some(), len == bytes.len());
    }
    assert_eq!(scanner.scanned(), bytes.len());
    assert!(looked_at <= 2 * bytes.len(), "{looked_at}");
}

#[test]
fn a_scanner_is_reused_after_a_reset() {
    let mut scanner = HeadScanner::new();
    assert_eq!(scanner.find_end(b"a\r\nb: c\r\n\r\n", &LIMITS), Ok(Some(11)));
    scanner.reset();
    assert_eq!(scanner.find_end(b"a\r\n\r\n", &LIMITS), Ok(Some(5)));
}

#[test]
fn leading_blank_lines_are_counted() {
    assert_eq!(leading_blank(b""), 0);
    assert_eq!(leading_blank(b"GET"), 0);
    assert_eq!(leading_blank(b"\r"), 0);
    assert_eq!(leading_blank(b"\r\n"), 2);
    assert_eq!(leading_blank(b"\r\n\r\n\r\nGET"), 6);
    assert_eq!(leading_blank(b"\n\r\n"), 0);
}
