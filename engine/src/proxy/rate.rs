//! `min_rate`: a transfer that is slower than so many bytes a second, beyond a grace, is ended.

use ringgate_config::MinRate;
use ringgate_rt::clock::Moment;
use std::time::Duration;

/// Watches one direction of one exchange. Only time in which the peer is what we wait for counts: a body that the
/// service does not take, or an answer that it does not send, is not the client's slowness.
#[derive(Default)]
pub(crate) struct RateWatch {
    seen: u64,
    moved: u64,
    waited: Duration,
    last: Option<Moment>,
}

impl RateWatch {
    /// Takes a reading: bytes moved so far, and whether the peer is waited for. True if it has been too slow: in the
    /// last stretch of waiting as long as the grace, fewer bytes came than the rate asks for.
    pub(crate) fn too_slow(&mut self, now: Moment, bytes: u64, waiting: bool, rate: Option<MinRate>) -> bool {
        let elapsed = self.last.map_or(Duration::ZERO, |last| now.since(last));
        self.last = Some(now);
        self.moved += bytes.saturating_sub(self.seen);
        self.seen = bytes;
        let Some(rate) = rate.filter(|_| waiting) else {
            self.moved = 0;
            self.waited = Duration::ZERO;
            return false;
        };
        self.waited += elapsed;
        if self.waited < rate.grace {
            return false;
        }
        let wanted = rate.bytes as f64 * self.waited.as_secs_f64();
        let slow = (self.moved as f64) < wanted;
        self.moved = 0;
        self.waited = Duration::ZERO;
        slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Option<MinRate> = Some(MinRate { bytes: 240, grace: Duration::from_secs(5) });

    fn run(bytes_each_second: u64, seconds: u64) -> Option<u64> {
        let mut watch = RateWatch::default();
        (0..=seconds).find(|s| watch.too_slow(Moment(s * 1_000_000), s * bytes_each_second, true, RATE))
    }

    #[test]
    fn at_the_rate_is_fast_enough_and_just_below_is_not() {
        assert_eq!(run(240, 100), None);
        assert_eq!(run(239, 100), Some(5));
        assert_eq!(run(0, 100), Some(5));
    }

    #[test]
    fn a_fast_start_gives_no_credit_for_a_stall() {
        let mut watch = RateWatch::default();
        assert!(!watch.too_slow(Moment(0), 0, true, RATE));
        assert!(!watch.too_slow(Moment(5_000_000), 10_000_000, true, RATE));
        assert!(!watch.too_slow(Moment(9_000_000), 10_000_000, true, RATE));
        assert!(watch.too_slow(Moment(10_000_000), 10_000_000, true, RATE));
    }

    #[test]
    fn time_in_which_nobody_waits_for_the_peer_does_not_count() {
        let mut watch = RateWatch::default();
        for s in 0..100 {
            assert!(!watch.too_slow(Moment(s * 1_000_000), 0, s % 2 == 0, RATE));
        }
        assert!(!watch.too_slow(Moment(1_000_000_000), 0, true, None));
    }
}
