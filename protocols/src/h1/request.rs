//! The head of a request.

#[cfg(test)]
mod tests;

use super::{BodyLength, HeadError, HeadLimits, HeadScanner, connection::Connection, framing::Framing, lines};
use crate::wire::{Fields, HeaderId, HostPort, Method, Span, Target, Version, host, list, target, text::token_len};

/// Longest method name, in bytes; a longer one is [`HeadError::Method`].
pub const METHOD_BYTES_MAX: usize = 32;

/// Fields for which a new head has room before it allocates.
const FIELDS_EXPECTED: usize = 32;

/// The head of a request, taken apart, with everything decided that its bytes decide (RFC 9112 sections 3, 5, 6).
///
/// All spans point into the bytes that it was parsed from. Meant to be reused: parsing again keeps the memory.
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// The method as written.
    pub method_text: Span,
    /// The target, taken apart.
    pub target: Target,
    /// The target as written.
    pub target_text: Span,
    /// The version.
    pub version: Version,
    /// The field lines, in their order.
    pub fields: Fields,
    /// The host that is meant: the target's authority where it has one, otherwise `Host` (RFC 9112 section 3.2.2).
    /// Absent only in HTTP/1.0.
    pub host: Option<HostPort>,
    /// How long the body is: `None`, `Length` or `Chunked`.
    pub body: BodyLength,
    /// Whether the client keeps the connection open (RFC 9112 section 9.3).
    pub keep_alive: bool,
    /// The value of `Upgrade`, where it is in force: HTTP/1.1 and `Connection: upgrade` (RFC 9110 section 7.8).
    pub upgrade: Option<Span>,
    /// Whether the client waits for `100 Continue` before it sends a body (RFC 9110 section 10.1.1). Never in
    /// HTTP/1.0, nor without a body.
    pub expect_continue: bool,
    /// Offset after the head: its length, where it starts at offset 0.
    pub len: usize,
}

impl Default for RequestHead {
    fn default() -> Self {
        Self::new()
    }
}

impl RequestHead {
    /// An empty head with room for 32 fields.
    pub fn new() -> Self {
        let mut fields = Fields::default();
        fields.reserve(FIELDS_EXPECTED);
        Self {
            method: Method::Other,
            method_text: Span::default(),
            target: Target::default(),
            target_text: Span::default(),
            version: Version::Http11,
            fields,
            host: None,
            body: BodyLength::None,
            keep_alive: false,
            upgrade: None,
            expect_continue: false,
            len: 0,
        }
    }

