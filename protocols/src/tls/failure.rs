//! Why a TLS connection ends, and what the peer is told of it.

use std::fmt;

/// Why a connection ended after its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The bytes are no TLS.
    NotTls,
    /// A record of more bytes than there may be.
    RecordOverflow,
    /// A record that was changed on its way, or sealed with another key.
    BadRecord,
    /// A message that has no place there: a renegotiation, a second handshake.
    UnexpectedMessage,
    /// A message that can't be read.
    BadMessage,
    /// Records without data, one upon the other.
    TooManyEmpty,
    /// The peer gave up, with this alert (RFC 8446 section 6).
    Alert(u8),
    /// A key has sealed as many records as it may.
    Exhausted,
    /// It should not happen.
    Internal,
}

impl Failure {
    /// The alert that tells the peer; none where it has told us.
    pub(super) fn alert(self) -> Option<u8> {
        Some(match self {
            Failure::NotTls | Failure::BadMessage => 50,
            Failure::RecordOverflow => 22,
            Failure::BadRecord => 20,
            Failure::UnexpectedMessage | Failure::TooManyEmpty => 10,
            Failure::Exhausted | Failure::Internal => 80,
            Failure::Alert(_) => return None,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::NotTls => "the bytes are no TLS",
            Failure::RecordOverflow => "a record is larger than one may be",
            Failure::BadRecord => "a record is not authentic",
            Failure::UnexpectedMessage => "a message has no place after the handshake",
            Failure::BadMessage => "a message can't be read",
            Failure::TooManyEmpty => "too many records came without data",
            Failure::Alert(number) => return write!(f, "the peer gave up with alert {number}"),
            Failure::Exhausted => "the key has sealed as many records as it may",
            Failure::Internal => "an internal error",
        })
    }
}

impl std::error::Error for Failure {}
