//! `match`: the requests that a route takes.

use std::fmt::Display;

use crate::decode::fields::{self, is_token};
use crate::decode::{Once, Wrong, host, parsed, path};
use crate::document::Match;
use crate::form::Form;
use crate::node::{Entry, Node, Value};
use crate::pattern::{PathPattern, ValuePattern, path_regex};
use crate::reader::{Reader, first_of};
use crate::table::{Field, Presence, Table};
use crate::wording::shorten;

const TEXT: Form = Form::Text { kind: "text", limits: "" };
/// The methods that a slip of the shift key may have been meant as.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

pub(crate) static MATCH: Table<Match> = Table {
    path: "routes[].match",
    noun: "`match`",
    doc: "The requests that a route takes: those for which every predicate given here holds. `{}` takes every request.",
    fields: &[
        Field {
            key: "hosts",
            form: Form::List { of: &Form::Text { kind: "host", limits: host::LIMITS }, min: 1 },
            presence: Presence::Optional("any host"),
            doc: "One of these hosts, case and port ignored.",
            example: "[api.example.com, \"*.example.org\"]",
            exceeding: None,
            read: |reader, node, form, matches: &mut Match| {
                matches.hosts = unique(reader, node, form, ("host", "api.example.com"), host::parse);
            },
        },
        Field {
            key: "path",
            form: Form::Either(&Form::Text { kind: "path", limits: path::LIMITS }, &Form::Object(&REGEX)),
            presence: Presence::Optional("any path"),
            doc: "`/users` is that path; `/users/{id}` captures one segment; `/static/*` is all below, and `/static` itself.",
            example: "\"/users/{id}\"",
            exceeding: None,
            read: |reader, node, _, matches| match node.value {
                Value::Map(_) => reader.table(node, &REGEX, &mut matches.path),
                Value::List(_) => {
                    let hint =
                        "one path stands here: several paths are several routes, `/a/*` is everything below `/a`";
                    reader.error(first_of(node), "expected a path such as `/users/{id}`, found a list", hint);
                }
                _ => {
                    matches.path = parsed(reader, node, "a path such as `/users/{id}`", path::parse);
                    doubtful(reader, node, matches.path.as_ref());
                }
            },
        },
        Field {
            key: "methods",
            form: Form::List {
                of: &Form::Text { kind: "method", limits: "in capitals; not `TRACE` or `CONNECT`" },
                min: 1,
            },
            presence: Presence::Optional("any method"),
            doc: "One of these methods. Where only the method misses, the answer is 405 with `allow`.",
            example: "[GET, HEAD]",
            exceeding: None,
            read: |reader, node, form, matches| {
                matches.methods = unique(reader, node, form, ("method", "GET"), method);
            },
        },
        Field {
            key: "headers",
            form: Form::Map { key: "NAME", of: &TEXT },
            presence: Presence::Optional("any header fields"),
            doc: "Each of these header fields, with this value; `*` in a value stands for any run of characters.",
            example: "{ x-tier: gold, user-agent: \"*Sensor*\" }",
            exceeding: None,
            read: |reader, node, _, matches| headers(reader, node, matches),
        },
        Field {
            key: "query",
            form: Form::Map { key: "NAME", of: &TEXT },
            presence: Presence::Optional("any query"),
            doc: "Each of these query parameters, with exactly this value.",
            example: "{ v: \"2\" }",
            exceeding: None,
            read: |reader, node, _, matches| query(reader, node, matches),
        },
    ],
    alternatives: &[],
    later: &[],
};

pub(crate) static REGEX: Table<Option<PathPattern>> = Table {
    path: "routes[].match.path",
    noun: "`path`",
    doc: "A path by regular expression. Most paths are plain text instead: see above.",
    fields: &[Field {
        key: "regex",
        form: Form::Text { kind: "regular expression", limits: "at most 1 MiB when compiled" },
        presence: Presence::Required,
        doc: "Compared with the whole of the decoded path, as if it began with `^` and ended with `$`. Takes linear time.",
        example: "\"/v[0-9]+/users\"",
        exceeding: None,
        read: |reader, node, _, path| {
            *path = parsed(reader, node, "a regular expression", regex);
            doubtful(reader, node, path.as_ref());
        },
    }],
    alternatives: &[],
    later: &[],
};

