//! Comma-separated lists (RFC 9110 section 5.6.1).

#[cfg(test)]
mod tests;

use super::text::trim_ows;

/// The elements of a list, without whitespace around them; empty elements are left out, as recipients must
/// (RFC 9110 section 5.6.1.2).
///
/// A comma inside a quoted string does not separate. A quoted string that is not closed reaches to the end.
pub fn elements(value: &[u8]) -> Elements<'_> {
    Elements { rest: Some(value) }
}

/// Iterator of [`elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let rest = self.rest?;
            let element = match separator(rest).and_then(|comma| rest.split_at_checked(comma)) {
                Some((element, tail)) => {
                    self.rest = tail.get(1..);
                    element
                }
                None => {
                    self.rest = None;
                    rest
                }
            };
            let element = trim_ows(element);
            if !element.is_empty() {
                return Some(element);
            }
        }
    }
}

/// Offset of the first comma that is not inside a quoted string.
fn separator(text: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    text.iter().position(|&byte| {
        if escaped {
            escaped = false;
            return false;
        }
        match byte {
            b'"' => quoted = !quoted,
            b'\\' if quoted => escaped = true,
            b',' => return !quoted,
            _ => {}
        }
        false
    })
}
