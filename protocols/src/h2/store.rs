//! The streams of a connection: slots that are used again, and an index by identifier.

#[cfg(test)]
mod tests;

use super::stream::Stream;

/// Slots at the start, and those kept when all streams are gone.
const SLOTS_MIN: usize = 8;

/// Streams by identifier. Finding one looks at one or two places, and nothing is allocated as long as no more streams
/// are there than have been.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    slots: Vec<Option<Stream>>,
    free: Vec<u32>,
    /// Open addressing with linear probing, at most half full: identifier and slot; identifier 0 is an empty place.
    index: Vec<(u32, u32)>,
    len: usize,
}

impl Store {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds a stream, whose identifier must not be there.
    pub(super) fn insert(&mut self, stream: Stream) -> &mut Stream {
        if (self.len + 1) * 2 > self.index.len() {
            self.grow();
        }
        let slot = match self.free.pop() {
            Some(slot) => slot as usize,
            None => {
                self.slots.push(None);
                self.slots.len() - 1
            }
        };
        self.link(stream.id, slot as u32);
        self.len += 1;
        // In bounds: a free slot was one of `slots`, which never gets shorter while `free` has anything.
        self.slots[slot].insert(stream)
    }

    pub(super) fn get(&self, id: u32) -> Option<&Stream> {
        let (_, slot) = self.index.get(self.find(id)?)?;
        self.slots.get(*slot as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        let (_, slot) = self.index.get(self.find(id)?)?;
        self.slots.get_mut(*slot as usize)?.as_mut()
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Stream> {
        let place = self.find(id)?;
        let (_, slot) = *self.index.get(place)?;
        self.unlink(place);
        self.len -= 1;
        self.free.push(slot);
        self.slots.get_mut(slot as usize)?.take()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.slots.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.slots.iter_mut().flatten()
    }

    /// Gives memory back if there is no stream.
    pub(super) fn shrink(&mut self) {
        if self.len == 0 {
            *self = Self::default();
        }
    }

    fn find(&self, id: u32) -> Option<usize> {
        if self.index.is_empty() {
            return None;
        }
        let mask = self.index.len() - 1;
        let mut place = home(id) & mask;
        loop {
            match self.index.get(place) {
                Some((found, _)) if *found == id => return Some(place),
                None | Some((0, _)) => return None,
                Some(_) => place = (place + 1) & mask,
            }
        }
    }

    fn link(&mut self, id: u32, slot: u32) {
        let mask = self.index.len() - 1;
        let mut place = home(id) & mask;
        while self.index.get(place).is_some_and(|(found, _)| *found != 0) {
            place = (place + 1) & mask;
        }
        if let Some(entry) = self.index.get_mut(place) {
            *entry = (id, slot);
        }
    }

    /// Empties a place, and moves those behind it up that would no longer be found.
    fn unlink(&mut self, place: usize) {
        let mask = self.index.len() - 1;
        let (mut hole, mut at) = (place, place);
        loop {
            at = (at + 1) & mask;
            let Some(&(id, slot)) = self.index.get(at) else { break };
            if id == 0 {
                break;
            }
            // How far an entry is from its home; it may move back that far and no farther.
            let distance = at.wrapping_sub(home(id)) & mask;
            if distance >= at.wrapping_sub(hole) & mask {
                if let Some(entry) = self.index.get_mut(hole) {
                    *entry = (id, slot);
                }
                hole = at;
            }
        }
        if let Some(entry) = self.index.get_mut(hole) {
            *entry = (0, 0);
        }
    }

    fn grow(&mut self) {
        let len = (self.index.len() * 2).max(SLOTS_MIN * 2);
        let old = std::mem::replace(&mut self.index, vec![(0, 0); len]);
        for (id, slot) in old {
            if id != 0 {
                self.link(id, slot);
            }
        }
    }
}

/// Identifiers of one side count by two, so their halves spread over the places one by one.
fn home(id: u32) -> usize {
    (id >> 1) as usize
}
