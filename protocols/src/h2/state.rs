//! The states of a stream (RFC 9113 section 5.1).
//!
//! ```text
//!                              +--------+
//!                      send PP |        | recv PP
//!                     ,--------+  idle  +--------.
//!                    /         |        |         \
//!                   v          +--------+          v
//!            +----------+          |           +----------+
//!            |          |          | send H /  |          |
//!     ,------+ reserved |          | recv H    | reserved +------.
//!     |      | (local)  |          |           | (remote) |      |
//!     |      +---+------+          v           +------+---+      |
//!     |          |             +--------+             |          |
//!     |          |     recv ES |        | send ES     |          |
//!     |   send H |     ,-------+  open  +-------.     | recv H   |
//!     |          |    /        |        |        \    |          |
//!     |          v   v         +---+----+         v   v          |
//!     |      +----------+          |           +----------+      |
//!     |      |   half-  |          |           |   half-  |      |
//!     |      |  closed  |          | send R /  |  closed  |      |
//!     |      | (remote) |          | recv R    | (local)  |      |
//!     |      +----+-----+          |           +-----+----+      |
//!     |           | send ES /      |       recv ES / |           |
//!     |           |  send R /      v        send R / |           |
//!     |           |  recv R   +----+---+     recv R  |           |
//!     | send R /  `---------->|        |<-----------'  send R /  |
//!     | recv R                | closed |               recv R    |
//!     `---------------------->|        |<------------------------'
//!                             +--------+
//! ```
//!
//! H is HEADERS with its CONTINUATIONs, ES the flag END_STREAM, R RST_STREAM, PP PUSH_PROMISE. Nobody pushes here, so
//! the reserved states can't come; and a stream that is idle is one that has not been made yet.

/// Where a stream is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Both sides may send.
    Open,
    /// This end has sent END_STREAM.
    HalfClosedLocal,
    /// The peer has sent END_STREAM.
    HalfClosedRemote,
    /// Both have, or one has sent RST_STREAM.
    Closed,
}

impl State {
    /// This end has sent END_STREAM.
    pub(super) fn send_end(&mut self) {
        *self = match self {
            Self::Open | Self::HalfClosedLocal => Self::HalfClosedLocal,
            Self::HalfClosedRemote | Self::Closed => Self::Closed,
        };
    }

    /// The peer has sent END_STREAM.
    pub(super) fn receive_end(&mut self) {
        *self = match self {
            Self::Open | Self::HalfClosedRemote => Self::HalfClosedRemote,
            Self::HalfClosedLocal | Self::Closed => Self::Closed,
        };
    }

    /// Whether the peer may send HEADERS and DATA.
    pub(super) fn receives(self) -> bool {
        matches!(self, Self::Open | Self::HalfClosedLocal)
    }

    /// Whether this end may send HEADERS and DATA.
    pub(super) fn sends(self) -> bool {
        matches!(self, Self::Open | Self::HalfClosedRemote)
    }
}

/// How far one direction's message has come: a head, perhaps informational ones before it, then data, then trailers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// The final head is to come.
    Head,
    /// Data and trailers are to come.
    Body,
}
