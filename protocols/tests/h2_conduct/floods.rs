//! Each flood ends the connection with ENHANCE_YOUR_CALM and the budget's name, at its limit and not before.

use crate::wire::*;
use ringgate_protocols::h2::frame::{Kind, Setting, flags};
use ringgate_protocols::h2::{BudgetName, Cap, Cause, ErrorCode, Limits, Rate};

fn limits(name: BudgetName, window: u32, lifetime: u64) -> Limits {
    let mut limits = Limits::default();
    limits.rates.set(name, Rate { window, window_us: 1_000_000, lifetime });
    limits
}

/// Gives frames until the connection ends; how many it took, and why it ended.
fn ends(end: &mut End, mut frame: impl FnMut(&mut End, u32) -> Vec<u8>) -> Option<(u32, Cause)> {
    for turn in 0..10_000 {
        let bytes = frame(end, turn);
        if let Err(error) = end.give(&bytes) {
            assert_eq!(error.code(), ErrorCode::ENHANCE_YOUR_CALM);
            let frames = end.frames();
            let (head, payload) = frames.last().unwrap();
            assert_eq!(head.kind, Kind::GOAWAY);
            assert_eq!(&payload[8..], error.0.message().as_bytes());
            return Some((turn, error.0));
        }
        end.out.clear();
        end.connection.sent();
    }
    None
}

/// A flood passes its window of 5 when all comes at once, and its lifetime of 20 when it comes slowly.
fn flood(name: BudgetName, frame: impl Fn(u32) -> Vec<u8>) {
    let mut fast = End::open_server(limits(name, 5, 20));
    assert_eq!(ends(&mut fast, |_, turn| frame(turn)), Some((5, Cause::Budget(name))), "{name:?}");
    let mut slow = End::open_server(limits(name, 5, 20));
    let slowly = |end: &mut End, turn: u32| {
        end.now_us += 1_000_000;
        frame(turn)
    };
    assert_eq!(ends(&mut slow, slowly), Some((20, Cause::Budget(name))), "{name:?}, slowly");
}

/// Stream identifiers of a client, one for each turn.
fn nth(turn: u32) -> u32 {
    turn * 2 + 1
}

#[test]
fn rapid_reset() {
    flood(BudgetName::Resets, |turn| [headers(nth(turn), END, &GET), reset(nth(turn), ErrorCode::CANCEL)].concat());
}

#[test]
fn resets_provoked_by_the_peers_own_errors() {
    flood(BudgetName::ProvokedResets, |turn| [headers(nth(turn), END, &GET), window_update(nth(turn), 0)].concat());
    flood(BudgetName::ProvokedResets, |turn| [headers(nth(turn), END, &GET), data(nth(turn), 0, b"x")].concat());
    flood(BudgetName::ProvokedResets, |turn| headers(nth(turn), END, &[("X", "y")]));
    flood(BudgetName::ProvokedResets, |turn| {
        let huge = window_update(nth(turn), 0x7fff_ffff);
        [headers(nth(turn), END, &GET), huge].concat()
    });
}

#[test]
fn streams_beyond_the_limit() {
    let mut limits = limits(BudgetName::RefusedStreams, 5, 20);
    limits.streams = 3;
    let mut end = End::open_server(limits);
    let ended = ends(&mut end, |_, turn| headers(nth(turn), END, &GET));
    assert_eq!(ended, Some((3 + 5, Cause::Budget(BudgetName::RefusedStreams))));
}

#[test]
fn floods_of_small_frames() {
    flood(BudgetName::Pings, |_| raw(Kind::PING, 0, 0, &[0; 8]));
    flood(BudgetName::Pings, |_| raw(Kind::PING, flags::ACK, 0, &[0; 8]));
    flood(BudgetName::Settings, |_| settings(&[Setting::MaxHeaderListSize(1)]));
    flood(BudgetName::UnknownFrames, |_| raw(Kind(0x77), 0, 0, b""));
    flood(BudgetName::Priorities, |_| raw(Kind::PRIORITY, 0, 1, &[0; 5]));
    flood(BudgetName::Priorities, |_| raw(Kind::PRIORITY_UPDATE, 0, 0, &[0, 0, 0, 1]));
    flood(BudgetName::GoAways, |_| raw(Kind::GOAWAY, 0, 0, &[0; 8]));
    flood(BudgetName::SmallWindowUpdates, |_| window_update(0, 255));
    flood(BudgetName::EmptyFrames, |turn| {
        let empty = data(1, 0, b"");
        if turn == 0 { [headers(1, END_HEADERS, &POST), empty].concat() } else { empty }
    });
    flood(BudgetName::EmptyFrames, |turn| {
        let padding = data(1, flags::PADDED, b"\x03xxx");
        if turn == 0 { [headers(1, END_HEADERS, &POST), padding].concat() } else { padding }
    });
    flood(BudgetName::Continuations, |turn| {
        let begun = raw(Kind::HEADERS, END_STREAM, nth(turn), &block(&GET));
        [begun, raw(Kind::CONTINUATION, END_HEADERS, nth(turn), b"")].concat()
    });
}

