use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn waker() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count(AtomicUsize::new(0)));
    (count.clone(), Waker::from(count))
}

fn fire(wheel: &mut Wheel, step: u64) -> usize {
    wheel.advance(step).len()
}

fn poll(wheel: &mut Wheel, index: u32, cx: &mut Context<'_>) -> Poll<()> {
    wheel.poll(index, cx).0
}

#[test]
fn fires_at_its_step_and_once() {
    let mut wheel = Wheel::new(100);
    let (_, waker) = waker();
    let cx = &mut Context::from_waker(&waker);
    let index = wheel.insert();
    wheel.set(index, 105);
    assert!(poll(&mut wheel, index, cx).is_pending());
    assert_eq!(wheel.next_occupied(), Some(105));
    assert_eq!(fire(&mut wheel, 104), 0);
    assert_eq!(fire(&mut wheel, 105), 1);
    assert!(poll(&mut wheel, index, cx).is_ready());
    assert!(poll(&mut wheel, index, cx).is_pending(), "it fires once");
    assert_eq!(wheel.next_occupied(), None);
}

#[test]
fn a_later_deadline_is_put_back_when_the_old_slot_comes_round() {
    let mut wheel = Wheel::new(0);
    let (_, waker) = waker();
    let cx = &mut Context::from_waker(&waker);
    let index = wheel.insert();
    wheel.set(index, 10);
    let _ = poll(&mut wheel, index, cx);
    wheel.set(index, 50);
    assert_eq!(wheel.next_occupied(), Some(10), "the wheel was not touched");
    assert_eq!(fire(&mut wheel, 10), 0);
    assert_eq!(wheel.next_occupied(), Some(50));
    assert_eq!(fire(&mut wheel, 50), 1);
}

#[test]
fn an_earlier_deadline_moves_at_once() {
    let mut wheel = Wheel::new(0);
    let (_, waker) = waker();
    let cx = &mut Context::from_waker(&waker);
    let index = wheel.insert();
    wheel.set(index, 50);
    let _ = poll(&mut wheel, index, cx);
    wheel.set(index, 10);
    assert_eq!(wheel.next_occupied(), Some(10));
    assert_eq!(fire(&mut wheel, 10), 1);
    assert!(poll(&mut wheel, index, cx).is_ready());
}

#[test]
fn deadlines_beyond_a_turn_wait_for_theirs() {
    let mut wheel = Wheel::new(0);
    let (_, waker) = waker();
    let cx = &mut Context::from_waker(&waker);
    let index = wheel.insert();
    let far = 3 * SLOTS as u64 + 7;
    wheel.set(index, far);
    let _ = poll(&mut wheel, index, cx);
    let mut woken = 0;
    let mut at = 0;
    while at < far - 1 {
        at = (at + 500).min(far - 1);
        woken += fire(&mut wheel, at);
    }
    assert_eq!(woken, 0);
    assert_eq!(fire(&mut wheel, far), 1);
}

#[test]
fn a_long_pause_misses_nobody() {
    let mut wheel = Wheel::new(0);
    let (_, waker) = waker();
    let cx = &mut Context::from_waker(&waker);
    let timers: Vec<u32> = (0..5000)
        .map(|n| {
            let i = wheel.insert();
            wheel.set(i, 1 + n);
            let _ = poll(&mut wheel, i, cx);
            i
        })
        .collect();
    assert_eq!(fire(&mut wheel, 1_000_000), 5000);
    assert!(timers.into_iter().all(|i| poll(&mut wheel, i, cx).is_ready()));
}

#[test]
fn cleared_and_removed_timers_stay_silent() {
    let (count, waker) = waker();
    let cx = &mut Context::from_waker(&waker);
    let a = Timer::new();
    let b = Timer::new();
    a.set(clock::now().after(Duration::from_millis(10)));
    b.set(clock::now().after(Duration::from_millis(10)));
    let _ = (a.poll(cx), b.poll(cx));
    a.clear();
    assert!(!a.is_set());
    drop(b);
    WHEEL.with_borrow_mut(|wheel| {
        let step = wheel.current + 10;
        assert!(wheel.advance(step).is_empty());
    });
    assert_eq!(count.0.load(Ordering::Relaxed), 0);
    wake_all();
    assert_eq!(count.0.load(Ordering::Relaxed), 1, "the one that is left is woken");
}

/// A waker that owns a timer, as a task does that nothing else holds any more.
struct OwnsTimer;

impl Wake for OwnsTimer {
    fn wake(self: Arc<Self>) {}
}

impl Drop for OwnsTimer {
    fn drop(&mut self) {
        drop(Timer::new());
    }
}

#[test]
fn a_replaced_waker_may_own_timers_itself() {
    let timer = Timer::new();
    for _ in 0..2 {
        let waker = Waker::from(Arc::new(OwnsTimer));
        assert!(timer.poll(&mut Context::from_waker(&waker)).is_pending());
        let waker = Waker::from(Arc::new(OwnsTimer));
        timer.watch(&mut Context::from_waker(&waker));
    }
}

proptest::proptest! {
    #[test]
    fn agrees_with_a_sorted_list(ops in proptest::collection::vec((0usize..20, 1u64..6000, 0u64..700), 1..200)) {
        let mut wheel = Wheel::new(0);
        let (_, waker) = waker();
        let cx = &mut Context::from_waker(&waker);
        let timers: Vec<u32> = (0..20).map(|_| wheel.insert()).collect();
        let mut model = [NEVER; 20];
        let mut now = 0;
        for (which, ahead, pass) in ops {
            wheel.set(timers[which], now + ahead);
            model[which] = now + ahead;
            for i in 0..20 {
                proptest::prop_assert_eq!(poll(&mut wheel, timers[i], cx).is_ready(), model[i] <= now);
                if model[i] <= now { model[i] = NEVER; }
            }
            // Never sleeps past a deadline.
            if let Some(first) = model.iter().min().filter(|m| **m != NEVER) {
                proptest::prop_assert!(wheel.next_occupied().is_some_and(|next| next <= *first));
            }
            now += pass;
            let due = model.iter().filter(|m| **m <= now).count();
            proptest::prop_assert_eq!(fire(&mut wheel, now), due);
        }
    }
}
