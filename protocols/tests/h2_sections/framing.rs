//! Sections 3 to 4, and the lengths and streams of section 6.

use crate::wire::*;
use crate::*;
use ringgate_protocols::h2::frame::{Kind, PREFACE, Setting, flags};

#[test]
fn section_3_4_the_preface() {
    let whole = |end: &mut End, bytes: &[&[u8]]| outcome(end, &bytes.concat());
    let fresh = || End::server(Limits::default());
    assert_eq!(whole(&mut fresh(), &[b"GET / HTTP/1.1\r\n\r\n"]), PROTOCOL);
    assert_eq!(whole(&mut fresh(), &[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX"]), PROTOCOL);
    assert_eq!(whole(&mut fresh(), &[PREFACE, &settings(&[])]), Outcome::Fine);
    for first in [headers(1, END, &GET), raw(Kind::PING, 0, 0, &[0; 8]), settings_ack(), raw(Kind(0xee), 0, 0, b"")] {
        assert_eq!(whole(&mut fresh(), &[PREFACE, &first]), PROTOCOL);
        assert_eq!(whole(&mut End::client(Limits::default()), &[&first]), PROTOCOL);
    }
}

#[test]
fn section_4_1_unknown_types_and_flags_and_the_reserved_bit_are_ignored() {
    server(vec![
        ("unknown type", raw(Kind(0x42), 0xff, 0, b"anything"), Outcome::Fine),
        ("unknown type on an idle stream", raw(Kind(0x42), 0, 77, b""), Outcome::Fine),
        ("unused flags of PING", raw(Kind::PING, 0xfe, 0, &[0; 8]), Outcome::Fine),
        ("reserved bit", raw(Kind::PING, 0, 0x8000_0000, &[0; 8]), Outcome::Fine),
    ]);
}

#[test]
fn section_4_2_frame_size() {
    let large = vec![0; 16_385];
    server(vec![
        ("DATA at the limit", [headers(1, END_HEADERS, &POST), data(1, 0, &large[1..])].concat(), Outcome::Fine),
        ("DATA above it", [headers(1, END_HEADERS, &POST), data(1, 0, &large)].concat(), SIZE),
        ("HEADERS above it", raw(Kind::HEADERS, END, 1, &large), SIZE),
        ("an unknown type above it", raw(Kind(0x42), 0, 0, &large), SIZE),
        ("HEADERS shorter than its padding's length", raw(Kind::HEADERS, END | flags::PADDED, 1, b""), SIZE),
        ("HEADERS shorter than its priority", raw(Kind::HEADERS, END | flags::PRIORITY, 1, &[0; 4]), SIZE),
        ("GOAWAY of 7 bytes", raw(Kind::GOAWAY, 0, 0, &[0; 7]), SIZE),
    ]);
}

#[test]
fn section_4_3_field_blocks() {
    let request = block(&GET);
    let (first, second) = request.split_at(5);
    let begun = raw(Kind::HEADERS, END_STREAM, 1, first);
    let row = |between: Vec<u8>| [begun.clone(), between, raw(Kind::CONTINUATION, END_HEADERS, 1, second)].concat();
    server(vec![
        ("a block in two", row(vec![]), Outcome::Fine),
        ("an index of no table", raw(Kind::HEADERS, END, 1, &[0xbe]), COMPRESSION),
        ("a size update behind a field", raw(Kind::HEADERS, END, 1, &[0x82, 0x20]), COMPRESSION),
        ("a size above the limit", raw(Kind::HEADERS, END, 1, &[0x3f, 0xe2, 0x1f]), COMPRESSION),
        ("a block that ends inside a field", raw(Kind::HEADERS, END, 1, &request[..9]), COMPRESSION),
        ("PING between", row(raw(Kind::PING, 0, 0, &[0; 8])), PROTOCOL),
        ("DATA between", row(data(1, 0, b"")), PROTOCOL),
        ("an unknown type between", row(raw(Kind(0x42), 0, 1, b"")), PROTOCOL),
        ("CONTINUATION of another stream", row(raw(Kind::CONTINUATION, 0, 3, b"")), PROTOCOL),
        ("HEADERS of another stream", row(headers(3, END, &GET)), PROTOCOL),
    ]);
}

#[test]
fn section_4_3_1_a_smaller_table_that_is_not_signalled() {
    let limits = || Limits { table_bytes: 100, ..Limits::default() };
    assert_eq!(outcome(&mut End::open_server(limits()), &headers(1, END, &GET)), COMPRESSION);
    let signalled = [&[0x3f, 0x45][..], &block(&GET)].concat();
    assert_eq!(outcome(&mut End::open_server(limits()), &raw(Kind::HEADERS, END, 1, &signalled)), Outcome::Fine);
}

#[test]
fn section_6_1_data() {
    let open = || headers(1, END_HEADERS, &POST);
    server(vec![
        ("stream 0", data(0, 0, b"x"), PROTOCOL),
        ("padding of the whole rest", [open(), data(1, flags::PADDED, b"\x02xx")].concat(), Outcome::Fine),
        ("padding of more", [open(), data(1, flags::PADDED, b"\x03xx")].concat(), PROTOCOL),
        ("no padding's length", [open(), data(1, flags::PADDED, b"")].concat(), SIZE),
        ("on an idle stream", data(1, 0, b"x"), PROTOCOL),
    ]);
}

#[test]
fn section_6_2_headers() {
    let padded = |len: u8, rest: &[u8]| raw(Kind::HEADERS, END | flags::PADDED, 1, &[&[len][..], rest].concat());
    let request = block(&GET);
    server(vec![
        ("stream 0", headers(0, END, &GET), PROTOCOL),
        ("padding", padded(3, &[&request[..], &[0; 3]].concat()), Outcome::Fine),
        ("padding of more than there is", padded(200, &request[..50.min(request.len())]), PROTOCOL),
        ("priority", raw(Kind::HEADERS, END | flags::PRIORITY, 1, &[&[0; 5][..], &request].concat()), Outcome::Fine),
    ]);
}

#[test]
fn section_6_3_priority() {
    server(vec![
        ("stream 0", raw(Kind::PRIORITY, 0, 0, &[0; 5]), PROTOCOL),
        ("on an idle stream", raw(Kind::PRIORITY, 0, 9, &[0; 5]), Outcome::Fine),
        (
            "4 bytes",
            [headers(1, END_HEADERS, &POST), raw(Kind::PRIORITY, 0, 1, &[0; 4])].concat(),
            stream(1, ErrorCode::FRAME_SIZE_ERROR),
        ),
    ]);
}

#[test]
fn section_6_4_rst_stream() {
    server(vec![
        ("stream 0", reset(0, ErrorCode::CANCEL), PROTOCOL),
        ("an idle stream", reset(1, ErrorCode::CANCEL), PROTOCOL),
        ("3 bytes", [headers(1, END_HEADERS, &POST), raw(Kind::RST_STREAM, 0, 1, &[0; 3])].concat(), SIZE),
        ("5 bytes", [headers(1, END_HEADERS, &POST), raw(Kind::RST_STREAM, 0, 1, &[0; 5])].concat(), SIZE),
        ("as it must be", [headers(1, END_HEADERS, &POST), reset(1, ErrorCode(0x1234))].concat(), Outcome::Fine),
    ]);
}

#[test]
fn section_6_5_settings() {
    use Setting::*;
    let one = |setting| settings(&[setting]);
    let push = |value| raw(Kind::SETTINGS, 0, 0, &[0, 2, 0, 0, 0, value]);
    server(vec![
        ("on a stream", raw(Kind::SETTINGS, 0, 1, b""), PROTOCOL),
        ("an acknowledgement with a payload", raw(Kind::SETTINGS, flags::ACK, 0, &[0; 6]), SIZE),
        ("5 bytes", raw(Kind::SETTINGS, 0, 0, &[0; 5]), SIZE),
        ("an acknowledgement of nothing", settings_ack(), PROTOCOL),
        ("6.5.2 push 1", push(1), Outcome::Fine),
        ("6.5.2 push 2", push(2), PROTOCOL),
        ("6.5.2 window at its limit", one(InitialWindowSize(0x7fff_ffff)), Outcome::Fine),
        ("6.5.2 window above it", one(InitialWindowSize(0x8000_0000)), FLOW),
        ("6.5.2 frame size below its limit", one(MaxFrameSize(16_383)), PROTOCOL),
        ("6.5.2 frame size at its limit", one(MaxFrameSize(16_777_215)), Outcome::Fine),
        ("6.5.2 frame size above it", one(MaxFrameSize(16_777_216)), PROTOCOL),
        ("6.5.2 an unknown one", one(Unknown(0xf00d)), Outcome::Fine),
        ("8441 3 neither 0 nor 1", one(EnableConnectProtocol(2)), PROTOCOL),
        ("8441 3 taken back", settings(&[EnableConnectProtocol(1), EnableConnectProtocol(0)]), PROTOCOL),
        ("9218 2.1 neither 0 nor 1", one(NoRfc7540Priorities(2)), PROTOCOL),
        ("9218 2.1 changed", settings(&[NoRfc7540Priorities(1), NoRfc7540Priorities(0)]), PROTOCOL),
    ]);
    client(vec![("6.5.2 a server sets push", push(1), PROTOCOL), ("6.5.2 push 0", push(0), Outcome::Fine)]);
}

#[test]
fn section_6_6_push_promise() {
    let promise = raw(Kind::PUSH_PROMISE, END_HEADERS, 1, &[&2u32.to_be_bytes()[..], &block(&GET)].concat());
    server(vec![("8.4 from a client", [headers(1, END_HEADERS, &POST), promise.clone()].concat(), PROTOCOL)]);
    client(vec![
        ("with push disabled", promise, PROTOCOL),
        ("stream 0", raw(Kind::PUSH_PROMISE, 4, 0, &[0; 9]), PROTOCOL),
    ]);
}

#[test]
fn section_6_7_ping() {
    server(vec![
        ("on a stream", raw(Kind::PING, 0, 1, &[0; 8]), PROTOCOL),
        ("7 bytes", raw(Kind::PING, 0, 0, &[0; 7]), SIZE),
        ("9 bytes", raw(Kind::PING, 0, 0, &[0; 9]), SIZE),
        ("an echo that nobody asked for", raw(Kind::PING, flags::ACK, 0, &[0; 8]), Outcome::Fine),
    ]);
    let mut end = End::open_server(Limits::default());
    end.give(&raw(Kind::PING, 0, 0, b"01234567")).unwrap();
    assert_eq!(end.out, raw(Kind::PING, flags::ACK, 0, b"01234567"));
}

#[test]
fn section_6_8_goaway() {
    let goaway = |last: u32| raw(Kind::GOAWAY, 0, 0, &[&last.to_be_bytes()[..], &[0; 4], b"text"].concat());
    server(vec![("on a stream", raw(Kind::GOAWAY, 0, 1, &[0; 8]), PROTOCOL), ("once", goaway(0), Outcome::Fine)]);
    client(vec![
        ("twice, lower", [goaway(3), goaway(1)].concat(), Outcome::Fine),
        ("twice, higher", [goaway(1), goaway(3)].concat(), PROTOCOL),
    ]);
}

#[test]
fn section_6_10_continuation() {
    server(vec![
        ("stream 0", raw(Kind::CONTINUATION, END_HEADERS, 0, b""), PROTOCOL),
        ("behind nothing", raw(Kind::CONTINUATION, END_HEADERS, 1, b""), PROTOCOL),
        (
            "behind a complete block",
            [headers(1, END_HEADERS, &POST), raw(Kind::CONTINUATION, END_HEADERS, 1, b"")].concat(),
            PROTOCOL,
        ),
    ]);
}

#[test]
fn rfc_9218_section_7_1_priority_update() {
    let update =
        |stream: u32, on: u32| raw(Kind::PRIORITY_UPDATE, 0, on, &[&stream.to_be_bytes()[..], b"u=1"].concat());
    server(vec![
        ("for a stream to come", update(7, 0), Outcome::Fine),
        ("on a stream", update(1, 1), PROTOCOL),
        ("for stream 0", update(0, 0), PROTOCOL),
        ("for a stream that a client can't open", update(2, 0), PROTOCOL),
        ("3 bytes", raw(Kind::PRIORITY_UPDATE, 0, 0, &[0; 3]), SIZE),
    ]);
    client(vec![("from a server", update(1, 0), PROTOCOL)]);
}
