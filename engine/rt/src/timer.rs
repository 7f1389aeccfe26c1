//! The deadline wheel: a hashed wheel of 10 ms steps for each shard (Varghese and Lauck, 1987).
//!
//! Most deadlines are moved many times and never reached. So a timer that is moved to a later time only has a field
//! changed; when its old slot comes round, it is put where it belongs. Only an earlier deadline touches the wheel.

use crate::clock::{self, Moment};
use std::cell::RefCell;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Microseconds of one step of the wheel: deadlines fire up to this much late.
pub const STEP_MICROS: u64 = 10_000;
/// Slots of the wheel: one turn of it is 20.48 s. Later deadlines are looked at once a turn.
const SLOTS: usize = 2048;
const NONE: u32 = u32::MAX;
const NEVER: u64 = u64::MAX;

/// One deadline. Owned by one task at a time.
pub struct Timer {
    index: u32,
}

impl Timer {
    /// A timer without a deadline.
    pub fn new() -> Timer {
        Timer { index: WHEEL.with_borrow_mut(Wheel::insert) }
    }

    /// Sets the deadline. An earlier one that has not been reached is forgotten.
    #[inline]
    pub fn set(&self, at: Moment) {
        WHEEL.with_borrow_mut(|wheel| wheel.set(self.index, at.0.div_ceil(STEP_MICROS)));
    }

    /// Sets the deadline to `duration` from now.
    pub fn set_after(&self, duration: Duration) {
        self.set(clock::now().after(duration));
    }

    /// Takes the deadline away.
    #[inline]
    pub fn clear(&self) {
        WHEEL.with_borrow_mut(|wheel| wheel.entries[self.index as usize].deadline = NEVER);
    }

    /// Whether there is a deadline.
    pub fn is_set(&self) -> bool {
        WHEEL.with_borrow(|wheel| wheel.entries[self.index as usize].deadline != NEVER)
    }

    /// Ready, once, when the deadline has passed; wakes the task then.
    #[inline]
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let (polled, replaced) = WHEEL.with_borrow_mut(|wheel| wheel.poll(self.index, cx));
        drop(replaced);
        polled
    }

    /// Makes sure that the task is woken by [`wake_all`], whether or not there is a deadline.
    pub fn watch(&self, cx: &mut Context<'_>) {
        drop(WHEEL.with_borrow_mut(|wheel| wheel.entries[self.index as usize].watch(cx)));
    }
}

impl Default for Timer {
    fn default() -> Timer {
        Timer::new()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // A thread that is ending may have lost its wheel before a task; then there is nothing to remove.
        let waker = WHEEL.try_with(|wheel| wheel.borrow_mut().remove(self.index));
        drop(waker);
    }
}

/// Waits for `duration`, in steps of 10 ms.
pub async fn sleep(duration: Duration) {
    let timer = Timer::new();
    timer.set_after(duration);
    std::future::poll_fn(|cx| timer.poll(cx)).await;
}

/// Wakes every task of this shard that has a timer which was polled or watched: what they wait for has changed as a
/// whole (the shard is draining).
pub fn wake_all() {
    let wakers: Vec<Waker> =
        WHEEL.with_borrow_mut(|wheel| wheel.entries.iter_mut().filter_map(|e| e.waker.take()).collect());
    wakers.into_iter().for_each(Waker::wake);
}

/// Wakes the tasks whose deadline has passed.
pub(crate) fn advance() {
    let due = WHEEL.with_borrow_mut(|wheel| wheel.advance(clock::now().0 / STEP_MICROS));
    due.into_iter().for_each(Waker::wake);
}

/// The next moment at which `advance` must be called, if any.
pub(crate) fn next() -> Option<Moment> {
    let next = WHEEL.with_borrow(Wheel::next_occupied);
    next.map(|step| Moment(step * STEP_MICROS))
}

thread_local! {
    static WHEEL: RefCell<Wheel> = RefCell::new(Wheel::new(clock::read().0 / STEP_MICROS));
}

struct Entry {
    /// The step at which it fires; `NEVER` if it has no deadline.
    deadline: u64,
    /// The step in whose slot it is queued; `NEVER` if in none. Never later than `deadline`.
    queued: u64,
    prev: u32,
    next: u32,
    waker: Option<Waker>,
}

impl Entry {
    /// Returns the waker that was replaced, to be dropped while the wheel is not borrowed: it may be what holds a task,
    /// which may own timers.
    #[must_use]
    fn watch(&mut self, cx: &mut Context<'_>) -> Option<Waker> {
        match &mut self.waker {
            Some(waker) if waker.will_wake(cx.waker()) => None,
            waker => waker.replace(cx.waker().clone()),
        }
    }
}

