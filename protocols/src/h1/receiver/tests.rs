//! Whole connections. That splits do not matter is in `tests/splits.rs`.

use super::*;
use crate::h1::{BodyError, HeadError, HeadLimits, RequestError, ResponseError};
use crate::wire::{HeaderId, Method};

const LIMITS: HeadLimits = HeadLimits { header_bytes: 32 * 1024, headers: 100, target_bytes: 8 * 1024 };

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Advances over `bytes` and drops what was consumed.
macro_rules! advance {
    ($receiver:expr, $bytes:expr) => {{
        let advance = $receiver.advance(&mut $bytes);
        if let Ok(advance) = &advance {
            $bytes.drain(..advance.consumed);
        }
        advance.map(|advance| advance.event)
    }};
}

fn responses(method: Method) -> ResponseReceiver {
    let mut receiver = ResponseReceiver::new(LIMITS);
    receiver.expect(method);
    receiver
}

#[test]
fn a_request_with_a_length_then_another_one() {
    let mut bytes = b"\r\nPOST /a?b=c HTTP/1.1\r\nHost: example.com:81\r\nContent-Length: 3\r\n\r\nabc".to_vec();
    bytes.extend_from_slice(GET);
    let mut receiver = RequestReceiver::new(LIMITS);
    let advance = receiver.advance(&mut bytes).unwrap();
    assert_eq!(advance.event, Event::Head);
    let head = receiver.head();
    assert_eq!(head.method, Method::Post);
    // Spans count from the first byte given, the empty line included.
    assert_eq!(head.target.path.of(&bytes), b"/a");
    assert_eq!(head.host.unwrap().host.of(&bytes), b"example.com");
    assert_eq!(head.host.unwrap().port, Some(81));
    assert!(head.fields.has(HeaderId::ContentLength));
    assert_eq!(head.len, advance.consumed);
    bytes.drain(..advance.consumed);
    assert_eq!(receiver.body().remaining(), Some(3));
    assert_eq!(receiver.advance(&mut bytes), Ok(Advance::new(3, Event::Data(0..3))));
    bytes.drain(..3);
    assert_eq!(advance!(receiver, bytes), Ok(Event::End));
    // Nothing goes on before the caller says so.
    assert_eq!(advance!(receiver, bytes), Ok(Event::End));
    receiver.next_message();
    assert_eq!(receiver.advance(&mut bytes), Ok(Advance::new(GET.len(), Event::Head)));
}

#[test]
fn an_incomplete_head_is_left_with_the_caller() {
    let mut receiver = RequestReceiver::new(LIMITS);
    for len in 0..GET.len() {
        let advance = receiver.advance(&mut GET[..len].to_vec());
        assert_eq!(advance, Ok(Advance::new(0, Event::NeedMore)), "{len}");
    }
    assert_eq!(receiver.advance(&mut GET.to_vec()), Ok(Advance::new(GET.len(), Event::Head)));
}

#[test]
fn empty_lines_before_a_request() {
    for (blank, expected) in [
        ("\r\n", Ok(Event::Head)),
        ("\r\n\r\n", Ok(Event::Head)),
        ("\r\n\r\n\r\n", Err(RequestError::Head(HeadError::BlankLines))),
        ("\n", Err(RequestError::Head(HeadError::BareLf))),
        ("\r\n\n", Err(RequestError::Head(HeadError::BareLf))),
    ] {
        let mut receiver = RequestReceiver::new(LIMITS);
        let mut bytes = [blank.as_bytes(), GET].concat();
        assert_eq!(advance!(receiver, bytes), expected, "{blank:?}");
    }
    // Each is consumed at once, and counted over calls.
    let mut receiver = RequestReceiver::new(LIMITS);
    let skip = |receiver: &mut RequestReceiver| receiver.advance(&mut b"\r\n".to_vec());
    assert_eq!(skip(&mut receiver), Ok(Advance::new(2, Event::NeedMore)));
    assert_eq!(receiver.eof(), Ok(()));
    assert_eq!(skip(&mut receiver), Ok(Advance::new(2, Event::NeedMore)));
    assert_eq!(skip(&mut receiver), Err(RequestError::Head(HeadError::BlankLines)));
}

#[test]
fn empty_lines_do_not_count_as_bytes_of_the_head() {
    let limits = HeadLimits { header_bytes: GET.len(), ..LIMITS };
    let mut receiver = RequestReceiver::new(limits);
    let mut bytes = [b"\r\n\r\n", GET].concat();
    assert_eq!(advance!(receiver, bytes), Ok(Event::Head));
}

