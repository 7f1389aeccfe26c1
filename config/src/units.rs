//! Numbers with units, as the file writes them: `250ms`, `64KiB`.

use std::time::Duration;

#[cfg(test)]
mod tests;

/// Why a text is no number of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotANumber {
    /// It doesn't begin with digits, or holds a sign or a fraction.
    Form,
    /// Digits alone, where a unit is needed.
    NoUnit,
    /// What stands behind the digits is no unit of this kind.
    Unit,
    /// More than can be counted.
    TooLarge,
}

const DURATIONS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
const SIZES: [(&str, u64); 5] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

/// `250ms`, `2s`, `5m`, `1h`. Zero needs a unit too.
pub(crate) fn duration(text: &str) -> Result<Duration, NotANumber> {
    let (number, unit) = split(text)?;
    if unit.is_empty() {
        return Err(NotANumber::NoUnit);
    }
    scale(number, unit, &DURATIONS).map(Duration::from_millis)
}

/// `64KiB`, `10MiB`, `1GiB`, `1TiB`, `512B`, `512`.
pub(crate) fn size(text: &str) -> Result<u64, NotANumber> {
    let (number, unit) = split(text)?;
    if unit.is_empty() { Ok(number) } else { scale(number, unit, &SIZES) }
}

/// Decimal digits.
pub(crate) fn integer(text: &str) -> Result<u64, NotANumber> {
    let (number, unit) = split(text)?;
    if unit.is_empty() { Ok(number) } else { Err(NotANumber::Unit) }
}

fn split(text: &str) -> Result<(u64, &str), NotANumber> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() || unit.starts_with(['.', ',', '_']) {
        return Err(NotANumber::Form);
    }
    let number = number.parse().map_err(|_| NotANumber::TooLarge)?;
    Ok((number, unit))
}

fn scale(number: u64, unit: &str, units: &[(&str, u64)]) -> Result<u64, NotANumber> {
    let (_, factor) = units.iter().find(|(name, _)| *name == unit).ok_or(NotANumber::Unit)?;
    number.checked_mul(*factor).ok_or(NotANumber::TooLarge)
}

/// A duration in the largest unit that says it whole.
pub(crate) fn show_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    show(millis, &DURATIONS)
}

/// A size in the largest unit that says it whole.
pub(crate) fn show_size(bytes: u64) -> String {
    if bytes == 0 { "0B".to_owned() } else { show(bytes, &SIZES) }
}

fn show(number: u64, units: &[(&str, u64)]) -> String {
    let whole = units.iter().rev().find(|(_, factor)| number.is_multiple_of(*factor));
    let (unit, factor) = whole.copied().unwrap_or(("", 1));
    format!("{}{unit}", number / factor)
}
