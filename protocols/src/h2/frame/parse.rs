//! Payloads to frames, with the rules on lengths and streams of RFC 9113 section 6.

use super::{Head, Kind, MAX_31_BITS, flags};
use crate::h2::{ErrorCode, Rule};

/// A frame taken apart. DATA is not among them: it is passed on as it comes, see [`data_shape`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Frame<'a> {
    /// The beginning of a field block.
    Headers {
        /// The fragment without padding and priority.
        fragment: &'a [u8],
        /// Whether nothing follows on the stream.
        end_stream: bool,
        /// Whether the block is complete.
        end_headers: bool,
    },
    /// A priority of RFC 7540, which means nothing any more (RFC 9113 section 5.3.2).
    Priority,
    /// The stream is ended.
    Reset {
        /// Why.
        code: ErrorCode,
    },
    /// Parameters.
    Settings(Settings<'a>),
    /// The acknowledgement of parameters.
    SettingsAck,
    /// A promise of a push.
    PushPromise,
    /// A ping, or its echo.
    Ping {
        /// Whether it is the echo.
        ack: bool,
        /// Whatever the sender likes.
        payload: [u8; 8],
    },
    /// No streams above `last_stream` are, or will be, processed.
    GoAway {
        /// The highest stream that may have been processed.
        last_stream: u32,
        /// Why.
        code: ErrorCode,
        /// Text for a person.
        debug: &'a [u8],
    },
    /// More may be sent; the increment may be 0, which is an error of the stream or of the connection.
    WindowUpdate {
        /// By so many bytes.
        increment: u32,
    },
    /// More of a field block.
    Continuation {
        /// The fragment.
        fragment: &'a [u8],
        /// Whether the block is complete.
        end_headers: bool,
    },
    /// A priority of RFC 9218.
    PriorityUpdate {
        /// The stream that it is for.
        stream: u32,
        /// The value, as in the field `priority`.
        value: &'a [u8],
    },
    /// Of a type that is not known, which is to be ignored (RFC 9113 section 4.1).
    Unknown,
}

/// What a broken frame ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The connection.
    Connection,
    /// The frame's stream.
    Stream,
}

/// What is wrong with a frame, and what that ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameError {
    /// The rule broken.
    pub rule: Rule,
    /// What it ends.
    pub scope: Scope,
}

const fn fatal(rule: Rule) -> FrameError {
    FrameError { rule, scope: Scope::Connection }
}

/// Takes a frame apart. `payload` must be the whole payload.
pub fn parse(head: Head, payload: &[u8]) -> Result<Frame<'_>, FrameError> {
    on_its_stream(head)?;
    Ok(match head.kind {
        Kind::HEADERS => headers(head, payload)?,
        Kind::PRIORITY if payload.len() != 5 => {
            return Err(FrameError { rule: Rule::FrameLength, scope: Scope::Stream });
        }
        Kind::PRIORITY => Frame::Priority,
        Kind::RST_STREAM => Frame::Reset { code: ErrorCode(u32::from_be_bytes(exactly(payload)?)) },
        Kind::SETTINGS if head.has(flags::ACK) => {
            exactly::<0>(payload)?;
            Frame::SettingsAck
        }
        Kind::SETTINGS if !payload.len().is_multiple_of(6) => return Err(fatal(Rule::FrameLength)),
        Kind::SETTINGS => Frame::Settings(Settings { payload }),
        Kind::PUSH_PROMISE => Frame::PushPromise,
        Kind::PING => Frame::Ping { ack: head.has(flags::ACK), payload: exactly(payload)? },
        Kind::GOAWAY => {
            let (last_stream, rest) = word(payload)?;
            let (code, debug) = word(rest)?;
            Frame::GoAway { last_stream: last_stream & MAX_31_BITS, code: ErrorCode(code), debug }
        }
        Kind::WINDOW_UPDATE => Frame::WindowUpdate { increment: u32::from_be_bytes(exactly(payload)?) & MAX_31_BITS },
        Kind::CONTINUATION => Frame::Continuation { fragment: payload, end_headers: head.has(flags::END_HEADERS) },
        Kind::PRIORITY_UPDATE => {
            let (stream, value) = word(payload)?;
            Frame::PriorityUpdate { stream: stream & MAX_31_BITS, value }
        }
        _ => Frame::Unknown,
    })
}

/// Whether the type belongs to streams, to the connection, or to both.
fn on_its_stream(head: Head) -> Result<(), FrameError> {
    let of_stream = matches!(
        head.kind,
        Kind::DATA | Kind::HEADERS | Kind::PRIORITY | Kind::RST_STREAM | Kind::PUSH_PROMISE | Kind::CONTINUATION
    );
    let of_connection = matches!(head.kind, Kind::SETTINGS | Kind::PING | Kind::GOAWAY | Kind::PRIORITY_UPDATE);
    match head.stream {
        0 if of_stream => Err(fatal(Rule::StreamZero)),
        1.. if of_connection => Err(fatal(Rule::StreamNotZero)),
        _ => Ok(()),
    }
}

