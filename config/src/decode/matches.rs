//! `match`: the requests that a route takes.

use crate::decode::{Wrong, host, parsed, path};
use crate::document::Match;
use crate::node::{Entry, Node, Value};
use crate::pattern::{PathPattern, ValuePattern, path_regex};
use crate::reader::{Reader, shorten};
use crate::table::{Field, Form, Presence, Table};

const TEXT: Form = Form::Text {
    kind: "text",
    limits: "",
};
/// The methods that a slip of the shift key may have been meant as.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

pub(crate) static MATCH: Table<Match> = Table {
    path: "routes[].match",
    noun: "`match`",
    doc: "The requests that a route takes: those for which every predicate given here holds. `{}` takes every request.",
    fields: &[
        Field {
            key: "hosts",
            form: Form::List {
                of: &Form::Text {
                    kind: "host",
                    limits: host::LIMITS,
                },
                min: 1,
            },
            presence: Presence::Optional("any host"),
            doc: "One of these hosts, case and port ignored.",
            example: "[api.example.com, \"*.example.org\"]",
            exceeding: None,
            read: |reader, node, form, matches: &mut Match| {
                let Some(items) = reader.list(node, form, "hosts", "api.example.com") else {
                    return;
                };
                for item in items {
                    let Some(host) = parsed(
                        reader,
                        item,
                        "a host such as `api.example.com`",
                        host::parse,
                    ) else {
                        continue;
                    };
                    if matches.hosts.contains(&host) {
                        reader.error(
                            item.span,
                            format!("the host `{host}` is given twice"),
                            "name each host once",
                        );
                    } else {
                        matches.hosts.push(host);
                    }
                }
            },
        },
        Field {
            key: "path",
            form: Form::Either(
                &Form::Text {
                    kind: "path",
                    limits: path::LIMITS,
                },
                &Form::Object(&REGEX),
            ),
            presence: Presence::Optional("any path"),
            doc: "`/users` is that path; `/users/{id}` captures one segment; `/static/*` is all below, and `/static` itself.",
            example: "\"/users/{id}\"",
            exceeding: None,
            read: |reader, node, _, matches| match node.value {
                Value::Map(_) => reader.table(node, &REGEX, &mut matches.path),
                _ => {
                    matches.path = parsed(reader, node, "a path such as `/users/{id}`", path::parse)
                }
            },
        },
        Field {
            key: "methods",
            form: Form::List {
                of: &Form::Text {
                    kind: "method",
                    limits: "in capitals; not `TRACE` or `CONNECT`",
                },
                min: 1,
            },
            presence: Presence::Optional("any method"),
            doc: "One of these methods. Where only the method misses, the answer is 405 with `allow`.",
            example: "[GET, HEAD]",
            exceeding: None,
            read: |reader, node, form, matches| {
                let Some(items) = reader.list(node, form, "methods", "GET") else {
                    return;
                };
                for item in items {
                    let Some(method) = parsed(reader, item, "a method such as `GET`", method)
                    else {
                        continue;
                    };
                    if matches.methods.contains(&method) {
                        reader.error(
                            item.span,
                            format!("the method `{method}` is given twice"),
                            "name each method once",
                        );
                    } else {
                        matches.methods.push(method);
                    }
                }
            },
        },
        Field {
            key: "headers",
            form: Form::Map {
                key: "NAME",
                of: &TEXT,
            },
            presence: Presence::Optional("any header fields"),
            doc: "Each of these header fields, with this value; `*` in a value stands for any run of characters.",
            example: "{ x-tier: gold, user-agent: \"*Sensor*\" }",
            exceeding: None,
            read: |reader, node, _, matches| headers(reader, node, matches),
        },
        Field {
            key: "query",
            form: Form::Map {
                key: "NAME",
                of: &TEXT,
            },
            presence: Presence::Optional("any query"),
            doc: "Each of these query parameters, with exactly this value.",
            example: "{ v: \"2\" }",
            exceeding: None,
            read: |reader, node, _, matches| {
                let Some(entries) = reader.map(node, "query parameters") else {
                    return;
                };
                for Entry { key, span, value } in entries {
                    if key.is_empty() {
                        reader.error(
                            *span,
                            "a query parameter without a name",
                            "write `name: value`",
                        );
                    } else if let Some(text) = reader.text(value, "the parameter's value") {
                        matches
                            .query
                            .push((key.clone(), ValuePattern::exact(&text.value)));
                    }
                }
            },
        },
    ],
    later: &[],
};

