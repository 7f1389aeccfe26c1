use super::*;
use crate::h1::HeadError;

const LIMITS: BodyLimits = BodyLimits { extension_bytes: 20, trailer_bytes: 40, trailers: 3 };

fn decoder() -> BodyDecoder {
    BodyDecoder::with_limits(BodyLength::Chunked, LIMITS)
}

/// Payload of a body, whether it is complete, and what follows it.
fn whole(body: &[u8]) -> Result<(Vec<u8>, bool, Vec<u8>), BodyError> {
    let mut bytes = body.to_vec();
    let step = decoder().decode(&mut bytes)?;
    assert!(step.done || step.consumed == bytes.len());
    Ok((bytes[step.data].to_vec(), step.done, bytes[step.consumed..].to_vec()))
}

/// The same, one byte in each call.
fn bytewise(body: &[u8]) -> Result<(Vec<u8>, bool, Vec<u8>), BodyError> {
    let mut decoder = decoder();
    let mut payload = Vec::new();
    for (index, &byte) in body.iter().enumerate() {
        let mut one = [byte];
        let step = decoder.decode(&mut one)?;
        assert_eq!((step.consumed, step.done), (1, decoder.is_done()));
        payload.extend_from_slice(&one[step.data]);
        if step.done {
            return Ok((payload, true, body[index + 1..].to_vec()));
        }
    }
    Ok((payload, false, Vec::new()))
}

