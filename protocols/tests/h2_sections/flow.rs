//! Sections 5.2 and 6.9: flow control.

use crate::wire::*;
use crate::*;
use ringgate_protocols::h2::SendError;
use ringgate_protocols::h2::frame::{Kind, Setting, flags};

#[test]
fn section_6_9_window_update() {
    let open = || headers(1, END_HEADERS, &POST);
    server(vec![
        ("an increment of 0 on a stream", [open(), window_update(1, 0)].concat(), stream(1, ErrorCode::PROTOCOL_ERROR)),
        ("an increment of 0 on the connection", window_update(0, 0), PROTOCOL),
        ("3 bytes", raw(Kind::WINDOW_UPDATE, 0, 0, &[0; 3]), SIZE),
        ("5 bytes", [open(), raw(Kind::WINDOW_UPDATE, 0, 1, &[0; 5])].concat(), SIZE),
        ("the reserved bit", raw(Kind::WINDOW_UPDATE, 0, 0, &0x8000_0001u32.to_be_bytes()), Outcome::Fine),
    ]);
}

#[test]
fn section_6_9_1_windows_must_not_overflow() {
    let open = || headers(1, END_HEADERS, &POST);
    let room = 0x7fff_ffff - 65_535;
    server(vec![
        ("a stream at the limit", [open(), window_update(1, room)].concat(), Outcome::Fine),
        ("a stream above it", [open(), window_update(1, room + 1)].concat(), stream(1, ErrorCode::FLOW_CONTROL_ERROR)),
        ("the connection at the limit", window_update(0, room), Outcome::Fine),
        ("the connection above it", window_update(0, room + 1), FLOW),
        (
            "6.9.2 a stream by SETTINGS",
            [open(), window_update(1, room), settings(&[Setting::InitialWindowSize(65_536)])].concat(),
            FLOW,
        ),
    ]);
}

fn limits() -> Limits {
    Limits { stream_window: 70_000, connection_window: 100_000, ..Limits::default() }
}

/// A server that consumes nothing.
fn slow() -> End {
    let mut end = End::open_server(limits());
    end.reads = false;
    end
}

/// DATA frames with so many bytes in all.
fn fill(stream: u32, bytes: usize) -> Vec<u8> {
    vec![0; bytes].chunks(16_384).flat_map(|chunk| data(stream, 0, chunk)).collect()
}

#[test]
fn section_6_9_1_more_than_a_window() {
    let open = [headers(1, END_HEADERS, &POST), headers(3, END_HEADERS, &POST)].concat();
    let all = |parts: &[Vec<u8>]| [&open[..], &parts.concat()].concat();
    assert_eq!(outcome(&mut slow(), &all(&[fill(1, 70_000)])), Outcome::Fine);
    let exceeded = stream(1, ErrorCode::FLOW_CONTROL_ERROR);
    assert_eq!(outcome(&mut slow(), &all(&[fill(1, 70_000), data(1, 0, b"x")])), exceeded);
    assert_eq!(outcome(&mut slow(), &all(&[fill(1, 70_000), fill(3, 30_000)])), Outcome::Fine);
    assert_eq!(outcome(&mut slow(), &all(&[fill(1, 70_000), fill(3, 30_000), data(3, 0, b"x")])), FLOW);
    // Padding counts, and its length too.
    let padded = data(1, flags::PADDED, b"\x01xx");
    assert_eq!(outcome(&mut slow(), &all(&[fill(1, 69_997), padded.clone()])), Outcome::Fine);
    assert_eq!(outcome(&mut slow(), &all(&[fill(1, 69_998), padded])), exceeded);
}

