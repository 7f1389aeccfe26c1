//! HPACK (RFC 7541): field sections as HTTP/2 compresses them.
//!
//! [`Decoder`] reads one whole block into a [`FieldSink`] of the caller, [`Encoder`] appends fields to a buffer of the
//! caller; each owns its dynamic table. Neither allocates for a field once its memory has grown to what its peer uses.
//!
//! Nothing here knows what a field means: which ones a request may have is the matter of [`crate::h2`].

mod decoder;
mod encoder;
mod error;
mod huffman;
mod index;
mod integer;
mod name;
mod policy;
mod static_table;
mod table;

pub use decoder::{Decoded, Decoder, FieldSink, ListLimits, TooLarge};
pub use encoder::Encoder;
pub use error::DecodeError;
pub use name::{Name, Pseudo};
pub use policy::SHORT_COOKIE_BYTES;

/// What a field counts for beside its name and value, in a table and in a list (RFC 7541 section 4.1, RFC 9113 section
/// 6.5.2), in bytes.
pub const FIELD_OVERHEAD_BYTES: usize = 32;

/// The size of either table before anything else has been agreed on, in bytes (RFC 9113 section 6.5.2).
pub const TABLE_BYTES_DEFAULT: usize = 4096;

#[cfg(test)]
mod tests;
