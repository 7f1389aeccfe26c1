//! Fields to blocks (RFC 7541 section 6).

use super::index::Index;
use super::name::Name;
use super::policy::{Policy, policy};
use super::static_table::{self, Found};
use super::table::Table;
use super::{FIELD_OVERHEAD_BYTES, TABLE_BYTES_DEFAULT, huffman, integer};

/// Sets for finding entries by the hash of name and value. A table of 4 KiB seldom has more than 80 entries; what is
/// not found costs compression and nothing else.
const FIELD_SETS: usize = 64;

/// Sets for finding entries by the hash of the name, and for fields that have come once.
const OTHER_SETS: usize = 32;

/// Encodes the blocks of one direction of a connection, in the order in which they are sent.
#[derive(Clone, Debug)]
pub struct Encoder {
    pub(super) table: Table,
    /// The largest table that the caller wants, in bytes.
    size_wanted: usize,
    /// Sizes that the peer has not been told of: the smallest since the last block, and the last.
    resized: Option<(usize, usize)>,
    /// Entries by name and value, and by name alone. An entry may be gone.
    by_field: Index<FIELD_SETS>,
    by_name: Index<OTHER_SETS>,
    /// Fields that have come and were not put into the table.
    seen: Index<OTHER_SETS>,
    /// How many have been put into `seen`.
    sightings: u32,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new(TABLE_BYTES_DEFAULT)
    }
}

impl Encoder {
    /// An encoder that uses at most `table_bytes` of whatever the peer allows, which is 4096 bytes until it says
    /// otherwise.
    pub fn new(table_bytes: usize) -> Self {
        let mut encoder = Self {
            table: Table::new(TABLE_BYTES_DEFAULT),
            size_wanted: table_bytes,
            resized: None,
            by_field: Index::new(),
            by_name: Index::new(),
            seen: Index::new(),
            sightings: 0,
        };
        encoder.set_table_size_max(TABLE_BYTES_DEFAULT);
        encoder
    }

    /// Takes note of the peer's SETTINGS_HEADER_TABLE_SIZE, in bytes. The next block says what the table's size is now
    /// (RFC 7541 section 4.2).
    pub fn set_table_size_max(&mut self, bytes: usize) {
        let size = bytes.min(self.size_wanted);
        if size == self.table.size_max() {
            return;
        }
        let smallest = self.resized.map_or(size, |(smallest, _)| smallest.min(size));
        self.resized = Some((smallest, size));
        self.table.resize(size);
    }

    /// Gives memory back: empties the table, which the next block tells the peer, and forgets what has come.
    pub fn shrink(&mut self) {
        let size = self.table.size_max();
        self.resized = Some((0, size));
        self.table = Table::new(size);
        self.by_field = Index::new();
        self.by_name = Index::new();
        self.seen = Index::new();
    }

