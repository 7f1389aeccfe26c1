//! The head of a response.

#[cfg(test)]
mod tests;

use super::{BodyLength, HeadError, HeadLimits, HeadScanner, connection::Connection, framing::Framing, lines};
use crate::wire::{Fields, HeaderId, Method, Span, Version, text::value_len};

/// Fields for which a new head has room before it allocates.
const FIELDS_EXPECTED: usize = 32;

/// The head of a response, taken apart (RFC 9112 sections 4, 5, 6).
///
/// All spans point into the bytes that it was parsed from. Meant to be reused: parsing again keeps the memory.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    /// The version.
    pub version: Version,
    /// The status code, 100 to 999.
    pub status: u16,
    /// The reason phrase; often empty.
    pub reason: Span,
    /// The field lines, in their order.
    pub fields: Fields,
    /// Whether the server keeps the connection open (RFC 9112 section 9.3), as far as the head says. Never with a body
    /// that ends when the connection does: see [`ResponseHead::body`].
    pub keep_alive: bool,
    /// The value of `Upgrade`, where it is in force: HTTP/1.1 and `Connection: upgrade` (RFC 9110 section 7.8).
    pub upgrade: Option<Span>,
    /// `Content-Length` as stated, also where there is no body (answers to HEAD, 304).
    pub content_length: Option<u64>,
    /// Offset after the head: its length, where it starts at offset 0.
    pub len: usize,
    framing: Framing,
}

impl Default for ResponseHead {
    fn default() -> Self {
        Self::new()
    }
}

impl ResponseHead {
    /// An empty head with room for 32 fields.
    pub fn new() -> Self {
        let mut fields = Fields::default();
        fields.reserve(FIELDS_EXPECTED);
        Self {
            version: Version::Http11,
            status: 0,
            reason: Span::default(),
            fields,
            keep_alive: false,
            upgrade: None,
            content_length: None,
            len: 0,
            framing: Framing::Unstated,
        }
    }

    /// Parses `bytes`, which is exactly one head with its blank line, as [`HeadScanner::find_end`] found it.
    /// `limits.target_bytes` is not looked at.
    ///
    /// After an error the contents mean nothing. Bytes behind the head are [`HeadError::Incomplete`], a mistake of the
    /// caller.
    pub fn parse(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<(), HeadError> {
        let error = match self.parse_at(bytes, limits) {
            Ok(()) if self.len == bytes.len() => return Ok(()),
            Ok(()) => HeadError::Incomplete,
            Err(error) => error,
        };
        // What the scanner refuses comes first, so that the error does not depend on how the bytes arrived.
        HeadScanner::new().find_end(bytes, &without_target(limits))?;
        Err(error)
    }

    /// Parses the head at the start of `bytes`, behind which anything may follow: what a head that arrives whole costs
    /// once. False if it is incomplete or faulty: [`HeadScanner::find_end`] and [`ResponseHead::parse`] say which.
    pub fn parse_whole(&mut self, bytes: &[u8], limits: &HeadLimits) -> bool {
        self.parse_at(bytes, limits).is_ok()
    }

    /// Parses the head at the start of `bytes`; other bytes may follow it.
    ///
    /// Whatever succeeds here would have passed the scanner too; the errors need not be those of the scanner.
    pub(super) fn parse_at(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<(), HeadError> {
        let after_line = self.status_line(bytes)?;
        self.fields.clear();
        self.len = lines::parse(bytes, after_line, &mut self.fields, limits.headers)?;
        if self.len > limits.header_bytes || self.len > u32::MAX as usize {
            return Err(HeadError::HeaderBytes);
        }
        self.framing = Framing::read(bytes, &mut self.fields, self.version)?;
        self.content_length = self.framing.length();
        let connection = Connection::read(bytes, &mut self.fields)?;
        self.keep_alive = connection.keeps_alive(self.version);
        self.upgrade = connection.upgrade(self.version, &self.fields);
        self.without_body()
    }

    /// How long the body is that answers a request with that method (RFC 9112 section 6.3).
    ///
    /// `UntilClose` means that the connection can't be used again, whatever [`ResponseHead::keep_alive`] says. What
    /// the head alone decides has been refused by [`ResponseHead::parse`]; no further error is possible at present.
    pub fn body(&self, request: Method) -> Result<BodyLength, HeadError> {
        let success = (200..300).contains(&self.status);
        if request == Method::Head
            || matches!(self.status, 100..=199 | 204 | 304)
            || (request == Method::Connect && success)
        {
            return Ok(BodyLength::None);
        }
        Ok(match self.framing {
            Framing::Unstated => BodyLength::UntilClose,
            Framing::Length(length) => BodyLength::Length(length),
            Framing::Chunked => BodyLength::Chunked,
        })
    }

    /// `version SP status [SP reason] CRLF` (RFC 9112 section 4).
    ///
    /// Without a reason the second space is missing in many an answer; nothing can be read into that.
    fn status_line(&mut self, bytes: &[u8]) -> Result<usize, HeadError> {
        let (version, rest) = match bytes {
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1', rest @ ..] => (Version::Http11, rest),
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0', rest @ ..] => (Version::Http10, rest),
            _ => return Err(HeadError::Version),
        };
        let (digits, rest) = match rest {
            [b' ', d1 @ b'1'..=b'9', d2 @ b'0'..=b'9', d3 @ b'0'..=b'9', rest @ ..] => ([*d1, *d2, *d3], rest),
            _ => return Err(HeadError::Status),
        };
        let reason = match rest {
            [b' ', reason @ ..] => reason,
            [b'\r', ..] => rest,
            _ => return Err(HeadError::Status),
        };
        let reason_len = value_len(reason);
        let Some([b'\r', b'\n', after @ ..]) = reason.get(reason_len..) else {
            return Err(HeadError::Reason);
        };
        self.version = version;
        self.status = digits.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
        let after_line = bytes.len() - after.len();
        self.reason = Span::new(after_line - 2 - reason_len, after_line - 2);
        Ok(after_line)
    }

    /// Statuses that never have a body (RFC 9110 sections 15.2, 15.3.5): a length that they state all the same is not
    /// forwarded, and a server that may have sent one is not asked again on this connection.
    fn without_body(&mut self) -> Result<(), HeadError> {
        if !matches!(self.status, 100..=199 | 204) || self.framing == Framing::Unstated {
            return Ok(());
        }
        self.fields.mark_from(HeaderId::ContentLength, 0);
        if self.framing != Framing::Length(0) {
            // Before a final answer such a body would be read as that answer.
            if self.status != 204 {
                return Err(HeadError::InformationalBody);
            }
            self.keep_alive = false;
        }
        Ok(())
    }
}

/// The scanner's limit on a request line is not for status lines.
pub(super) fn without_target(limits: &HeadLimits) -> HeadLimits {
    HeadLimits { target_bytes: usize::MAX, ..*limits }
}
