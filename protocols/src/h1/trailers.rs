//! The trailer section of a chunked body (RFC 9112 section 7.1.2).

use super::{BodyError, HeadError, lines};
use crate::wire::{Field, Fields};

/// Fields that came after the body, with their bytes.
///
/// Those that must not stand there are left out, because to act on them would let the body's sender change what has
/// been decided from the head (RFC 9110 section 6.5.1): framing, routing, conditionals, authentication, content format,
/// forwarding and identity, that is every name known to [`crate::wire::HeaderId`] but `ETag`. A malformed section is an
/// error.
#[derive(Clone, Debug, Default)]
pub struct Trailers {
    bytes: Vec<u8>,
    fields: Fields,
}

impl Trailers {
    /// The section as received; the spans of [`Trailers::fields`] point into it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The fields that may be passed on.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Name and value of each field that may be passed on.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let part = |field: &Field| (field.name.of(&self.bytes), field.value.of(&self.bytes));
        self.fields.iter().map(part)
    }

    /// Adds a received byte, up to `bytes_max`.
    pub(super) fn receive(&mut self, byte: u8, bytes_max: usize) -> Result<(), BodyError> {
        if self.bytes.len() >= bytes_max {
            return Err(BodyError::TrailerBytes);
        }
        self.bytes.push(byte);
        Ok(())
    }

    /// Reads the lines once their last byte has come; the blank line behind them is not among the bytes.
    pub(super) fn complete(&mut self, fields_max: usize) -> Result<(), BodyError> {
        let lines_end = self.bytes.len();
        self.bytes.extend_from_slice(b"\r\n");
        let mut received = Fields::default();
        lines::parse(&self.bytes, 0, &mut received, fields_max).map_err(|error| match error {
            HeadError::Headers => BodyError::Trailers,
            other => BodyError::Trailer(other),
        })?;
        self.bytes.truncate(lines_end);
        for field in received.iter().filter(|field| field.id.allowed_in_trailer()) {
            self.fields.push(*field);
        }
        Ok(())
    }
}