#[test]
fn a_request_that_ends_early() {
    let mut receiver = RequestReceiver::new(LIMITS);
    assert_eq!(receiver.eof(), Ok(()));
    receiver.advance(&mut b"G".to_vec()).unwrap();
    assert_eq!(receiver.eof(), Err(RequestError::Truncated));
    assert_eq!(receiver.advance(&mut GET.to_vec()), Err(RequestError::Truncated));

    let mut receiver = RequestReceiver::new(LIMITS);
    let mut bytes = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab".to_vec();
    assert_eq!(advance!(receiver, bytes), Ok(Event::Head));
    assert_eq!(advance!(receiver, bytes), Ok(Event::Data(0..2)));
    assert_eq!(receiver.eof(), Err(RequestError::Body(BodyError::Truncated)));
}

#[test]
fn errors_are_final() {
    let mut receiver = RequestReceiver::new(LIMITS);
    let error = Err(RequestError::Head(HeadError::BareLf));
    assert_eq!(receiver.advance(&mut b"GET / HTTP/1.1\n".to_vec()), error);
    assert_eq!(receiver.advance(&mut GET.to_vec()), error);
    receiver.next_message();
    assert_eq!(receiver.advance(&mut GET.to_vec()), error);
    assert_eq!(receiver.eof().map(|()| Advance::new(0, Event::End)), error);
}

#[test]
fn the_next_message_does_not_begin_inside_one() {
    let mut receiver = RequestReceiver::new(LIMITS);
    let mut bytes = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n".to_vec();
    assert_eq!(advance!(receiver, bytes), Ok(Event::Head));
    receiver.next_message();
    assert_eq!(receiver.advance(&mut b"abc".to_vec()), Ok(Advance::new(3, Event::Data(0..3))));
}

#[test]
fn a_chunked_response_with_trailers() {
    let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"\\\"y\"\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\nHost: no\r\n\r\n"
        .to_vec();
    let mut receiver = responses(Method::Get);
    assert_eq!(advance!(receiver, bytes), Ok(Event::Head));
    assert!(!receiver.is_reusable());
    let advance = receiver.advance(&mut bytes).unwrap();
    let Event::Data(range) = advance.event else { panic!("{advance:?}") };
    assert_eq!(&bytes[range], b"abcde");
    assert_eq!(advance.consumed, bytes.len());
    assert_eq!(receiver.advance(&mut []).unwrap().event, Event::End);
    let trailers = receiver.trailers().unwrap();
    assert_eq!(trailers.iter().collect::<Vec<_>>(), [(&b"X-Sum"[..], &b"5"[..])]);
    assert!(receiver.is_reusable());
}

#[test]
fn interim_responses_come_before_the_final_one() {
    let mut bytes =
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
            .to_vec();
    let mut receiver = responses(Method::Get);
    for status in [100, 103, 200] {
        assert_eq!(advance!(receiver, bytes), Ok(Event::Head));
        assert_eq!(receiver.head().status, status);
    }
    assert_eq!(advance!(receiver, bytes), Ok(Event::Data(0..1)));
    assert_eq!(advance!(receiver, bytes), Ok(Event::End));
    assert!(receiver.is_reusable());
}

#[test]
fn interim_responses_at_the_limit_and_one_past_it() {
    let interim = b"HTTP/1.1 102 Processing\r\n\r\n";
    let mut receiver = responses(Method::Get);
    for _ in 0..ResponseReceiver::INTERIM_MAX {
        assert_eq!(receiver.advance(&mut interim.to_vec()).unwrap().event, Event::Head);
    }
    assert_eq!(receiver.advance(&mut interim.to_vec()), Err(ResponseError::Interim));
}

#[test]
fn after_101_everything_is_data() {
    let mut bytes = b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00\n".to_vec();
    let mut receiver = responses(Method::Get);
    assert_eq!(advance!(receiver, bytes), Ok(Event::Head));
    assert!(receiver.is_tunnel() && !receiver.is_reusable());
    assert_eq!(advance!(receiver, bytes), Ok(Event::Data(0..3)));
    assert_eq!(advance!(receiver, bytes), Ok(Event::NeedMore));
    receiver.expect(Method::Get);
    assert!(receiver.is_tunnel());
    assert_eq!(receiver.eof(), Ok(()));
}

#[test]
fn a_success_to_connect_is_a_tunnel() {
    let mut receiver = responses(Method::Connect);
    receiver.advance(&mut b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_vec()).unwrap();
    assert!(receiver.is_tunnel());
    let mut receiver = responses(Method::Connect);
    receiver.advance(&mut b"HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\n".to_vec()).unwrap();
    assert!(!receiver.is_tunnel());
}