#[test]
fn chunked_bodies() {
    for (body, payload, rest) in [
        (&b"0\r\n\r\n"[..], &b""[..], &b""[..]),
        (b"3\r\nabc\r\n0\r\n\r\n", b"abc", b""),
        (b"3\r\nabc\r\n0\r\n\r\nGET", b"abc", b"GET"),
        (b"3\r\nabc\r\n2\r\nde\r\n00000\r\n\r\n\r\n", b"abcde", b"\r\n"),
        (b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", b"01234567890123456789", b""),
        (b"0000000000000003\r\nabc\r\n0\r\n\r\n", b"abc", b""),
        (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n", b""),
        (b"3;a\r\nabc\r\n0;b=c\r\n\r\n", b"abc", b""),
        (b"3;a=\"b;\\\" \t\"\r\nabc\r\n0\r\n\r\n", b"abc", b""),
        (b"3;a=\"\\\\\"\r\nabc\r\n0\r\n\r\n", b"abc", b""),
        (b"3; a = b\r\nabc\r\n0\r\n\r\n", b"abc", b""),
        (b"3;\r\nabc\r\n0\r\n\r\n", b"abc", b""),
        (b"3;\xe4\r\nabc\r\n0\r\n\r\n", b"abc", b""),
    ] {
        let expected = Ok((payload.to_vec(), true, rest.to_vec()));
        assert_eq!(whole(body), expected, "{:?}", String::from_utf8_lossy(body));
        assert_eq!(bytewise(body), expected, "{:?}", String::from_utf8_lossy(body));
    }
}

#[test]
fn malformed_chunked_bodies() {
    use BodyError::{ChunkEnd, ChunkExtension, ChunkSize, ChunkSizeOverflow, LineEnd, Trailer};
    for (body, error) in [
        (&b"\r\n"[..], ChunkSize),
        (b";a\r\n", ChunkSize),
        (b"0x5\r\n", ChunkSize),
        (b"+5\r\n", ChunkSize),
        (b"-5\r\n", ChunkSize),
        (b" 5\r\n", ChunkSize),
        (b"5 \r\n", ChunkSize),
        (b"5 ;a\r\n", ChunkSize),
        (b"5\t\r\n", ChunkSize),
        (b"5_0\r\n", ChunkSize),
        (b"g\r\n", ChunkSize),
        (b"5,\r\n", ChunkSize),
        (b"\0\r\n", ChunkSize),
        (b"8000000000000000\r\n", ChunkSizeOverflow),
        (b"ffffffffffffffff\r\n", ChunkSizeOverflow),
        (b"fffffffffffffffe;a\r\n", ChunkSizeOverflow),
        (b"00000000000000003\r\n", ChunkSizeOverflow),
        (b"10000000000000000\r\n", ChunkSizeOverflow),
        (b"3\nabc", LineEnd),
        (b"\n", LineEnd),
        (b"3\rabc", LineEnd),
        (b"3\r\r\n", LineEnd),
        (b"3;a\nabc", LineEnd),
        (b"3;a\rb", LineEnd),
        (b"3;a=\"\nabc", LineEnd),
        (b"3;a=\"b\r\nabc", ChunkExtension),
        (b"3;a=\"\\\r\nabc", ChunkExtension),
        (b"3;a\0\r\n", ChunkExtension),
        (b"3;a\x7f\r\n", ChunkExtension),
        (b"3\r\nabcd\r\n", ChunkEnd),
        (b"3\r\nabc\n", ChunkEnd),
        (b"3\r\nabc\rx", ChunkEnd),
        (b"3\r\nabc0\r\n\r\n", ChunkEnd),
        (b"3\r\nab\r\n0\r\n\r\n", ChunkEnd),
        (b"0\n\r\n", LineEnd),
        (b"0\r\n\n", LineEnd),
        (b"0\r\n\rx", LineEnd),
        (b"0\r\na: b\n\r\n", LineEnd),
        (b"0\r\na: b\rc", LineEnd),
        (b"0\r\na : b\r\n\r\n", Trailer(HeadError::SpaceBeforeColon)),
        (b"0\r\n a: b\r\n\r\n", Trailer(HeadError::LeadingSpace)),
        (b"0\r\na: b\r\n c\r\n\r\n", Trailer(HeadError::FoldedLine)),
        (b"0\r\na\r\n\r\n", Trailer(HeadError::NoColon)),
        (b"0\r\n: b\r\n\r\n", Trailer(HeadError::NoFieldName)),
        (b"0\r\na: \0\r\n\r\n", Trailer(HeadError::Nul)),
        (b"0\r\na: \x01\r\n\r\n", Trailer(HeadError::FieldValue)),
        (b"0\r\nGET / HTTP/1.1\r\n\r\n", Trailer(HeadError::SpaceBeforeColon)),
    ] {
        assert_eq!(whole(body), Err(error), "{:?}", String::from_utf8_lossy(body));
        assert_eq!(bytewise(body), Err(error), "{:?}", String::from_utf8_lossy(body));
    }
}

#[test]
fn the_largest_chunk_size() {
    let mut decoder = decoder();
    let mut bytes = b"7fffffffffffffff\r\nabc".to_vec();
    let step = decoder.decode(&mut bytes).unwrap();
    assert_eq!((step.data, step.done), (18..21, false));
}

#[test]
fn an_error_is_given_again() {
    let mut decoder = decoder();
    assert_eq!(decoder.decode(&mut b"x".to_vec()), Err(BodyError::ChunkSize));
    assert_eq!(decoder.decode(&mut b"3\r\nabc\r\n0\r\n\r\n".to_vec()), Err(BodyError::ChunkSize));
    assert_eq!(decoder.finish(), Err(BodyError::ChunkSize));
    assert!(!decoder.is_done() && decoder.trailers().is_none());
    decoder.reset(BodyLength::Length(0));
    assert!(decoder.is_done());
}

#[test]
fn the_first_piece_stays_where_it_is() {
    let mut bytes = b"3\r\nabc\r\n4;x\r\ndefg\r\n1\r\nh\r\n0\r\n\r\nrest".to_vec();
    let step = decoder().decode(&mut bytes).unwrap();
    assert_eq!(step.data, 3..11);
    assert_eq!(&bytes[step.data], b"abcdefgh");
    assert_eq!(&bytes[step.consumed..], b"rest");
}

#[test]
fn extensions_at_the_limit_and_one_past_it() {
    let body = |len: usize| format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(len)).into_bytes();
    assert!(whole(&body(LIMITS.extension_bytes)).is_ok());
    assert_eq!(whole(&body(LIMITS.extension_bytes + 1)), Err(BodyError::ChunkExtensionBytes));
    // Each line anew.
    let twice = format!("1;{0}\r\na\r\n1;{0}\r\na\r\n0\r\n\r\n", "x".repeat(LIMITS.extension_bytes));
    assert!(whole(twice.as_bytes()).is_ok());
}

#[test]
fn a_body_of_little_else_than_extensions_is_refused() {
    // 20 bytes of extension for each byte of data: 19 of them are not paid for.
    let line = format!("1;{}\r\na\r\n", "x".repeat(20));
    let lines_free = 16 * 1024 / 19;
    assert!(whole(line.repeat(lines_free).as_bytes()).is_ok());
    assert_eq!(whole(line.repeat(lines_free + 2).as_bytes()), Err(BodyError::ChunkExtensionBytes));
    // As much data as extensions is fine for ever.
    let line = format!("14;{}\r\n{}\r\n", "x".repeat(20), "a".repeat(20));
    assert!(whole(line.repeat(10_000).as_bytes()).is_ok());
}

#[test]
fn trailers_at_the_limits_and_one_past_them() {
    let body = |fields: &str| format!("0\r\n{fields}\r\n").into_bytes();
    let sized = |len: usize| body(&format!("a: {}\r\n", "x".repeat(len - 5)));
    assert!(whole(&sized(LIMITS.trailer_bytes)).is_ok());
    assert_eq!(whole(&sized(LIMITS.trailer_bytes + 1)), Err(BodyError::TrailerBytes));
    assert!(whole(&body(&"a: b\r\n".repeat(LIMITS.trailers))).is_ok());
    assert_eq!(whole(&body(&"a: b\r\n".repeat(LIMITS.trailers + 1))), Err(BodyError::Trailers));
}

#[test]
fn trailers_come_once_and_only_when_complete() {
    let mut decoder = decoder();
    decoder.decode(&mut b"0\r\nETag: x\r\n".to_vec()).unwrap();
    assert!(decoder.trailers().is_none());
    decoder.decode(&mut b"\r\n".to_vec()).unwrap();
    let trailers = decoder.trailers().unwrap();
    assert_eq!(trailers.iter().collect::<Vec<_>>(), [(&b"ETag"[..], &b"x"[..])]);
    assert_eq!(trailers.bytes(), b"ETag: x\r\n");
    assert_eq!(trailers.fields().len(), 1);
    assert!(decoder.trailers().is_none());
}

#[test]
fn fields_that_may_not_be_trailers_are_left_out() {
    for name in [
        "Content-Length",
        "Transfer-Encoding",
        "Host",
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Upgrade",
        "Authorization",
        "Cookie",
        "Set-Cookie",
        "Content-Type",
        "Content-Encoding",
        "Content-Range",
        "Cache-Control",
        "Expect",
        "Max-Forwards",
        "Range",
        "If-Match",
        "Location",
        "Vary",
        "X-Forwarded-For",
        "Forwarded",
        "X-Request-Id",
        "Via",
        "Age",
    ] {
        let mut decoder = BodyDecoder::new(BodyLength::Chunked);
        decoder.decode(&mut format!("0\r\n{name}: 5\r\nX-A: b\r\n\r\n").into_bytes()).unwrap();
        let trailers = decoder.trailers().unwrap();
        assert_eq!(trailers.iter().collect::<Vec<_>>(), [(&b"X-A"[..], &b"b"[..])], "{name}");
    }
}

#[test]
fn bodies_of_stated_length() {
    let mut decoder = BodyDecoder::new(BodyLength::Length(5));
    assert_eq!((decoder.remaining(), decoder.is_done()), (Some(5), false));
    let step = decoder.decode(&mut b"abc".to_vec()).unwrap();
    assert_eq!(step, Step { data: 0..3, consumed: 3, done: false });
    assert_eq!(decoder.remaining(), Some(2));
    let step = decoder.decode(&mut b"deGET".to_vec()).unwrap();
    assert_eq!(step, Step { data: 0..2, consumed: 2, done: true });
    assert!(decoder.is_done());
    assert_eq!(decoder.finish(), Ok(()));
    let step = decoder.decode(&mut b"GET".to_vec()).unwrap();
    assert_eq!(step, Step { data: 0..0, consumed: 0, done: true });
}

#[test]
fn no_body() {
    for length in [BodyLength::None, BodyLength::Length(0)] {
        let mut decoder = BodyDecoder::new(length);
        assert!(decoder.is_done());
        assert_eq!(decoder.decode(&mut b"x".to_vec()).unwrap(), Step { data: 0..0, consumed: 0, done: true });
    }
}

#[test]
fn a_body_until_close_ends_with_the_connection() {
    let mut decoder = BodyDecoder::new(BodyLength::UntilClose);
    assert_eq!(decoder.decode(&mut b"abc".to_vec()).unwrap(), Step { data: 0..3, consumed: 3, done: false });
    assert!(!decoder.is_done() && decoder.remaining().is_none());
    assert_eq!(decoder.finish(), Ok(()));
    assert!(decoder.is_done());
}

#[test]
fn a_truncated_body_is_an_error() {
    let mut decoder = BodyDecoder::new(BodyLength::Length(2));
    decoder.decode(&mut b"a".to_vec()).unwrap();
    assert_eq!(decoder.finish(), Err(BodyError::Truncated));
    assert_eq!(decoder.decode(&mut b"a".to_vec()), Err(BodyError::Truncated));
    let complete = b"3\r\nabc\r\n0\r\n\r\n";
    for len in 0..complete.len() {
        let mut decoder = BodyDecoder::new(BodyLength::Chunked);
        decoder.decode(&mut complete[..len].to_vec()).unwrap();
        assert_eq!(decoder.finish(), Err(BodyError::Truncated), "{len}");
    }
}
