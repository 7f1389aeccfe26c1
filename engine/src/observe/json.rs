//! JSON and dates, written by hand into a buffer: the access log and the gateway's own answers.

use std::cell::Cell;

/// Writes an object whose values are text.
pub(crate) fn object(out: &mut Vec<u8>, members: &[(&str, &[u8])]) {
    out.push(b'{');
    for (at, (name, value)) in members.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        key(out, name);
        string(out, value);
    }
    out.push(b'}');
}

/// The key of a further member, in one piece: `,"name":`.
macro_rules! member {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}
pub(crate) use member;

/// Appends a member's value as text, or null. `key` is its [`member!`].
pub(crate) fn text_member(out: &mut Vec<u8>, key: &str, value: Option<&[u8]>) {
    out.extend_from_slice(key.as_bytes());
    match value {
        Some(value) => string(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends `,"name":"value"`, or null.
pub(crate) fn text(out: &mut Vec<u8>, name: &str, value: Option<&[u8]>) {
    out.push(b',');
    key(out, name);
    match value {
        Some(value) => string(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends `"name":` and the parts, joined by commas, as one string; null without any.
pub(crate) fn joined<'v>(out: &mut Vec<u8>, name: &str, mut parts: impl Iterator<Item = &'v [u8]>) {
    key(out, name);
    let Some(first) = parts.next() else { return out.extend_from_slice(b"null") };
    out.push(b'"');
    escaped(out, first);
    for part in parts {
        out.extend_from_slice(b", ");
        escaped(out, part);
    }
    out.push(b'"');
}

/// Appends `,"name":n`, or null.
pub(crate) fn number(out: &mut Vec<u8>, name: &str, value: Option<u64>) {
    out.push(b',');
    key(out, name);
    match value {
        Some(value) => plain_number(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends a number.
pub(crate) fn plain_number(out: &mut Vec<u8>, value: u64) {
    digits(out, value, 1);
}

/// Appends thousandths as a number with three decimals.
pub(crate) fn thousandths(out: &mut Vec<u8>, value: u64) {
    digits(out, value / 1000, 1);
    out.push(b'.');
    digits(out, value % 1000, 3);
}

/// Appends a time in the form of RFC 3339, in UTC with milliseconds.
pub(crate) fn timestamp(out: &mut Vec<u8>, unix_micros: u64) {
    let seconds = unix_micros / 1_000_000;
    let (written, text) = SECOND.get();
    if written == seconds {
        out.extend_from_slice(&text);
    } else {
        let start = out.len();
        second(out, seconds);
        if let Ok(text) = out[start..].try_into() {
            SECOND.set((seconds, text));
        }
    }
    digits(out, unix_micros / 1000 % 1000, 3);
    out.push(b'Z');
}

thread_local! {
    /// The second that was written last, and its text: many lines share one.
    static SECOND: Cell<(u64, [u8; 20])> = const { Cell::new((u64::MAX, [0; 20])) };
}

/// Appends a time to the second, with the dot behind it: `2026-11-24T18:50:00.`.
fn second(out: &mut Vec<u8>, seconds: u64) {
    let (year, month, day) = civil(seconds / 86_400);
    let parts = [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (seconds / 3600 % 24, 2, b':'),
        (seconds / 60 % 60, 2, b':'),
        (seconds % 60, 2, b'.'),
    ];
    for (value, width, after) in parts {
        digits(out, value, width);
        out.push(after);
    }
}

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Appends a time in the form of the combined log format, in UTC: `24/Nov/2026:18:50:00 +0000`.
pub(crate) fn combined_time(out: &mut Vec<u8>, unix_micros: u64) {
    let seconds = unix_micros / 1_000_000;
    let (year, month, day) = civil(seconds / 86_400);
    digits(out, day, 2);
    out.push(b'/');
    out.extend_from_slice(MONTHS[(month as usize + 11) % 12]);
    let parts =
        [(year, 4, b'/'), (seconds / 3600 % 24, 2, b':'), (seconds / 60 % 60, 2, b':'), (seconds % 60, 2, b':')];
    for (value, width, before) in parts {
        out.push(before);
        digits(out, value, width);
    }
    out.extend_from_slice(b" +0000");
}

/// Year, month and day of a day since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

fn key(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Writes a string, whatever its bytes: quotes, backslashes and control characters are escaped, and bytes that are not
/// UTF-8 become U+FFFD.
fn string(out: &mut Vec<u8>, value: &[u8]) {
    out.push(b'"');
    escaped(out, value);
    out.push(b'"');
}

fn escaped(out: &mut Vec<u8>, value: &[u8]) {
    // Nearly every value is plain; taken together, bytes are looked at many at a time.
    if value.iter().fold(true, |plain, byte| plain & is_plain(*byte)) {
        out.extend_from_slice(value);
    } else {
        unusual(out, value);
    }
}

/// Whether a byte stands for itself inside a string, whatever is around it.
pub(crate) fn is_plain(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) & (byte != b'"') & (byte != b'\\')
}

#[cold]
fn unusual(out: &mut Vec<u8>, value: &[u8]) {
    for chunk in value.utf8_chunks() {
        for byte in chunk.valid().bytes() {
            match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
                0..0x20 | 0x7f => {
                    out.extend_from_slice(b"\\u00");
                    out.extend([byte >> 4, byte & 15].map(|nibble| b"0123456789abcdef"[nibble as usize]));
                }
                byte => out.push(byte),
            }
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

fn digits(out: &mut Vec<u8>, mut value: u64, width: usize) {
    let mut text = [b'0'; 20];
    let mut at = text.len();
    while value > 0 || text.len() - at < width {
        at -= 1;
        text[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(&text[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_827_696_789_000, "2000-02-29T12:34:56.789Z"),
            (4_102_444_799_999_999, "2099-12-31T23:59:59.999Z"),
        ];
        for (micros, expected) in cases {
            let mut out = Vec::new();
            timestamp(&mut out, micros);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }

    #[test]
    fn dates_of_the_combined_format_are_right() {
        for (micros, expected) in [
            (951_827_696_789_000, "29/Feb/2000:12:34:56 +0000"),
            (4_102_444_799_999_999, "31/Dec/2099:23:59:59 +0000"),
            (1_764_010_200_000_000, "24/Nov/2025:18:50:00 +0000"),
        ] {
            let mut out = Vec::new();
            combined_time(&mut out, micros);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }

    #[test]
    fn text_can_not_break_out() {
        let mut out = Vec::new();
        object(&mut out, &[("a", b"q\"b\\n\n\x7f"), ("b", b"\xff\xc3\xa9")]);
        assert_eq!(String::from_utf8_lossy(&out), "{\"a\":\"q\\\"b\\\\n\\u000a\\u007f\",\"b\":\"\u{fffd}\u{e9}\"}");
    }

    #[test]
    fn numbers() {
        let mut out = Vec::new();
        number(&mut out, "n", Some(0));
        number(&mut out, "m", Some(u64::MAX));
        thousandths(&mut out, 12_034);
        thousandths(&mut out, 7);
        assert_eq!(String::from_utf8_lossy(&out), ",\"n\":0,\"m\":1844674407370955161512.0340.007");
    }
}
