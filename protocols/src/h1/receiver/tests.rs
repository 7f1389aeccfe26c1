//! Whole connections, however their bytes arrive.

use super::*;
use crate::h1::HeadLimits;
use crate::wire::{HeaderId, Method};

const LIMITS: HeadLimits = HeadLimits {
    header_bytes: 32 * 1024,
    headers: 100,
    target_bytes: 8 * 1024,
};

#[test]
fn a_request_with_a_length_then_another_one() {
    let mut bytes = b"\r\nPOST /a?b=c HTTP/1.1\r\nHost: example.com:81\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: x\r\n\r\n"
        .to_vec();
    let mut receiver = RequestReceiver::new(LIMITS);
    let advance = receiver.advance(&mut bytes).unwrap();
    assert_eq!(advance.event, Event::Head);
    let head = receiver.head();
    assert_eq!(head.method, Method::Post);
    assert_eq!(head.target.path.of(&bytes), b"/a");
    assert_eq!(head.host.unwrap().host.of(&bytes), b"example.com");
    assert_eq!(head.host.unwrap().port, Some(81));
    assert!(head.fields.has(HeaderId::ContentLength));
    let mut rest = bytes.split_off(advance.consumed);
    let advance = receiver.advance(&mut rest).unwrap();
    assert_eq!(advance, Advance::new(3, Event::Data(0..3)));
    let mut rest = rest.split_off(3);
    assert_eq!(receiver.advance(&mut rest).unwrap().event, Event::End);
    receiver.next_message();
    let advance = receiver.advance(&mut rest).unwrap();
    assert_eq!(advance, Advance::new(rest.len(), Event::Head));
}

#[test]
fn a_chunked_response_with_trailers() {
    let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"\\\"y\"\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\nHost: no\r\n\r\n"
        .to_vec();
    let mut receiver = ResponseReceiver::new(LIMITS);
    receiver.expect(Method::Get);
    let advance = receiver.advance(&mut bytes).unwrap();
    assert_eq!(advance.event, Event::Head);
    let mut rest = bytes.split_off(advance.consumed);
    let advance = receiver.advance(&mut rest).unwrap();
    let Event::Data(range) = advance.event else {
        panic!("{advance:?}")
    };
    assert_eq!(&rest[range], b"abcde");
    assert_eq!(advance.consumed, rest.len());
    assert_eq!(receiver.advance(&mut []).unwrap().event, Event::End);
    let trailers = receiver.trailers().unwrap();
    assert_eq!(
        trailers.iter().collect::<Vec<_>>(),
        [(&b"X-Sum"[..], &b"5"[..])]
    );
    assert!(receiver.is_reusable());
}
