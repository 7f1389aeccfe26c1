//! Character classes of RFC 9110 section 5.6, and the two scans that a parser spends its time in.

#[cfg(test)]
mod tests;

/// For each byte, whether it is a `tchar` (RFC 9110 section 5.6.2).
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
            );
        byte += 1;
    }
    table
};

/// Whether `byte` may stand in a token.
pub const fn is_token_byte(byte: u8) -> bool {
    TOKEN[byte as usize]
}

/// Whether `text` is a token (RFC 9110 section 5.6.2): not empty, and every byte a `tchar`.
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && token_len(text) == text.len()
}

/// How many bytes at the start of `text` are `tchar`.
pub fn token_len(text: &[u8]) -> usize {
    text.iter().position(|&byte| !is_token_byte(byte)).unwrap_or(text.len())
}

/// Whether a field value, or a reason phrase, may hold `byte`: HTAB, SP, VCHAR and obs-text (RFC 9110 section 5.5).
pub const fn is_value_byte(byte: u8) -> bool {
    byte == b'\t' || (byte >= 0x20 && byte != 0x7f)
}

/// How many bytes at the start of `text` may stand in a field value.
pub fn value_len(text: &[u8]) -> usize {
    let mut at = 0;
    // Eight bytes a step: values are most of a head's bytes.
    while let Some(word) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        match first_control(u64::from_le_bytes(*word)) {
            None => at += 8,
            Some(offset) => {
                at += offset;
                if text.get(at) != Some(&b'\t') {
                    return at;
                }
                at += 1;
            }
        }
    }
    let tail = text.get(at..).unwrap_or_default();
    at + tail.iter().position(|&byte| !is_value_byte(byte)).unwrap_or(tail.len())
}

const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES * 0x80;

/// Index of the first byte below 0x20 or equal to 0x7f in a little-endian word.
fn first_control(word: u64) -> Option<usize> {
    // Subtracting borrows into bytes *above* a hit only, so the lowest hit is always a true one.
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    let delete = word ^ (ONES * 0x7f);
    let is_delete = delete.wrapping_sub(ONES) & !delete;
    lowest((below_space | is_delete) & HIGH)
}

/// Where `byte` first stands in `text`. Quicker than `memchr` where it is near, as the colon of a field line is.
pub(crate) fn position(text: &[u8], byte: u8) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let zero_where_equal = u64::from_le_bytes(*word) ^ (ONES * byte as u64);
        if let Some(offset) = lowest(zero_where_equal.wrapping_sub(ONES) & !zero_where_equal & HIGH) {
            return Some(at + offset);
        }
        at += 8;
    }
    let tail = text.get(at..).unwrap_or_default();
    tail.iter().position(|&other| other == byte).map(|offset| at + offset)
}

/// Index of the lowest byte that has a bit set.
fn lowest(hits: u64) -> Option<usize> {
    (hits != 0).then(|| hits.trailing_zeros() as usize / 8)
}

/// `text` without SP and HTAB at both ends (RFC 9110 section 5.6.3).
pub fn trim_ows(text: &[u8]) -> &[u8] {
    let mut text = text;
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// The value of one hexadecimal digit.
pub const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The byte that a percent-encoding at the start of `text` stands for (RFC 3986 section 2.1).
pub const fn percent_decoded(text: &[u8]) -> Option<u8> {
    match text {
        [b'%', high, low, ..] => match (hex_digit(*high), hex_digit(*low)) {
            (Some(high), Some(low)) => Some(high << 4 | low),
            _ => None,
        },
        _ => None,
    }
}
