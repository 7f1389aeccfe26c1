//! How long a body is, as its head states it (RFC 9112 section 6).

#[cfg(test)]
mod tests;

use super::HeadError;
use crate::wire::{Fields, HeaderId, Version};

/// What `Content-Length` and `Transfer-Encoding` say together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Framing {
    /// Neither is there.
    #[default]
    Unstated,
    /// `Content-Length`.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

impl Framing {
    /// Reads both fields; whatever two recipients could read differently is an error.
    ///
    /// Refused are: both fields together, whatever the message (RFC 9112 section 6.3 lets a server read on, but every
    /// request smuggling needs that); any transfer coding but one single `chunked`; `Transfer-Encoding` in HTTP/1.0
    /// (RFC 9112 section 6.1); a list in `Content-Length`. A second `Content-Length` line that says the same is marked
    /// so that only one is forwarded (RFC 9110 section 8.6).
    pub(super) fn read(bytes: &[u8], fields: &mut Fields, version: Version) -> Result<Self, HeadError> {
        const EITHER: u64 = HeaderId::ContentLength.bit() | HeaderId::TransferEncoding.bit();
        if fields.present() & EITHER == 0 {
            return Ok(Self::Unstated);
        }
        let Some(encoding) = fields.get(HeaderId::TransferEncoding) else {
            return content_length(bytes, fields);
        };
        if fields.has(HeaderId::ContentLength) {
            return Err(HeadError::LengthAndEncoding);
        }
        if version == Version::Http10 {
            return Err(HeadError::TransferEncodingInHttp10);
        }
        if fields.repeats(HeaderId::TransferEncoding) || !encoding.value.of(bytes).eq_ignore_ascii_case(b"chunked") {
            return Err(HeadError::TransferEncoding);
        }
        Ok(Self::Chunked)
    }

    /// The stated length.
    pub(super) fn length(self) -> Option<u64> {
        match self {
            Self::Length(length) => Some(length),
            _ => None,
        }
    }
}

fn content_length(bytes: &[u8], fields: &mut Fields) -> Result<Framing, HeadError> {
    let mut stated = None;
    for field in fields.all(HeaderId::ContentLength) {
        let length = decimal(field.value.of(bytes)).ok_or(HeadError::ContentLength)?;
        if *stated.get_or_insert(length) != length {
            return Err(HeadError::ContentLengthsDiffer);
        }
    }
    if fields.repeats(HeaderId::ContentLength) {
        fields.mark_from(HeaderId::ContentLength, 1);
    }
    stated.map(Framing::Length).ok_or(HeadError::ContentLength)
}

/// `1*DIGIT` up to 2^63 - 1: more than any body has, and no reader overflows on it.
fn decimal(text: &[u8]) -> Option<u64> {
    const DIGITS_MAX: usize = 19;
    if text.is_empty() || text.len() > DIGITS_MAX {
        return None;
    }
    let mut number: u64 = 0;
    for &byte in text {
        if !byte.is_ascii_digit() {
            return None;
        }
        // 19 digits stay below 2^64.
        number = number * 10 + u64::from(byte - b'0');
    }
    (number <= i64::MAX as u64).then_some(number)
}
