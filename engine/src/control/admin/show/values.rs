//! Single values, as the file writes them.

use crate::observe::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What stands where a secret would.
pub(super) const SECRET: &str = "***";

const DURATIONS: [(&str, u128); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
const SIZES: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// A duration in the largest unit that says it whole.
pub(super) fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let whole = DURATIONS.iter().find(|(_, factor)| millis > 0 && millis.is_multiple_of(*factor));
    whole.map_or_else(|| "0s".to_owned(), |(unit, factor)| format!("{}{unit}", millis / factor))
}

/// A size in the largest unit that says it whole.
pub(super) fn size(bytes: u64) -> String {
    let whole = SIZES.iter().find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor));
    whole.map_or_else(|| format!("{bytes}B"), |(unit, factor)| format!("{}{unit}", bytes / factor))
}

/// A time in UTC with milliseconds (RFC 3339).
pub(super) fn time(at: SystemTime) -> String {
    let mut text = Vec::new();
    json::timestamp(&mut text, at.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64);
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_the_file_writes_them() {
        let durations = [(0, "0s"), (1, "1ms"), (1500, "1500ms"), (2000, "2s"), (90_000, "90s"), (7_200_000, "2h")];
        for (millis, text) in durations {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
        for (bytes, text) in
            [(0, "0B"), (1, "1B"), (1024, "1KiB"), (1025, "1025B"), (10 << 20, "10MiB"), (5 << 40, "5120GiB")]
        {
            assert_eq!(size(bytes), text);
        }
    }
}
