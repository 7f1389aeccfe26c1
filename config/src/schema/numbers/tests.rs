//! The expressions take just the numbers that they should.

use proptest::prelude::*;
use regex::Regex;

use super::*;

fn whole(alternatives: &[String]) -> Regex {
    Regex::new(&format!("^(?:{})$", alternatives.join("|"))).unwrap()
}

#[test]
fn ranges_take_their_numbers_and_no_others() {
    for (min, max) in [(0, 0), (0, 9), (0, 10), (1, 1000), (7, 7), (99, 101), (256, 1023), (95, 2005), (0, 1999)] {
        let range = whole(&range(min, max));
        for number in 0..3000 {
            assert_eq!(range.is_match(&number.to_string()), (min..=max).contains(&number), "{number} {min} {max}");
        }
    }
    assert_eq!(
        range(0, 65_535).join("|"),
        "[0-9]|[1-9][0-9]|[1-9][0-9]{2}|[1-9][0-9]{3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
    );
}

#[test]
fn nothing_is_outside_of_everything_but_what_has_more_digits() {
    let outside = Regex::new(&outside(0, u64::MAX, &[("", 1)]).unwrap()).unwrap();
    assert!(!outside.is_match("18446744073709551615") && outside.is_match("118446744073709551615"));
}

proptest! {
    #[test]
    fn what_is_outside_is_not_within(
        min in 0u64..5000,
        width in 0u64..100_000,
        number in 0u64..200_000,
        unit in prop::sample::select(vec![("s", 1000u64), ("m", 60_000), ("ms", 1)]),
        zeros in 0usize..3,
    ) {
        let max = min + width;
        let outside = Regex::new(&outside(min, max, &[("s", 1000), ("m", 60_000), ("ms", 1)]).unwrap()).unwrap();
        let text = format!("{}{number}{}", "0".repeat(zeros), unit.0);
        prop_assert_eq!(outside.is_match(&text), !(min..=max).contains(&(number * unit.1)), "{}", text);
    }

    #[test]
    fn large_ranges_end_where_they_end(min in any::<u64>(), max in any::<u64>(), number in any::<u64>()) {
        let (min, max) = (min.min(max), min.max(max));
        let range = whole(&range(min, max));
        for number in [number, min, max, min.saturating_sub(1), max.saturating_add(1)] {
            prop_assert_eq!(range.is_match(&number.to_string()), (min..=max).contains(&number));
        }
    }
}
