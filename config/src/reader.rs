//! What every decoder reads with: it takes a node apart, reports what is wrong with it, and goes on.

mod scalars;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::decode::secret;
use crate::files::Files;
use crate::findings::{Findings, REMOVE};
use crate::form::Form;
use crate::habits;
use crate::load::MAX_FILE_BYTES;
use crate::node::{self, Entry, NODES_MAX, Node, Problem, Span, Value};
use crate::secure::Materials;
use crate::source::Source;
use crate::suggest::nearest;
use crate::table::{Alternatives, Field, Later, Presence, Table};
use crate::units::show_size;
use crate::wording::{describe, either, shorten};

/// Who answers for what a file only names.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'e> {
    /// For `${NAME}`.
    pub(crate) env: &'e dyn Fn(&str) -> Option<String>,
    /// For files.
    pub(crate) files: &'e dyn Files,
    /// For certificates and keys in them.
    pub(crate) materials: &'e dyn Materials,
}

/// Takes nodes apart and collects what is wrong with them.
pub(crate) struct Reader<'e> {
    asked: Asked<'e>,
    directory: PathBuf,
    findings: Findings,
    /// Every file that was read, each once, the main file first.
    read: Vec<PathBuf>,
    known: HashSet<PathBuf>,
    /// The texts among them that are parts of the configuration.
    sources: Vec<Source>,
    /// Nodes that may still be made.
    room: usize,
}

impl<'e> Reader<'e> {
    /// Relative paths start in the directory of `main`.
    pub(crate) fn new(asked: Asked<'e>, main: &Path) -> Reader<'e> {
        let directory = main.parent().unwrap_or(Path::new("")).to_owned();
        let read = vec![main.to_owned()];
        let known = read.iter().cloned().collect();
        let (findings, sources) = (Findings::default(), Vec::new());
        Reader { asked, directory, findings, read, known, sources, room: NODES_MAX }
    }

    /// The directory in which the file lies: relative paths start there.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn files(&self) -> &'e dyn Files {
        self.asked.files
    }

