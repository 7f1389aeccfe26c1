//! Whose turn it is to send, on a whole connection.

use crate::wire::*;
use ringgate_protocols::h2::frame::{Kind, Setting};
use ringgate_protocols::h2::{Limits, Priority};

/// A server with answers to send to these requests, each with its `priority`, and large windows.
fn server(priorities: &[Option<&'static str>]) -> End {
    let mut end = End::open_server(Limits::default());
    end.give(&[settings(&[Setting::InitialWindowSize(1 << 20)]), window_update(0, 1 << 24)].concat()).unwrap();
    for (index, priority) in priorities.iter().enumerate() {
        let number = 2 * index as u32 + 1;
        let more: Vec<_> = priority.iter().map(|priority| ("priority", *priority)).collect();
        end.give(&headers(number, END, &with(&GET, &more))).unwrap();
        end.answer(id(number), false);
        end.connection.wants_to_send(id(number));
    }
    end
}

/// The next so many turns.
fn turns(end: &mut End, count: usize) -> Vec<u32> {
    let mut order = Vec::new();
    for _ in 0..count {
        let Some(turn) = end.connection.next_turn(0) else { break };
        end.connection.data_head(turn.stream, turn.bytes, false).unwrap();
        order.push(turn.stream.number());
    }
    order
}

#[test]
fn answers_without_priority_share() {
    assert_eq!(turns(&mut server(&[None, None, None]), 7), [1, 3, 5, 1, 3, 5, 1]);
}

#[test]
fn priorities_of_requests_count() {
    assert_eq!(turns(&mut server(&[Some("u=5"), Some("u=1, i"), Some("u=1, i")]), 4), [3, 5, 3, 5]);
    assert_eq!(turns(&mut server(&[Some("u=3"), Some("u=3")]), 9), [1, 1, 1, 1, 1, 1, 1, 1, 3]);
}

#[test]
fn they_may_change_and_come_before_their_request() {
    let update =
        |stream: u32, value: &[u8]| raw(Kind::PRIORITY_UPDATE, 0, 0, &[&stream.to_be_bytes()[..], value].concat());
    let mut end = server(&[None, None]);
    end.give(&update(3, b"u=0")).unwrap();
    assert_eq!(turns(&mut end, 3), [3, 3, 3]);
    // The frame counts for more than the field.
    end.give(&[update(5, b"u=0, i"), headers(5, END, &with(&GET, &[("priority", "u=7")]))].concat()).unwrap();
    assert_eq!(end.connection.priority(id(5)), Some(Priority { urgency: 0, incremental: true }));
    end.connection.reprioritise(id(3), Priority { urgency: 200, incremental: false });
    assert_eq!(end.connection.priority(id(3)), Some(Priority { urgency: 7, incremental: false }));
    assert_eq!(turns(&mut end, 2), [1, 1]);
}

#[test]
fn streams_without_window_are_passed_over_until_they_have_one() {
    let mut end = server(&[None, None]);
    end.give(&settings(&[Setting::InitialWindowSize(20_000)])).unwrap();
    assert_eq!(turns(&mut end, 9), [1, 3, 1, 3]);
    end.give(&window_update(3, 1_000)).unwrap();
    assert_eq!(turns(&mut end, 9), [3]);
    end.give(&settings(&[Setting::InitialWindowSize(21_000)])).unwrap();
    assert_eq!(turns(&mut end, 9), [1, 3]);
    // One that has nothing to send has no turn.
    end.connection.has_sent_all(id(1));
    end.give(&[window_update(1, 1_000), window_update(3, 1_000)].concat()).unwrap();
    assert_eq!(turns(&mut end, 9), [3]);
    end.connection.wants_to_send(id(1));
    assert_eq!(turns(&mut end, 9), [1]);
}

#[test]
fn a_stream_that_wants_to_send_before_its_head_has_its_turn_after_it() {
    let mut end = End::open_server(Limits::default());
    end.give(&headers(1, END, &GET)).unwrap();
    end.connection.wants_to_send(id(1));
    assert_eq!(end.connection.next_turn(0), None);
    end.answer(id(1), false);
    end.connection.wants_to_send(id(1));
    assert_eq!(turns(&mut end, 1), [1]);
    // One that is gone has none.
    end.connection.release(id(1), &mut end.out);
    assert_eq!(end.connection.next_turn(0), None);
}
