//! Deadlines.

use crate::wire::*;
use ringgate_protocols::h2::frame::{Kind, PREFACE, Setting};
use ringgate_protocols::h2::{BudgetName, Cap, Cause, EndedBy, Event, Limits, Rate, Rule};

fn limits() -> Limits {
    Limits { preface_us: 100, settings_ack_us: 200, head_us: 300, stall_us: 400, ..Limits::default() }
}

/// What comes of the deadline, one microsecond early and on time.
fn overdue(end: &mut End, at_us: u64) -> Cause {
    assert_eq!(end.connection.deadline(), Some(at_us));
    assert_eq!(end.connection.on_deadline(at_us - 1, &mut end.out), Ok(None));
    let error = end.connection.on_deadline(at_us, &mut end.out).unwrap_err();
    assert_eq!(end.frames().last().unwrap().0.kind, Kind::GOAWAY);
    assert_eq!(end.connection.deadline(), None);
    error.0
}

#[test]
fn the_preface_and_the_acknowledgement_have_their_time() {
    assert_eq!(overdue(&mut End::server(limits()), 100), Cause::Rule(Rule::PrefaceTimeout));
    assert_eq!(overdue(&mut End::client(limits()), 100), Cause::Rule(Rule::PrefaceTimeout));
    let mut end = End::server(limits());
    end.give(PREFACE).unwrap();
    assert_eq!(end.connection.deadline(), Some(100));
    end.give(&settings(&[])).unwrap();
    assert_eq!(overdue(&mut end, 200), Cause::Rule(Rule::SettingsTimeout));
    assert_eq!(End::open_server(limits()).connection.deadline(), None);
}

#[test]
fn a_head_that_never_ends() {
    let mut end = End::open_server(limits());
    end.now_us = 1_000;
    end.give(&raw(Kind::HEADERS, 0, 1, b"")).unwrap();
    end.now_us = 1_200;
    end.give(&raw(Kind::CONTINUATION, 0, 1, b"")).unwrap();
    assert_eq!(overdue(&mut end, 1_300), Cause::Rule(Rule::HeadTimeout));
}

/// A server whose streams 1 and 3 have data to send.
fn sending(settings_of_peer: &[Setting], limits: Limits) -> End {
    let mut end = End::open_server(limits);
    end.give(&[settings(settings_of_peer), headers(1, END, &GET), headers(3, END, &GET)].concat()).unwrap();
    for stream in [id(1), id(3)] {
        end.answer(stream, false);
        end.connection.wants_to_send(stream);
    }
    end.out.clear();
    end
}

fn send_all(end: &mut End, now_us: u64) {
    while let Some(turn) = end.connection.next_turn(now_us) {
        end.connection.data_head(turn.stream, turn.bytes, false).unwrap();
    }
}

#[test]
fn a_stream_whose_window_stays_closed_is_given_up() {
    let mut limits = limits();
    limits.rates.set(BudgetName::Stalls, Rate { window: 1, window_us: 1_000_000, lifetime: 10 });
    let mut end = sending(&[Setting::InitialWindowSize(1_000)], limits);
    send_all(&mut end, 50);
    assert_eq!(end.connection.deadline(), Some(450));
    assert_eq!(end.connection.on_deadline(449, &mut end.out), Ok(None));
    // One that moves has its time again.
    end.give(&window_update(3, 1_000)).unwrap();
    send_all(&mut end, 100);
    let ended = end.connection.on_deadline(450, &mut end.out).unwrap();
    assert_eq!(ended, Some(Event::Ended { stream: id(1) }));
    let by = EndedBy::Error(Cause::Rule(Rule::Stalled));
    assert_eq!(end.connection.stream_end(id(1)).unwrap().by, by);
    assert_eq!(end.connection.on_deadline(450, &mut end.out), Ok(None));
    assert_eq!(end.connection.deadline(), Some(500));
    // The budget allows one.
    let error = end.connection.on_deadline(500, &mut end.out).unwrap_err();
    assert_eq!(error.0, Cause::Budget(BudgetName::Stalls));
}

#[test]
fn a_connection_whose_window_stays_closed_is_given_up() {
    let mut end = sending(&[Setting::InitialWindowSize(1 << 20)], limits());
    send_all(&mut end, 50);
    assert_eq!(overdue(&mut end, 450), Cause::Cap(Cap::Stalled));
}

#[test]
fn an_answer_that_is_complete_does_not_stall() {
    let mut end = End::open_server(limits());
    end.give(&[settings(&[Setting::InitialWindowSize(1 << 20)]), headers(1, END_HEADERS, &POST)].concat()).unwrap();
    end.answer(id(1), false);
    end.connection.wants_to_send(id(1));
    let mut left = 65_535;
    while left > 0 {
        let turn = end.connection.next_turn(0).unwrap();
        left -= turn.bytes;
        end.connection.data_head(turn.stream, turn.bytes, left == 0).unwrap();
    }
    // The window is closed, and the request still open; but nobody waits.
    assert_eq!(end.connection.next_turn(10), None);
    assert_eq!(end.connection.deadline(), None);
}

#[test]
fn nothing_stalls_while_nothing_waits() {
    let mut end = sending(&[Setting::InitialWindowSize(1 << 20)], limits());
    send_all(&mut end, 50);
    for stream in [id(1), id(3)] {
        end.connection.has_sent_all(stream);
    }
    assert!(end.connection.next_turn(60).is_none());
    assert_eq!(end.connection.deadline(), None);
    assert_eq!(end.connection.on_deadline(1_000, &mut end.out), Ok(None));
    // What begins to wait later has its own time.
    end.connection.wants_to_send(id(1));
    assert!(end.connection.next_turn(2_000).is_none());
    assert_eq!(end.connection.deadline(), Some(2_400));
    end.give(&window_update(0, 1_000)).unwrap();
    assert_eq!(end.connection.deadline(), None);
}
