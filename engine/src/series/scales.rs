//! The buckets of histograms.

use ringgate_rt::histogram::Scale;

pub(crate) const TIME_BUCKETS: usize = 25;
pub(crate) const SIZE_BUCKETS: usize = 14;

/// Times of requests, in microseconds: 100 us to 60 s.
pub(crate) static TIMES: Scale<TIME_BUCKETS> = Scale::new([
    100,
    200,
    300,
    400,
    500,
    750,
    1_000,
    2_500,
    5_000,
    7_500,
    10_000,
    25_000,
    50_000,
    75_000,
    100_000,
    250_000,
    500_000,
    750_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    u64::MAX,
]);

/// Sizes of bodies, in bytes: none, and 256 B to 1 GiB.
pub(crate) static SIZES: Scale<SIZE_BUCKETS> = Scale::new([
    0,
    1 << 8,
    1 << 10,
    1 << 12,
    1 << 14,
    1 << 16,
    1 << 18,
    1 << 20,
    1 << 22,
    1 << 24,
    1 << 26,
    1 << 28,
    1 << 30,
    u64::MAX,
]);
