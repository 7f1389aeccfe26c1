//! JSON as the schema is written in it.

use std::fmt::{self, Write};

use crate::node::{Node, Value};

/// Characters of the longest list that is written on one line.
const LINE_MAX: usize = 80;

/// A JSON value; objects keep their order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Bool(bool),
    Number(u64),
    /// A number with a fraction, as it is written.
    Decimal(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn text(text: &str) -> Json {
        Json::Text(text.to_owned())
    }

    pub(super) fn object(members: impl IntoIterator<Item = (&'static str, Json)>) -> Json {
        Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// A node as an editor's YAML reads it, as far as it matters here: digits are a number.
    pub(super) fn of(node: &Node) -> Json {
        match &node.value {
            Value::Null | Value::Refused => Json::text(""),
            Value::Scalar(text) => match text.parse() {
                Ok(number) if u64::to_string(&number) == *text => Json::Number(number),
                _ => Json::text(text),
            },
            Value::List(items) => Json::List(items.iter().map(Json::of).collect()),
            Value::Map(entries) => Json::Object(entries.iter().map(|e| (e.key.clone(), Json::of(&e.value))).collect()),
        }
    }

    fn is_scalar(&self) -> bool {
        matches!(self, Json::Bool(_) | Json::Number(_) | Json::Decimal(_) | Json::Text(_))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        match self {
            Json::Bool(value) => write!(f, "{value}"),
            Json::Number(number) => write!(f, "{number}"),
            Json::Decimal(number) => f.write_str(number),
            Json::Text(text) => quoted(f, text),
            Json::List(items) if items.iter().all(Json::is_scalar) => {
                let line = items.iter().map(Json::to_string).collect::<Vec<_>>().join(", ");
                if line.len() <= LINE_MAX {
                    return write!(f, "[{line}]");
                }
                block(f, indent, ('[', ']'), items.iter(), |f, item| item.write(f, indent + 1))
            }
            Json::List(items) => block(f, indent, ('[', ']'), items.iter(), |f, item| item.write(f, indent + 1)),
            Json::Object(members) => block(f, indent, ('{', '}'), members.iter(), |f, (key, value)| {
                quoted(f, key)?;
                f.write_str(": ")?;
                value.write(f, indent + 1)
            }),
        }
    }
}

/// Indented by two spaces a level.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

fn block<T>(
    f: &mut fmt::Formatter<'_>,
    indent: usize,
    (open, close): (char, char),
    items: impl ExactSizeIterator<Item = T>,
    mut write: impl FnMut(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    f.write_char(open)?;
    let empty = items.len() == 0;
    for (i, item) in items.enumerate() {
        write!(f, "{}\n{:width$}", if i > 0 { "," } else { "" }, "", width = 2 * (indent + 1))?;
        write(f, item)?;
    }
    if !empty {
        write!(f, "\n{:width$}", "", width = 2 * indent)?;
    }
    f.write_char(close)
}

/// RFC 8259 section 7.
fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}
