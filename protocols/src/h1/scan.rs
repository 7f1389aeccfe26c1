//! Where a head ends, found without looking at a byte twice.

#[cfg(test)]
mod tests;

use super::{HeadError, request::METHOD_BYTES_MAX};

/// Limits on a head. What exceeds them is [`HeadError::HeaderBytes`], [`HeadError::Headers`] (431) or
/// [`HeadError::TargetBytes`] (414).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeadLimits {
    /// Bytes of the whole head: start line, fields, blank line. Blank lines before a request do not count.
    pub header_bytes: usize,
    /// Field lines.
    pub headers: usize,
    /// Bytes of the request target.
    pub target_bytes: usize,
}

/// Empty lines before a request that are passed over (RFC 9112 section 2.2); more are refused.
pub const LEADING_BLANK_LINES_MAX: usize = 2;

/// How many bytes of empty lines (CRLF) stand at the start of `bytes`, whatever their number.
///
/// Old clients send one after a body (RFC 9112 section 2.2). More than [`LEADING_BLANK_LINES_MAX`] of them should be
/// refused with [`HeadError::BlankLines`], as [`super::RequestReceiver`] does.
pub fn leading_blank(bytes: &[u8]) -> usize {
    let blank = bytes.chunks_exact(2).take_while(|pair| pair == b"\r\n");
    blank.count() * 2
}

/// Finds the end of a head as its bytes arrive.
///
/// It never looks at a byte twice (but a CR whose successor has not come), so that a head that arrives byte by byte
/// costs no more than one that arrives whole. While looking it refuses what no head may hold: LF without CR, CR without
/// LF, NUL, and more bytes than allowed.
#[derive(Clone, Debug, Default)]
pub struct HeadScanner {
    /// Bytes that need no second look.
    scanned: usize,
    /// Where the current line starts; 0 while it is the start line.
    line_start: usize,
}

impl HeadScanner {
    /// A scanner at the first byte of a head.
    pub fn new() -> Self {
        Self::default()
    }

    /// Back to the first byte of a head.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Bytes of this head that have been looked at; grows from call to call.
    pub fn scanned(&self) -> usize {
        self.scanned
    }

    /// The length of the head with its blank line, or `None` while that has not come.
    ///
    /// `bytes` is all that has been received of the head, from its first byte, in every call. Bytes behind the head
    /// may follow. The error is the first in the order of bytes, however they are split over calls.
    pub fn find_end(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<Option<usize>, HeadError> {
        let window = bytes.get(..limits.header_bytes).unwrap_or(bytes);
        let start_line_max = limits.target_bytes.saturating_add(START_LINE_OVERHEAD);
        loop {
            let rest = window.get(self.scanned..).unwrap_or_default();
            let stop = memchr::memchr3(b'\r', b'\n', 0, rest);
            let at = self.scanned + stop.unwrap_or(rest.len());
            if self.line_start == 0 && at > start_line_max {
                return Err(HeadError::TargetBytes);
            }
            self.scanned = at;
            match window.get(at..).unwrap_or_default() {
                [] | [b'\r'] => break,
                [b'\r', b'\n', ..] if at == 0 => return Err(HeadError::BlankLines),
                [b'\r', b'\n', ..] => {
                    self.scanned = at + 2;
                    if at == self.line_start {
                        return Ok(Some(at + 2));
                    }
                    self.line_start = at + 2;
                }
                [b'\r', ..] => return Err(HeadError::BareCr),
                [b'\n', ..] => return Err(HeadError::BareLf),
                _ => return Err(HeadError::Nul),
            }
        }
        // A head that ends exactly at the limit would have been found.
        if window.len() == limits.header_bytes {
            return Err(HeadError::HeaderBytes);
        }
        Ok(None)
    }
}

/// What a request line holds beside its target: the longest method, two spaces, the version.
const START_LINE_OVERHEAD: usize = METHOD_BYTES_MAX + 1 + 1 + b"HTTP/1.1".len();
