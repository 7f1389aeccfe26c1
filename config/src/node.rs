//! YAML as a tree of nodes that know where they stand. What the configuration has no use for is refused here:
//! several documents, anchors and aliases, tags, keys that are no plain text, doubled keys.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as Marks};

use crate::{Position, syntax};

#[cfg(test)]
mod tests;

/// How deep lists and maps may nest.
pub(crate) const DEPTH_MAX: usize = 64;
/// How many nodes all files may hold together: bounds the tree's memory, whatever the text.
pub(crate) const NODES_MAX: usize = 2_000_000;

/// From where to where, for the caret: `width` characters, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) at: Position,
    pub(crate) width: u32,
}

impl Span {
    pub(crate) const START: Span = Span { at: Position::START, width: 1 };

    /// A marker's line is counted from 1 and its column from 0.
    fn of(marks: Marks, file: u32) -> Span {
        let (start, end) = (marks.start, marks.end);
        let width = if start.line() == end.line() { end.col().saturating_sub(start.col()) } else { usize::MAX };
        Span { at: place(file, start.line(), start.col()), width: clamp(width).max(1) }
    }
}

fn place(file: u32, line: usize, column: usize) -> Position {
    Position { file, line: clamp(line.max(1)), column: clamp(column.saturating_add(1)) }
}

fn clamp(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// Nothing after the colon, `~` or `null`.
    Null,
    /// What has been reported and is not to be reported again.
    Refused,
    /// Text, whether quoted or not: what it means is for its reader to say.
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map and what it stands for.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) span: Span,
    pub(crate) value: Node,
}

/// Something wrong with the text as YAML.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// The tree of the one document in `text`, as far as it goes; `None` for a text without one, and after an error of
/// syntax, behind which nothing can be made out.
pub(crate) fn compose(text: &str) -> (Option<Node>, Vec<Problem>) {
    compose_file(text, 0, &mut NODES_MAX.clone())
}

/// The same for a file of this index, where `room` is how many nodes may still be made.
pub(crate) fn compose_file(text: &str, file: u32, room: &mut usize) -> (Option<Node>, Vec<Problem>) {
    let mut composer = Composer { file, room: *room, ..Composer::default() };
    let root = composer.run(text);
    *room = composer.room;
    (root, composer.problems)
}

/// Reading on would lead nowhere.
struct Stop;

/// A list or map that is not yet closed.
enum Open {
    List { span: Span, items: Vec<Node> },
    Map { span: Span, entries: Vec<Entry>, seen: Seen, key: Pending },
}

/// Entries of a map that are looked through one by one: most maps have fewer, and need no index.
const LOOKED_THROUGH_MAX: usize = 16;

/// Where each key of a large map stands; empty for a small one.
#[derive(Default)]
struct Seen(HashMap<String, Position>);

impl Seen {
    /// Where a key is among the entries, which are all different.
    fn first(&mut self, entries: &[Entry], key: &str) -> Option<Position> {
        if entries.len() <= LOOKED_THROUGH_MAX {
            return entries.iter().find(|entry| entry.key == key).map(|entry| entry.span.at);
        }
        let new = entries.get(self.0.len()..).unwrap_or_default();
        self.0.extend(new.iter().map(|entry| (entry.key.clone(), entry.span.at)));
        self.0.get(key).copied()
    }
}

/// What the next node in a map is.
enum Pending {
    Key,
    /// The value of this key; `None`: of a key that has been refused.
    Value(Option<(String, Span)>),
}

#[derive(Default)]
struct Composer {
    open: Vec<Open>,
    root: Option<Node>,
    file: u32,
    /// Nodes that may still be made.
    room: usize,
    documents: usize,
    problems: Vec<Problem>,
}

