//! A configuration in its canonical form: indented by two spaces, one space behind `:` and `,` and inside of `{ }`, at
//! most one empty line in a row, a line break at the end. Line breaks, order, quotes and comments stay as they are.

mod layout;
mod lines;
mod scan;

use crate::decode::secret;
use crate::diagnostic::{Diagnostic, Diagnostics, Position, Severity};
use crate::files;
use crate::findings::Finding;
use crate::load::MAX_FILE_BYTES;
use crate::node::{self, Node, Problem, Span, Value};
use crate::source::{Flaw, Source, place};
use scan::{Kind, Token, Unknown};

/// The text in its canonical form, which is its own canonical form. It means what the text means and has the same
/// comments in the same order: that is checked before it is given out. `file_name` is for diagnostics.
///
/// # Errors
/// When the text is longer than [`MAX_FILE_BYTES`], or no YAML that a configuration may be, with everything that is wrong
/// with it in that way; whether it is a good configuration is not looked at.
pub fn text(file_name: &str, text: &str) -> Result<String, Diagnostics> {
    bytes(file_name, text.as_bytes())
}

/// As [`text`], for what a file holds.
///
/// # Errors
/// As [`text`], and where it is not UTF-8.
pub fn bytes(file_name: &str, bytes: &[u8]) -> Result<String, Diagnostics> {
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(too_large(file_name));
    }
    let source = Source::new(0, file_name.to_owned(), bytes);
    let fail = |problems: Vec<Problem>| {
        let finding =
            |Problem { span, message, hint }| Finding { span, severity: Severity::Error, message, hint: Some(hint) };
        let findings = problems.into_iter().map(finding).collect();
        let secrets = secret::guess(&source.text, source.file);
        Err(Diagnostics::new(place(std::slice::from_ref(&source), findings, &secrets), 0))
    };
    if let Some(Flaw { at, message, hint }) = &source.flaw {
        return fail(vec![problem(*at, message, hint)]);
    }
    let (root, problems) = node::compose(&source.text);
    if !problems.is_empty() {
        return fail(problems);
    }
    let Some(root) = root.filter(|root| matches!(root.value, Value::Map(_))) else {
        let hint = "begin with `listeners:`, `upstreams:` and `routes:`";
        return fail(vec![problem(Position::START, "the file holds no map of keys", hint)]);
    };
    match formatted(&source.text, &root) {
        Ok(text) => Ok(text),
        Err(Unknown { at }) => {
            let message = "the file can't be formatted from here on without a change of what it means";
            fail(vec![problem(at, message, "write this part more simply, or leave the file as it is")])
        }
    }
}

/// There is no text to show.
fn too_large(file_name: &str) -> Diagnostics {
    let (file, Position { line, column, .. }, severity) = (file_name.to_owned(), Position::START, Severity::Error);
    let message = format!("the file {}", files::too_large(MAX_FILE_BYTES));
    let hint = Some("split it, and name the parts under `include`".to_owned());
    Diagnostics::new(vec![Diagnostic { file, line, column, width: 1, severity, message, hint, source: None }], 0)
}

fn problem(at: Position, message: &str, hint: &str) -> Problem {
    Problem { span: Span { at, width: 1 }, message: message.to_owned(), hint: hint.to_owned() }
}

fn formatted(text: &str, root: &Node) -> Result<String, Unknown> {
    let tokens = scan::tokens(text)?;
    let formatted = lines::join(&layout::lines(&tokens));
    let again = scan::tokens(&formatted)?;
    match node::compose(&formatted) {
        (Some(other), problems)
            if problems.is_empty() && alike(root, &other) && comments(&tokens).eq(comments(&again)) =>
        {
            Ok(formatted)
        }
        _ => Err(Unknown { at: Position::START }),
    }
}

fn comments<'t>(tokens: &'t [Token<'t>]) -> impl Iterator<Item = &'t str> {
    tokens.iter().flat_map(|token| match &token.kind {
        Kind::Comment => Some(token.text),
        Kind::Block { comment, .. } => comment.map(|(text, _)| text),
        _ => None,
    })
}

/// Whether two nodes mean the same, wherever they stand. As deep as nodes may nest at most.
fn alike(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Null, Value::Null) => true,
        (Value::Scalar(a), Value::Scalar(b)) => a == b,
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.key == b.key && alike(&a.value, &b.value))
        }
        _ => false,
    }
}
