//! `include`: further files with upstreams and routes.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};

use crate::decode::{DOCUMENT, Draft, parsed, routes, upstreams};
use crate::form::Form;
use crate::node::{Node, Span, Value};
use crate::reader::{Reader, first_of};
use crate::table::{Field, Presence, Table};
use crate::wording::{describe, shorten};

#[cfg(test)]
mod tests;

/// Files that a configuration may include.
pub(crate) const INCLUDED_MAX: usize = 1000;

const HINT: &str = "an included file holds `upstreams` and `routes`";

/// A file that is to be read, and where the main file names it.
pub(crate) struct Included {
    path: PathBuf,
    span: Span,
}

pub(crate) static INCLUDED: Table<Draft> = Table {
    path: "FILE",
    noun: "an included file",
    doc: "A file that `include` names. It is a whole YAML file of its own; what it holds stands beside what the main file \
          holds, so names are unique over all of them. Its routes come behind those of the files before it.",
    fields: &[
        Field {
            key: "upstreams",
            form: Form::Map { key: "NAME", of: &Form::Object(&upstreams::UPSTREAM) },
            presence: Presence::Default("{}"),
            doc: "As in the main file.",
            example: "{ users: { endpoints: [\"127.0.0.1:9001\"] } }",
            exceeding: None,
            read: |reader, node, _, draft| upstreams::read(reader, node, &mut draft.upstreams),
        },
        Field {
            key: "routes",
            form: Form::List { of: &Form::Object(&routes::ROUTE), min: 0 },
            presence: Presence::Default("[]"),
            doc: "As in the main file.",
            example: "[{ name: all, match: { path: \"/*\" }, forward: { upstream: users } }]",
            exceeding: None,
            read: |reader, node, form, draft| draft.routes.read(reader, node, form),
        },
    ],
    alternatives: &[],
    later: &[],
};

/// The files that the patterns of `include` name, in their order and each once; those of one pattern are sorted.
pub(crate) fn find(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Vec<Included> {
    let Some(items) = reader.list(node, form, "files", "\"routes/*.yaml\"") else {
        return Vec::new();
    };
    let mut seen: HashSet<PathBuf> = reader.files_read().iter().cloned().collect();
    let mut included = Vec::new();
    for item in items {
        let noun = "the path of a file, or a pattern such as `routes/*.yaml`";
        let Some(pattern) = parsed(reader, item, noun, pattern) else {
            continue;
        };
        let span = item.span;
        for path in matching(reader, &pattern, span) {
            if included.len() == INCLUDED_MAX {
                let message = format!("more than {INCLUDED_MAX} files are included");
                reader.error(span, message, "put more into each file");
                return included;
            }
            if seen.insert(path.clone()) {
                included.push(Included { path, span });
            }
        }
    }
    included
}

/// Reads one of them into the same draft as the main file.
pub(crate) fn read(reader: &mut Reader<'_>, included: &Included, draft: &mut Draft) {
    let Included { path, span } = included;
    let Some(root) = reader.include(path, *span) else {
        return;
    };
    let main = reader.directory().to_owned();
    reader.set_directory(path.parent().unwrap_or(Path::new("")).to_owned());
    match &root {
        None | Some(Node { value: Value::Null, .. }) => {
            let message = format!("the file `{}` holds nothing", shorten(&path.display().to_string()));
            reader.warning(*span, message, HINT);
        }
        Some(root) => match &root.value {
            Value::Map(entries) => {
                for entry in entries {
                    misplaced(reader, &entry.key, entry.span);
                }
                let known = |key: &str| !is_misplaced(key);
                reader.table_of(root, &INCLUDED, draft, &known);
            }
            _ => {
                let message = format!("expected a map of keys, found {}", describe(root));
                reader.error(first_of(root), message, HINT);
            }
        },
    }
    reader.set_directory(main);
}

/// Whether the key is one of the main file alone.
fn is_misplaced(key: &str) -> bool {
    DOCUMENT.fields.iter().any(|field| field.key == key) && INCLUDED.fields.iter().all(|field| field.key != key)
}

fn misplaced(reader: &mut Reader<'_>, key: &str, span: Span) {
    if key == "include" {
        let hint = "name all files in the main file: patterns such as `routes/*.yaml` take many at once";
        reader.error(span, "an included file can't include others", hint);
    } else if is_misplaced(key) {
        reader.error(
            span,
            format!("`{key}` can't stand in an included file"),
            format!("move it to the main file: {HINT}"),
        );
    }
}

/// The parts of a pattern between its slashes.
fn pattern(text: &str) -> Result<String, (String, String)> {
    let wrong = |what: &str, hint: &str| Err((format!("`{}` {what}", shorten(text)), hint.to_owned()));
    if text.contains('\0') {
        return wrong("holds a NUL", "write the path of a file");
    }
    if text.split('/').any(|part| part.contains("**")) {
        return wrong("holds `**`", "a `*` stands for a run of characters in one name: write `routes/*/*.yaml`");
    }
    if text.ends_with('/') {
        return wrong("names a directory", "name the files in it: `routes/*.yaml`");
    }
    Ok(text.to_owned())
}

/// The files that one pattern names. A pattern without a wildcard is a file that must be there.
fn matching(reader: &mut Reader<'_>, pattern: &str, span: Span) -> Vec<PathBuf> {
    let base = if pattern.starts_with('/') { PathBuf::from("/") } else { reader.directory().to_owned() };
    let mut parts: VecDeque<&str> = pattern.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let mut found = vec![base];
    let mut exact = true;
    while let Some(part) = parts.pop_front() {
        if !part.contains(['*', '?']) {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        exact = false;
        let directories = !parts.is_empty();
        let mut below = Vec::new();
        for directory in &found {
            match reader.files().list(directory) {
                Ok(entries) => {
                    let fits = entries.into_iter().filter(|entry| entry.directory == directories);
                    let fits = fits.filter(|entry| entry.name.to_str().is_some_and(|name| matches(part, name)));
                    below.extend(fits.map(|entry| directory.join(entry.name)));
                }
                Err(problem) => {
                    let message = format!("the directory `{}` {problem}", shorten(&directory.display().to_string()));
                    reader.error(span, message, "a relative path starts in the directory of the file that names it");
                }
            }
        }
        found = below;
    }
    if exact {
        return found;
    }
    found.sort();
    if found.is_empty() {
        let hint = "a relative path starts in the directory of the file that names it";
        reader.warning(span, format!("no file matches `{}`", shorten(pattern)), hint);
    }
    found
}

/// Whether a name fits a pattern: `*` is any run of characters, `?` one; a dot in front must be written.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go on after the last star: one character more belongs to it.
    let mut back: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                back = Some((p, n));
                p += 1;
            }
            Some(&sign) if sign == '?' || sign == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((star, taken)) = back else {
                    return false;
                };
                back = Some((star, taken + 1));
                p = star + 1;
                n = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|&sign| sign == '*')
}