    pub(crate) fn materials(&self) -> &'e dyn Materials {
        self.asked.materials
    }

    /// The path of a file or directory; a relative one has been joined to the directory of the file that names it.
    pub(crate) fn path(&mut self, node: &Node, noun: &str) -> Option<PathBuf> {
        let text = self.filled(node, noun)?;
        if text.value.contains('\0') {
            self.error(text.span, "a path can't hold a NUL", "write the path of a file");
            return None;
        }
        Some(self.directory.join(&*text.value))
    }

    /// The whole of a file of at most `max` bytes, which is named in this place.
    pub(crate) fn read(&mut self, span: Span, path: &Path, max: u64) -> Option<Vec<u8>> {
        match self.asked.files.read(path, max) {
            Ok(bytes) => {
                if self.known.insert(path.to_owned()) {
                    self.read.push(path.to_owned());
                }
                Some(bytes)
            }
            Err(problem) => {
                let message = format!("the file `{}` {problem}", shorten(&path.display().to_string()));
                let hint = match problem.starts_with("can't") {
                    true => "a relative path starts in the directory of the file that names it",
                    false => "name a file that is not",
                };
                self.error(span, message, hint);
                None
            }
        }
    }

    /// The tree of a text that is a part of the configuration, `None` inside for one without a document; `None`
    /// where it is no YAML, which has been reported.
    pub(crate) fn compose(&mut self, source: Source) -> Option<Option<Node>> {
        let tree = match &source.flaw {
            Some(flaw) => {
                secret::guess(&source.text, source.file).into_iter().for_each(|span| self.hide(span));
                self.findings.error(Span { at: flaw.at, width: 1 }, flaw.message.clone(), Some(flaw.hint.to_owned()));
                None
            }
            None => {
                let (root, problems) = node::compose_file(&source.text, source.file, &mut self.room);
                let legible = root.is_some() || problems.is_empty();
                if !problems.is_empty() {
                    secret::guess(&source.text, source.file).into_iter().for_each(|span| self.hide(span));
                }
                for Problem { span, message, hint } in problems {
                    self.error(span, message, hint);
                }
                legible.then_some(root)
            }
        };
        self.sources.push(source);
        tree
    }

    /// As [`Reader::compose`], of a file that is named in this place.
    pub(crate) fn include(&mut self, path: &Path, span: Span) -> Option<Option<Node>> {
        let bytes = self.read(span, path, MAX_FILE_BYTES)?;
        let total: usize = self.sources.iter().map(|source| source.text.len()).sum();
        if (total + bytes.len()) as u64 > MAX_FILE_BYTES {
            let message = format!("the files together are larger than {}", show_size(MAX_FILE_BYTES));
            self.error(span, message, "that is as much as a configuration may hold");
            return None;
        }
        let file = self.read.iter().rposition(|read| read == path).and_then(|index| u32::try_from(index).ok())?;
        self.compose(Source::new(file, path.display().to_string(), &bytes))
    }

    /// The place of `first`, seen from another one: on this line, on a line of this file, in another file.
    pub(crate) fn place_of(&self, first: Span, from: Span) -> String {
        let (first, from) = (first.at, from.at);
        if first.file != from.file {
            let source = self.sources.iter().find(|source| source.file == first.file);
            return format!("on line {} of {}", first.line, source.map_or("another file", |source| &source.name));
        }
        match first.line == from.line {
            true => format!("in column {} of this line", first.column),
            false => format!("on line {}", first.line),
        }
    }

    /// Every file that was read, the main file first.
    pub(crate) fn files_read(&self) -> &[PathBuf] {
        &self.read
    }

    /// Another file is read from now on: relative paths start in its directory.
    pub(crate) fn set_directory(&mut self, directory: PathBuf) {
        self.directory = directory;
    }

    /// What was found, in which texts, and the files that were read.
    pub(crate) fn finish(self) -> (Findings, Vec<Source>, Vec<PathBuf>) {
        (self.findings, self.sources, self.read)
    }

    /// How many errors there are so far.
    pub(crate) fn errors(&self) -> usize {
        self.findings.errors()
    }

    /// A secret is written out there: no diagnostic shows it.
    pub(crate) fn hide(&mut self, span: Span) {
        self.findings.hide(span);
    }

    /// Whether further errors are only counted.
    pub(crate) fn full(&self) -> bool {
        self.findings.full()
    }

    pub(crate) fn error(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.findings.error(span, message.into(), Some(hint.into()));
    }

    pub(crate) fn warning(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.findings.warning(span, message.into(), Some(hint.into()));
    }

    /// A feature that has not landed: the subject of "is not part of this version yet", and what to do instead.
    pub(crate) fn not_landed(&mut self, span: Span, feature: impl Into<String>, instead: &'static str) {
        self.findings.not_landed(span, feature.into(), instead);
    }

    /// Reads a map by its table: every key that can be read goes into the draft, everything else is reported.
    pub(crate) fn table<T>(&mut self, node: &Node, table: &Table<T>, draft: &mut T) {
        self.table_of(node, table, draft, &|_| true);
    }

    /// As [`Reader::table`], of those keys that `wanted` holds for: the others have been reported.
    pub(crate) fn table_of<T>(&mut self, node: &Node, table: &Table<T>, draft: &mut T, wanted: &dyn Fn(&str) -> bool) {
        let shown = around(table, node).unwrap_or_else(|| model(table));
        let Some(entries) = self.map(node, table.noun, &shown) else {
            return;
        };
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        let mut present: Vec<(&str, Span)> = Vec::new();
        // Keys that are not missed, because one that has not landed stands in their place.
        let mut excused: Vec<&str> = Vec::new();
        for entry in entries.iter().filter(|entry| wanted(&entry.key)) {
            secret::hide_pem(self, &entry.value);
            if let Some(later) = table.later.iter().find(|later| later.key == entry.key) {
                self.not_landed(entry.span, later.subject(), REMOVE);
                excused.extend(later.instead_of);
            } else if let Some((hint, ours)) = habit(table, entry) {
                self.error(entry.span, format!("unknown key `{}` in {}", shorten(&entry.key), table.noun), hint);
                excused.extend(ours);
            } else if let Some(field) = self.field(entry, table, &keys) {
                present.push((field.key, entry.span));
                (field.read)(self, &entry.value, &field.form, draft);
            }
        }
        let required = table.fields.iter().filter(|field| field.presence == Presence::Required);
        let lacks = |key: &str| !excused.contains(&key) && present.iter().all(|(present, _)| *present != key);
        for field in required.filter(|field| lacks(field.key)) {
            let hint = format!("add `{}: {}`, for example", field.key, field.example);
            self.error(first_of(node), format!("`{}` is missing in {}", field.key, table.noun), hint);
        }
        for which in table.alternatives {
            if !which.keys.iter().any(|key| excused.contains(key)) {
                self.one_of(node, table, which, &present);
            }
        }
    }

    /// Reports keys that exclude each other, and the lack of all of them where one is needed.
    fn one_of<T>(&mut self, node: &Node, table: &Table<T>, which: &Alternatives, present: &[(&str, Span)]) {
        let mut given = present.iter().filter(|(key, _)| which.keys.contains(key));
        let Some((first, _)) = given.next() else {
            if !which.optional {
                let field = table.fields.iter().find(|field| which.keys.contains(&field.key));
                let example = field.map(|field| format!("add `{}: {}`, for example", field.key, field.example));
                let message = format!("{} is missing in {}", either(which.keys), table.noun);
                self.error(first_of(node), message, example.unwrap_or_default());
            }
            return;
        };
        for (other, span) in given {
            let message = format!("`{other}` can't stand beside `{first}` in {}", table.noun);
            self.error(*span, message, format!("keep one of {}", either(which.keys)));
        }
    }

    /// The field that a key means. An unknown key that is nearly a known one is read as that one, so that the errors
    /// in its value show too and none follow from its absence.
    fn field<'t, T>(&mut self, entry: &Entry, table: &'t Table<T>, keys: &[&str]) -> Option<&'t Field<T>> {
        let named = |key: &str| table.fields.iter().find(|field| field.key == key);
        if let Some(field) = named(&entry.key) {
            return Some(field);
        }
        if secret::is_key(&entry.key) {
            secret::hide(self, &entry.value, true);
        }
        let message = format!("unknown key `{}` in {}", shorten(&entry.key), table.noun);
        if self.full() {
            self.error(entry.span, message, "");
            return None;
        }
        let known: Vec<&str> = table.fields.iter().map(|field| field.key).collect();
        let meant = nearest(&entry.key, known.iter().copied());
        let hint = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => {
                elsewhere(&entry.key, table).unwrap_or_else(|| format!("{} may hold {}", table.noun, either(&known)))
            }
        };
        self.error(entry.span, message, hint);
        meant.filter(|meant| !keys.contains(meant)).and_then(named)
    }

    /// A map for `noun`, of which `model` shows one.
    pub(crate) fn map<'n>(&mut self, node: &'n Node, noun: &str, model: &str) -> Option<&'n [Entry]> {
        match &node.value {
            Value::Map(entries) => Some(entries),
            _ => self.unexpected(node, &format!("a map for {noun}"), &format!("write `{model}`, for example")),
        }
    }

    /// A list of `noun`, of which `model` shows one item.
    pub(crate) fn list<'n>(&mut self, node: &'n Node, form: &Form, noun: &str, model: &str) -> Option<&'n [Node]> {
        let min = if let Form::List { min, .. } = form { *min } else { 0 };
        match &node.value {
            Value::List(items) if items.len() < min => {
                let hint = format!("name at least one: `[{model}]`");
                self.error(node.span, format!("the list of {noun} is empty"), hint);
                None
            }
            Value::List(items) => {
                items.iter().for_each(|item| secret::hide_pem(self, item));
                Some(items)
            }
            Value::Scalar(text) if !model.starts_with('{') && !text.contains(['\n', '"', '\\']) => {
                self.unexpected(node, &format!("a list of {noun}"), &format!("write `[{}]`", quoted(text)))
            }
            Value::Scalar(_) => self.unexpected(node, &format!("a list of {noun}"), &format!("write `[{model}]`")),
            _ => {
                let hint = format!("a list is `[{model}]`, or lines that begin with `- `");
                self.unexpected(node, &format!("a list of {noun}"), &hint)
            }
        }
    }

    /// Reports that the node is of another kind than `noun`, which `hint` shows how to write. Only what has been
    /// reported already is passed over.
    fn unexpected<R>(&mut self, node: &Node, noun: &str, hint: &str) -> Option<R> {
        let hint = match node.value {
            Value::Refused => return None,
            Value::Null => "write a value here, or remove it",
            _ => hint,
        };
        self.error(first_of(node), format!("expected {noun}, found {}", describe(node)), hint);
        None
    }
}

