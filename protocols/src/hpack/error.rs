//! What can be wrong with a block.

use std::fmt;

/// Why a block can't be decoded. The table is out of step after it, so the connection must be closed: with
/// COMPRESSION_ERROR (RFC 9113 section 4.3), or for [`DecodeError::ListTooLarge`] with ENHANCE_YOUR_CALM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// The block ends inside a field.
    Truncated,
    /// An integer is above 2^28, or has more than four bytes behind its prefix (RFC 7541 section 5.1).
    Integer,
    /// An index beyond both tables, or index 0 (RFC 7541 sections 2.3.3, 6.1).
    Index,
    /// The Huffman code of EOS stands inside a string (RFC 7541 section 5.2).
    HuffmanEos,
    /// Padding of a Huffman string that is longer than seven bits or not all ones (RFC 7541 section 5.2).
    HuffmanPadding,
    /// A table size update behind the first field of a block (RFC 7541 section 4.2).
    SizeUpdatePlace,
    /// A table size above what was advertised (RFC 7541 section 6.3).
    SizeUpdateTooLarge,
    /// The table has been made smaller, and the block does not begin with that update (RFC 9113 section 4.3.1).
    SizeUpdateMissing,
    /// The list is larger than [`super::ListLimits::hard`].
    ListTooLarge,
}

impl DecodeError {
    /// What was found and what was expected, fit for a log and for the debug data of GOAWAY.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Truncated => "the field block ends inside a field",
            Self::Integer => "the field block has an integer above 2^28 or with more than four further bytes",
            Self::Index => "the field block has an index that is in neither table",
            Self::HuffmanEos => "a Huffman string has the EOS symbol in it",
            Self::HuffmanPadding => "a Huffman string has padding other than at most seven ones",
            Self::SizeUpdatePlace => "a table size update does not stand at the start of its field block",
            Self::SizeUpdateTooLarge => "a table size update is above the advertised size",
            Self::SizeUpdateMissing => "the field block does not begin with the table size update that was due",
            Self::ListTooLarge => "the field list is many times larger than this server's limit",
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for DecodeError {}
