//! What is remembered of streams that are gone, to tell late frames from wrong ones (RFC 9113 section 5.1, "closed").

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

/// Streams reset by this end that are remembered. Those that were forgotten are still treated as reset.
const RESETS_MAX: usize = 128;

/// Streams ended by the peer that are remembered, to call a frame on them by the right name.
const ENDS_MAX: usize = 64;

/// How a stream came to be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Past {
    /// This end reset it: the peer may have sent frames before it knew.
    ResetHere,
    /// The peer ended or reset it, and must send nothing more.
    EndedByPeer,
    /// It was never used, or ended long ago.
    Unknown,
}

#[derive(Clone, Debug, Default)]
pub(super) struct ClosedStreams {
    resets: VecDeque<u32>,
    /// The highest identifier that `resets` has forgotten.
    forgotten: u32,
    ends: VecDeque<u32>,
}

impl ClosedStreams {
    pub(super) fn reset_here(&mut self, id: u32) {
        if self.resets.len() == RESETS_MAX {
            let forgotten = self.resets.pop_front();
            self.forgotten = self.forgotten.max(forgotten.unwrap_or(0));
        }
        self.resets.push_back(id);
    }

    pub(super) fn ended_by_peer(&mut self, id: u32) {
        if self.ends.len() == ENDS_MAX {
            self.ends.pop_front();
        }
        self.ends.push_back(id);
    }

    pub(super) fn past(&self, id: u32) -> Past {
        if self.resets.contains(&id) {
            Past::ResetHere
        } else if self.ends.contains(&id) {
            Past::EndedByPeer
        } else if id <= self.forgotten {
            Past::ResetHere
        } else {
            Past::Unknown
        }
    }
}
