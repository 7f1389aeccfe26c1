//! The chunked transfer coding, written (RFC 9112 section 7.1).

#[cfg(test)]
mod tests;

use super::Trailers;

/// What ends a chunk.
pub const CHUNK_END: &[u8] = b"\r\n";

/// The last chunk and an empty trailer section.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Longest chunk head, in bytes: 16 digits and CRLF.
pub const CHUNK_HEAD_BYTES_MAX: usize = 18;

/// Writes the head of a chunk of `len` bytes, and gives what has been written.
///
/// `len` must not be 0: that would be the last chunk, which has a trailer section behind it ([`LAST_CHUNK`]).
pub fn chunk_head(len: usize, out: &mut [u8; CHUNK_HEAD_BYTES_MAX]) -> &[u8] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut start = CHUNK_HEAD_BYTES_MAX - CHUNK_END.len();
    out[start..].copy_from_slice(CHUNK_END);
    let mut left = len;
    loop {
        // A usize has 16 digits at most, so start does not go below 0.
        start -= 1;
        out[start] = DIGITS[left & 0xf];
        left >>= 4;
        if left == 0 {
            break;
        }
    }
    &out[start..]
}

/// Appends the last chunk with its trailer section to `out`.
pub fn encode_trailers(trailers: &Trailers, out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers.iter() {
        for part in [name, b": ", value, b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(b"\r\n");
}
