//! The dynamic table (RFC 7541 sections 2.3.2 and 4).
//!
//! Names and values lie one behind the other in one buffer; old ones are dead bytes at its front until there are as
//! many of them as may be alive. So every value is one slice, nothing is allocated for an entry, and each byte is moved
//! once.

use super::FIELD_OVERHEAD_BYTES;
use super::name::{Name, Tag};
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug)]
struct Entry {
    tag: Tag,
    /// Where the name, or for a known name the value, begins, counted from the first byte ever stored.
    start: u64,
    /// Bytes of the name that are stored: 0 for a known one.
    name_len: u32,
    value_len: u32,
    /// What the entry counts for (RFC 7541 section 4.1).
    size: u32,
}

/// Entries, newest first by index, oldest first in memory.
#[derive(Clone, Debug)]
pub(super) struct Table {
    bytes: Vec<u8>,
    /// How many bytes ever stored have been moved out at the front.
    moved_out: u64,
    entries: VecDeque<Entry>,
    size: usize,
    size_max: usize,
    /// How many entries have ever been inserted.
    inserted: u32,
}

impl Table {
    pub(super) fn new(size_max: usize) -> Self {
        Self { bytes: Vec::new(), moved_out: 0, entries: VecDeque::new(), size: 0, size_max, inserted: 0 }
    }

    pub(super) fn size_max(&self) -> usize {
        self.size_max
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many entries have ever been inserted, wrapping: the newest entry has this serial number.
    pub(super) fn inserted(&self) -> u32 {
        self.inserted
    }

    /// The entry at `index`, where 0 is the newest.
    pub(super) fn get(&self, index: usize) -> Option<(Name<'_>, &[u8])> {
        let place = self.entries.len().checked_sub(index)?.checked_sub(1)?;
        let entry = self.entries.get(place)?;
        let start = (entry.start - self.moved_out) as usize;
        let name_end = start + entry.name_len as usize;
        let name = self.bytes.get(start..name_end)?;
        let value = self.bytes.get(name_end..name_end + entry.value_len as usize)?;
        Some((entry.tag.name(name), value))
    }

    /// Adds an entry and evicts what no longer fits; what is larger than the whole table empties it (RFC 7541 section
    /// 4.4). Whether the entry is there now.
    pub(super) fn insert(&mut self, name: Name<'_>, value: &[u8]) -> bool {
        let size = name.text().len() + value.len() + FIELD_OVERHEAD_BYTES;
        if size > self.size_max {
            self.evict_to(0);
            return false;
        }
        self.evict_to(self.size_max - size);
        self.move_out();
        let stored = match name {
            Name::Other(text) => text,
            _ => &[],
        };
        let start = self.moved_out + self.bytes.len() as u64;
        self.bytes.extend_from_slice(stored);
        self.bytes.extend_from_slice(value);
        self.entries.push_back(Entry {
            tag: name.tag(),
            start,
            // An entry fits into the table, whose size is far below 32 bits.
            name_len: stored.len() as u32,
            value_len: value.len() as u32,
            size: size as u32,
        });
        self.size += size;
        self.inserted = self.inserted.wrapping_add(1);
        true
    }

    /// Changes how large the table may be (RFC 7541 section 4.3).
    pub(super) fn resize(&mut self, size_max: usize) {
        self.size_max = size_max;
        self.evict_to(size_max);
    }

    fn evict_to(&mut self, size: usize) {
        while self.size > size {
            let Some(entry) = self.entries.pop_front() else { break };
            self.size -= entry.size as usize;
        }
    }

    /// Moves what is alive to the front of the buffer once as many bytes are dead as may be alive.
    fn move_out(&mut self) {
        let end = self.moved_out + self.bytes.len() as u64;
        let alive_from = self.entries.front().map_or(end, |entry| entry.start);
        let dead = (alive_from - self.moved_out) as usize;
        if dead == self.bytes.len() || dead > self.size_max {
            self.bytes.drain(..dead);
            self.moved_out = alive_from;
        }
    }
}
