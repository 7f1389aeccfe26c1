//! Lines on their way to stderr. Whoever reads it may be slow, or stuck: a thread of its own waits for that reader, and
//! nobody else does.

use super::LogLevel;
use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Lines that may wait to be written,
pub(super) const LINES_MAX: usize = 4096;
/// and their bytes together: 1 MiB.
pub(super) const BYTES_MAX: usize = 1 << 20;

/// Lines that wait, in their order. What does not fit is dropped and counted.
pub(super) struct Queue {
    state: Mutex<State>,
    /// There is something to write.
    more: Condvar,
    /// Everything is written.
    idle: Condvar,
}

struct State {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Lines dropped since the last that was put in.
    lost: u64,
    /// A line was taken and is not written yet.
    writing: bool,
}

impl Queue {
    pub(super) const fn new() -> Queue {
        let state = State { lines: VecDeque::new(), bytes: 0, lost: 0, writing: false };
        Queue { state: Mutex::new(state), more: Condvar::new(), idle: Condvar::new() }
    }

    /// Puts a line in. Never waits for whoever reads.
    pub(super) fn put(&self, line: Vec<u8>) {
        let mut state = self.state();
        if state.lines.len() >= LINES_MAX || state.bytes + line.len() > BYTES_MAX {
            state.lost += 1;
            return;
        }
        // The count stands where the lines would have stood.
        state.count_lost();
        state.bytes += line.len();
        state.lines.push_back(line);
        self.more.notify_one();
    }

    /// Writes what is put in, for as long as the process lives.
    pub(super) fn write_to(&self, mut out: impl Write) -> ! {
        loop {
            let line = self.next();
            // Nothing is left to be told when stderr is gone.
            let _ = out.write_all(&line).and_then(|()| out.flush());
        }
    }

    /// The next line. Whoever asks has written the one before.
    fn next(&self) -> Vec<u8> {
        let mut state = self.state();
        state.writing = false;
        loop {
            if state.lines.is_empty() {
                state.count_lost();
            }
            if let Some(line) = state.lines.pop_front() {
                state.bytes -= line.len();
                state.writing = true;
                return line;
            }
            self.idle.notify_all();
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until everything is written, `limit` at most. Returns whether it is.
    pub(super) fn flush(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let mut state = self.state();
        while state.writing || !state.lines.is_empty() || state.lost > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.idle.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Says how many lines were dropped, if any were. That line fits always: it is one.
    fn count_lost(&mut self) {
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            let said = format!("{lost} lines are missing here: nobody has read stderr in time");
            let line = super::line(LogLevel::Warn, &said);
            self.bytes += line.len();
            self.lines.push_back(line);
        }
    }
}

#[cfg(test)]
mod tests;