fn headers(head: Head, payload: &[u8]) -> Result<Frame<'_>, FrameError> {
    let (padding, rest) = match head.has(flags::PADDED) {
        false => (0, payload),
        true => payload.split_first().map(|(&len, rest)| (len, rest)).ok_or(fatal(Rule::FrameTooShort))?,
    };
    let rest = match head.has(flags::PRIORITY) {
        false => rest,
        true => rest.get(5..).ok_or(fatal(Rule::FrameTooShort))?,
    };
    let len = rest.len().checked_sub(usize::from(padding)).ok_or(fatal(Rule::Padding))?;
    Ok(Frame::Headers {
        fragment: rest.get(..len).unwrap_or_default(),
        end_stream: head.has(flags::END_STREAM),
        end_headers: head.has(flags::END_HEADERS),
    })
}

/// The parts of a DATA frame's payload, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Bytes of the padding's length, 0 or 1.
    pub before: u32,
    /// Bytes of data.
    pub data: u32,
    /// Bytes of padding.
    pub padding: u32,
}

/// The parts of a DATA frame, which depend on the first byte of its payload where it is padded. `None` if that byte is
/// needed and `first` does not have it.
pub fn data_shape(head: Head, first: Option<u8>) -> Result<Option<Shape>, FrameError> {
    on_its_stream(head)?;
    if !head.has(flags::PADDED) {
        return Ok(Some(Shape { before: 0, data: head.len, padding: 0 }));
    }
    let rest = head.len.checked_sub(1).ok_or(fatal(Rule::FrameTooShort))?;
    let Some(padding) = first.map(u32::from) else {
        return Ok(None);
    };
    let data = rest.checked_sub(padding).ok_or(fatal(Rule::Padding))?;
    Ok(Some(Shape { before: 1, data, padding }))
}

fn exactly<const LEN: usize>(payload: &[u8]) -> Result<[u8; LEN], FrameError> {
    payload.try_into().map_err(|_| fatal(Rule::FrameLength))
}

fn word(payload: &[u8]) -> Result<(u32, &[u8]), FrameError> {
    let (word, rest) = payload.split_first_chunk().ok_or(fatal(Rule::FrameTooShort))?;
    Ok((u32::from_be_bytes(*word), rest))
}

/// A parameter of SETTINGS (RFC 9113 section 6.5.2, RFC 8441 section 3, RFC 9218 section 2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // The names are those of the RFCs.
pub enum Setting {
    HeaderTableSize(u32),
    EnablePush(u32),
    MaxConcurrentStreams(u32),
    InitialWindowSize(u32),
    MaxFrameSize(u32),
    MaxHeaderListSize(u32),
    EnableConnectProtocol(u32),
    NoRfc7540Priorities(u32),
    /// One that is not known, which is to be ignored.
    Unknown(u16),
}

impl Setting {
    /// Identifier and value.
    pub const fn parts(self) -> (u16, u32) {
        match self {
            Self::HeaderTableSize(value) => (0x1, value),
            Self::EnablePush(value) => (0x2, value),
            Self::MaxConcurrentStreams(value) => (0x3, value),
            Self::InitialWindowSize(value) => (0x4, value),
            Self::MaxFrameSize(value) => (0x5, value),
            Self::MaxHeaderListSize(value) => (0x6, value),
            Self::EnableConnectProtocol(value) => (0x8, value),
            Self::NoRfc7540Priorities(value) => (0x9, value),
            Self::Unknown(id) => (id, 0),
        }
    }

    const fn of(id: u16, value: u32) -> Self {
        match id {
            0x1 => Self::HeaderTableSize(value),
            0x2 => Self::EnablePush(value),
            0x3 => Self::MaxConcurrentStreams(value),
            0x4 => Self::InitialWindowSize(value),
            0x5 => Self::MaxFrameSize(value),
            0x6 => Self::MaxHeaderListSize(value),
            0x8 => Self::EnableConnectProtocol(value),
            0x9 => Self::NoRfc7540Priorities(value),
            _ => Self::Unknown(id),
        }
    }
}

/// The parameters of a SETTINGS frame, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings<'a> {
    payload: &'a [u8],
}

impl Settings<'_> {
    /// Each parameter; the same one may come more than once, and the last counts.
    pub fn iter(&self) -> impl Iterator<Item = Setting> {
        let (chunks, _) = self.payload.as_chunks::<6>();
        chunks.iter().map(|&[i1, i2, v1, v2, v3, v4]| {
            Setting::of(u16::from_be_bytes([i1, i2]), u32::from_be_bytes([v1, v2, v3, v4]))
        })
    }
}
