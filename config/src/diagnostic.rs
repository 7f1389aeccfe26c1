//! What a person sees when a file is wrong: where, what, the source line, what to do.

use std::fmt;

#[cfg(test)]
mod tests;

/// Characters of a source line shown: a longer line is cut to a window around the column.
const LINE_SHOWN_MAX: usize = 160;

/// A place in a file; line and column are counted from 1, columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The file: its index in [`Config::files`](crate::Config::files). 0 is the main file.
    pub file: u32,
    /// The line.
    pub line: u32,
    /// The character in the line.
    pub column: u32,
}

impl Position {
    /// The start of the main file.
    pub const START: Position = Position { file: 0, line: 1, column: 1 };
}

/// Line and column: the file is for whoever has the [`Config`](crate::Config) to say.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Whether a finding keeps a file from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It does.
    Error,
    /// It doesn't, but probably isn't meant.
    Warning,
}

/// One finding in one place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as its reader named it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
    /// How many characters from there on are meant, at least 1.
    pub width: u32,
    /// Whether the file can be used all the same.
    pub severity: Severity,
    /// What was found, and what was expected.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The whole line; `None` where the file has no such line or couldn't be read.
    pub source: Option<String>,
}

/// `FILE:LINE:COLUMN: message`, then the source line with a caret, then the hint. No newline at the end.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", printable(&self.file), self.line, self.column)?;
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        f.write_str(&printable(&self.message))?;
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        if let Some(source) = &self.source {
            let (shown, before) = window(source, self.column as usize - 1);
            let left = shown.chars().count().saturating_sub(before).max(1);
            let carets = "^".repeat((self.width as usize).clamp(1, left));
            write!(f, "\n{margin} |\n{number} | {shown}\n{margin} | {}{carets}", " ".repeat(before))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n{margin} = hint: {}", printable(hint))?;
        }
        Ok(())
    }
}

/// The part of a line that is shown, and how many characters of it stand before the column. Each character is made
/// one printable character wide, so that the caret stands under what it means.
fn window(source: &str, column: usize) -> (String, usize) {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    if source.chars().nth(LINE_SHOWN_MAX).is_none() {
        return (source.chars().map(plain).collect(), column);
    }
    let start = column.saturating_sub(LINE_SHOWN_MAX / 2);
    let lead = if start > 0 { "..." } else { "" };
    let mut rest = source.chars().skip(start);
    let middle: String = rest.by_ref().take(LINE_SHOWN_MAX).map(plain).collect();
    let tail = if rest.next().is_some() { "..." } else { "" };
    (format!("{lead}{middle}{tail}"), column - start + lead.len())
}

/// Text from a file may hold anything: nothing of it may reach a terminal as a control sequence or break the line.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Everything that is wrong with a file, in the order of the file; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    all: Vec<Diagnostic>,
    /// Findings beyond those kept.
    dropped: usize,
}

impl Diagnostics {
    pub(crate) fn new(all: Vec<Diagnostic>, dropped: usize) -> Diagnostics {
        Diagnostics { all, dropped }
    }

    /// Each finding, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.all.iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// All of them, an empty line between two. No newline at the end.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.all.iter().enumerate() {
            if i > 0 {
                f.write_str("\n\n")?;
            }
            diagnostic.fmt(f)?;
        }
        if self.dropped > 0 {
            write!(f, "\n\n... and {} more", self.dropped)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
