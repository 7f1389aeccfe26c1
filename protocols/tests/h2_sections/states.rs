//! Section 5: the states of streams.

use crate::wire::*;
use crate::*;
use ringgate_protocols::h2::frame::Kind;

#[test]
fn section_5_1_idle() {
    server(vec![
        ("DATA", data(1, 0, b"x"), PROTOCOL),
        ("RST_STREAM", reset(1, ErrorCode::CANCEL), PROTOCOL),
        ("WINDOW_UPDATE", window_update(1, 1000), PROTOCOL),
        ("CONTINUATION", raw(Kind::CONTINUATION, END_HEADERS, 1, b""), PROTOCOL),
        ("PRIORITY", raw(Kind::PRIORITY, 0, 1, &[0; 5]), Outcome::Fine),
        ("DATA on a stream that only this end could open", data(2, 0, b"x"), PROTOCOL),
        ("WINDOW_UPDATE on one", window_update(2, 1000), PROTOCOL),
    ]);
    client(vec![
        ("HEADERS on a stream that was not opened", headers(5, END, &OK), PROTOCOL),
        ("DATA on it", data(5, 0, b"x"), PROTOCOL),
        ("RST_STREAM on it", reset(5, ErrorCode::CANCEL), PROTOCOL),
        ("HEADERS on a stream that was not promised", headers(2, END, &OK), PROTOCOL),
    ]);
}

#[test]
fn section_5_1_half_closed_remote() {
    let closed = stream(1, ErrorCode::STREAM_CLOSED);
    let row = |frame: Vec<u8>| [headers(1, END, &GET), frame].concat();
    server(vec![
        ("DATA", row(data(1, 0, b"x")), closed),
        ("HEADERS", row(headers(1, END, &GET)), closed),
        ("WINDOW_UPDATE", row(window_update(1, 1000)), Outcome::Fine),
        ("PRIORITY", row(raw(Kind::PRIORITY, 0, 1, &[0; 5])), Outcome::Fine),
        ("RST_STREAM", row(reset(1, ErrorCode::CANCEL)), Outcome::Fine),
    ]);
    // A response that is complete while the request is not.
    client(vec![(
        "DATA behind END_STREAM",
        [headers(3, END, &OK), data(3, 0, b"x")].concat(),
        stream(3, ErrorCode::STREAM_CLOSED),
    )]);
}

#[test]
fn section_5_1_closed_by_the_peer() {
    let row = |frame: Vec<u8>| [headers(1, END_HEADERS, &POST), reset(1, ErrorCode::CANCEL), frame].concat();
    server(vec![
        ("DATA", row(data(1, 0, b"x")), CLOSED),
        ("HEADERS", row(headers(1, END, &GET)), CLOSED),
        ("WINDOW_UPDATE", row(window_update(1, 1000)), Outcome::Fine),
        ("RST_STREAM", row(reset(1, ErrorCode::CANCEL)), Outcome::Fine),
        ("PRIORITY", row(raw(Kind::PRIORITY, 0, 1, &[0; 5])), Outcome::Fine),
    ]);
    client(vec![
        ("DATA behind END_STREAM", [headers(1, END, &OK), data(1, 0, b"x")].concat(), CLOSED),
        ("HEADERS behind END_STREAM", [headers(1, END, &OK), headers(1, END, &OK)].concat(), CLOSED),
    ]);
}

/// A server that has answered the GET of stream 1, and knows nothing of it any more.
fn answered() -> End {
    let mut end = End::open_server(Limits::default());
    let seen = end.give(&headers(1, END, &GET)).unwrap();
    let Seen::Head(1, _, true) = seen[0] else { panic!("{seen:?}") };
    let stream = id(1);
    end.answer(stream, true);
    end.connection.release(stream, &mut end.out);
    assert_eq!(end.connection.stream_count(), 0);
    end.out.clear();
    end
}

#[test]
fn section_5_1_closed_by_both() {
    for (frame, expected) in [
        (data(1, 0, b"x"), CLOSED),
        (headers(1, END, &GET), CLOSED),
        (window_update(1, 1000), Outcome::Fine),
        (reset(1, ErrorCode::CANCEL), Outcome::Fine),
        (raw(Kind::PRIORITY, 0, 1, &[0; 5]), Outcome::Fine),
    ] {
        assert_eq!(outcome(&mut answered(), &frame), expected);
    }
}

#[test]
fn section_5_1_frames_that_cross_a_reset_are_passed_over() {
    for released in [false, true] {
        let mut end = End::open_server(Limits::default());
        end.give(&headers(1, END_HEADERS, &POST)).unwrap();
        let stream = id(1);
        end.connection.reset(stream, ErrorCode::CANCEL, &mut end.out);
        if released {
            end.connection.release(stream, &mut end.out);
        }
        end.out.clear();
        let late =
            [data(1, 0, b"data"), window_update(1, 1000), headers(1, END, &[("a", "b")]), reset(1, ErrorCode::CANCEL)];
        assert_eq!(outcome(&mut end, &late.concat()), Outcome::Fine);
        // Their blocks count for the table: the next one refers to an entry that a late one made.
        let indexed = raw(Kind::HEADERS, END, 1, b"\x40\x03x-a\x01b");
        assert_eq!(outcome(&mut end, &indexed), Outcome::Fine);
        let request = [&block(&GET)[..], &[0xbe]].concat();
        let seen = end.give(&raw(Kind::HEADERS, END, 3, &request)).unwrap();
        let Seen::Head(3, fields, true) = &seen[0] else { panic!("{seen:?}") };
        assert_eq!(fields[4], ("x-a".to_owned(), "b".to_owned()));
    }
}

