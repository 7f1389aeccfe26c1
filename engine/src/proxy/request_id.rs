//! Request ids: 128 bits as 32 hexadecimal digits, unique without asking anybody.

use ahash::RandomState;
use std::cell::Cell;
use std::hash::{BuildHasher, Hasher};

/// Characters of an id that is taken over from a trusted sender, at most.
pub(crate) const TAKEN_OVER_MAX: usize = 128;

/// Makes ids for one shard: a random number of the shard in front, a scrambled count behind.
pub(crate) struct RequestIds {
    shard: u64,
    count: Cell<u64>,
}

/// An id, in the form in which it is written.
pub(crate) type RequestId = [u8; 32];

impl RequestIds {
    pub(crate) fn new() -> RequestIds {
        // RandomState is keyed from the system's random source.
        let random = || RandomState::new().build_hasher().finish();
        RequestIds { shard: random(), count: Cell::new(random()) }
    }

    /// The next id.
    #[inline]
    pub(crate) fn next(&self) -> RequestId {
        let count = self.count.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.count.set(count);
        let mut id = [0; 32];
        hexadecimal(self.shard, &mut id[..16]);
        hexadecimal(scrambled(count), &mut id[16..]);
        id
    }
}

/// Whether a sender's id can be passed on and logged: visible ASCII, not too long.
pub(crate) fn acceptable(id: &[u8]) -> bool {
    !id.is_empty() && id.len() <= TAKEN_OVER_MAX && id.iter().all(u8::is_ascii_graphic)
}

/// A bijection, so that different counts stay different (the finaliser of splitmix64).
fn scrambled(mut n: u64) -> u64 {
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

fn hexadecimal(n: u64, out: &mut [u8]) {
    for (at, digit) in out.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(n >> (60 - 4 * at)) as usize & 15];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_are_hexadecimal() {
        let ids = RequestIds::new();
        let made: std::collections::HashSet<RequestId> = (0..10_000).map(|_| ids.next()).collect();
        assert_eq!(made.len(), 10_000);
        assert!(made.iter().flatten().all(u8::is_ascii_hexdigit));
    }

    #[test]
    fn what_is_taken_over_is_visible_and_short() {
        assert!(acceptable(b"a-B_9"));
        assert!(acceptable(&[b'x'; TAKEN_OVER_MAX]));
        assert!(!acceptable(&[b'x'; TAKEN_OVER_MAX + 1]));
        assert!(!acceptable(b"") && !acceptable(b"a b") && !acceptable(b"a\"\n"));
    }
}
