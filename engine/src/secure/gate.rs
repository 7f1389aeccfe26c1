//! What bounds the handshakes of a shard: how many there are, and how much of a turn they may take.
//!
//! A handshake costs as much as several requests. Those that are ready wait in line, so that the exchanges that go on have
//! most of each turn; of those that wait for their clients the oldest goes when there are too many.

use ringgate_rt::clock::{self, Moment};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How much of one turn of a shard's loop handshakes may take before the others have theirs; one step always may.
pub(crate) const TURN_MAX: Duration = Duration::from_micros(500);
/// Handshakes that are woken at the end of a turn; those that find it used up wait for the next.
const WOKEN_MAX: usize = 8;

/// The handshakes of a shard.
#[derive(Default)]
pub(crate) struct Gate {
    spent: Cell<Duration>,
    /// By the number that each drew when it had to wait: whoever is woken in vain keeps its place.
    line: RefCell<BTreeMap<u64, Waker>>,
    going_on: RefCell<BTreeMap<u64, Rc<Going>>>,
    next: Cell<u64>,
}

/// A handshake that goes on.
struct Going {
    over: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

/// A handshake's place among those that go on.
pub(crate) struct Place<'g> {
    gate: &'g Gate,
    number: u64,
    going: Rc<Going>,
}

impl Gate {
    /// A place for a handshake. If there are more than `max` then, the oldest loses its own.
    pub(crate) fn enter(&self, max: usize) -> Place<'_> {
        let number = self.number();
        let going = Rc::new(Going { over: Cell::new(false), waker: RefCell::new(None) });
        let mut all = self.going_on.borrow_mut();
        all.insert(number, going.clone());
        if all.len() > max
            && let Some((_, oldest)) = all.pop_first()
        {
            oldest.over.set(true);
            if let Some(waker) = oldest.waker.take() {
                waker.wake();
            }
        }
        Place { gate: self, number, going }
    }

    fn number(&self) -> u64 {
        self.next.replace(self.next.get() + 1)
    }

    #[cfg(test)]
    fn going_on(&self) -> usize {
        self.going_on.borrow().len()
    }

    /// Does a step of a handshake when its turn has come.
    pub(crate) async fn step<R>(&self, work: impl FnOnce() -> R) -> R {
        let mut number = None;
        poll_fn(|cx| {
            if self.spent.get() < TURN_MAX {
                return Poll::Ready(());
            }
            let number = *number.get_or_insert_with(|| self.number());
            self.line.borrow_mut().insert(number, cx.waker().clone());
            Poll::Pending
        })
        .await;
        if let Some(number) = number {
            self.line.borrow_mut().remove(&number);
        }
        let begun = clock::read();
        let result = work();
        self.spent.set(self.spent.get() + since(begun));
        result
    }

    /// A turn of the loop is over.
    #[inline]
    pub(crate) fn turn_over(&self) {
        self.spent.set(Duration::ZERO);
        // Some may be of tasks that are gone, and take nothing of the next turn: those behind them are woken then.
        for _ in 0..WOKEN_MAX {
            let Some((_, waker)) = self.line.borrow_mut().pop_first() else { return };
            waker.wake();
        }
    }
}

fn since(begun: Moment) -> Duration {
    // A step that takes no measurable time has been one all the same.
    clock::read().since(begun).max(Duration::from_nanos(1))
}

impl Place<'_> {
    /// Ready when the place is lost.
    pub(crate) fn poll_lost(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.going.over.get() {
            return Poll::Ready(());
        }
        let mut waker = self.going.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.gate.going_on.borrow_mut().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::sync::{Arc, Mutex};
    use std::task::Wake;

    fn context() -> Context<'static> {
        Context::from_waker(Waker::noop())
    }

    #[test]
    fn one_more_than_there_may_be_costs_the_oldest_its_place() {
        let gate = Gate::default();
        let (first, second) = (gate.enter(2), gate.enter(2));
        assert!(first.poll_lost(&mut context()).is_pending(), "at the limit");
        let third = gate.enter(2);
        assert!(first.poll_lost(&mut context()).is_ready(), "one past it");
        assert!(second.poll_lost(&mut context()).is_pending() && third.poll_lost(&mut context()).is_pending());
        drop((first, second));
        assert_eq!(gate.going_on(), 1);
    }

    #[test]
    fn a_step_that_used_the_turn_up_lets_the_next_one_wait() {
        let gate = Gate::default();
        let slow = || std::thread::sleep(TURN_MAX + Duration::from_micros(100));
        assert!(pin!(gate.step(slow)).poll(&mut context()).is_ready());
        let mut next = pin!(gate.step(|| 5));
        assert!(next.as_mut().poll(&mut context()).is_pending());
        gate.turn_over();
        assert_eq!(next.poll(&mut context()), Poll::Ready(5));
    }

    #[test]
    fn those_that_wait_have_their_turns_in_the_order_in_which_they_came() {
        let gate = Gate::default();
        let slow = || std::thread::sleep(TURN_MAX + Duration::from_micros(100));
        assert!(pin!(gate.step(slow)).poll(&mut context()).is_ready());
        let woken = Arc::new(Woken::default());
        let mut waiting: Vec<_> = (0..12).map(|_| Some(Box::pin(gate.step(slow)))).collect();
        let mut poll = |at: usize| {
            let waker = Waker::from(Arc::new(One { number: at, woken: woken.clone() }));
            let step = waiting[at].as_mut().expect("woken after its step");
            let ready = step.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
            if ready {
                waiting[at] = None;
            }
            ready
        };
        assert!(!(0..12).any(&mut poll), "the turn is used up");
        let mut done = Vec::new();
        for _ in 0..12 {
            gate.turn_over();
            let now = std::mem::take(&mut *woken.0.lock().expect("nobody panics with it"));
            done.extend(now.into_iter().filter(|at| poll(*at)));
        }
        assert_eq!(done, (0..12).collect::<Vec<_>>());
        assert!(gate.line.borrow().is_empty());
    }

    /// Who has been woken, in order.
    #[derive(Default)]
    struct Woken(Mutex<Vec<usize>>);

    struct One {
        number: usize,
        woken: Arc<Woken>,
    }

    impl Wake for One {
        fn wake(self: Arc<One>) {
            self.woken.0.lock().expect("nobody panics with it").push(self.number);
        }
    }
}
