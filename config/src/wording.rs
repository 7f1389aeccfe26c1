//! How errors put things: values quoted and cut, alternatives listed, kinds named.

use std::fmt::Display;

use crate::decode::secret::PEM;
use crate::environment::{EXPANDED_MAX, Unexpandable};
use crate::node::{Node, Value};
use crate::units::show_size;

/// Characters of a value that an error quotes.
const QUOTED_MAX: usize = 60;

/// A value as an error quotes it; of a key in PEM only what it begins with.
pub(crate) fn shorten(text: &str) -> String {
    if let Some(at) = text.find(PEM) {
        return format!("{}{PEM}...", shorten(&text[..at]));
    }
    match text.char_indices().nth(QUOTED_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

/// `a`, `b` or `c`, each in backquotes.
pub(crate) fn either<S: Display>(words: &[S]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// What a node is.
pub(crate) fn describe(node: &Node) -> String {
    match &node.value {
        Value::Null | Value::Refused => "nothing".to_owned(),
        Value::Scalar(text) if text.is_empty() => "an empty text".to_owned(),
        Value::Scalar(text) => format!("`{}`", shorten(text)),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
    }
}

/// Why a value can't be expanded, and what to do.
pub(crate) fn unexpandable(problem: Unexpandable) -> (String, String) {
    let (message, hint) = match problem {
        Unexpandable::Unclosed => {
            ("`${` is not closed".to_owned(), "write `${NAME}`, or `$${` for the characters themselves".to_owned())
        }
        Unexpandable::Name(found) => (
            format!("`${{{}}}` does not name a variable of the environment", shorten(&found)),
            "write `${NAME}` or `${NAME:-default}`; `$${` stands for the characters themselves".to_owned(),
        ),
        Unexpandable::Unset(name) => {
            let name = shorten(&name);
            (
                format!("the environment has no variable `{name}`"),
                format!("set it, or give a default: `${{{name}:-default}}`"),
            )
        }
        Unexpandable::TooLong => {
            let most = show_size(EXPANDED_MAX as u64);
            (
                format!("the value is longer than {most} after its variables are filled in"),
                "check the variables that it names".to_owned(),
            )
        }
    };
    (message, hint)
}
