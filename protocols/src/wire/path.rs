//! Paths, as they came and as a service might read them.
//!
//! A path is forwarded as it came. Where a service could read it differently ([`ambiguous`]), the router matches it
//! both ways and refuses it if the answers differ; so this module gives the other reading ([`normalise`]).

#[cfg(test)]
mod tests;

use super::text::percent_decoded;

/// Whether a service could take `path` for another one.
///
/// That is: `//`, a segment `.` or `..` (percent-encoded dots too), `;`, a backslash, percent-encoded `/`, `\`, `;` or
/// `%` (the last would be something else again when decoded twice), and a `%` that begins no percent-encoding.
pub fn ambiguous(path: &[u8]) -> bool {
    let mut segment_start = 0;
    let mut at = 0;
    while let Some(&byte) = path.get(at) {
        match byte {
            b'/' => {
                let segment = path.get(segment_start..at).unwrap_or_default();
                let empty = segment.is_empty() && at > 0;
                if empty || is_dots(segment) {
                    return true;
                }
                segment_start = at + 1;
            }
            b'\\' | b';' => return true,
            b'%' => {
                let decoded = path.get(at..).and_then(percent_decoded);
                if matches!(decoded, None | Some(b'/' | b'\\' | b';' | b'%')) {
                    return true;
                }
            }
            _ => {}
        }
        at += 1;
    }
    is_dots(path.get(segment_start..).unwrap_or_default())
}

/// Whether a segment is `.` or `..`, each dot plain or percent-encoded.
fn is_dots(segment: &[u8]) -> bool {
    let mut rest = segment;
    let mut dots = 0;
    while !rest.is_empty() {
        rest = match rest {
            [b'.', rest @ ..] => rest,
            [b'%', b'2', b'e' | b'E', rest @ ..] => rest,
            _ => return false,
        };
        dots += 1;
    }
    dots == 1 || dots == 2
}

/// Writes `path` to `out` with every percent-encoding decoded once; what is no percent-encoding stays as it is.
///
/// `out` is cleared first. Nothing else is changed: `//` and dot segments stay.
pub fn decode(path: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut rest = path;
    while let Some(percent) = memchr::memchr(b'%', rest) {
        let (plain, tail) = rest.split_at(percent);
        out.extend_from_slice(plain);
        match percent_decoded(tail) {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                out.push(b'%');
                rest = tail.get(1..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(rest);
}

/// Writes `path` to `out` as the most liberal service would read it: percent-decoded until nothing is left to decode,
/// `\` as `/`, `;parameters` of segments dropped, `//` merged, dot segments resolved (RFC 3986 section 5.2.4).
///
/// `out` is cleared first. The result begins with `/`, and normalising it again changes nothing. Linear in the length
/// of `path`.
pub fn normalise(path: &[u8], out: &mut Vec<u8>) {
    out.clear();
    // A slash too many is merged away.
    out.push(b'/');
    for &byte in path {
        out.push(byte);
        collapse(out);
    }
    resolve(out);
}

/// Decodes the percent-encoding at the end of `out`, and the one that this may have completed, and so on.
///
/// Percent-encodings never overlap (a `%` is no hexadecimal digit), so the order of decoding does not matter, and each
/// round removes two bytes: linear over the whole path.
fn collapse(out: &mut Vec<u8>) {
    while let Some(byte) = out.last_chunk::<3>().and_then(|tail| percent_decoded(tail)) {
        out.truncate(out.len() - 3);
        out.push(byte);
    }
}

/// Rewrites a decoded path in place: what is written is never longer than what was read.
fn resolve(out: &mut Vec<u8>) {
    let is_separator = |byte: &u8| matches!(byte, b'/' | b'\\');
    let (mut read, mut write, mut trailing_slash) = (0, 0, true);
    loop {
        while out.get(read).is_some_and(is_separator) {
            read += 1;
            trailing_slash = true;
        }
        let Some(rest) = out.get(read..).filter(|rest| !rest.is_empty()) else {
            break;
        };
        let len = rest.iter().position(is_separator).unwrap_or(rest.len());
        let segment = rest.get(..len).unwrap_or_default();
        let kept = memchr::memchr(b';', segment).unwrap_or(len);
        match segment.get(..kept).unwrap_or_default() {
            b"" | b"." => trailing_slash = true,
            b".." => {
                let written = out.get(..write).unwrap_or_default();
                write = memchr::memrchr(b'/', written).unwrap_or(0);
                trailing_slash = true;
            }
            _ => {
                write = write_segment(out, read..read + kept, write);
                trailing_slash = false;
            }
        }
        read += len;
    }
    out.truncate(write);
    if trailing_slash {
        out.push(b'/');
    }
}

/// Moves a segment down to `write`, behind a slash; gives the offset after it.
fn write_segment(out: &mut [u8], segment: std::ops::Range<usize>, write: usize) -> usize {
    let len = segment.len();
    if let Some(slash) = out.get_mut(write) {
        *slash = b'/';
    }
    // In bounds: a separator that was read lies before every segment, so write < segment.start <= out.len() - len.
    out.copy_within(segment, write + 1);
    write + 1 + len
}