#[test]
fn windows_are_given_back_by_halves_and_only_when_the_caller_is_done() {
    let mut end = slow();
    end.give(&headers(1, END_HEADERS, &POST)).unwrap();
    let stream = id(1);
    end.give(&fill(1, 60_000)).unwrap();
    assert!(end.out.is_empty());
    end.connection.consumed(stream, 34_999, &mut end.out);
    assert!(end.out.is_empty());
    end.connection.consumed(stream, 1, &mut end.out);
    assert_eq!(std::mem::take(&mut end.out), window_update(1, 35_000));
    end.connection.consumed(stream, 15_000, &mut end.out);
    assert_eq!(std::mem::take(&mut end.out), window_update(0, 50_000));
    // No more is given back than came.
    end.connection.consumed(stream, usize::MAX, &mut end.out);
    end.give(&fill(1, 45_000)).unwrap();
    assert!(end.out.is_empty());
    // What nobody consumed goes back to the connection when the stream is released.
    end.connection.release(stream, &mut end.out);
    let frames = end.frames();
    assert_eq!(frames[0].0.kind, Kind::RST_STREAM);
    assert_eq!(frames[1].0.kind, Kind::WINDOW_UPDATE);
    assert_eq!(frames[1].1, 55_000u32.to_be_bytes());
}

#[test]
fn data_that_nobody_wants_is_given_back_to_the_connection() {
    let mut end = End::open_server(limits());
    end.give(&headers(1, END_HEADERS, &POST)).unwrap();
    // A frame in three parts, with a reset behind the first.
    let mut frame = data(1, 0, &[0; 16_384]);
    let mut second = frame.split_off(100);
    let third = second.split_off(100);
    end.give(&frame).unwrap();
    let stream = id(1);
    end.connection.release(stream, &mut end.out);
    end.out.clear();
    end.give(&second).unwrap();
    end.give(&third).unwrap();
    for _ in 0..2 {
        end.give(&data(1, 0, &[0; 16_384])).unwrap();
    }
    assert!(end.out.is_empty());
    end.give(&data(1, 0, &[0; 16_384])).unwrap();
    assert_eq!(end.out, window_update(0, 4 * 16_384));
}

#[test]
fn section_6_9_2_the_initial_window_changes_all_streams_below_zero_too() {
    let mut end = End::open_server(Limits::default());
    end.give(&headers(1, END, &GET)).unwrap();
    let stream = id(1);
    end.answer(stream, false);
    assert_eq!(end.connection.grant(stream, 100_000), 16_384);
    end.connection.data_head(stream, 10_000, false).unwrap();
    end.give(&settings(&[Setting::InitialWindowSize(9_000)])).unwrap();
    assert_eq!(end.connection.grant(stream, 100_000), 0);
    assert_eq!(end.connection.data_head(stream, 1, false), Err(SendError::Order));
    end.give(&window_update(1, 1_000)).unwrap();
    assert_eq!(end.connection.grant(stream, 100_000), 0);
    end.give(&window_update(1, 7)).unwrap();
    assert_eq!(end.connection.grant(stream, 100_000), 7);
    end.give(&settings(&[Setting::InitialWindowSize(20_000), Setting::MaxFrameSize(30_000)])).unwrap();
    assert_eq!(end.connection.grant(stream, 100_000), 11_007);
    // Nothing but the end needs no window.
    end.give(&settings(&[Setting::InitialWindowSize(0)])).unwrap();
    assert!(end.connection.data_head(stream, 0, true).is_ok());
}

#[test]
fn the_connections_window_bounds_all_streams() {
    let mut end = End::open_server(Limits::default());
    end.give(&[headers(1, END, &GET), settings(&[Setting::InitialWindowSize(1 << 20)])].concat()).unwrap();
    let stream = id(1);
    end.answer(stream, false);
    let mut sent = 0;
    while let Some(turn) = {
        end.connection.wants_to_send(stream);
        end.connection.next_turn(0)
    } {
        end.connection.data_head(turn.stream, turn.bytes, false).unwrap();
        sent += turn.bytes;
    }
    assert_eq!(sent, 65_535);
    end.give(&window_update(0, 500)).unwrap();
    assert_eq!(end.connection.next_turn(0).unwrap().bytes, 500);
}
