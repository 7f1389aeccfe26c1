//! Histograms that one thread fills and any thread reads: an addition costs an index and two plain stores.

use crate::counters::Counter;

/// Bounds of one octave that a scale may have: values from one power of two to the next.
const PER_OCTAVE: usize = 3;
/// Bit lengths of a `u64`, zero's included.
const OCTAVES: usize = 65;

/// The upper bounds of a histogram's buckets, each inclusive. The last bucket takes everything above the last bound.
pub struct Scale<const BUCKETS: usize> {
    /// In rising order; the last is `u64::MAX`.
    bounds: [u64; BUCKETS],
    octaves: [Octave; OCTAVES],
}

/// The bounds between one power of two and the next, so that a bucket is found by three comparisons and no loop.
#[derive(Clone, Copy)]
struct Octave {
    /// How many bounds are below all of its values.
    below: usize,
    bounds: [u64; PER_OCTAVE],
}

impl<const BUCKETS: usize> Scale<BUCKETS> {
    /// The scale with these bounds.
    ///
    /// # Panics
    /// While compiling, when it is made there: if the bounds do not rise, the last is not `u64::MAX`, or more than three
    /// lie between one power of two and the next.
    pub const fn new(bounds: [u64; BUCKETS]) -> Scale<BUCKETS> {
        assert!(BUCKETS > 0 && bounds[BUCKETS - 1] == u64::MAX, "the last bucket takes the rest");
        let mut octaves = [Octave { below: 0, bounds: [u64::MAX; PER_OCTAVE] }; OCTAVES];
        let mut bits = 0;
        while bits < OCTAVES {
            let (lowest, highest) = match bits {
                0 => (0, 0),
                64 => (1 << 63, u64::MAX),
                _ => (1 << (bits - 1), (1 << bits) - 1),
            };
            let (mut at, mut inside) = (0, 0);
            while at < BUCKETS - 1 {
                assert!(bounds[at] < bounds[at + 1], "bounds rise");
                if bounds[at] < lowest {
                    octaves[bits].below += 1;
                } else if bounds[at] <= highest {
                    octaves[bits].bounds[inside] = bounds[at];
                    inside += 1;
                }
                at += 1;
            }
            bits += 1;
        }
        Scale { bounds, octaves }
    }

    /// The bounds, in rising order. The last is `u64::MAX`.
    pub fn bounds(&self) -> &[u64; BUCKETS] {
        &self.bounds
    }

    /// The bucket of a value: how many bounds are below it.
    #[inline]
    pub fn bucket(&self, value: u64) -> usize {
        let octave = &self.octaves[(u64::BITS - value.leading_zeros()) as usize];
        let [a, b, c] = octave.bounds;
        octave.below + usize::from(a < value) + usize::from(b < value) + usize::from(c < value)
    }
}

/// Values counted by the buckets of a scale, and their sum.
#[derive(Debug)]
pub struct Histogram<const BUCKETS: usize> {
    buckets: [Counter; BUCKETS],
    sum: Counter,
}

impl<const BUCKETS: usize> Default for Histogram<BUCKETS> {
    fn default() -> Self {
        Histogram { buckets: std::array::from_fn(|_| Counter::default()), sum: Counter::default() }
    }
}

impl<const BUCKETS: usize> Histogram<BUCKETS> {
    /// Counts a value. Only the owning shard may call it.
    #[inline]
    pub fn record(&self, scale: &Scale<BUCKETS>, value: u64) {
        // The bucket of a scale is always below the number of its bounds.
        if let Some(bucket) = self.buckets.get(scale.bucket(value)) {
            bucket.add_one();
        }
        self.sum.add(value);
    }

    /// Adds what is counted here to a sum over shards.
    pub fn add_to(&self, sum: &mut Counts<BUCKETS>) {
        for (total, bucket) in sum.buckets.iter_mut().zip(&self.buckets) {
            *total += bucket.get();
        }
        sum.sum = sum.sum.wrapping_add(self.sum.get());
    }
}

/// What histograms have counted, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts<const BUCKETS: usize> {
    /// Values of each bucket alone, not of those below it.
    pub buckets: [u64; BUCKETS],
    /// The sum of all values.
    pub sum: u64,
}

impl<const BUCKETS: usize> Default for Counts<BUCKETS> {
    fn default() -> Self {
        Counts { buckets: [0; BUCKETS], sum: 0 }
    }
}

impl<const BUCKETS: usize> Counts<BUCKETS> {
    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SCALE: Scale<7> = Scale::new([1, 100, 200, 250, 1000, 60_000_000, u64::MAX]);

    /// The definition, as a loop.
    fn slow(value: u64) -> usize {
        SCALE.bounds().iter().position(|bound| value <= *bound).expect("the last takes everything")
    }

    #[test]
    fn a_value_is_in_the_first_bucket_whose_bound_is_not_below_it() {
        for near in SCALE.bounds().iter().chain(&[0, 128, 256, 512, 1 << 32, 1 << 63]) {
            for value in near.saturating_sub(2)..=near.saturating_add(2) {
                assert_eq!(SCALE.bucket(value), slow(value), "{value}");
            }
        }
        for value in 0..70_000 {
            assert_eq!(SCALE.bucket(value), slow(value), "{value}");
        }
    }

    #[test]
    fn shards_are_added_up() {
        let shards = [Histogram::default(), Histogram::default()];
        for (shard, values) in shards.iter().zip([[1, 2], [101, u64::MAX]]) {
            values.iter().for_each(|value| shard.record(&SCALE, *value));
        }
        let mut counts = Counts::default();
        shards.iter().for_each(|shard| shard.add_to(&mut counts));
        assert_eq!(counts.buckets, [1, 1, 1, 0, 0, 0, 1]);
        assert_eq!((counts.count(), counts.sum), (4, 103));
    }
}
