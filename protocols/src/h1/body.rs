//! Bodies: how long they are, and their payload without its framing.

#[cfg(test)]
mod tests;

use super::{BodyError, Trailers, chunked::Chunked};
use std::ops::Range;

/// How long a body is (RFC 9112 section 6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyLength {
    /// There is none.
    None,
    /// `Content-Length`, in bytes; may be 0.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// All that comes until the connection ends; responses only.
    UntilClose,
}

/// Limits on what a chunked body holds beside its data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BodyLimits {
    /// Bytes of extensions on one chunk line ([`BodyError::ChunkExtensionBytes`]). A whole body may besides hold no more
    /// than 16 KiB plus its data.
    pub extension_bytes: usize,
    /// Bytes of the trailer section with line ends ([`BodyError::TrailerBytes`]).
    pub trailer_bytes: usize,
    /// Fields of the trailer section ([`BodyError::Trailers`]).
    pub trailers: usize,
}

impl Default for BodyLimits {
    /// 1 KiB of extensions for each chunk (the longest in use, those of signed uploads, have 85 bytes), and 8 KiB in
    /// 64 trailer fields.
    fn default() -> Self {
        Self { extension_bytes: 1024, trailer_bytes: 8 * 1024, trailers: 64 }
    }
}

/// What one call of [`BodyDecoder::decode`] found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Where the payload now stands in the bytes given; empty where there is none.
    pub data: Range<usize>,
    /// How many of the bytes belong to this body: all of them, unless `done`.
    pub consumed: usize,
    /// Whether the body is complete.
    pub done: bool,
}

/// Takes the framing off a body, in place.
#[derive(Clone, Debug)]
pub struct BodyDecoder {
    state: State,
    limits: BodyLimits,
}

#[derive(Clone, Debug)]
enum State {
    /// That many bytes are left; 0 means done.
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    Failed(BodyError),
}

impl BodyDecoder {
    /// A decoder at the first byte of a body, with the default limits.
    pub fn new(length: BodyLength) -> Self {
        Self::with_limits(length, BodyLimits::default())
    }

    /// A decoder at the first byte of a body.
    pub fn with_limits(length: BodyLength, limits: BodyLimits) -> Self {
        Self { state: State::start(length), limits }
    }

    /// Goes to the first byte of another body, with the same limits.
    pub fn reset(&mut self, length: BodyLength) {
        self.state = State::start(length);
    }

    /// Takes the framing off `bytes`, which follow those of the call before.
    ///
    /// Framing is removed by moving later pieces down, so that the payload found is one range of `bytes`; the first
    /// piece is never moved, and `bytes` beyond `consumed` are not touched. An incomplete chunk line is kept in here, so
    /// the caller never has to keep bytes. Payload in front of an error in the same call is lost; every later call
    /// gives the error again.
    pub fn decode(&mut self, bytes: &mut [u8]) -> Result<Step, BodyError> {
        match &mut self.state {
            State::Length(left) => {
                let len = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= len as u64;
                Ok(Step { data: 0..len, consumed: len, done: *left == 0 })
            }
            State::UntilClose => Ok(Step { data: 0..bytes.len(), consumed: bytes.len(), done: false }),
            State::Chunked(chunked) => {
                let step = decode_chunked(chunked, bytes, &self.limits);
                if let Err(error) = &step {
                    self.state = State::Failed(*error);
                }
                step
            }
            State::Failed(error) => Err(*error),
        }
    }

    /// Takes note that the sender has ended the connection. That ends a body until close; any other must be complete.
    pub fn finish(&mut self) -> Result<(), BodyError> {
        match &self.state {
            State::UntilClose => self.state = State::Length(0),
            State::Failed(error) => return Err(*error),
            _ if self.is_done() => {}
            _ => {
                self.state = State::Failed(BodyError::Truncated);
                return Err(BodyError::Truncated);
            }
        }
        Ok(())
    }

    /// Whether the body is complete.
    pub fn is_done(&self) -> bool {
        match &self.state {
            State::Length(left) => *left == 0,
            State::Chunked(chunked) => chunked.is_done(),
            State::UntilClose | State::Failed(_) => false,
        }
    }

    /// The trailers of a complete body, once. `None` where there was no trailer section; the section may be there and
    /// hold no field that may be passed on.
    pub fn trailers(&mut self) -> Option<Box<Trailers>> {
        match &mut self.state {
            State::Chunked(chunked) => chunked.take_trailers(),
            _ => None,
        }
    }

    /// How many bytes are to come, where that is known.
    pub fn remaining(&self) -> Option<u64> {
        match &self.state {
            State::Length(left) => Some(*left),
            _ => None,
        }
    }
}

impl State {
    fn start(length: BodyLength) -> Self {
        match length {
            BodyLength::None => Self::Length(0),
            BodyLength::Length(length) => Self::Length(length),
            BodyLength::Chunked => Self::Chunked(Chunked::new()),
            BodyLength::UntilClose => Self::UntilClose,
        }
    }
}

/// Each byte is moved once at most: the whole call is linear.
fn decode_chunked(chunked: &mut Chunked, bytes: &mut [u8], limits: &BodyLimits) -> Result<Step, BodyError> {
    let mut at = 0;
    let mut data = 0..0;
    while !chunked.is_done() {
        let Some(&byte) = bytes.get(at) else { break };
        let data_left = chunked.data_left();
        if data_left == 0 {
            chunked.framing(byte, limits)?;
            at += 1;
            continue;
        }
        let here = bytes.len() - at;
        let len = usize::try_from(data_left).map_or(here, |left| left.min(here));
        if data.is_empty() {
            data = at..at + len;
        } else {
            // In bounds: data.end <= at, and at + len <= bytes.len().
            bytes.copy_within(at..at + len, data.end);
            data.end += len;
        }
        chunked.data(len as u64);
        at += len;
    }
    Ok(Step { data, consumed: at, done: chunked.is_done() })
}
