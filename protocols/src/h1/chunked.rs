//! The chunked transfer coding (RFC 9112 section 7.1), as a machine that takes one framing byte at a time.

use super::{BodyError, BodyLimits, Trailers};
use crate::wire::text::hex_digit;

/// Longest chunk size, in digits: those of a `u64`, so that reading it can't overflow.
const SIZE_DIGITS_MAX: u8 = 16;

/// Extension bytes of a whole body that are free; beyond them a body must not hold more extension bytes than data.
/// Signed uploads (85 bytes of extension for each 64 KiB) stay far below, a flood of empty extensions does not.
const EXTENSION_BYTES_FREE: u64 = 16 * 1024;

/// Where in the framing the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// In a chunk size of that many digits.
    Size { digits: u8 },
    /// In an extension.
    Extension,
    /// In a quoted string of an extension.
    Quoted,
    /// After a backslash in it.
    QuotedPair,
    /// At the LF of a chunk line.
    SizeLf,
    /// In chunk data; `left` says how much.
    Data,
    /// At the CR behind chunk data.
    DataCr,
    /// At the LF behind chunk data.
    DataLf,
    /// At the start of a trailer line, or at the CR of the blank line.
    TrailerStart,
    /// Inside a trailer line.
    TrailerLine,
    /// At the LF of a trailer line.
    TrailerLf,
    /// At the LF of the blank line.
    LastLf,
    /// Behind the body.
    Done,
}

/// Reads the framing of one chunked body.
#[derive(Clone, Debug)]
pub(super) struct Chunked {
    phase: Phase,
    /// Size of the chunk while its line is read, then what is left of its data.
    left: u64,
    /// Bytes of the current line's extension.
    extension: usize,
    /// How many more extension bytes this body may hold.
    extension_allowance: u64,
    trailers: Option<Box<Trailers>>,
}

impl Chunked {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Size { digits: 0 },
            left: 0,
            extension: 0,
            extension_allowance: EXTENSION_BYTES_FREE,
            trailers: None,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    pub(super) fn take_trailers(&mut self) -> Option<Box<Trailers>> {
        if self.is_done() { self.trailers.take() } else { None }
    }

    /// How many of the next bytes are data: 0 where a framing byte comes next.
    pub(super) fn data_left(&self) -> u64 {
        if self.phase == Phase::Data { self.left } else { 0 }
    }

    /// Takes note of data; `len` is at most [`Chunked::data_left`].
    pub(super) fn data(&mut self, len: u64) {
        self.left = self.left.saturating_sub(len);
        self.extension_allowance = self.extension_allowance.saturating_add(len);
        if self.left == 0 {
            self.phase = Phase::DataCr;
        }
    }

    /// Takes the next framing byte.
    pub(super) fn framing(&mut self, byte: u8, limits: &BodyLimits) -> Result<(), BodyError> {
        self.phase = match self.phase {
            Phase::Size { digits } => self.size(byte, digits)?,
            Phase::Extension | Phase::Quoted | Phase::QuotedPair => self.extension(byte, limits)?,
            Phase::SizeLf => match byte {
                b'\n' if self.left == 0 => Phase::TrailerStart,
                b'\n' => Phase::Data,
                _ => return Err(BodyError::LineEnd),
            },
            Phase::DataCr => match byte {
                b'\r' => Phase::DataLf,
                _ => return Err(BodyError::ChunkEnd),
            },
            Phase::DataLf => match byte {
                b'\n' => self.next_chunk(),
                _ => return Err(BodyError::ChunkEnd),
            },
            Phase::TrailerStart | Phase::TrailerLine | Phase::TrailerLf => self.trailer(byte, limits)?,
            Phase::LastLf => self.last(byte, limits)?,
            // The decoder asks for no byte in these.
            Phase::Data | Phase::Done => self.phase,
        };
        Ok(())
    }

    fn next_chunk(&mut self) -> Phase {
        self.left = 0;
        self.extension = 0;
        Phase::Size { digits: 0 }
    }

    fn size(&mut self, byte: u8, digits: u8) -> Result<Phase, BodyError> {
        if let Some(digit) = hex_digit(byte) {
            if digits == SIZE_DIGITS_MAX {
                return Err(BodyError::ChunkSizeOverflow);
            }
            self.left = self.left << 4 | u64::from(digit);
            return Ok(Phase::Size { digits: digits + 1 });
        }
        let next = match byte {
            b'\r' => Phase::SizeLf,
            b';' => Phase::Extension,
            b'\n' => return Err(BodyError::LineEnd),
            _ => return Err(BodyError::ChunkSize),
        };
        if digits == 0 {
            return Err(BodyError::ChunkSize);
        }
        if self.left > i64::MAX as u64 {
            return Err(BodyError::ChunkSizeOverflow);
        }
        Ok(next)
    }

    /// Extensions are read over; only what could hide the end of the line is looked at. A quoted string can't hold a
    /// line end (RFC 9110 section 5.6.4), so that a reader who knows no quotes sees the same line.
    fn extension(&mut self, byte: u8, limits: &BodyLimits) -> Result<Phase, BodyError> {
        match (self.phase, byte) {
            (Phase::Extension, b'\r') => return Ok(Phase::SizeLf),
            (_, b'\n') => return Err(BodyError::LineEnd),
            (_, b'\t') => {}
            (_, 0..0x20 | 0x7f) => return Err(BodyError::ChunkExtension),
            _ => {}
        }
        self.extension += 1;
        if self.extension > limits.extension_bytes || self.extension_allowance == 0 {
            return Err(BodyError::ChunkExtensionBytes);
        }
        self.extension_allowance -= 1;
        Ok(match (self.phase, byte) {
            (Phase::Extension, b'"') => Phase::Quoted,
            (Phase::Quoted, b'"') => Phase::Extension,
            (Phase::Quoted, b'\\') => Phase::QuotedPair,
            (Phase::QuotedPair, _) => Phase::Quoted,
            (phase, _) => phase,
        })
    }

    fn trailer(&mut self, byte: u8, limits: &BodyLimits) -> Result<Phase, BodyError> {
        let next = match (self.phase, byte) {
            (Phase::TrailerStart, b'\r') => return Ok(Phase::LastLf),
            (Phase::TrailerLf, b'\n') => Phase::TrailerStart,
            (Phase::TrailerLf, _) | (_, b'\n') => return Err(BodyError::LineEnd),
            (_, b'\r') => Phase::TrailerLf,
            _ => Phase::TrailerLine,
        };
        let trailers = self.trailers.get_or_insert_default();
        trailers.receive(byte, limits.trailer_bytes)?;
        Ok(next)
    }

    fn last(&mut self, byte: u8, limits: &BodyLimits) -> Result<Phase, BodyError> {
        if byte != b'\n' {
            return Err(BodyError::LineEnd);
        }
        if let Some(trailers) = &mut self.trailers {
            trailers.complete(limits.trailers)?;
        }
        Ok(Phase::Done)
    }
}
