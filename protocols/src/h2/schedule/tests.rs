use super::*;

const SHARE: Priority = Priority { urgency: 3, incremental: true };
const WHOLE: Priority = Priority { urgency: 3, incremental: false };
const FRAME: u32 = 16 << 10;

/// Streams and what they have to send, in frames; the order in which they send it.
fn run(streams: &[(u32, Priority, u32)]) -> Vec<u32> {
    let mut schedule = Schedule::default();
    let mut left: Vec<_> = streams.to_vec();
    for (id, priority, _) in streams {
        schedule.enter(*id, priority.urgency);
    }
    let mut order = Vec::new();
    while let Some(id) = schedule.pick(|id, _| left.iter().any(|(other, _, frames)| *other == id && *frames > 0)) {
        let (_, priority, frames) = left.iter_mut().find(|(other, ..)| *other == id).unwrap();
        *frames -= 1;
        order.push(id);
        schedule.sent(id, *priority, FRAME);
    }
    order
}

#[test]
fn incremental_streams_take_turns() {
    assert_eq!(run(&[(1, SHARE, 3), (3, SHARE, 1), (5, SHARE, 2)]), [1, 3, 5, 1, 5, 1]);
}

#[test]
fn others_go_one_after_the_other() {
    assert_eq!(run(&[(1, WHOLE, 3), (3, WHOLE, 2)]), [1, 1, 1, 3, 3]);
}

#[test]
fn a_long_one_does_not_keep_a_short_one_waiting() {
    let order = run(&[(1, WHOLE, 100), (3, WHOLE, 1)]);
    assert_eq!(order.iter().position(|id| *id == 3), Some((RUN_BYTES / FRAME) as usize));
}

#[test]
fn the_most_urgent_go_first_and_nobody_waits_for_ever() {
    let urgent = Priority { urgency: 0, ..SHARE };
    let idle = Priority { urgency: 7, ..SHARE };
    let order = run(&[(1, idle, 2), (3, SHARE, 2), (5, urgent, 60)]);
    assert_eq!(order.iter().position(|id| *id == 1), Some(LEAST_URGENT_EVERY as usize - 1));
    assert_eq!(order[order.len() - 3..], [3, 3, 1]);
    assert_eq!(order.iter().filter(|id| **id == 5).count(), 60);
}

#[test]
fn what_is_not_ready_is_dropped() {
    let mut schedule = Schedule::default();
    schedule.enter(1, 0);
    schedule.enter(3, 0);
    assert_eq!(schedule.pick(|id, _| id == 3), Some(3));
    assert_eq!(schedule.pick(|_, _| true), Some(3));
    assert_eq!(schedule.pick(|_, _| false), None);
    assert_eq!(schedule.pick(|_, _| true), None);
}
