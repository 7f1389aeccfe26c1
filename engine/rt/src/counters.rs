//! What a shard has done, counted by kind. Written by the shard alone, read by any thread.
//!
//! Counted are the operations that this crate asks of the driver. monoio's own cancels and closes are not visible
//! here; a stream that is closed at rest needs neither.

use crate::buffer;
use crate::clock::{self, Moment};
use crate::histogram::{Histogram, Scale};
use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// One shard's counters.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: Counter,)*
            /// How long its turns have taken.
            pub turn_times: TurnTimes,
            /// Its buffers, as they were at the end of its last turn.
            pub buffers: BufferGauges,
        }

        impl Counters {
            /// Every plain counter with its name.
            pub fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name.get())),*].into_iter()
            }
        }
    };
}

counters! {
    /// Receives into a buffer.
    recv,
    /// Sends of a buffer.
    send,
    /// Waits for readiness without a buffer.
    poll,
    /// Connections asked for.
    connect,
    /// Connections accepted.
    accept,
    /// Receives that were cancelled.
    cancel,
    /// Streams closed.
    close,
    /// Turns of the loop in which something ran.
    turns,
    /// Panics that were caught: in tasks, in hooks, in drops.
    panics,
}

impl Counters {
    /// Receives, sends and waits together: the operations that a request costs.
    pub fn operations(&self) -> u64 {
        self.recv.get() + self.send.get() + self.poll.get()
    }
}

/// A number that one thread writes and any thread reads.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one. Only the owning shard may call it: it is a load and a store, no locked instruction.
    #[inline]
    pub fn add_one(&self) {
        self.add(1);
    }

    /// Adds `n`, under the same condition.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    /// The value now.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down; one thread writes it and any thread reads it.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Puts another value in its place. Only the owning shard may call it.
    #[inline]
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Adds one, under the same condition.
    #[inline]
    pub fn add_one(&self) {
        self.set(self.get().wrapping_add(1));
    }

    /// Takes one away, under the same condition.
    #[inline]
    pub fn take_one(&self) {
        self.set(self.get().wrapping_sub(1));
    }

    /// The value now.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The scale of times that a shard needs for its own work, in microseconds: 10 us to 1 s.
pub static FINE_MICROS: Scale<17> = Scale::new([
    10,
    25,
    50,
    75,
    100,
    150,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    1_000_000,
    u64::MAX,
]);

/// How long the turns of a loop took: from its first look at the clock to its end. What became ready meanwhile had to wait
/// as long.
#[derive(Debug, Default)]
pub struct TurnTimes {
    /// By the scale [`FINE_MICROS`].
    pub micros: Histogram<17>,
    longest: AtomicU64,
}

impl TurnTimes {
    /// A turn that took so many microseconds. Only the owning shard may call it.
    #[inline]
    fn record(&self, micros: u64) {
        self.micros.record(&FINE_MICROS, micros);
        if micros > self.longest.load(Ordering::Relaxed) {
            self.longest.store(micros, Ordering::Relaxed);
        }
    }

    /// The longest turn since this was last asked, in microseconds. (A turn that ends at this very moment may be missed, or
    /// be told twice.)
    pub fn longest_since_asked(&self) -> u64 {
        self.longest.swap(0, Ordering::Relaxed)
    }
}

/// A shard's buffers.
#[derive(Debug, Default)]
pub struct BufferGauges {
    /// Standard buffers in use.
    pub standard_lent: Gauge,
    /// Standard buffers that wait with their pages.
    pub standard_free: Gauge,
    /// Large buffers in use.
    pub large_lent: Gauge,
    /// Large buffers that wait with their pages.
    pub large_free: Gauge,
    /// Bytes of all buffers in use, those of other sizes included.
    pub lent_bytes: Gauge,
}

/// The end of a turn in which something ran: its time is counted, and what only the shard knows is left for others to read.
/// Returns the time, read anew.
#[inline]
pub(crate) fn end_turn(ran: bool) -> Moment {
    let now = clock::read();
    if ran {
        let begun = clock::begun().unwrap_or(now);
        let _ = COUNTERS.try_with(|cell| {
            let counters = cell.get_or_init(Arc::default);
            counters.turns.add_one();
            counters.turn_times.record(now.0.saturating_sub(begun.0));
            buffer::tell(&counters.buffers);
        });
    }
    now
}

thread_local! {
    static COUNTERS: OnceCell<Arc<Counters>> = const { OnceCell::new() };
}

/// This shard's counters, to be read from elsewhere.
pub fn shared() -> Arc<Counters> {
    COUNTERS.with(|cell| cell.get_or_init(Arc::default).clone())
}

#[inline]
pub(crate) fn count(which: impl FnOnce(&Counters) -> &Counter) {
    // What is dropped while its thread ends is counted no more.
    let _ = COUNTERS.try_with(|cell| which(cell.get_or_init(Arc::default)).add_one());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Buf;
    use crate::buffer::{LARGE_BYTES, STANDARD_BYTES};
    use crate::by_hand::ByHand;
    use crate::task;
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::{Duration, Instant};

    #[test]
    fn a_turn_leaves_its_time_and_its_buffers() {
        let mut by_hand = ByHand::new();
        let kept = Rc::new(RefCell::new(Vec::new()));
        let inside = kept.clone();
        task::spawn(async move {
            clock::now();
            inside.borrow_mut().extend([Buf::standard(), Buf::standard(), Buf::large()]);
            drop(Buf::standard());
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_millis(2) {}
        });
        by_hand.turn();
        let counters = shared();
        let mut times = crate::histogram::Counts::default();
        counters.turn_times.micros.add_to(&mut times);
        assert_eq!((counters.turns.get(), times.count()), (1, 1));
        assert!(times.sum >= 2000, "{times:?}");
        assert_eq!(counters.turn_times.longest_since_asked(), times.sum);
        assert_eq!(counters.turn_times.longest_since_asked(), 0);

        let buffers = &counters.buffers;
        let lent = (buffers.standard_lent.get(), buffers.standard_free.get(), buffers.large_lent.get());
        assert_eq!(lent, (2, 1, 1));
        assert_eq!(buffers.lent_bytes.get(), (2 * STANDARD_BYTES + LARGE_BYTES) as u64);
        // A turn in which nothing ran is not counted.
        by_hand.turn();
        assert_eq!(counters.turns.get(), 1);
    }
}
