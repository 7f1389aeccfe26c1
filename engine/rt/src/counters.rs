//! What a shard has done, counted by kind. Written by the shard alone, read by any thread.
//!
//! Counted are the operations that this crate asks of the driver. monoio's own cancels and closes are not visible
//! here; a stream that is closed at rest needs neither.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// One shard's counters.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub $name: Counter),* }

        impl Counters {
            /// Every counter with its name.
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
