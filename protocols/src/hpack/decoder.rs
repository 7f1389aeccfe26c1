//! Blocks to fields (RFC 7541 sections 3 and 6).

use super::name::Name;
use super::table::Table;
use super::{DecodeError, FIELD_OVERHEAD_BYTES, TABLE_BYTES_DEFAULT, huffman, integer, static_table};

/// Where decoded fields go.
pub trait FieldSink {
    /// Takes one field; the slices are gone afterwards. `never_indexed` must be kept and given to the encoder of the
    /// next hop (RFC 7541 section 6.2.3).
    ///
    /// An error means that there is no room: nothing more of this block is given, but it is decoded to its end.
    fn field(&mut self, name: Name<'_>, value: &[u8], never_indexed: bool) -> Result<(), TooLarge>;
}

/// A sink has no room for a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLarge;

/// How large a list of fields may be, each counted as name + value + 32 bytes (RFC 9113 section 6.5.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListLimits {
    /// Above this nothing more is given to the sink, and the block is only decoded to keep the table in step.
    pub soft: usize,
    /// Above this the block is given up ([`DecodeError::ListTooLarge`]): it is a bomb, not a large head.
    pub hard: usize,
}

/// What a block was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decoded {
    /// The list's size, each field counted as name + value + 32 bytes.
    pub size: usize,
    /// Whether every field has gone to the sink.
    pub complete: bool,
}

/// Decodes the blocks of one direction of a connection, in the order in which they come.
#[derive(Clone, Debug)]
pub struct Decoder {
    pub(super) table: Table,
    /// The table size in force for the peer, in bytes.
    advertised: usize,
    /// Whether the next block must begin with a size update.
    update_due: bool,
    strings: Strings,
}

/// Memory for strings that can't be used where they lie.
#[derive(Clone, Debug, Default)]
struct Strings {
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// What the first byte of a field says (RFC 7541 section 6).
enum Literal {
    Indexed,
    NotIndexed,
    NeverIndexed,
}

impl Decoder {
    /// A decoder with the table size that every connection starts with.
    pub fn new() -> Self {
        Self {
            table: Table::new(TABLE_BYTES_DEFAULT),
            advertised: TABLE_BYTES_DEFAULT,
            update_due: false,
            strings: Strings::default(),
        }
    }

    /// Takes note that the peer has acknowledged another SETTINGS_HEADER_TABLE_SIZE, in bytes. If its table is larger
    /// than that now, its next block must say that it made it smaller (RFC 9113 section 4.3.1).
    pub fn set_table_size_max(&mut self, bytes: usize) {
        self.advertised = bytes;
        self.update_due = bytes < self.table.size_max();
    }

    /// Gives memory back that holds nothing between blocks. The table stays.
    pub fn shrink(&mut self) {
        self.strings = Strings::default();
    }

    /// Decodes one whole block. After an error the decoder must not be used again.
    pub fn decode<S: FieldSink>(
        &mut self,
        block: &[u8],
        limits: ListLimits,
        sink: &mut S,
    ) -> Result<Decoded, DecodeError> {
        let mut list = List { size: 0, complete: true, limits, sink };
        let mut rest = self.size_updates(block)?;
        while let Some(&first) = rest.first() {
            rest = match first {
                0x80.. => self.indexed(rest, &mut list)?,
                0x40.. => self.literal(rest, 6, Literal::Indexed, &mut list)?,
                0x20.. => return Err(DecodeError::SizeUpdatePlace),
                0x10.. => self.literal(rest, 4, Literal::NeverIndexed, &mut list)?,
                _ => self.literal(rest, 4, Literal::NotIndexed, &mut list)?,
            };
        }
        Ok(Decoded { size: list.size, complete: list.complete })
    }

    fn size_updates<'b>(&mut self, block: &'b [u8]) -> Result<&'b [u8], DecodeError> {
        let mut rest = block;
        while let Some(0x20..=0x3f) = rest.first() {
            let (size, after) = integer::decode(rest, 5)?;
            if size > self.advertised {
                return Err(DecodeError::SizeUpdateTooLarge);
            }
            self.table.resize(size);
            self.update_due = false;
            rest = after;
        }
        if self.update_due { Err(DecodeError::SizeUpdateMissing) } else { Ok(rest) }
    }

    fn indexed<'b, S: FieldSink>(&self, bytes: &'b [u8], list: &mut List<'_, S>) -> Result<&'b [u8], DecodeError> {
        let (index, rest) = integer::decode(bytes, 7)?;
        let (name, value) = entry(&self.table, index)?;
        list.add(name, value, false)?;
        Ok(rest)
    }

    fn literal<'b, S: FieldSink>(
        &mut self,
        bytes: &'b [u8],
        prefix_bits: u32,
        kind: Literal,
        list: &mut List<'_, S>,
    ) -> Result<&'b [u8], DecodeError> {
        let Self { table, strings, .. } = self;
        let (index, rest) = integer::decode(bytes, prefix_bits)?;
        let (name, rest) = match index {
            0 => {
                let (text, rest) = string(rest, &mut strings.name)?;
                (Name::of(text), rest)
            }
            _ => (copied(entry(table, index)?.0, &mut strings.name), rest),
        };
        let (value, rest) = string(rest, &mut strings.value)?;
        list.add(name, value, matches!(kind, Literal::NeverIndexed))?;
        if let Literal::Indexed = kind {
            table.insert(name, value);
        }
        Ok(rest)
    }
}

fn entry(table: &Table, index: usize) -> Result<(Name<'_>, &[u8]), DecodeError> {
    match static_table::get(index) {
        Some(entry) => Ok(entry),
        None if index == 0 => Err(DecodeError::Index),
        None => table.get(index - static_table::LEN - 1).ok_or(DecodeError::Index),
    }
}

/// The same name without a hold on the table: to insert may evict the entry that it comes from (RFC 7541 section 4.4).
fn copied<'s>(name: Name<'_>, scratch: &'s mut Vec<u8>) -> Name<'s> {
    scratch.clear();
    if let Name::Other(text) = name {
        scratch.extend_from_slice(text);
    }
    name.tag().name(scratch)
}

/// Reads a string literal (RFC 7541 section 5.2): where it lies, or decoded into `scratch`.
fn string<'s, 'b: 's>(bytes: &'b [u8], scratch: &'s mut Vec<u8>) -> Result<(&'s [u8], &'b [u8]), DecodeError> {
    let is_huffman = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let (len, rest) = integer::decode(bytes, 7)?;
    let (text, rest) = rest.split_at_checked(len).ok_or(DecodeError::Truncated)?;
    if !is_huffman {
        return Ok((text, rest));
    }
    scratch.clear();
    huffman::decode(text, scratch)?;
    Ok((scratch, rest))
}

/// The list as far as it has been decoded.
struct List<'s, S> {
    size: usize,
    complete: bool,
    limits: ListLimits,
    sink: &'s mut S,
}

impl<S: FieldSink> List<'_, S> {
    fn add(&mut self, name: Name<'_>, value: &[u8], never_indexed: bool) -> Result<(), DecodeError> {
        self.size += name.text().len() + value.len() + FIELD_OVERHEAD_BYTES;
        if self.size > self.limits.hard {
            return Err(DecodeError::ListTooLarge);
        }
        self.complete =
            self.complete && self.size <= self.limits.soft && self.sink.field(name, value, never_indexed).is_ok();
        Ok(())
    }
}