/// What a key is called here that others know, if it is none of the table's own.
fn habit<T>(table: &Table<T>, entry: &Entry) -> Option<(&'static str, Option<&'static str>)> {
    let own = table.fields.iter().any(|field| field.key == entry.key);
    if own { None } else { habits::find(table.path, &entry.key) }
}

/// A map with the one key that a scalar was probably meant for.
fn around<T>(table: &Table<T>, node: &Node) -> Option<String> {
    let Value::Scalar(text) = &node.value else {
        return None;
    };
    let mut required = table.fields.iter().filter(|field| field.presence == Presence::Required);
    let first = required.next().or(table.fields.first()).filter(|_| required.next().is_none())?;
    let path = table.fields.iter().find(|field| text.starts_with('/') && is_path(&field.form));
    let field = path.unwrap_or(first);
    let number = matches!(
        field.form,
        Form::Integer { .. } | Form::PowerOfTwo { .. } | Form::Size { .. } | Form::Duration { .. }
    );
    let fits = match text.as_str() {
        "on" | "off" | "true" | "false" | "yes" | "no" | "" => false,
        text if number => text.starts_with(|c: char| c.is_ascii_digit()),
        text if matches!(field.form, Form::Text { kind: "path of a file", .. }) && !text.contains(['/', '.']) => false,
        text => text.chars().all(|c| c.is_ascii_alphanumeric() || "/.:_-*{}[]".contains(c)),
    };
    let value = quoted(text);
    let value = if let Form::List { .. } = field.form { format!("[{value}]") } else { value };
    fits.then(|| format!("{{ {}: {value} }}", field.key))
}

