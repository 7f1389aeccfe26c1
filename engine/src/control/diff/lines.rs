//! The lines of a file that may hold anything: none is kept that is longer than any log line that means something.

use std::io::{self, BufRead};

/// Bytes of the longest line that is looked at.
pub(super) const LINE_BYTES_MAX: usize = 64 * 1024;

/// One line of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'l> {
    /// Without its line break.
    Whole(&'l [u8]),
    TooLong,
}

/// Reads lines one by one into the same memory.
pub(super) struct Lines<R> {
    from: R,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(from: R) -> Lines<R> {
        Lines { from, line: Vec::new() }
    }

    /// The next line; none at the end.
    ///
    /// # Errors
    /// What reading gives.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let (mut some, mut too_long) = (false, false);
        loop {
            let piece = match self.from.fill_buf() {
                Ok(piece) => piece,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if piece.is_empty() {
                break;
            }
            some = true;
            let end = memchr::memchr(b'\n', piece);
            let text = &piece[..end.unwrap_or(piece.len())];
            too_long |= self.line.len() + text.len() > LINE_BYTES_MAX;
            if !too_long {
                self.line.extend_from_slice(text);
            }
            let used = end.map_or(piece.len(), |end| end + 1);
            self.from.consume(used);
            if end.is_some() {
                break;
            }
        }
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        Ok(some.then_some(if too_long { Line::TooLong } else { Line::Whole(line) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    #[test]
    fn lines_up_to_the_limit_are_whole() {
        let longest = vec![b'x'; LINE_BYTES_MAX];
        let longer = vec![b'y'; LINE_BYTES_MAX + 1];
        let text = [&b"a\r\n\n"[..], &longest, b"\n", &longer, b"\nb"].concat();
        // Pieces that end anywhere.
        for size in [1000, 4096, 1 << 20] {
            let mut lines = Lines::new(BufReader::with_capacity(size, text.as_slice()));
            for expected in [&b"a"[..], b"", &longest] {
                assert_eq!(lines.next().expect("memory"), Some(Line::Whole(expected)));
            }
            assert_eq!(lines.next().expect("memory"), Some(Line::TooLong));
            assert_eq!(lines.next().expect("memory"), Some(Line::Whole(b"b")));
            assert_eq!(lines.next().expect("memory"), None);
        }
    }
}
