//! Whose turn it is to send (RFC 9218 section 10).
//!
//! The most urgent streams go first. Among equals, incremental ones take turns of one frame each, others of
//! [`RUN_BYTES`], so that each is soon complete and none waits for a long one. Now and then the least urgent has a
//! turn, so that nobody waits for ever.

#[cfg(test)]
mod tests;

use super::Priority;
use std::collections::VecDeque;

/// Urgencies (RFC 9218 section 4.1).
const LEVELS: usize = 8;

/// Bytes that a stream which is not incremental may send before the next of the same urgency.
pub(super) const RUN_BYTES: u32 = 128 << 10;

/// Of so many turns, one goes to the least urgent stream.
const LEAST_URGENT_EVERY: u32 = 32;

/// Streams that want to send, by urgency. Entries are removed when their turn comes and they are found not to be ready.
#[derive(Clone, Debug, Default)]
pub(super) struct Schedule {
    levels: [VecDeque<u32>; LEVELS],
    /// Bytes sent by the first entry of its level since it became that.
    runs: [u32; LEVELS],
    turns: u32,
}

impl Schedule {
    /// Adds a stream at the end of its level.
    pub(super) fn enter(&mut self, id: u32, urgency: u8) {
        if let Some(level) = self.levels.get_mut(usize::from(urgency)) {
            level.push_back(id);
        }
    }

    /// The stream whose turn it is. `ready` is asked about a stream and the urgency of its entry; where it says no, the
    /// entry is dropped.
    pub(super) fn pick(&mut self, mut ready: impl FnMut(u32, u8) -> bool) -> Option<u32> {
        let from_least = self.turns % LEAST_URGENT_EVERY == LEAST_URGENT_EVERY - 1;
        for step in 0..LEVELS {
            let urgency = if from_least { LEVELS - 1 - step } else { step };
            while let Some(&id) = self.levels[urgency].front() {
                if ready(id, urgency as u8) {
                    return Some(id);
                }
                self.levels[urgency].pop_front();
                self.runs[urgency] = 0;
            }
        }
        None
    }

    /// Takes note that a stream has sent a frame. If that was its turn, the next one's may have come.
    pub(super) fn sent(&mut self, id: u32, priority: Priority, bytes: u32) {
        self.turns = self.turns.wrapping_add(1);
        let urgency = usize::from(priority.urgency) % LEVELS;
        let (level, run) = (&mut self.levels[urgency], &mut self.runs[urgency]);
        if level.front() != Some(&id) {
            return;
        }
        *run = run.saturating_add(bytes);
        if priority.incremental || *run >= RUN_BYTES {
            level.rotate_left(1);
            *run = 0;
        }
    }
}
