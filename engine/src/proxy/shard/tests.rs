//! The time of day follows the system's clock.

use super::*;

const EPOCH_IN_2026: u64 = 1_767_225_600 * MICROS_A_SECOND;

#[test]
fn the_system_s_clock_is_asked_once_in_a_second_of_the_shard_s() {
    let wall = Wall::new();
    let asked = Cell::new(0);
    let at = |micros: u64, zero: u64| {
        wall.keep(Moment(micros), || {
            asked.set(asked.get() + 1);
            zero
        });
        wall.zero.get()
    };
    assert_eq!(at(5, 100), 100, "at the start");
    assert_eq!(at(999_999, 200), 100, "in the same second");
    assert_eq!(at(1_000_000, 300), 300, "the clock was set");
    assert_eq!(at(1_900_000, 400), 300);
    assert_eq!(at(9_000_000, 50), 50, "and back again");
    assert_eq!(asked.get(), 3);
}

#[test]
fn a_step_of_the_system_s_clock_is_over_by_the_next_second() {
    let wall = Wall::new();
    let now = clock::now();
    let before = wall.unix_micros(now);
    assert!(before > EPOCH_IN_2026 / 2);
    // As if the clock had been set, and a second had passed since it was asked.
    wall.zero.set(0);
    wall.checked.set(u64::MAX);
    let date = wall.http_date();
    assert!(wall.unix_micros(now) >= before.saturating_sub(MICROS_A_SECOND));
    assert_ne!(&date[12..16], b"1970", "{}", String::from_utf8_lossy(&date));
}
