//! From a file to a [`Config`]: size, characters, tree, decoders; what each finds gets its source line.

use std::path::Path;

use crate::decode;
use crate::diagnostic::{Diagnostic, Diagnostics, Position, Severity};
use crate::document::Config;
use crate::files::{Disk, Files, NoFiles};
use crate::findings::{Finding, Found};
use crate::node::{self, Problem, Span};
use crate::reader::Reader;

#[cfg(test)]
mod tests;

/// Bytes of the largest file that is read: 16 MiB.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Reads a file and everything it says, with the process's environment for `${NAME}`.
///
/// # Errors
/// Everything that is wrong with the file, each with its place: it can't be read, is larger than
/// [`MAX_FILE_BYTES`], is no YAML, or doesn't say what a configuration must say.
pub fn load(path: &Path) -> Result<Config, Diagnostics> {
    let name = path.display().to_string();
    let bytes = crate::files::open(path, MAX_FILE_BYTES).map_err(|message| unreadable(&name, &message))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => read_text(&name, path, text, &|name| std::env::var(name).ok(), &Disk),
        Err(error) => {
            let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let message = "the file is not UTF-8 from here on";
            Err(alone(&name, good, end_of(good), message, "save it as UTF-8"))
        }
    }
}

/// There is no text to show.
fn unreadable(name: &str, message: &str) -> Diagnostics {
    let (file, Position { line, column }, severity) = (name.to_owned(), Position::START, Severity::Error);
    let message = format!("the file {message}");
    let diagnostic = Diagnostic { file, line, column, width: 1, severity, message, hint: None, source: None };
    Diagnostics::new(vec![diagnostic], 0)
}

/// The one error of a file that isn't looked at further.
fn alone(file: &str, text: &str, at: Position, message: &str, hint: &str) -> Diagnostics {
    let (span, severity) = (Span { at, width: 1 }, Severity::Error);
    let finding = Finding { span, severity, message: message.to_owned(), hint: Some(hint.to_owned()) };
    Diagnostics::new(place(file, text, vec![finding], &[]), 0)
}

/// Reads everything that a text says, as if it were the file of this name: relative paths in it are taken from that
/// file's directory. `env` answers for `${NAME}`. No file is opened: one that the text needs is an error. See
/// [`parse_with`].
///
/// # Errors
/// As [`load`].
pub fn parse(file_name: &str, text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, Diagnostics> {
    parse_with(file_name, text, env, &NoFiles)
}

/// As [`parse`], with whoever answers for the files that the text names: [`Disk`] reads those of this machine.
///
/// # Errors
/// As [`load`].
pub fn parse_with(
    file_name: &str,
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
    files: &dyn Files,
) -> Result<Config, Diagnostics> {
    read_text(file_name, Path::new(file_name), text, env, files)
}

/// The name of a file may be lossy, its path isn't: sockets are bound beside it.
fn read_text(
    file_name: &str,
    path: &Path,
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
    files: &dyn Files,
) -> Result<Config, Diagnostics> {
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(unreadable(file_name, &crate::files::too_large(MAX_FILE_BYTES)));
    }
    // A byte order mark is no part of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some((at, message)) = forbidden_character(text) {
        let hint = "remove it, or write it as an escape in double quotes";
        return Err(alone(file_name, text, at, &message, hint));
    }
    let (root, problems) = node::compose(text);
    let mut reader = Reader::new(env, files, path.parent());
    // Behind an error of syntax nothing can be made out: no further errors that only follow from it.
    let legible = root.is_some() || problems.is_empty();
    for Problem { span, message, hint } in problems {
        reader.error(span, message, hint);
    }
    let config = if legible { decode::document(&mut reader, root.as_ref()) } else { None };
    let (findings, read) = reader.finish();
    let Found { errors, warnings, dropped, secrets } = findings.finish();
    match config {
        Some(config) if errors.is_empty() => {
            let files = [vec![path.to_owned()], read].concat();
            Ok(Config { files, warnings: place(file_name, text, warnings, &secrets), ..config })
        }
        _ => Err(Diagnostics::new(place(file_name, text, errors, &secrets), dropped)),
    }
}

/// A character that may stand in no YAML text (YAML 1.2.2 section 5.1), and where. NUL above all: the scanner would
/// take it for the end of the file and ignore what follows.
fn forbidden_character(text: &str) -> Option<(Position, String)> {
    let allowed = |c: char| {
        let plain = matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..);
        // Byte order marks and noncharacters.
        plain && !matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    let (offset, found) = text.char_indices().find(|&(_, c)| !allowed(c))?;
    let message = format!("the character U+{:04X} may not stand in a YAML file", u32::from(found));
    Some((end_of(&text[..offset]), message))
}

/// The place behind the last character of a text.
fn end_of(text: &str) -> Position {
    let (number, last) = lines(text).enumerate().last().unwrap_or((0, ""));
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: narrow(number + 1), column: narrow(last.chars().count() + 1) }
}

/// The findings in the order of the file, each with its source line, in which no secret can be read. The scanner puts
/// the end of a file without a last line break on a line of its own: what is found there belongs behind the last
/// character.
fn place(file: &str, text: &str, mut findings: Vec<Finding>, secrets: &[Span]) -> Vec<Diagnostic> {
    let end = end_of(text);
    for Finding { span, .. } in &mut findings {
        span.at = span.at.min(end);
    }
    findings.sort_by_key(|finding| finding.span.at);
    let mut lines = lines(text).zip(1u32..).peekable();
    let mut placed = Vec::with_capacity(findings.len());
    for Finding { span, severity, message, hint } in findings {
        let (file, line, column) = (file.to_owned(), span.at.line, span.at.column);
        while lines.next_if(|&(_, number)| number < line).is_some() {}
        let source = lines.peek().map(|&(source, _)| without(secrets, line, source));
        placed.push(Diagnostic { file, line, column, width: span.width, severity, message, hint, source });
    }
    placed
}

/// A source line with every secret in it made illegible.
fn without(secrets: &[Span], line: u32, source: &str) -> String {
    let here: Vec<&Span> = secrets.iter().filter(|span| span.at.line == line).collect();
    let hidden = |column: u32| {
        here.iter().any(|span| (span.at.column..span.at.column.saturating_add(span.width)).contains(&column))
    };
    (1u32..).zip(source.chars()).map(|(column, c)| if hidden(column) { '*' } else { c }).collect()
}

/// One line of a text, counted from 1.
pub(crate) fn line_of(text: &str, number: usize) -> Option<&str> {
    lines(text).nth(number.checked_sub(1)?)
}

/// The lines of a text, broken where YAML breaks them: at `\n`, `\r\n` and `\r`.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\n', '\r']) else {
            return rest.take();
        };
        let width = if text[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = Some(&text[end + width..]);
        Some(&text[..end])
    })
}
