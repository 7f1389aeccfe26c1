//! Finding things by hash, in a fixed space: what does not fit is forgotten, the oldest first.

#[cfg(test)]
mod tests;

/// Places that one hash may have. With a few dozen things in it, an index of 64 sets loses none of them.
const WAYS: usize = 4;

/// A hash, and the serial number of what has it. The hash 0 is an empty place.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    hash: u32,
    serial: u32,
}

/// Serial numbers by hash. Serial numbers count upwards and may wrap around.
#[derive(Clone, Debug)]
pub(super) struct Index<const SETS: usize> {
    /// None before anything has been put there.
    sets: Option<Box<[[Slot; WAYS]; SETS]>>,
}

impl<const SETS: usize> Index<SETS> {
    pub(super) fn new() -> Self {
        Self { sets: None }
    }

    /// The serial number last put there with that hash.
    pub(super) fn find(&self, hash: u32) -> Option<u32> {
        let hash = hash.max(1);
        let set = &self.sets.as_ref()?[hash as usize % SETS];
        set.iter().find(|slot| slot.hash == hash).map(|slot| slot.serial)
    }

    /// Puts a serial number there, which is the highest so far.
    pub(super) fn put(&mut self, hash: u32, serial: u32) {
        let hash = hash.max(1);
        let sets = self.sets.get_or_insert_with(|| Box::new([[Slot::default(); WAYS]; SETS]));
        let set = &mut sets[hash as usize % SETS];
        let age = |slot: &Slot| match slot.hash {
            found if found == hash => u64::MAX,
            0 => u64::from(u32::MAX) + 1,
            _ => u64::from(serial.wrapping_sub(slot.serial)),
        };
        if let Some(oldest) = set.iter_mut().max_by_key(|slot| age(slot)) {
            *oldest = Slot { hash, serial };
        }
    }
}
