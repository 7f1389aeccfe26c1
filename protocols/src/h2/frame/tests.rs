use super::*;
use crate::h2::{ErrorCode, Rule};
use proptest::prelude::*;

fn read(bytes: &[u8]) -> (Head, Frame<'_>) {
    let head = Head::read(bytes).unwrap();
    assert_eq!(bytes.len(), HEAD_BYTES + head.len as usize);
    (head, parse(head, &bytes[HEAD_BYTES..]).unwrap())
}

#[test]
fn what_is_encoded_is_read_again() {
    let mut out = Vec::new();
    let all = [
        Setting::HeaderTableSize(1),
        Setting::EnablePush(0),
        Setting::MaxConcurrentStreams(u32::MAX),
        Setting::InitialWindowSize(4),
        Setting::MaxFrameSize(5),
        Setting::MaxHeaderListSize(6),
        Setting::EnableConnectProtocol(1),
        Setting::NoRfc7540Priorities(1),
    ];
    settings(&all, &mut out);
    let (head, Frame::Settings(read_back)) = read(&out) else { panic!() };
    assert_eq!((head.stream, head.flags), (0, 0));
    assert!(read_back.iter().eq(all));

    out.clear();
    settings_ack(&mut out);
    assert_eq!(read(&out).1, Frame::SettingsAck);
    out.clear();
    ping(true, *b"12345678", &mut out);
    assert_eq!(read(&out).1, Frame::Ping { ack: true, payload: *b"12345678" });
    out.clear();
    reset(7, ErrorCode::CANCEL, &mut out);
    assert_eq!(read(&out).1, Frame::Reset { code: ErrorCode::CANCEL });
    out.clear();
    goaway(MAX_31_BITS, ErrorCode::NO_ERROR, "why", &mut out);
    let goaway = Frame::GoAway { last_stream: MAX_31_BITS, code: ErrorCode::NO_ERROR, debug: b"why" };
    assert_eq!(read(&out).1, goaway);
    out.clear();
    window_update(9, 1000, &mut out);
    let (head, frame) = read(&out);
    assert_eq!((head.stream, frame), (9, Frame::WindowUpdate { increment: 1000 }));
}

#[test]
fn shapes_of_data() {
    let head = |len, flags| Head { len, kind: Kind::DATA, flags, stream: 1 };
    let shape = |before, data, padding| Ok(Some(Shape { before, data, padding }));
    assert_eq!(data_shape(head(5, 0), None), shape(0, 5, 0));
    assert_eq!(data_shape(head(5, flags::PADDED), None), Ok(None));
    assert_eq!(data_shape(head(5, flags::PADDED), Some(0)), shape(1, 4, 0));
    assert_eq!(data_shape(head(5, flags::PADDED), Some(4)), shape(1, 0, 4));
    assert_eq!(data_shape(head(5, flags::PADDED), Some(5)).unwrap_err().rule, Rule::Padding);
    assert_eq!(data_shape(head(0, flags::PADDED), None).unwrap_err().rule, Rule::FrameTooShort);
}

#[test]
fn the_preface_is_told_from_http_1() {
    assert_eq!(match_preface(b""), PrefaceMatch::Partial);
    assert_eq!(match_preface(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r"), PrefaceMatch::Partial);
    assert_eq!(match_preface(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0"), PrefaceMatch::Whole);
    assert_eq!(match_preface(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX"), PrefaceMatch::Other);
    assert_eq!(match_preface(b"PUT / HTTP/1.1"), PrefaceMatch::Other);
}

proptest! {
    #[test]
    fn heads(len in 0u32..1 << 24, kind: u8, flags: u8, stream in 0u32..1 << 31) {
        let head = Head { len, kind: Kind(kind), flags, stream };
        prop_assert_eq!(Head::read(&head.bytes()), Some(head));
    }

    #[test]
    fn any_payload_is_read_or_refused(kind in 0u8..20, flags: u8, stream in 0u32..3, payload in prop::collection::vec(any::<u8>(), 0..40)) {
        let head = Head { len: payload.len() as u32, kind: Kind(kind), flags, stream };
        if let Ok(Frame::Headers { fragment, .. } | Frame::Continuation { fragment, .. }) = parse(head, &payload) {
            prop_assert!(fragment.len() <= payload.len());
        }
    }
}