    /// Begins a block. To be called once before its fields.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        let Some((smallest, last)) = self.resized.take() else { return };
        if smallest < last {
            integer::encode(smallest, 5, 0x20, out);
        }
        integer::encode(last, 5, 0x20, out);
    }

    /// Appends one field. `never_indexed` marks a secret that the sender of the field, or the configuration, knows of;
    /// those that anyone knows ([`SHORT_COOKIE_BYTES`](super::SHORT_COOKIE_BYTES), credentials) are treated so anyway.
    ///
    /// The name must be in lower case; it is sent as it is.
    pub fn field(&mut self, name: Name<'_>, value: &[u8], never_indexed: bool, out: &mut Vec<u8>) {
        let policy = if never_indexed { Policy::Never } else { policy(name, value) };
        let known = static_table::find(name, value);
        if let (Found::Field(index), false) = (known, policy == Policy::Never) {
            return integer::encode(index, 7, 0x80, out);
        }
        match policy {
            Policy::Never => self.literal(known, name, value, (4, 0x10), out),
            Policy::Without => self.literal(known, name, value, (4, 0), out),
            Policy::SecondTime | Policy::AtOnce => self.indexable(known, name, value, policy, out),
        }
    }

    fn indexable(&mut self, known: Found, name: Name<'_>, value: &[u8], policy: Policy, out: &mut Vec<u8>) {
        let name_hash = hash_name(name);
        let hash = hash_text(name_hash, value);
        let is_field = |(found, text): (Name<'_>, &[u8])| found == name && text == value;
        if let Some(index) = self.entry(self.by_field.find(hash), is_field) {
            return integer::encode(index, 7, 0x80, out);
        }
        let size = name.text().len() + value.len() + FIELD_OVERHEAD_BYTES;
        // One entry that takes half the table or more evicts too many others.
        let fits = size <= self.table.size_max() / 2;
        if !fits || (policy == Policy::SecondTime && self.seen.find(hash).is_none()) {
            self.sightings = self.sightings.wrapping_add(1);
            self.seen.put(hash, self.sightings);
            return self.literal(known, name, value, (4, 0), out);
        }
        self.literal(known, name, value, (6, 0x40), out);
        if self.table.insert(name, value) {
            self.by_field.put(hash, self.table.inserted());
            self.by_name.put(name_hash, self.table.inserted());
        }
    }

    /// The index of the entry with that serial number, if it is still there and is the one looked for.
    fn entry(&self, serial: Option<u32>, wanted: impl Fn((Name<'_>, &[u8])) -> bool) -> Option<usize> {
        // An age that wrapped around is beyond the table's end, but for an entry 2^32 insertions old: that is compared.
        let age = self.table.inserted().wrapping_sub(serial?) as usize;
        if age >= self.table.len() || !self.table.get(age).is_some_and(wanted) {
            return None;
        }
        Some(age + static_table::LEN + 1)
    }

    /// Appends a literal; `form` is how many bits the index has, and the bits above it.
    fn literal(&self, known: Found, name: Name<'_>, value: &[u8], form: (u32, u8), out: &mut Vec<u8>) {
        let (prefix_bits, flags) = form;
        let index = match known {
            Found::Field(index) | Found::Name(index) => Some(index),
            Found::Nothing => self.entry(self.by_name.find(hash_name(name)), |(found, _)| found == name),
        };
        integer::encode(index.unwrap_or(0), prefix_bits, flags, out);
        if index.is_none() {
            string(name.text(), out);
        }
        string(value, out);
    }
}

/// Strings of fewer bytes than this, encoded or not, have a length of one byte.
const ONE_BYTE_LENGTHS: usize = 127;

/// Appends a string literal, by Huffman's code where that is shorter (RFC 7541 section 5.2).
fn string(text: &[u8], out: &mut Vec<u8>) {
    if text.len() >= ONE_BYTE_LENGTHS {
        return long_string(text, out);
    }
    let at = out.len();
    out.push(0);
    huffman::encode(text, out);
    let len = out.len() - at - 1;
    let first = if len < text.len() {
        0x80 | len as u8
    } else {
        out.truncate(at + 1);
        out.extend_from_slice(text);
        text.len() as u8
    };
    if let Some(place) = out.get_mut(at) {
        *place = first;
    }
}

fn long_string(text: &[u8], out: &mut Vec<u8>) {
    let len = huffman::encoded_len(text);
    if len < text.len() {
        integer::encode(len, 7, 0x80, out);
        huffman::encode(text, out);
    } else {
        integer::encode(text.len(), 7, 0, out);
        out.extend_from_slice(text);
    }
}

/// A factor with its bits well spread: 2^64 divided by the golden ratio (Knuth, TAOCP 3, section 6.4).
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

fn hash_name(name: Name<'_>) -> u32 {
    match name {
        Name::Pseudo(pseudo) => mix(0x100 + pseudo as u64, 0),
        Name::Known(id) => mix(0x200 + id as u64, 0),
        Name::Other(text) => hash_text(0, text),
    }
}

/// Who can make hashes collide can make this connection's fields longer, and that is all.
fn hash_text(seed: u32, text: &[u8]) -> u32 {
    let mut hash = u64::from(seed) ^ (text.len() as u64) << 32;
    let (words, tail) = text.as_chunks::<8>();
    for word in words {
        hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR).rotate_left(29);
    }
    let last = tail.iter().rev().fold(0, |last, &byte| last << 8 | u64::from(byte));
    mix(hash, last)
}

fn mix(hash: u64, word: u64) -> u32 {
    let product = (hash ^ word).wrapping_mul(FACTOR);
    ((product >> 32) ^ (product >> 13)) as u32
}
