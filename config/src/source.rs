//! The texts of a configuration: checked for characters, broken into lines, shown beside what is found in them.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Position};
use crate::findings::Finding;
use crate::node::Span;

#[cfg(test)]
mod tests;

/// Bytes of the longest line in which a span is looked at: a line may hold as many findings as are kept.
const TIGHT_MAX: usize = 4096;

/// One file's text, under the name by which diagnostics call it.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its index among the files that were read.
    pub(crate) file: u32,
    pub(crate) name: String,
    /// Without a byte order mark, which is no part of the text.
    pub(crate) text: String,
    /// Why and where it is no text that YAML may be: it is not read beyond that.
    pub(crate) flaw: Option<Flaw>,
}

/// Why a text can't be read as YAML.
#[derive(Debug)]
pub(crate) struct Flaw {
    pub(crate) at: Position,
    pub(crate) message: String,
    pub(crate) hint: &'static str,
}

impl Source {
    pub(crate) fn new(file: u32, name: String, bytes: &[u8]) -> Source {
        let (text, whole) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, true),
            Err(error) => (std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(), false),
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let flaw = match forbidden_character(&text) {
            Some((at, message)) => {
                Some(Flaw { at, message, hint: "remove it, or write it as an escape in double quotes" })
            }
            None if whole => None,
            None => {
                let message = "the file is not UTF-8 from here on".to_owned();
                Some(Flaw { at: end_of(&text), message, hint: "save it as UTF-8" })
            }
        };
        let flaw = flaw.map(|flaw| Flaw { at: Position { file, ..flaw.at }, ..flaw });
        Source { file, name, text, flaw }
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
    Position { file: 0, line: narrow(number + 1), column: narrow(last.chars().count() + 1) }
}

/// The findings in the order of the files, each with its source line, in which no secret can be read.
pub(crate) fn place(sources: &[Source], findings: Vec<Finding>, secrets: &[Span]) -> Vec<Diagnostic> {
    let mut of_files: BTreeMap<u32, Vec<Finding>> = BTreeMap::new();
    for finding in findings {
        of_files.entry(finding.span.at.file).or_default().push(finding);
    }
    let mut secrets = secrets.to_vec();
    secrets.sort_by_key(|span| span.at);
    let mut placed = Vec::new();
    for (file, findings) in of_files {
        if let Some(source) = sources.iter().find(|source| source.file == file) {
            placed.extend(place_in(source, findings, &secrets));
        }
    }
    placed
}

/// The scanner puts the end of a file without a last line break on a line of its own: what is found there belongs
/// behind the last character.
fn place_in(source: &Source, mut findings: Vec<Finding>, secrets: &[Span]) -> Vec<Diagnostic> {
    let Source { file, name, text, .. } = source;
    let end = Position { file: *file, ..end_of(text) };
    for Finding { span, .. } in &mut findings {
        span.at = span.at.min(end);
    }
    findings.sort_by_key(|finding| finding.span.at);
    let mut lines = lines(text).zip(1u32..).peekable();
    let mut placed = Vec::with_capacity(findings.len());
    for Finding { span, severity, message, hint } in findings {
        let (file, at) = (name.clone(), span.at);
        while lines.next_if(|&(_, number)| number < at.line).is_some() {}
        let source = lines.peek().map(|&(source, _)| without(secrets, at, source));
        let (line, column) = (at.line, at.column);
        let width = source.as_deref().map_or(span.width, |source| tight(source, span));
        placed.push(Diagnostic { file, line, column, width, severity, message, hint, source });
    }
    placed
}

/// The width of a span without the white space at its end: the scanner counts that to a quoted text.
fn tight(source: &str, span: Span) -> u32 {
    if source.len() > TIGHT_MAX {
        return span.width;
    }
    let start = span.at.column as usize - 1;
    let meant: Vec<char> = source.chars().skip(start).take(span.width as usize).collect();
    let end = meant.iter().rposition(|c| !c.is_whitespace()).map_or(1, |last| last + 1);
    // Beyond the line's end the width stays what it is.
    if meant.len() < span.width as usize { span.width } else { u32::try_from(end).unwrap_or(span.width) }
}

/// A source line with every secret in it made illegible. The secrets are in the order of the text: there may be as many
/// as the text has values.
fn without(secrets: &[Span], at: Position, source: &str) -> String {
    let line = |span: &Span| (span.at.file, span.at.line);
    let here = secrets.get(secrets.partition_point(|span| line(span) < (at.file, at.line))..).unwrap_or_default();
    let mut here = here.iter().take_while(|span| line(span) == (at.file, at.line)).peekable();
    if here.peek().is_none() {
        return source.to_owned();
    }
    let mut until = 0;
    let masked = (1u32..).zip(source.chars()).map(|(column, c)| {
        while let Some(span) = here.next_if(|span| span.at.column <= column) {
            until = until.max(span.at.column.saturating_add(tight(source, *span)));
        }
        if column < until { '*' } else { c }
    });
    masked.collect()
}

/// One line of a text, counted from 1.
pub(crate) fn line_of(text: &str, number: usize) -> Option<&str> {
    lines(text).nth(number.checked_sub(1)?)
}

/// The lines of a text, broken where YAML breaks them: at `\n`, `\r\n` and `\r`.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
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
