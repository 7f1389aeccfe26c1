//! Frames (RFC 9113 sections 4 and 6, RFC 9218 section 7.1): their heads, their parts, their sizes.
//!
//! Nothing here knows a stream's state. What a frame alone gets wrong is found here; what is wrong in its place is not.

mod encode;
mod parse;
#[cfg(test)]
mod tests;

pub use encode::{goaway, ping, reset, settings, settings_ack, window_update};
pub use parse::{Frame, FrameError, Scope, Setting, Settings, Shape, data_shape, parse};

/// Bytes of a frame's head.
pub const HEAD_BYTES: usize = 9;

/// What a client sends first (RFC 9113 section 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The highest stream identifier, and the largest window (RFC 9113 sections 4.1, 6.9.1).
pub const MAX_31_BITS: u32 = 0x7fff_ffff;

/// The smallest and the largest SETTINGS_MAX_FRAME_SIZE (RFC 9113 section 6.5.2), in bytes.
pub const FRAME_BYTES_MIN: u32 = 1 << 14;
/// See [`FRAME_BYTES_MIN`].
pub const FRAME_BYTES_MAX: u32 = (1 << 24) - 1;

/// The type of a frame as its byte; unknown ones are possible (RFC 9113 section 4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind(pub u8);

#[allow(missing_docs)] // The names are those of RFC 9113 section 6 and RFC 9218 section 7.1.
impl Kind {
    pub const DATA: Self = Self(0x0);
    pub const HEADERS: Self = Self(0x1);
    pub const PRIORITY: Self = Self(0x2);
    pub const RST_STREAM: Self = Self(0x3);
    pub const SETTINGS: Self = Self(0x4);
    pub const PUSH_PROMISE: Self = Self(0x5);
    pub const PING: Self = Self(0x6);
    pub const GOAWAY: Self = Self(0x7);
    pub const WINDOW_UPDATE: Self = Self(0x8);
    pub const CONTINUATION: Self = Self(0x9);
    pub const PRIORITY_UPDATE: Self = Self(0x10);
}

/// Flags of frames; what a bit means depends on the type.
pub mod flags {
    /// DATA, HEADERS: nothing follows on this stream.
    pub const END_STREAM: u8 = 0x1;
    /// SETTINGS, PING: an acknowledgement.
    pub const ACK: u8 = 0x1;
    /// HEADERS, CONTINUATION, PUSH_PROMISE: the field block is complete.
    pub const END_HEADERS: u8 = 0x4;
    /// DATA, HEADERS, PUSH_PROMISE: a length of padding, and padding.
    pub const PADDED: u8 = 0x8;
    /// HEADERS: five bytes of a priority that nobody uses any more.
    pub const PRIORITY: u8 = 0x20;
}

/// The head of a frame (RFC 9113 section 4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Bytes of the payload.
    pub len: u32,
    /// The type.
    pub kind: Kind,
    /// Flags.
    pub flags: u8,
    /// The stream, without the reserved bit; 0 for the connection.
    pub stream: u32,
}

impl Head {
    /// Reads the head at the start of `bytes`, if it is all there.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let &[l1, l2, l3, kind, flags, s1, s2, s3, s4] = bytes.first_chunk::<HEAD_BYTES>()?;
        Some(Self {
            len: u32::from_be_bytes([0, l1, l2, l3]),
            kind: Kind(kind),
            flags,
            stream: u32::from_be_bytes([s1, s2, s3, s4]) & MAX_31_BITS,
        })
    }

    /// The head as bytes. Of `len` the low 24 bits are taken.
    pub const fn bytes(self) -> [u8; HEAD_BYTES] {
        let [_, l1, l2, l3] = self.len.to_be_bytes();
        let [s1, s2, s3, s4] = self.stream.to_be_bytes();
        [l1, l2, l3, self.kind.0, self.flags, s1, s2, s3, s4]
    }

    /// Whether that flag is set.
    pub const fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// What the first bytes of a connection are, before a protocol is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PrefaceMatch {
    /// The whole preface of HTTP/2.
    Whole,
    /// Its beginning; more bytes must come.
    Partial,
    /// Something else.
    Other,
}

/// Compares the first bytes of a clear-text connection with the preface (RFC 9113 section 3.3).
pub fn match_preface(bytes: &[u8]) -> PrefaceMatch {
    if bytes.starts_with(PREFACE) {
        PrefaceMatch::Whole
    } else if PREFACE.starts_with(bytes) {
        PrefaceMatch::Partial
    } else {
        PrefaceMatch::Other
    }
}
