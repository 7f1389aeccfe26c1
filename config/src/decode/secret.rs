//! Secrets: `{ file: PATH }`, or a value that comes from the environment. No diagnostic ever shows one.

use std::borrow::Cow;

use crate::diagnostic::Position;
use crate::document::Secret;
use crate::form::Form;
use crate::node::{Entry, Node, Span, Value};
use crate::reader::Reader;
use crate::source::lines;
use crate::table::{Field, Presence, Table};

/// Bytes of the largest file that holds a secret.
pub(crate) const SECRET_BYTES_MAX: u64 = 64 * 1024;

pub(crate) const SECRET: Form = Form::Either(
    &Form::Text { kind: "secret", limits: "not empty; best from the environment: `\"${NAME}\"`" },
    &Form::Object(&SECRET_FILE),
);

/// The keys under which secrets stand.
const KEYS: [&str; 1] = ["token"];
/// Lines of one text that are masked.
const LINES_MAX: usize = 1000;
const FILE: &str = "file";

/// A secret and where the file names it.
pub(crate) type Placed = (Secret, Span);

pub(crate) static SECRET_FILE: Table<Option<Placed>> = Table {
    path: "SECRET",
    noun: "a secret",
    doc: "A secret that a file holds: one text, white space around it removed.",
    fields: &[Field {
        key: FILE,
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
    hide(reader, node, true);
    if let Value::Map(entries) = &node.value {
        let entries = entries.iter().filter_map(|entry| named(reader, entry)).collect();
        let mut secret = None;
        reader.table(&Node { span: node.span, value: Value::Map(entries) }, &SECRET_FILE, &mut secret);
        return secret;
    }
    let text = reader.filled(node, "a secret: `\"${NAME}\"` or `{ file: PATH }`")?;
    if let Cow::Borrowed(_) = text.value {
        let hint = "take it from the environment, `\"${NAME}\"`, or from a file, `{ file: PATH }`";
        reader.warning(text.span, "this secret is written out: whoever reads the configuration has it", hint);
    }
    keep(reader, &text.value, text.span)
}

/// Whether a secret stands under this key, where it belongs.
pub(crate) fn is_key(key: &str) -> bool {
    KEYS.contains(&key)
}

/// What a file in PEM begins with (RFC 7468): written out in a configuration it may be a key.
pub(crate) const PEM: &str = "-----BEGIN";
const PEM_END: &str = "-----END";

/// Hides a key that is written out where none belongs.
pub(crate) fn hide_pem(reader: &mut Reader<'_>, node: &Node) {
    if matches!(&node.value, Value::Scalar(text) if text.contains(PEM)) {
        hide(reader, node, false);
    }
}

/// Hides every text inside the node of a secret, whatever its shape: only `${NAME}`, the path of `file` at its `top`, and
/// keys with a value can be shown.
pub(crate) fn hide(reader: &mut Reader<'_>, node: &Node, top: bool) {
    match &node.value {
        Value::Null => {}
        Value::Scalar(text) if is_reference(text) => {}
        Value::Scalar(text) => {
            reader.hide(node.span);
            // A text over several lines: each break of a line is white space in it.
            let breaks =
                if node.span.width == u32::MAX { text.matches(char::is_whitespace).take(LINES_MAX).count() } else { 0 };
            for line in (1u32..).take(breaks) {
                let at = Position { line: node.span.at.line.saturating_add(line), column: 1, ..node.span.at };
                reader.hide(Span { at, width: u32::MAX });
            }
        }
        Value::Refused => reader.hide(node.span),
        Value::List(items) => items.iter().for_each(|item| hide(reader, item, false)),
        Value::Map(entries) => {
            for Entry { key, span, value } in entries {
                match &value.value {
                    Value::Scalar(_) if top && key == FILE => {}
                    // `{ hunter2 }` is a map with one key.
                    Value::Null if key != FILE => reader.hide(*span),
                    _ => hide(reader, value, false),
                }
            }
        }
    }
}

/// Where secrets may stand in a text whose tree is not whole: behind each of their keys to the end of its line, and on the
/// lines that are indented deeper than the key; from where PEM begins to where it ends.
pub(crate) fn guess(text: &str, file: u32) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut deeper_than = None;
    let mut pem = false;
    for (line, number) in lines(text).zip(1u32..) {
        let hidden = |from: usize| {
            let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            Span { at: Position { file, line: number, column: narrow(from + 1) }, width: u32::MAX }
        };
        let indent = line.chars().take_while(|c| *c == ' ').count();
        let begin = line.find(PEM).filter(|_| !pem);
        let column = begin.map_or(0, |at| line[..at].chars().count());
        if pem || begin.is_some() {
            spans.push(hidden(column));
            pem = !line.contains(PEM_END);
            continue;
        }
        match value_of(line) {
            Some((key, value)) => {
                spans.push(hidden(line[..value].chars().count()));
                deeper_than = Some(line[..key].chars().count());
            }
            None if line.trim().is_empty() => {}
            None if deeper_than.is_some_and(|column| indent > column) => spans.push(hidden(indent)),
            None => deeper_than = None,
        }
    }
    spans
}

/// Where in a line the key of a secret stands, and where what follows its colon begins.
fn value_of(line: &str) -> Option<(usize, usize)> {
    let found = KEYS.iter().flat_map(|key| line.match_indices(key)).filter_map(|(at, key)| {
        let alone = !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        let behind = line[at + key.len()..].trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?;
        alone.then(|| (at, line.len() - behind.trim_start().len()))
    });
    found.min()
}

/// An entry of a secret's map as its table may read it: what stands under another key than `file` may be the secret, and
/// is in no message; nor is a key that nothing stands under, which is reported.
fn named(reader: &mut Reader<'_>, entry: &Entry) -> Option<Entry> {
    let mut entry = entry.clone();
    match entry.value.value {
        _ if entry.key == FILE => {}
        Value::Null => {
            reader.error(entry.span, "this is no key of a secret", "write `{ file: PATH }`, or `\"${NAME}\"`");
            return None;
        }
        _ => entry.value.value = Value::Refused,
    }
    Some(entry)
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
