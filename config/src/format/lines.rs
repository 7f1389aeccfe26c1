//! The lines that formatting makes, and how they become a text.

/// One line, without its break.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Spaces in front; none in front of nothing.
    pub(super) indent: usize,
    text: String,
    /// Characters of the text: lines may be very long.
    length: usize,
    /// A comment behind the text, and the column in which it stood.
    pub(super) comment: Option<(String, usize)>,
}

impl Line {
    /// A line that is only this text.
    pub(super) fn new(indent: usize, text: &str) -> Line {
        let mut line = Line { indent, ..Line::default() };
        line.push(text);
        line
    }

    /// Puts further text behind what stands there.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.length += text.chars().count();
    }

    /// Characters of it without its comment.
    pub(super) fn width(&self) -> usize {
        self.indent + self.length
    }

    fn is_blank(&self) -> bool {
        self.text.is_empty() && self.comment.is_none()
    }
}

/// The text, with a line break at its end. Comments of neighbouring lines that stood in one column stand in one again;
/// others follow their text after one space.
pub(super) fn join(lines: &[Line]) -> String {
    let column = |line: &Line| line.comment.as_ref().map(|&(_, column)| column);
    let mut text = String::new();
    let together = |a: &Line, b: &Line| column(a).is_some() && column(a) == column(b);
    for group in lines.chunk_by(together) {
        let widest = group.iter().map(Line::width).max().unwrap_or(0);
        for line in group {
            if !line.is_blank() {
                text.extend(std::iter::repeat_n(' ', line.indent));
                text.push_str(&line.text);
            }
            if let Some((comment, _)) = &line.comment {
                text.extend(std::iter::repeat_n(' ', widest - line.width() + 1));
                text.push_str(comment);
            }
            text.push('\n');
        }
    }
    text
}