/// A list of texts of one grammar, none of them twice. `one` names the grammar and shows a text of it.
fn unique<R: Display>(
    reader: &mut Reader<'_>,
    node: &Node,
    form: &Form,
    one: (&str, &str),
    parse: fn(&str) -> Result<R, Wrong>,
) -> Vec<R> {
    let (noun, example) = one;
    let Some(items) = reader.list(node, form, &format!("{noun}s"), example) else {
        return Vec::new();
    };
    let mut once = Once::new(format!("the {noun}"));
    let mut values = Vec::new();
    for item in items {
        let value = parsed(reader, item, &format!("a {noun} such as `{example}`"), parse);
        if let Some(value) = value.filter(|value| once.check(reader, &value.to_string(), item.span)) {
            values.push(value);
        }
    }
    values
}

/// Warns of a path that is good but hardly meant.
fn doubtful(reader: &mut Reader<'_>, node: &Node, path: Option<&PathPattern>) {
    if let Some((message, hint)) = path.and_then(path::doubt) {
        reader.warning(node.span, message, hint);
    }
}

fn headers(reader: &mut Reader<'_>, node: &Node, matches: &mut Match) {
    let Some(entries) = reader.map(node, "header fields", "{ x-tier: gold }") else {
        return;
    };
    let mut once = Once::new("the header field");
    for Entry { key, span, value } in entries {
        let name = match fields::name(key) {
            Ok(name) => name,
            Err((message, hint)) => {
                reader.error(*span, message, hint);
                continue;
            }
        };
        if name == "host" {
            let message = "`host` is not compared as a header field";
            reader.error(*span, message, "write `hosts: [...]` beside `headers` instead");
        } else if once.check(reader, &name, *span)
            && let Some(text) = reader.text(value, "the header field's value")
        {
            match header_value(&text.value) {
                Ok(pattern) => matches.headers.push((name, pattern)),
                Err((message, hint)) => reader.error(text.span, message, hint),
            }
        }
    }
}

fn query(reader: &mut Reader<'_>, node: &Node, matches: &mut Match) {
    let Some(entries) = reader.map(node, "query parameters", "{ v: \"2\" }") else {
        return;
    };
    for Entry { key, span, value } in entries {
        if key.is_empty() {
            reader.error(*span, "a query parameter without a name", "write `name: value`");
        } else if let Some(text) = reader.text(value, "the parameter's value") {
            matches.query.push((key.clone(), ValuePattern::exact(&text.value)));
        }
    }
}

fn header_value(text: &str) -> Result<ValuePattern, Wrong> {
    if text.trim_matches([' ', '\t']) != text || text.chars().any(char::is_control) {
        let message = format!("`{}` is no value that a header field can have", shorten(text));
        return Err((message, "a value holds no control characters and has no space at its ends".to_owned()));
    }
    Ok(ValuePattern::wildcard(text))
}

fn method(text: &str) -> Result<String, Wrong> {
    let shown = shorten(text);
    let upper = text.to_ascii_uppercase();
    if !is_token(text) {
        return Err((format!("`{shown}` is not a method"), "write `GET`, for example".to_owned()));
    }
    if text == "TRACE" || text == "CONNECT" {
        return Err((format!("no route can take `{text}`"), "the gateway itself answers it with 405".to_owned()));
    }
    if upper != text && METHODS.contains(&upper.as_str()) {
        return Err((format!("`{shown}` is not a method: case counts"), format!("write `{upper}`")));
    }
    Ok(text.to_owned())
}

fn regex(text: &str) -> Result<PathPattern, Wrong> {
    match path_regex(text) {
        Ok(_) => Ok(PathPattern::Regex(text.to_owned())),
        Err(regex::Error::CompiledTooBig(_)) => {
            let hint = "shorten it: bounded repetitions such as `{1000}` make it large".to_owned();
            Err(("the regular expression takes more than 1 MiB when compiled".to_owned(), hint))
        }
        Err(error) => {
            // The library draws the expression over several lines; the last one says what is wrong.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            Err((format!("not a regular expression: {reason}"), "see https://docs.rs/regex for the syntax".to_owned()))
        }
    }
}