#[test]
fn frames_on_streams_that_are_gone() {
    let name = BudgetName::LateFrames;
    let mut end = End::open_server(limits(name, 5, 20));
    end.give(&headers(1, END_HEADERS, &POST)).unwrap();
    end.connection.reset(id(1), ErrorCode::CANCEL, &mut end.out);
    // Four are free for a stream that has closed.
    assert_eq!(ends(&mut end, |_, _| data(1, 0, b"x")), Some((4 + 5, Cause::Budget(name))));
}

#[test]
fn a_window_update_behind_each_answer_is_no_flood() {
    let mut end = End::open_server(Limits::default());
    let ended = ends(&mut end, |end, turn| {
        if turn > 0 {
            end.answer(id(nth(turn - 1)), true);
            end.connection.release(id(nth(turn - 1)), &mut end.out);
        }
        let late = if turn > 0 { window_update(nth(turn - 1), 5_000) } else { Vec::new() };
        [late, headers(nth(turn), END, &GET)].concat()
    });
    assert_eq!(ended, None);
}

#[test]
fn streams_that_are_finished_earn_resets_back() {
    let name = BudgetName::Resets;
    let mut end = End::open_server(limits(name, 5, 20));
    let ended = ends(&mut end, |end, turn| {
        end.now_us += 1_000_000;
        let number = nth(turn);
        end.give(&headers(number, END, &GET)).unwrap();
        if turn % 2 == 0 {
            end.answer(id(number), true);
        }
        let frame = if turn % 2 == 0 { Vec::new() } else { reset(number, ErrorCode::CANCEL) };
        end.give(&frame).unwrap();
        end.connection.release(id(number), &mut end.out);
        Vec::new()
    });
    assert_eq!(ended, None);
}

#[test]
fn field_blocks_of_many_frames_or_many_bytes() {
    let begun = raw(Kind::HEADERS, END_STREAM, 1, b"");
    let mut end = End::open_server(Limits { continuations: 3, ..Limits::default() });
    end.give(&begun).unwrap();
    let ended = ends(&mut end, |_, _| raw(Kind::CONTINUATION, 0, 1, b""));
    assert_eq!(ended, Some((3, Cause::Cap(Cap::Continuations))));

    let mut end = End::open_server(Limits { header_bytes: 10_000, ..Limits::default() });
    end.give(&begun).unwrap();
    let ended = ends(&mut end, |_, _| raw(Kind::CONTINUATION, 0, 1, &[0; 10_000]));
    assert_eq!(ended, Some((4, Cause::Cap(Cap::BlockBytes))));
}

#[test]
fn answers_to_control_frames_that_nobody_reads() {
    let mut end = End::open_server(Limits { unsent_bytes: 850, ..Limits::default() });
    // An echo has 17 bytes.
    for _ in 0..50 {
        end.give(&raw(Kind::PING, 0, 0, &[0; 8])).unwrap();
    }
    let error = end.give(&raw(Kind::PING, 0, 0, &[0; 8])).unwrap_err();
    assert_eq!(error.0, Cause::Cap(Cap::Unsent));
}

#[test]
fn informational_heads_without_end() {
    let mut end = End::open_client(Limits::default());
    end.request("GET", true);
    let ended = ends(&mut end, |_, _| headers(1, END_HEADERS, &[(":status", "103")]));
    assert_eq!(ended, Some((100, Cause::Cap(Cap::Informational))));
}

#[test]
fn windows_that_let_drip() {
    let mut end = End::open_server(limits(BudgetName::Drips, 5, 20));
    end.give(&[settings(&[Setting::InitialWindowSize(1)]), headers(1, END, &GET)].concat()).unwrap();
    end.answer(id(1), false);
    end.connection.wants_to_send(id(1));
    let ended = ends(&mut end, |end, _| {
        let turn = end.connection.next_turn(end.now_us).unwrap();
        assert_eq!(turn.bytes, 1);
        end.connection.data_head(turn.stream, 1, false).unwrap();
        window_update(1, 1)
    });
    assert_eq!(ended, Some((5, Cause::Budget(BudgetName::Drips))));
}

#[test]
fn what_answers_data_is_no_flood() {
    for (name, answer) in [
        (BudgetName::Pings, vec![raw(Kind::PING, 0, 0, &[0; 8])]),
        (BudgetName::SmallWindowUpdates, vec![window_update(0, 1), window_update(1, 1)]),
    ] {
        let mut end = End::open_server(limits(name, 5, 20));
        end.give(&headers(1, END, &GET)).unwrap();
        end.answer(id(1), false);
        let ended = ends(&mut end, |end, _| {
            end.connection.data_head(id(1), 1, false).unwrap();
            answer.concat()
        });
        assert_eq!(ended, None);
    }
}

#[test]
fn a_short_answer_is_no_drip() {
    let mut end = End::open_server(limits(BudgetName::Drips, 0, 0));
    end.give(&headers(1, END, &GET)).unwrap();
    end.answer(id(1), false);
    for _ in 0..100 {
        end.connection.data_head(id(1), 1, false).unwrap();
    }
    assert!(end.give(b"").is_ok());
}
