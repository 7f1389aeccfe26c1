//! One stream: everything that this end keeps about it.

use super::frame::MAX_31_BITS;
use super::state::{Progress, State};
use super::window::{ReceiveWindow, SendWindow};
use super::{Cause, ErrorCode, Malformed, Priority};

/// A stream's identifier, never 0. A connection never uses one twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId(pub(super) u32);

impl StreamId {
    /// The stream of that number, from 1 to 2^31 - 1.
    pub const fn new(number: u32) -> Option<Self> {
        match number {
            1..=MAX_31_BITS => Some(Self(number)),
            _ => None,
        }
    }

    /// The number, as it stands in frames.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Who ended a stream before its messages were complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndedBy {
    /// The peer, with RST_STREAM.
    Peer,
    /// The peer, with a GOAWAY that leaves the stream out.
    PeerGoAway,
    /// This end, because the peer broke a rule.
    Error(Cause),
    /// This end, because the caller wanted it.
    Caller,
}

/// How a stream ended before its messages were complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamEnd {
    /// The code sent or received.
    pub code: ErrorCode,
    /// Who ended it.
    pub by: EndedBy,
    /// Whether the peer has said that it did nothing with the request, so that it may be sent again elsewhere whatever
    /// its method (RFC 9113 section 8.7).
    pub unprocessed: bool,
}

impl StreamEnd {
    pub(super) const fn by_peer(code: ErrorCode) -> Self {
        Self { code, by: EndedBy::Peer, unprocessed: code.0 == ErrorCode::REFUSED_STREAM.0 }
    }

    pub(super) const fn by_error(cause: Cause) -> Self {
        Self { code: cause.code(), by: EndedBy::Error(cause), unprocessed: false }
    }
}

/// What kind of answer a request gets, as far as framing goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    Head,
    Connect,
    Other,
}

#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) id: u32,
    pub(super) state: State,
    pub(super) receiving: Progress,
    pub(super) sending: Progress,
    pub(super) asked: Asked,
    /// Informational heads that have come.
    pub(super) informational: u32,
    /// Data to come by `Content-Length`, where that holds.
    pub(super) length_left: Option<u64>,
    /// Whether it is an answer that has no data whatever its head says; `length_left` is then 0.
    pub(super) no_content: bool,
    pub(super) send: SendWindow,
    pub(super) receive: ReceiveWindow,
    /// Bytes given to the caller that it has not consumed.
    pub(super) unconsumed: u32,
    pub(super) priority: Priority,
    /// Whether the caller has data for it.
    pub(super) wants: bool,
    /// Levels of the schedule that have an entry of this stream, as bits.
    pub(super) queued: u8,
    /// Since when data has been waiting for this stream's window.
    pub(super) parked_since_us: Option<u64>,
    /// How it ended, if too early.
    pub(super) end: Option<StreamEnd>,
}

impl Stream {
    pub(super) fn new(id: u32, send_window: u32, receive_window: u32) -> Self {
        Self {
            id,
            state: State::Open,
            receiving: Progress::Head,
            sending: Progress::Head,
            asked: Asked::Other,
            informational: 0,
            length_left: None,
            no_content: false,
            send: SendWindow::new(send_window),
            receive: ReceiveWindow::new(receive_window),
            unconsumed: 0,
            priority: Priority::default(),
            wants: false,
            queued: 0,
            parked_since_us: None,
            end: None,
        }
    }

    /// Whether the peer's frames on this closed stream may be late ones, sent before it knew that the stream had been
    /// reset, or answers to a request that its GOAWAY left out.
    pub(super) fn expects_late_frames(&self) -> bool {
        self.end.is_some_and(|end| end.by != EndedBy::Peer)
    }

    /// Counts `data` bytes against `Content-Length`; `end` if nothing follows them.
    pub(super) fn count(&mut self, data: u32, end: bool) -> Result<(), Malformed> {
        let Some(left) = self.length_left else {
            return Ok(());
        };
        let too_long = if self.no_content { Malformed::NoContent } else { Malformed::Length };
        let left = left.checked_sub(u64::from(data)).ok_or(too_long)?;
        self.length_left = Some(left);
        if end && left > 0 { Err(Malformed::Length) } else { Ok(()) }
    }
}