#[test]
fn section_5_1_a_block_goes_on_while_its_stream_is_reset() {
    for first in [headers(1, END_HEADERS, &POST), headers(1, END, &GET)] {
        for released in [false, true] {
            let mut end = End::open_server(Limits::default());
            end.give(&first).unwrap();
            // Trailers in two frames, or a block behind the end; the caller resets the stream between them.
            end.give(&raw(Kind::HEADERS, END_STREAM, 1, b"\x40\x03x-a")).unwrap();
            end.connection.reset(id(1), ErrorCode::CANCEL, &mut end.out);
            if released {
                end.connection.release(id(1), &mut end.out);
            }
            end.out.clear();
            assert_eq!(outcome(&mut end, &raw(Kind::CONTINUATION, END_HEADERS, 1, b"\x01b")), Outcome::Fine);
            let seen = end.give(&raw(Kind::HEADERS, END, 3, &[&block(&GET)[..], &[0xbe]].concat())).unwrap();
            assert!(matches!(&seen[..], [Seen::Head(3, fields, true)] if fields.len() == 5), "{seen:?}");
        }
    }
}

#[test]
fn section_5_1_1_identifiers() {
    server(vec![
        ("an even one", headers(2, END, &GET), PROTOCOL),
        (
            "the same twice",
            [headers(3, END, &GET), headers(3, END, &GET)].concat(),
            stream(3, ErrorCode::STREAM_CLOSED),
        ),
        ("a lower one", [headers(3, END, &GET), headers(1, END, &GET)].concat(), PROTOCOL),
        ("gaps", [headers(3, END, &GET), headers(9, END, &GET)].concat(), Outcome::Fine),
        ("DATA on a stream of a gap", [headers(3, END, &GET), data(1, 0, b"")].concat(), CLOSED),
    ]);
}

#[test]
fn section_5_1_2_concurrent_streams() {
    let limits = || Limits { streams: 2, ..Limits::default() };
    let three: Vec<u8> = [1, 3, 5].iter().flat_map(|&id| headers(id, END, &GET)).collect();
    let mut end = End::open_server(limits());
    assert_eq!(outcome(&mut end, &three), stream(5, ErrorCode::REFUSED_STREAM));
    // Late frames of the refused one are passed over; one that ends makes room.
    let stream = id(1);
    end.answer(stream, true);
    assert_eq!(outcome(&mut end, &[window_update(5, 10_000), headers(7, END, &GET)].concat()), Outcome::Fine);
    // It is not yet released, and counts to twice the limit.
    end.give(&[reset(3, ErrorCode::CANCEL), reset(7, ErrorCode::CANCEL)].concat()).unwrap();
    end.out.clear();
    assert_eq!(outcome(&mut end, &headers(9, END, &GET)), Outcome::Fine);
    assert_eq!(outcome(&mut end, &headers(11, END, &GET)), crate::stream(11, ErrorCode::REFUSED_STREAM));
    end.connection.release(stream, &mut end.out);
    assert_eq!(outcome(&mut end, &headers(13, END, &GET)), Outcome::Fine);
}

#[test]
fn a_client_keeps_to_the_servers_limit_on_streams() {
    use ringgate_protocols::h2::{OpenError, frame::Setting};
    let mut end = End::client(Limits { streams_assumed: 3, ..Limits::default() });
    assert_eq!(end.connection.openable(), 3);
    end.give(&settings(&[Setting::MaxConcurrentStreams(1)])).unwrap();
    let stream = end.request("GET", true);
    assert_eq!(end.connection.openable(), 0);
    assert_eq!(end.connection.send_request(true, &mut end.out, |_| {}), Err(OpenError::Full));
    end.give(&headers(1, END, &OK)).unwrap();
    assert_eq!(end.connection.openable(), 1);
    end.connection.release(stream, &mut end.out);
    assert_eq!(end.connection.stream_count(), 0);
}

#[test]
fn section_5_4_1_goaway_says_which_stream_was_the_last() {
    let mut end = End::open_server(Limits::default());
    end.give(&headers(7, END, &GET)).unwrap();
    let error = end.give(&headers(2, END, &GET)).unwrap_err();
    assert!(error.to_string().starts_with("PROTOCOL_ERROR: a stream was opened"), "{error}");
    let frames = end.frames();
    let (head, payload) = frames.last().unwrap();
    assert_eq!((head.kind, &payload[..8]), (Kind::GOAWAY, &[0, 0, 0, 7, 0, 0, 0, 1][..]));
}

#[test]
fn section_5_5_extension_frames_between_a_block_are_an_error() {
    let begun = raw(Kind::HEADERS, END_STREAM, 1, &block(&GET));
    server(vec![("unknown", [begun, raw(Kind(0xf0), 0, 1, b"")].concat(), PROTOCOL)]);
}