impl Composer {
    fn run(&mut self, text: &str) -> Option<Node> {
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let step = match event {
                Ok((event, marks)) => self.take(event, Span::of(marks, self.file)),
                Err(error) => {
                    self.syntax(&error, text);
                    Err(Stop)
                }
            };
            if step.is_err() {
                return None;
            }
        }
        self.root.take()
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.problem(span, "a second YAML document in one file", "keep one document: remove the `---`");
                    return Err(Stop);
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse(span, anchor, tag.is_some());
                let null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if null { Value::Null } else { Value::Scalar(text.into_owned()) };
                return self.place(Node { span, value });
            }
            Event::Alias(_) => {
                self.problem(span, "YAML aliases (`*name`) are not supported", ANCHOR_HINT);
                return self.place(Node { span, value: Value::Refused });
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse(span, anchor, tag.is_some());
                return self.push(span, Open::List { span, items: Vec::new() });
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse(span, anchor, tag.is_some());
                let (entries, seen) = (Vec::new(), Seen::default());
                return self.push(span, Open::Map { span, entries, seen, key: Pending::Key });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let node = match self.open.pop() {
                    Some(Open::List { span, items }) => Node { span, value: Value::List(items) },
                    Some(Open::Map { span, entries, .. }) => Node { span, value: Value::Map(entries) },
                    None => return Ok(()),
                };
                return self.place(node);
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn refuse(&mut self, span: Span, anchor: usize, tag: bool) {
        if anchor != 0 {
            self.problem(span, "YAML anchors (`&name`) are not supported", ANCHOR_HINT);
        }
        if tag {
            self.problem(span, "YAML tags (`!name`) are not supported", "remove the tag: each key knows its type");
        }
    }

    fn push(&mut self, span: Span, open: Open) -> Result<(), Stop> {
        if self.open.len() == DEPTH_MAX {
            let message = format!("lists and maps nest more than {DEPTH_MAX} deep");
            self.problem(span, &message, "nothing in the configuration nests that deep: check the brackets");
            return Err(Stop);
        }
        self.open.push(open);
        Ok(())
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, node: Node) -> Result<(), Stop> {
        let Some(room) = self.room.checked_sub(1) else {
            let message = format!("more than {NODES_MAX} values in one configuration");
            self.problem(node.span, &message, "split it between several gateways");
            return Err(Stop);
        };
        self.room = room;
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, seen, key, .. }) => match std::mem::replace(key, Pending::Key) {
                Pending::Value(Some((key, span))) => {
                    // Nothing stands nowhere: what is missing behind a key is missed at the key.
                    let at = if matches!(node.value, Value::Null) { span } else { node.span };
                    entries.push(Entry { key, span, value: Node { span: at, ..node } });
                }
                Pending::Value(None) => {}
                Pending::Key => {
                    let accepted = accept_key(node, entries, seen, &mut self.problems);
                    *key = Pending::Value(accepted);
                }
            },
        }
        Ok(())
    }

    fn problem(&mut self, span: Span, message: &str, hint: &str) {
        self.problems.push(Problem { span, message: message.to_owned(), hint: hint.to_owned() });
    }

    fn syntax(&mut self, error: &ScanError, text: &str) {
        let mark = error.marker();
        let span = Span { at: place(self.file, mark.line(), mark.col()), width: 1 };
        let hint = syntax::hint(error.info(), text, mark.line(), mark.col());
        self.problems.push(Problem { span, message: format!("not valid YAML: {}", error.info()), hint });
    }
}

const ANCHOR_HINT: &str = "write the value out where it is used";

/// The key as text, or the reason against it.
fn accept_key(node: Node, entries: &[Entry], seen: &mut Seen, problems: &mut Vec<Problem>) -> Option<(String, Span)> {
    let span = node.span;
    let (message, hint) = match node.value {
        Value::Scalar(key) => match seen.first(entries, &key) {
            None => return Some((key, span)),
            Some(first) => (
                format!("`{key}` is given twice"),
                format!("it is first given on line {}: keep one of the two", first.line),
            ),
        },
        Value::Refused => return None,
        Value::Null => ("a key is missing before the `:`".to_owned(), "write `key: value`".to_owned()),
        Value::List(_) | Value::Map(_) => (
            "a list or map can't be a key".to_owned(),
            "write `key: value`; text that begins with `[`, `{` or `*` needs quotes".to_owned(),
        ),
    };
    problems.push(Problem { span, message, hint });
    None
}
