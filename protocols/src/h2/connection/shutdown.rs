//! How streams and the connection come to their end (RFC 9113 sections 5.4 and 6.8).

use super::{Connection, Phase, Role, code_of_release};
use crate::h2::frame::{self, MAX_31_BITS};
use crate::h2::state::State;
use crate::h2::{Cause, EndedBy, ErrorCode, StreamEnd, StreamId};

/// The payload of the ping whose echo says that the peer has seen the first GOAWAY.
const DRAIN_PING: [u8; 8] = *b"ringdrai";

/// How far the two steps of a graceful shutdown have come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Drain {
    /// The first GOAWAY has been sent, which only announces the second.
    announced: bool,
    /// The last stream of the second GOAWAY.
    last_stream: Option<u32>,
    /// The last stream of the peer's GOAWAY.
    pub(super) received: Option<u32>,
}

impl Drain {
    /// Whether no more streams should be opened.
    pub(super) fn is_begun(&self) -> bool {
        self.announced || self.received.is_some()
    }

    /// Whether a stream of the peer is above the last one that is processed: its frames are passed over.
    pub(super) fn leaves_out(&self, stream: u32) -> bool {
        self.last_stream.is_some_and(|last| stream > last)
    }
}

impl Connection {
    /// Begins a graceful shutdown. A server says that it will stop and, once an echo shows that the peer knows, which
    /// stream is the last; streams until then are served. Appends GOAWAY, and PING as a server.
    pub fn drain(&mut self, out: &mut Vec<u8>) {
        if self.drain.announced || matches!(self.phase, Phase::Failed(_)) {
            return;
        }
        self.drain.announced = true;
        match self.role {
            Role::Server => {
                frame::goaway(MAX_31_BITS, ErrorCode::NO_ERROR, "", out);
                frame::ping(false, DRAIN_PING, out);
            }
            // A server opens no streams, so there is nothing to wait for.
            Role::Client => self.drain_now(out),
        }
    }

    /// The second step of a graceful shutdown, for a peer that does not echo in time. Does nothing if it has been
    /// taken.
    pub fn drain_now(&mut self, out: &mut Vec<u8>) {
        if self.drain.last_stream.is_some() || matches!(self.phase, Phase::Failed(_)) {
            return;
        }
        self.drain.announced = true;
        self.drain.last_stream = Some(self.last_peer);
        frame::goaway(self.last_peer, ErrorCode::NO_ERROR, "", out);
    }

    /// Whether a graceful shutdown is over: either side has said which stream is the last, and no stream is left.
    pub fn is_drained(&self) -> bool {
        let is_closing = match self.role {
            Role::Server => self.drain.last_stream.is_some(),
            Role::Client => self.drain.is_begun(),
        };
        is_closing && self.streams.len() == 0
    }

    /// Whether either side has begun to shut the connection down.
    pub fn is_draining(&self) -> bool {
        self.drain.is_begun()
    }

    /// Takes the second step if that is the echo it has been waiting for. Whether it is.
    pub(super) fn drain_ponged(&mut self, payload: [u8; 8], out: &mut Vec<u8>) -> bool {
        let is_ours = self.role == Role::Server && self.drain.announced && payload == DRAIN_PING;
        if is_ours {
            self.drain_now(out);
        }
        is_ours
    }

    /// Ends the connection at once, with a code of the caller's: NO_ERROR, for instance, when it has been idle. Appends
    /// GOAWAY; afterwards the connection must be closed.
    pub fn close(&mut self, code: ErrorCode, out: &mut Vec<u8>) {
        if !matches!(self.phase, Phase::Failed(_)) {
            frame::goaway(self.last_processed(), code, "", out);
        }
    }

    /// The last stream of a GOAWAY that is sent now; it must never grow.
    pub(super) fn last_processed(&self) -> u32 {
        self.drain.last_stream.map_or(self.last_peer, |last| last.min(self.last_peer))
    }

    /// Ends a stream before its time, and appends RST_STREAM. It must still be released.
    pub fn reset(&mut self, stream: StreamId, code: ErrorCode, out: &mut Vec<u8>) {
        let is_open = self.streams.get(stream.0).is_some_and(|stream| stream.state != State::Closed);
        if is_open {
            frame::reset(stream.0, code, out);
            self.end_stream(stream.0, Some(StreamEnd { code, by: EndedBy::Caller, unprocessed: false }));
        }
    }

    /// Ends the caller's use of a stream, in whatever state it is; it must be called once for each stream that an event
    /// or [`Connection::send_request`] has given. Data that has not been consumed is given back to the connection's
    /// window. A stream that is still open is reset: with NO_ERROR where this end's message is complete (RFC 9113
    /// section 8.1), otherwise with CANCEL.
    pub fn release(&mut self, stream: StreamId, out: &mut Vec<u8>) {
        let Some(found) = self.streams.get(stream.0) else { return };
        if found.state != State::Closed {
            let complete = self.role == Role::Server && !found.state.sends();
            self.reset(stream, code_of_release(complete), out);
        }
        let Some(removed) = self.streams.remove(stream.0) else { return };
        self.give_back(removed.unconsumed, out);
        if removed.expects_late_frames() {
            self.closed.reset_here(stream.0);
        } else {
            self.closed.ended_by_peer(stream.0);
        }
    }

    /// Ends the connection for an error of the peer that the caller has found.
    pub fn abort(&mut self, cause: Cause, out: &mut Vec<u8>) {
        if !matches!(self.phase, Phase::Failed(_)) {
            self.fail(cause, out);
        }
    }
}
