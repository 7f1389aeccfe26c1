//! Time as a shard sees it: read once in a turn of the loop, in microseconds since the process began.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A moment, in microseconds since the first use of the clock in this process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Moment(pub u64);

impl Moment {
    /// The moment `duration` later.
    #[inline]
    pub fn after(self, duration: Duration) -> Moment {
        Moment(self.0.saturating_add(micros(duration)))
    }

    /// The time from `earlier` to this moment; zero if it is not earlier.
    #[inline]
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

thread_local! {
    static NOW: Cell<Option<Moment>> = const { Cell::new(None) };
}

/// The time at which this turn of the loop first asked.
#[inline]
pub fn now() -> Moment {
    NOW.with(|now| {
        now.get().unwrap_or_else(|| {
            let moment = read();
            now.set(Some(moment));
            moment
        })
    })
}

/// The time at which this turn of the loop first asked; none if it has not.
#[inline]
pub(crate) fn begun() -> Option<Moment> {
    NOW.with(Cell::get)
}

/// The time, read anew.
pub fn read() -> Moment {
    static START: OnceLock<Instant> = OnceLock::new();
    Moment(micros(START.get_or_init(Instant::now).elapsed()))
}

/// Forgets the time that was read: the next call of [`now`] reads it again. The loop calls it at the end of each turn.
pub fn forget() {
    NOW.with(|now| now.set(None));
}
