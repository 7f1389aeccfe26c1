//! Who may write next: the schedule, together with windows.

use super::Connection;
use crate::h2::schedule::Schedule;
use crate::h2::state::Progress;
use crate::h2::stream::Stream;
use crate::h2::{Priority, StreamId};

/// Data that is sent in one turn at most, in bytes: so that a turn of a long answer does not keep a short one waiting.
const TURN_BYTES: u32 = 16 << 10;

/// The least urgent (RFC 9218 section 4.1).
const URGENCY_MAX: u8 = 7;

/// A stream's turn to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// Whose turn it is.
    pub stream: StreamId,
    /// How many bytes it may send, in one frame; at least one.
    pub bytes: usize,
}

impl Connection {
    /// Says that the caller has data to send on a stream whose head has been sent.
    pub fn wants_to_send(&mut self, stream: StreamId) {
        let Some(found) = self.streams.get_mut(stream.0) else { return };
        if found.state.sends() {
            found.wants = true;
            self.enqueue(stream.0);
        }
    }

    /// Says that the caller has nothing more to send on a stream for now.
    pub fn has_sent_all(&mut self, stream: StreamId) {
        if let Some(found) = self.streams.get_mut(stream.0) {
            found.wants = false;
            found.parked_since_us = None;
        }
    }

    /// The stream that should send next. `None` if none wants to, or windows allow nothing.
    ///
    /// The caller then sends one DATA frame of that stream with [`Connection::data_head`], calls
    /// [`Connection::has_sent_all`] if that was all it has, and asks again. One that has only the end of a message to
    /// send needs no turn: an empty frame needs no window.
    pub fn next_turn(&mut self, now_us: u64) -> Option<Turn> {
        self.turn_us = now_us;
        let connection_window = self.send.available();
        if connection_window == 0 || self.failing.is_some() {
            self.note_blocked(now_us);
            return None;
        }
        self.blocked_since_us = None;
        let streams = &mut self.streams;
        let mut parked = false;
        let id = self.schedule.pick(|id, urgency| {
            let Some(stream) = streams.get_mut(id) else { return false };
            let is_ready = stream.wants
                && stream.state.sends()
                && stream.sending == Progress::Body
                && stream.priority.urgency == urgency;
            if is_ready && stream.send.available() > 0 {
                return true;
            }
            stream.queued &= !(1 << urgency);
            if is_ready {
                stream.parked_since_us = Some(now_us);
                parked = true;
            }
            false
        });
        if parked && self.parked_since_us.is_none() {
            self.parked_since_us = Some(now_us);
        }
        let id = id?;
        let stream_window = self.streams.get(id)?.send.available();
        let bytes = stream_window.min(connection_window).min(self.peer.frame_bytes).min(TURN_BYTES);
        Some(Turn { stream: StreamId(id), bytes: bytes as usize })
    }

    fn note_blocked(&mut self, now_us: u64) {
        let is_blocked = self.streams.iter().any(|stream| stream.wants);
        self.blocked_since_us = is_blocked.then(|| self.blocked_since_us.unwrap_or(now_us));
    }

    fn enqueue(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(id) {
            enqueue(stream, &mut self.schedule);
        }
    }

    /// Lets a stream wait for its turn again, now that its window has grown.
    pub(super) fn unpark(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        if stream.parked_since_us.is_some() && stream.send.available() > 0 {
            stream.parked_since_us = None;
            self.enqueue(id);
        }
    }

    /// The same for all streams.
    pub(super) fn unpark_all(&mut self) {
        let schedule = &mut self.schedule;
        for stream in self.streams.iter_mut() {
            if stream.parked_since_us.is_some() && stream.send.available() > 0 {
                stream.parked_since_us = None;
                enqueue(stream, schedule);
            }
        }
    }

    /// Changes how urgent a stream is (RFC 9218 section 6). Its entry under the old urgency is dropped when its turn
    /// comes.
    pub fn reprioritise(&mut self, stream: StreamId, priority: Priority) {
        let Some(found) = self.streams.get_mut(stream.0) else { return };
        // The urgency of a field or frame is read from one digit; a caller's may be anything.
        found.priority = Priority { urgency: priority.urgency.min(URGENCY_MAX), ..priority };
        self.enqueue(stream.0);
    }
}

/// Puts a stream that wants to send where its urgency is served, unless it is there or waits for its window.
fn enqueue(stream: &mut Stream, schedule: &mut Schedule) {
    let urgency = stream.priority.urgency;
    let is_queued = stream.queued & 1 << urgency != 0;
    if stream.wants && !is_queued && stream.parked_since_us.is_none() {
        stream.queued |= 1 << urgency;
        schedule.enter(stream.id, urgency);
    }
}