struct Wheel {
    entries: Vec<Entry>,
    free: Vec<u32>,
    heads: Box<[u32; SLOTS]>,
    occupied: [u64; SLOTS / 64],
    /// Every slot up to and with this step has been emptied.
    current: u64,
}

impl Wheel {
    fn new(current: u64) -> Wheel {
        Wheel {
            entries: Vec::new(),
            free: Vec::new(),
            heads: Box::new([NONE; SLOTS]),
            occupied: [0; SLOTS / 64],
            current,
        }
    }

    fn insert(&mut self) -> u32 {
        let entry = Entry { deadline: NEVER, queued: NEVER, prev: NONE, next: NONE, waker: None };
        if let Some(index) = self.free.pop() {
            self.entries[index as usize] = entry;
            return index;
        }
        self.entries.push(entry);
        (self.entries.len() - 1) as u32
    }

    fn remove(&mut self, index: u32) -> Option<Waker> {
        self.unlink(index);
        self.free.push(index);
        self.entries[index as usize].waker.take()
    }

    #[inline]
    fn set(&mut self, index: u32, step: u64) {
        let step = step.max(self.current + 1);
        let entry = &mut self.entries[index as usize];
        entry.deadline = step;
        if entry.queued > step {
            self.unlink(index);
            self.link(index, step);
        }
    }

    #[inline]
    fn poll(&mut self, index: u32, cx: &mut Context<'_>) -> (Poll<()>, Option<Waker>) {
        let entry = &mut self.entries[index as usize];
        if entry.deadline <= self.current {
            entry.deadline = NEVER;
            return (Poll::Ready(()), None);
        }
        (Poll::Pending, entry.watch(cx))
    }

    fn link(&mut self, index: u32, step: u64) {
        let slot = step as usize % SLOTS;
        let head = self.heads[slot];
        let entry = &mut self.entries[index as usize];
        entry.queued = step;
        entry.prev = NONE;
        entry.next = head;
        if head != NONE {
            self.entries[head as usize].prev = index;
        }
        self.heads[slot] = index;
        self.occupied[slot / 64] |= 1 << (slot % 64);
    }

    fn unlink(&mut self, index: u32) {
        let entry = &mut self.entries[index as usize];
        if entry.queued == NEVER {
            return;
        }
        let slot = entry.queued as usize % SLOTS;
        let (prev, next) = (entry.prev, entry.next);
        entry.queued = NEVER;
        if next != NONE {
            self.entries[next as usize].prev = prev;
        }
        if prev != NONE {
            self.entries[prev as usize].next = next;
        } else {
            self.heads[slot] = next;
            if next == NONE {
                self.occupied[slot / 64] &= !(1 << (slot % 64));
            }
        }
    }

    /// Empties the slots up to `step`; returns who is to be woken, and puts back who has moved on.
    fn advance(&mut self, step: u64) -> Vec<Waker> {
        let mut due = Vec::new();
        // After a pause of more than a turn every slot is looked at once, not once for each turn missed.
        let first = (self.current + 1).max(step.saturating_sub(SLOTS as u64 - 1));
        for at in first..=step {
            self.current = at;
            let mut index = self.heads[at as usize % SLOTS];
            while index != NONE {
                let next = self.entries[index as usize].next;
                self.visit(index, step, &mut due);
                index = next;
            }
        }
        self.current = self.current.max(step);
        due
    }

    fn visit(&mut self, index: u32, step: u64, due: &mut Vec<Waker>) {
        let deadline = self.entries[index as usize].deadline;
        self.unlink(index);
        if deadline <= step {
            due.extend(self.entries[index as usize].waker.take());
        } else if deadline != NEVER {
            // A deadline more than a turn away is queued as far as the wheel reaches, and looked at again there.
            self.link(index, deadline.min(self.current + SLOTS as u64 - 1));
        }
    }

    /// The first step after the current one whose slot holds an entry.
    fn next_occupied(&self) -> Option<u64> {
        let from = (self.current + 1) as usize % SLOTS;
        let mut word = from / 64;
        let mut bits = self.occupied[word] & (u64::MAX << (from % 64));
        for _ in 0..=SLOTS / 64 {
            if bits != 0 {
                let slot = word * 64 + bits.trailing_zeros() as usize;
                let ahead = (slot + SLOTS - from) % SLOTS;
                return Some(self.current + 1 + ahead as u64);
            }
            word = (word + 1) % (SLOTS / 64);
            bits = self.occupied[word];
        }
        None
    }
}

#[cfg(test)]
mod tests;
