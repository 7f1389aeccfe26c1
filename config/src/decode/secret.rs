//! Secrets: `{ file: PATH }`, or a value that comes from the environment. No diagnostic ever shows one.

use std::borrow::Cow;

use crate::document::Secret;
use crate::form::Form;
use crate::node::{Node, Span, Value};
use crate::reader::Reader;
use crate::table::{Field, Presence, Table};

/// Bytes of the largest file that holds a secret.
pub(crate) const SECRET_BYTES_MAX: u64 = 64 * 1024;

pub(crate) const SECRET: Form = Form::Either(
    &Form::Text { kind: "secret", limits: "not empty; best from the environment: `\"${NAME}\"`" },
    &Form::Object(&SECRET_FILE),
);

/// A secret and where the file names it.
pub(crate) type Placed = (Secret, Span);

pub(crate) static SECRET_FILE: Table<Option<Placed>> = Table {
    path: "SECRET",
    noun: "a secret",
    doc: "A secret that a file holds: one text, white space around it removed.",
    fields: &[Field {
        key: "file",
        form: Form::Text { kind: "path of a file", limits: "at most 64KiB, UTF-8, not empty" },
        presence: Presence::Required,
        doc: "The file.",
        example: "/run/secrets/admin-token",
        exceeding: None,
        read: |reader, node, _, secret| *secret = from_file(reader, node),
    }],
    alternatives: &[],
    later: &[],
};

/// A secret in either form.
pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Placed> {
    let mut secret = None;
    if let Value::Map(_) = node.value {
        reader.table(node, &SECRET_FILE, &mut secret);
        return secret;
    }
    if let Value::Scalar(text) = &node.value
        && !is_reference(text)
    {
        reader.hide(node.span);
    }
    let text = reader.filled(node, "a secret: `\"${NAME}\"` or `{ file: PATH }`")?;
    if let Cow::Borrowed(_) = text.value {
        let hint = "take it from the environment, `\"${NAME}\"`, or from a file, `{ file: PATH }`";
        reader.warning(text.span, "this secret is written out: whoever reads the configuration has it", hint);
    }
    keep(reader, &text.value, text.span)
}

/// Whether a text is nothing but `${NAME}`: it can be shown.
fn is_reference(text: &str) -> bool {
    let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

fn from_file(reader: &mut Reader<'_>, node: &Node) -> Option<Placed> {
    let path = reader.path(node, "the path of a file")?;
    let bytes = reader.read(node.span, &path, SECRET_BYTES_MAX)?;
    let Ok(text) = String::from_utf8(bytes) else {
        reader.error(node.span, "the file is not UTF-8", "a secret is one line of text");
        return None;
    };
    keep(reader, &text, node.span)
}

fn keep(reader: &mut Reader<'_>, text: &str, span: Span) -> Option<Placed> {
    let text = text.trim();
    if text.is_empty() {
        reader.error(span, "the secret is empty", "put the secret there: one line of text");
        return None;
    }
    if text.chars().any(char::is_control) {
        let hint = "a secret is one line of text; white space around it is removed";
        reader.error(span, "the secret holds a line break or another control character", hint);
        return None;
    }
    Some((Secret::new(text.to_owned()), span))
}