#[test]
fn an_answer_to_head_has_no_body() {
    let mut receiver = responses(Method::Head);
    let mut bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 204 X\r\n\r\n".to_vec();
    assert_eq!(advance!(receiver, bytes), Ok(Event::Head));
    assert_eq!(receiver.head().content_length, Some(5));
    assert_eq!(advance!(receiver, bytes), Ok(Event::End));
    assert!(receiver.is_reusable());
    receiver.expect(Method::Get);
    assert!(!receiver.is_reusable());
    assert_eq!(advance!(receiver, bytes), Ok(Event::Head));
    assert_eq!(receiver.head().status, 204);
}

#[test]
fn a_body_until_close() {
    let mut receiver = responses(Method::Get);
    let mut bytes = b"HTTP/1.1 200 OK\r\n\r\nabc".to_vec();
    assert_eq!(advance!(receiver, bytes), Ok(Event::Head));
    assert_eq!(advance!(receiver, bytes), Ok(Event::Data(0..3)));
    assert_eq!(advance!(receiver, bytes), Ok(Event::NeedMore));
    assert_eq!(receiver.eof(), Ok(()));
    assert_eq!(receiver.advance(&mut []), Ok(Advance::new(0, Event::End)));
    // The connection is gone, whatever its head said.
    assert!(!receiver.is_reusable());
    receiver.expect(Method::Get);
    assert_eq!(receiver.advance(&mut []), Ok(Advance::new(0, Event::End)));
}

#[test]
fn a_connection_that_the_server_closes_is_not_reusable() {
    let mut receiver = responses(Method::Get);
    let mut bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_vec();
    assert_eq!(advance!(receiver, bytes), Ok(Event::Head));
    assert_eq!(advance!(receiver, bytes), Ok(Event::End));
    assert!(!receiver.is_reusable());
}

#[test]
fn an_end_before_the_response_is_told_from_one_inside_it() {
    assert_eq!(responses(Method::Get).eof(), Err(ResponseError::Closed));
    let mut receiver = responses(Method::Get);
    receiver.advance(&mut b"H".to_vec()).unwrap();
    assert_eq!(receiver.eof(), Err(ResponseError::Truncated));
    let mut receiver = responses(Method::Get);
    receiver.advance(&mut b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()).unwrap();
    assert_eq!(receiver.eof(), Err(ResponseError::Truncated));
    let mut receiver = responses(Method::Get);
    let mut bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab".to_vec();
    assert_eq!(advance!(receiver, bytes), Ok(Event::Head));
    assert_eq!(receiver.eof(), Err(ResponseError::Body(BodyError::Truncated)));
    assert_eq!(ResponseReceiver::new(LIMITS).eof(), Ok(()));
}

#[test]
fn bytes_that_answer_nothing_are_refused() {
    let mut receiver = ResponseReceiver::new(LIMITS);
    assert!(receiver.is_reusable());
    assert_eq!(receiver.advance(&mut []), Ok(Advance::new(0, Event::NeedMore)));
    assert_eq!(receiver.advance(&mut b"H".to_vec()), Err(ResponseError::Unexpected));
    assert!(!receiver.is_reusable());
    receiver.expect(Method::Get);
    assert_eq!(receiver.advance(&mut []), Err(ResponseError::Unexpected));
}

#[test]
fn a_response_has_no_empty_line_before_it() {
    let mut receiver = responses(Method::Get);
    let advance = receiver.advance(&mut b"\r\nHTTP/1.1 200 OK\r\n\r\n".to_vec());
    assert_eq!(advance, Err(ResponseError::Head(HeadError::BlankLines)));
}

/// That each byte is scanned once is in `scan/tests.rs`; here, that no byte is parsed before the head is complete.
#[test]
fn a_head_that_arrives_byte_by_byte() {
    let mut fields = b"x: 1\r\n".repeat(90);
    fields.extend_from_slice(b"Host: a\r\ny: ");
    fields.resize(LIMITS.header_bytes - 100, b'y');
    fields.extend_from_slice(b"\r\n\r\n");

    let mut head = [b"GET / HTTP/1.1\r\n", &fields[..]].concat();
    let mut receiver = RequestReceiver::new(LIMITS);
    for len in 1..head.len() {
        assert_eq!(receiver.advance(&mut head[..len]), Ok(Advance::new(0, Event::NeedMore)));
        assert!(receiver.head().fields.is_empty());
    }
    assert_eq!(receiver.advance(&mut head).unwrap().event, Event::Head);

    let mut head = [b"HTTP/1.1 200 OK\r\n", &fields[..]].concat();
    let mut receiver = responses(Method::Get);
    for len in 1..head.len() {
        assert_eq!(receiver.advance(&mut head[..len]), Ok(Advance::new(0, Event::NeedMore)));
        assert!(receiver.head().fields.is_empty());
    }
    assert_eq!(receiver.advance(&mut head).unwrap().event, Event::Head);
}
