//! What usually lies behind an error of YAML's syntax: a guess from the text around it, for the hint.

use crate::Position;
use crate::source::line_of;

/// What to do about an error that the scanner calls `info`, in this line (from 1) and column (from 0).
pub(crate) fn hint(info: &str, text: &str, line: usize, column: usize) -> String {
    let source = line_of(text, line).unwrap_or_default();
    let here = source.chars().nth(column);
    let tab = |line: usize| {
        let source = line_of(text, line).unwrap_or_default();
        source.chars().take_while(|c| c.is_whitespace()).any(|c| c == '\t')
    };
    // A scalar that goes on in the next line is complained of where it begins.
    let hint = if tab(line) || info.contains("tab") && tab(line + 1) {
        "indent with spaces: YAML takes no tabs there"
    } else if source.contains("${") {
        "between `{` and `}` or `[` and `]`, write `\"${NAME}\"` in quotes"
    } else if source.contains("/{") {
        "between `{` and `}`, a path with a capture needs quotes: `path: \"/users/{id}\"`"
    } else if info.contains("escape") {
        "in double quotes a `\\` begins an escape: write `\\\\`, or use single quotes"
    } else if info.contains("trailing content") {
        "put the quotes around the whole value"
    } else if info.contains("comments must") {
        "write a space before the `#`"
    } else if info.contains("misplaced bracket") {
        "there is one bracket too many here, or one too few before"
    } else if info.contains("quoted") {
        "check that the quote is closed"
    } else if matches!(here, Some('@' | '`' | '%' | '&' | '*' | '!' | '|' | '>')) {
        "text that begins with a sign that YAML reserves needs quotes"
    } else if let Some((sign, at)) = unclosed(text, line, column) {
        return format!("check that the `{sign}` on line {}, column {} is closed", at.line, at.column);
    } else {
        "check the indentation, and that a space follows each `:`"
    };
    hint.to_owned()
}

/// The innermost bracket that is open in this place, as far as can be told: quotes and comments are passed over, and
/// a bracket within a word opens nothing.
fn unclosed(text: &str, line: usize, column: usize) -> Option<(char, Position)> {
    let mut open: Vec<(char, Position)> = Vec::new();
    let (mut quote, mut before, mut at) = (None, ' ', Position::START);
    for sign in text.chars() {
        if (at.line as usize, at.column as usize) > (line, column) {
            break;
        }
        match (quote, sign) {
            (Some('#'), '\n') => quote = None,
            (Some('"'), '"') if before != '\\' => quote = None,
            (Some('\''), '\'') => quote = None,
            (Some(_), _) => {}
            (None, '#') if before.is_whitespace() => quote = Some('#'),
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(sign),
            (None, '{' | '[') if !open.is_empty() || before.is_whitespace() => open.push((sign, at)),
            (None, '}' | ']') => drop(open.pop()),
            (None, _) => {}
        }
        before = sign;
        at = match sign {
            '\n' => Position { line: at.line + 1, column: 1, ..at },
            _ => Position { column: at.column + 1, ..at },
        };
    }
    open.pop()
}