pub(crate) static REGEX: Table<Option<PathPattern>> = Table {
    path: "routes[].match.path",
    noun: "`path`",
    doc: "A path by regular expression. Most paths are plain text instead: see above.",
    fields: &[Field {
        key: "regex",
        form: Form::Text {
            kind: "regular expression",
            limits: "at most 1 MiB when compiled",
        },
        presence: Presence::Required,
        doc: "Compared with the whole of the decoded path, as if it began with `^` and ended with `$`. Takes linear time.",
        example: "\"/v[0-9]+/users\"",
        exceeding: None,
        read: |reader, node, _, path| {
            *path = parsed(reader, node, "a regular expression", regex).or(path.take())
        },
    }],
    later: &[],
};

fn headers(reader: &mut Reader<'_>, node: &Node, matches: &mut Match) {
    let Some(entries) = reader.map(node, "header fields") else {
        return;
    };
    for Entry { key, span, value } in entries {
        let name = key.to_ascii_lowercase();
        if !is_token(&name) {
            let message = format!("`{}` can't be the name of a header field", shorten(key));
            reader.error(
                *span,
                message,
                "a name is letters, digits and ``!#$%&'*+-.^_`|~``",
            );
        } else if name == "host" {
            reader.error(
                *span,
                "`host` is not compared as a header field",
                "write `hosts: [...]` instead",
            );
        } else if matches.headers.iter().any(|(known, _)| *known == name) {
            let message = format!("the header field `{}` is given twice", shorten(key));
            reader.error(*span, message, "names differ in more than case: keep one");
        } else if let Some(pattern) =
            parsed(reader, value, "the header field's value", header_value)
        {
            matches.headers.push((name, pattern));
        }
    }
}

fn header_value(text: &str) -> Result<ValuePattern, Wrong> {
    if text.trim_matches([' ', '\t']) != text || text.chars().any(char::is_control) {
        let message = format!(
            "`{}` is no value that a header field can have",
            shorten(text)
        );
        return Err((
            message,
            "a value holds no control characters and has no space at its ends".to_owned(),
        ));
    }
    Ok(ValuePattern::wildcard(text))
}

fn method(text: &str) -> Result<String, Wrong> {
    let shown = shorten(text);
    let upper = text.to_ascii_uppercase();
    if !is_token(text) {
        return Err((
            format!("`{shown}` is not a method"),
            "write `GET`, for example".to_owned(),
        ));
    }
    if text == "TRACE" || text == "CONNECT" {
        return Err((
            format!("no route can take `{text}`"),
            "the gateway itself answers it with 405".to_owned(),
        ));
    }
    if upper != text && METHODS.contains(&upper.as_str()) {
        return Err((
            format!("`{shown}` is not a method: case counts"),
            format!("write `{upper}`"),
        ));
    }
    Ok(text.to_owned())
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn regex(text: &str) -> Result<PathPattern, Wrong> {
    match path_regex(text) {
        Ok(_) => Ok(PathPattern::Regex(text.to_owned())),
        Err(regex::Error::CompiledTooBig(_)) => {
            let hint = "shorten it: bounded repetitions such as `{1000}` make it large".to_owned();
            Err((
                "the regular expression takes more than 1 MiB when compiled".to_owned(),
                hint,
            ))
        }
        Err(error) => {
            // The library draws the expression over several lines; the last one says what is wrong.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            Err((
                format!("not a regular expression: {reason}"),
                "see https://docs.rs/regex for the syntax".to_owned(),
            ))
        }
    }
}
