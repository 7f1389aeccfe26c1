//! Field lines, of heads and of trailer sections (RFC 9112 section 5).

use super::HeadError;
use crate::wire::{
    Field, Fields, HeaderId, Span,
    text::{is_token, position, token_len, value_len},
};

/// Reads field lines from `at` up to and with the blank line, and gives the offset after it.
///
/// Adds to `fields`; more than `fields_max` of them are [`HeadError::Headers`]. Where the bytes end before the blank
/// line: [`HeadError::Incomplete`].
pub(super) fn parse(bytes: &[u8], at: usize, fields: &mut Fields, fields_max: usize) -> Result<usize, HeadError> {
    let mut at = at;
    loop {
        let line = bytes.get(at..).unwrap_or_default();
        if let [b'\r', b'\n', ..] = line {
            return Ok(at + 2);
        }
        let Some((name, value)) = position(line, b':').and_then(|colon| line.split_at_checked(colon)) else {
            return Err(bad_name(line, fields.is_empty()));
        };
        let id = HeaderId::of(name);
        // A known name is a token.
        if id == HeaderId::Other && !is_token(name) {
            return Err(bad_name(line, fields.is_empty()));
        }
        let value = value.get(1..).unwrap_or_default();
        let value_len = value_len(value);
        match value.get(value_len..).unwrap_or_default() {
            [b'\r', b'\n', ..] => {}
            rest => return Err(bad_value(rest)),
        }
        if fields.len() >= fields_max {
            return Err(HeadError::Headers);
        }
        let value_start = at + name.len() + 1;
        let value_end = value_start + value_len;
        fields.push(Field {
            id,
            hop: id.hop_by_hop(),
            name: Span::new(at, at + name.len()),
            value: trimmed(bytes, value_start, value_end),
            line: Span::new(at, value_end + 2),
        });
        at = value_end + 2;
    }
}

/// `start..end` without SP and HTAB at both ends.
fn trimmed(bytes: &[u8], start: usize, end: usize) -> Span {
    let is_space = |at: usize| matches!(bytes.get(at), Some(b' ' | b'\t'));
    let (mut start, mut end) = (start, end);
    while start < end && is_space(start) {
        start += 1;
    }
    while end > start && is_space(end - 1) {
        end -= 1;
    }
    Span::new(start, end)
}

/// What is wrong with a line that has no token before a colon.
#[cold]
fn bad_name(line: &[u8], first: bool) -> HeadError {
    let name_len = token_len(line);
    match line.get(name_len..).unwrap_or_default() {
        [] | [b'\r'] => HeadError::Incomplete,
        [b' ' | b'\t', ..] if name_len > 0 => HeadError::SpaceBeforeColon,
        [b' ' | b'\t', ..] if first => HeadError::LeadingSpace,
        [b' ' | b'\t', ..] => HeadError::FoldedLine,
        [b':', ..] => HeadError::NoFieldName,
        [b'\r', b'\n', ..] => HeadError::NoColon,
        [b'\r', ..] => HeadError::BareCr,
        [b'\n', ..] => HeadError::BareLf,
        [0, ..] => HeadError::Nul,
        _ => HeadError::FieldName,
    }
}

#[cold]
fn bad_value(rest: &[u8]) -> HeadError {
    match rest {
        [] | [b'\r'] => HeadError::Incomplete,
        [b'\r', ..] => HeadError::BareCr,
        [b'\n', ..] => HeadError::BareLf,
        [0, ..] => HeadError::Nul,
        _ => HeadError::FieldValue,
    }
}