    /// Parses `bytes`, which is exactly one head with its blank line, as [`HeadScanner::find_end`] found it.
    ///
    /// After an error the contents mean nothing. Bytes behind the head are [`HeadError::Incomplete`], a mistake of the
    /// caller.
    pub fn parse(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<(), HeadError> {
        let error = match self.parse_at(bytes, 0, limits) {
            Ok(()) if self.len == bytes.len() => return Ok(()),
            Ok(()) => HeadError::Incomplete,
            Err(error) => error,
        };
        // What the scanner refuses comes first, so that the error does not depend on how the bytes arrived.
        HeadScanner::new().find_end(bytes, limits)?;
        Err(error)
    }

    /// Parses the head at the start of `bytes`, behind which anything may follow: what a head that arrives whole costs
    /// once. False if it is incomplete or faulty: [`HeadScanner::find_end`] and [`RequestHead::parse`] say which.
    pub fn parse_whole(&mut self, bytes: &[u8], limits: &HeadLimits) -> bool {
        self.parse_at(bytes, 0, limits).is_ok()
    }

    /// Parses the head that starts at `start`; other bytes may follow it.
    ///
    /// Whatever succeeds here would have passed the scanner too; the errors need not be those of the scanner.
    pub(super) fn parse_at(&mut self, bytes: &[u8], start: usize, limits: &HeadLimits) -> Result<(), HeadError> {
        let after_line = self.request_line(bytes, start, limits.target_bytes)?;
        self.fields.clear();
        self.len = lines::parse(bytes, after_line, &mut self.fields, limits.headers)?;
        if self.len - start > limits.header_bytes || self.len > u32::MAX as usize {
            return Err(HeadError::HeaderBytes);
        }
        self.host = self.effective_host(bytes)?;
        self.body = match Framing::read(bytes, &mut self.fields, self.version)? {
            Framing::Unstated => BodyLength::None,
            Framing::Length(length) => BodyLength::Length(length),
            Framing::Chunked => BodyLength::Chunked,
        };
        let connection = Connection::read(bytes, &mut self.fields)?;
        self.keep_alive = connection.keeps_alive(self.version);
        self.upgrade = connection.upgrade(self.version, &self.fields);
        self.expect_continue = self.expectation(bytes)?;
        Ok(())
    }

    /// `method SP target SP version CRLF` (RFC 9112 section 3), with exactly one space at either place.
    fn request_line(&mut self, bytes: &[u8], start: usize, target_bytes: usize) -> Result<usize, HeadError> {
        let line = bytes.get(start..).unwrap_or_default();
        let method_len = token_len(line);
        let Some([b' ', rest @ ..]) = line.get(method_len..) else {
            return Err(HeadError::Method);
        };
        if method_len == 0 || method_len > METHOD_BYTES_MAX {
            return Err(HeadError::Method);
        }
        self.method_text = Span::new(start, start + method_len);
        self.method = Method::of(self.method_text.of(bytes));

        let target_start = start + method_len + 1;
        let Some(target_len) = memchr::memchr3(b' ', b'\r', b'\n', rest) else {
            return Err(HeadError::Incomplete);
        };
        if target_len == 0 {
            return Err(HeadError::RequestLine);
        }
        if target_len > target_bytes {
            return Err(HeadError::TargetBytes);
        }
        self.target_text = Span::new(target_start, target_start + target_len);
        self.version = match rest.get(target_len..).unwrap_or_default() {
            [b' ', b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ (b'0' | b'1'), b'\r', b'\n', ..] => match minor {
                b'0' => Version::Http10,
                _ => Version::Http11,
            },
            [b' ', b' ', ..] => return Err(HeadError::RequestLine),
            [b' ', ..] => return Err(HeadError::Version),
            _ => return Err(HeadError::RequestLine),
        };
        self.target = target::parse(self.method, bytes, self.target_text).map_err(HeadError::Target)?;
        Ok(target_start + target_len + b" HTTP/1.1\r\n".len())
    }

    /// RFC 9112 section 3.2: one valid `Host` in HTTP/1.1, even where the target's authority overrides it.
    fn effective_host(&self, bytes: &[u8]) -> Result<Option<HostPort>, HeadError> {
        let field = match self.fields.get(HeaderId::Host) {
            None if self.version == Version::Http11 => return Err(HeadError::HostMissing),
            None => None,
            Some(_) if self.fields.repeats(HeaderId::Host) => return Err(HeadError::HostRepeated),
            Some(field) => Some(host::parse(bytes, field.value).map_err(HeadError::Host)?),
        };
        match self.target.authority {
            None => Ok(field),
            Some(authority) => host::parse(bytes, authority).map(Some).map_err(HeadError::Host),
        }
    }

    /// RFC 9110 section 10.1.1: only `100-continue` is defined, and HTTP/1.0 has none.
    fn expectation(&self, bytes: &[u8]) -> Result<bool, HeadError> {
        if self.version == Version::Http10 || !self.fields.has(HeaderId::Expect) {
            return Ok(false);
        }
        for field in self.fields.all(HeaderId::Expect) {
            for expectation in list::elements(field.value.of(bytes)) {
                if !expectation.eq_ignore_ascii_case(b"100-continue") {
                    return Err(HeadError::Expectation);
                }
            }
        }
        Ok(!matches!(self.body, BodyLength::None | BodyLength::Length(0)))
    }
}
