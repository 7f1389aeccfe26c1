//! Integers with a prefix (RFC 7541 section 5.1).

use super::DecodeError;

/// Bytes behind the prefix at most. Four hold 28 bits: far more than any index or length in a block that is accepted.
const FURTHER_BYTES_MAX: u32 = 4;

/// Reads the integer that begins in the low `prefix_bits` bits of the first byte, and gives it with what follows it.
pub(super) fn decode(bytes: &[u8], prefix_bits: u32) -> Result<(usize, &[u8]), DecodeError> {
    let (&first, mut rest) = bytes.split_first().ok_or(DecodeError::Truncated)?;
    let mask = (1usize << prefix_bits) - 1;
    let mut value = usize::from(first) & mask;
    if value < mask {
        return Ok((value, rest));
    }
    for further in 0..FURTHER_BYTES_MAX {
        let (&byte, tail) = rest.split_first().ok_or(DecodeError::Truncated)?;
        rest = tail;
        value += usize::from(byte & 0x7f) << (7 * further);
        if byte & 0x80 == 0 {
            return Ok((value, rest));
        }
    }
    Err(DecodeError::Integer)
}

/// Appends `value`; `flags` are the bits of the first byte above the prefix.
pub(super) fn encode(value: usize, prefix_bits: u32, flags: u8, out: &mut Vec<u8>) {
    let mask = (1usize << prefix_bits) - 1;
    if value < mask {
        out.push(flags | value as u8);
        return;
    }
    out.push(flags | mask as u8);
    let mut left = value - mask;
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}
