use super::*;

const RATE: Rate = Rate { window: 10, window_us: 1_000, lifetime: 25 };

#[test]
fn the_window_is_used_up_and_fills_again_evenly() {
    let mut budget = Budget::new(&RATE, 0);
    for _ in 0..10 {
        assert!(budget.consume(1, &RATE, 0));
    }
    assert!(!budget.consume(1, &RATE, 0));
    assert!(!budget.consume(1, &RATE, 99));
    assert!(budget.consume(1, &RATE, 100));
    assert!(!budget.consume(1, &RATE, 199));
    assert!(budget.consume(2, &RATE, 300));
    assert!(budget.consume(10, &RATE, 5_000));
}

#[test]
fn time_that_is_not_a_whole_share_is_not_lost() {
    let mut budget = Budget::new(&RATE, 0);
    assert!(budget.consume(10, &RATE, 0));
    let taken = (1..=1_000).filter(|&now| budget.consume(1, &RATE, now)).count();
    assert_eq!(taken, 10);
}

#[test]
fn the_lifetime_is_used_up_too_and_good_conduct_earns_it_back() {
    let mut budget = Budget::new(&RATE, 0);
    let taken = (0..100u64).filter(|turn| budget.consume(1, &RATE, turn * 1_000)).count();
    assert_eq!(taken, 25);
    budget.replenish(2, &RATE);
    assert!(budget.consume(2, &RATE, 200_000));
    assert!(!budget.consume(1, &RATE, 300_000));
    budget.replenish(u64::MAX, &RATE);
    let taken = (0..100u64).filter(|turn| budget.consume(1, &RATE, 400_000 + turn * 1_000)).count();
    assert_eq!(taken, 25);
}

#[test]
fn no_rate_and_no_clock_makes_it_overflow() {
    for rate in [
        Rate { window: u32::MAX, window_us: u64::MAX, lifetime: u64::MAX },
        Rate { window: 0, window_us: 0, lifetime: 0 },
        Rate { window: u32::MAX, window_us: 1, lifetime: u64::MAX },
    ] {
        let mut budget = Budget::new(&rate, u64::MAX / 2);
        for now in [0, u64::MAX, 5, u64::MAX - 1] {
            let _ = budget.consume(u32::MAX, &rate, now);
            let _ = budget.consume(1, &rate, now);
        }
    }
}

#[test]
fn numbers_are_places() {
    for (place, name) in BudgetName::ALL.iter().enumerate() {
        assert_eq!(*name as usize, place);
        assert!(name.message().len() > 10);
        assert!(name.key().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        assert!(u64::from(name.default_rate().window) <= name.default_rate().lifetime);
    }
}