/// Whether a field is a path of requests.
fn is_path(form: &Form) -> bool {
    match form {
        Form::Text { kind, .. } => *kind == "path",
        Form::Either(a, b) => is_path(a) || is_path(b),
        _ => false,
    }
}

/// A text as it can stand in a map or list on one line.
fn quoted(text: &str) -> String {
    let text = shorten(text);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if text.chars().all(plain) { text } else { format!("\"{text}\"") }
}

/// A map as the table's first keys would be written.
fn model<T>(table: &Table<T>) -> String {
    let required: Vec<&Field<T>> = table.fields.iter().filter(|f| f.presence == Presence::Required).collect();
    let shown = if required.is_empty() { table.fields.iter().take(1).collect() } else { required };
    let pairs: Vec<String> = shown.iter().map(|field| format!("{}: {}", field.key, field.example)).collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// What to do about a key that has its place in a map of this one, or is nearly one that has not landed.
fn elsewhere<T>(key: &str, table: &Table<T>) -> Option<String> {
    let holds = |field: &&Field<T>| field.form.maps().any(|rows| rows.rows().iter().any(|row| row.key == key));
    if let Some(field) = table.fields.iter().find(holds) {
        return Some(format!("`{key}` belongs in `{}`", field.key));
    }
    let meant = nearest(key, table.later.iter().map(|later| later.key))?;
    let subject = table.later.iter().find(|later| later.key == meant).map(Later::subject)?;
    Some(format!("{subject} is not part of this version yet"))
}

/// Where to point: at the first sign of a list or map, at all of a scalar.
pub(crate) fn first_of(node: &Node) -> Span {
    let width = if matches!(node.value, Value::Map(_) | Value::List(_)) { 1 } else { node.span.width };
    Span { at: node.span.at, width }
}
