//! `access_log`: what is written about each request, and where.

use crate::decode::braces::{self, Piece};
use crate::decode::{Once, fields, parsed};
use crate::document::{AccessLog, LogFormat, LogPart, LogTarget, LogValue};
use crate::form::Form;
use crate::node::{Node, Span, Value};
use crate::reader::Reader;
use crate::suggest::nearest;
use crate::table::{Field, Presence, Table};
use crate::wording::{either, shorten};

/// Header fields that a line may hold besides.
pub(crate) const HEADERS_MAX: usize = 32;
/// Bytes of the longest template of a line.
pub(crate) const TEMPLATE_MAX: usize = 8 * 1024;
/// What stands in front of the name of a header field.
const HEADER: &str = "header:";

const FORMATS: Form = Form::Choice(&["json", "combined"]);
const TARGETS: Form = Form::Choice(&["stdout"]);

/// The access log while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    log: AccessLog,
    /// Where `headers` stands.
    headers: Option<Span>,
    /// Where `tls` stands.
    tls: Option<Span>,
}

pub(crate) static ACCESS_LOG: Table<Draft> = Table {
    path: "access_log",
    noun: "`access_log`",
    doc: "What is written about each request. `off` writes nothing, `on` the defaults of this table.",
    fields: &[
        Field {
            key: "format",
            form: Form::Either(&FORMATS, &Form::Object(&TEMPLATE)),
            presence: Presence::Default("json"),
            doc: "One JSON object a line, the combined log format of Apache and nginx, or a template of one's own.",
            example: "combined",
            exceeding: None,
            read: |reader, node, _, draft: &mut Draft| match &node.value {
                Value::Map(_) => reader.table(node, &TEMPLATE, &mut draft.log.format),
                _ => match reader.choice_or(node, &FORMATS, &[], Some("{ template: \"{client} {status}\" }")) {
                    Some("combined") => draft.log.format = LogFormat::Combined,
                    _ => draft.log.format = LogFormat::Json,
                },
            },
        },
        Field {
            key: "to",
            form: Form::Either(&TARGETS, &Form::Object(&FILE)),
            presence: Presence::Default("stdout"),
            doc: "Where the lines go.",
            example: "{ file: /var/log/ringgate/access.log }",
            exceeding: None,
            read: |reader, node, _, draft| match &node.value {
                Value::Map(_) => reader.table(node, &FILE, &mut draft.log.to),
                _ => drop(reader.choice_or(node, &TARGETS, &[], Some("{ file: PATH }"))),
            },
        },
        Field {
            key: "headers",
            form: Form::List {
                of: &Form::Text {
                    kind: "header field",
                    limits: "a name; at most 32 of them; none that holds credentials",
                },
                min: 0,
            },
            presence: Presence::Default("[]"),
            doc: "Header fields of the request that a JSON line holds besides, under `headers`.",
            example: "[user-agent, referer]",
            exceeding: None,
            read: |reader, node, form, draft| {
                draft.headers = Some(node.span);
                draft.log.headers = headers(reader, node, form);
            },
        },
        Field {
            key: "tls",
            form: Form::Switch,
            presence: Presence::Default("off"),
            doc: "Whether a JSON line says besides how the connection is secured: `tls_version`, `tls_cipher`, `server_name`, \
                  `client_subject`, `client_sans`.",
            example: "on",
            exceeding: None,
            read: |reader, node, _, draft| {
                draft.tls = Some(node.span);
                draft.log.tls = reader.on_or_off(node).unwrap_or(false);
            },
        },
    ],
    alternatives: &[],
    later: &[],
};

pub(crate) static TEMPLATE: Table<LogFormat> = Table {
    path: "access_log.format",
    noun: "`format`",
    doc: "A line of one's own.",
    fields: &[Field {
        key: "template",
        form: Form::Text {
            kind: "template of a line",
            limits: "at most 8KiB; `{NAME}` with a key of the JSON line, or `{header:NAME}`",
        },
        presence: Presence::Required,
        doc: "The line. `{status}` is that value, `{header:NAME}` a header field of the request; `-` where there is none.",
        example: "\"{client} {method} {target} {status} {duration_ms} {header:user-agent}\"",
        exceeding: None,
        read: |reader, node, _, format| {
            if let Some(parts) = template(reader, node) {
                *format = LogFormat::Template(parts);
            }
        },
    }],
    alternatives: &[],
    later: &[],
};

pub(crate) static FILE: Table<LogTarget> = Table {
    path: "access_log.to",
    noun: "`to`",
    doc: "A file that the lines are appended to.",
    fields: &[Field {
        key: "file",
        form: Form::Text { kind: "path of a file", limits: "its directory exists" },
        presence: Presence::Required,
        doc: "The file: made where there is none, opened again on USR1.",
        example: "/var/log/ringgate/access.log",
        exceeding: None,
        read: |reader, node, _, target| {
            let Some(path) = reader.path(node, "the path of a file") else {
                return;
            };
            if let Some(directory) = path.parent()
                && !reader.files().is_directory(directory)
            {
                let shown = shorten(&directory.display().to_string());
                let message = format!("there is no directory `{shown}` for the log");
                reader.error(
                    node.span,
                    message,
                    format!("make it: `mkdir -p {shown}`; the file itself is made when needed"),
                );
            }
            *target = LogTarget::File(path);
        },
    }],
    alternatives: &[],
    later: &[],
};

pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<AccessLog> {
    let mut draft = Draft::default();
    match reader.switch(node) {
        Some(true) => {}
        Some(false) => return None,
        None => reader.table(node, &ACCESS_LOG, &mut draft),
    }
    if draft.log.format != LogFormat::Json {
        if let Some(span) = draft.headers {
            let hint = "remove it, or name the fields in a template: `{header:user-agent}`";
            reader.error(span, "`headers` is only for `format: json`", hint);
        }
        if let Some(span) = draft.tls {
            let hint = "remove it, or name the values in a template: `{tls_version}`";
            reader.error(span, "`tls` is only for `format: json`", hint);
        }
    }
    Some(draft.log)
}

fn headers(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Vec<String> {
    let Some(items) = reader.list(node, form, "header fields", "user-agent") else {
        return Vec::new();
    };
    if let Some(item) = items.get(HEADERS_MAX) {
        let message = format!("more than {HEADERS_MAX} header fields in the access log");
        reader.error(item.span, message, "each makes every line longer: name those that are needed");
    }
    let mut once = Once::new("the header field");
    let mut names = Vec::new();
    for item in items.iter().take(HEADERS_MAX) {
        let name = parsed(reader, item, "the name of a header field such as `user-agent`", fields::of_log);
        names.extend(name.filter(|name| once.check(reader, name, item.span)));
    }
    names
}

fn template(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<LogPart>> {
    let text = reader.filled(node, "a template such as `{client} {method} {target} {status}`")?;
    if text.value.len() > TEMPLATE_MAX {
        reader.error(text.span, "the template is longer than 8KiB", "name fewer values");
        return None;
    }
    if text.value.contains(['\n', '\r', '\0']) {
        let hint = "each line is ended by itself: remove the line break";
        reader.error(text.span, "the template of a line holds a line break or a NUL", hint);
        return None;
    }
    let mut parts = Vec::new();
    let mut whole = true;
    for piece in braces::pieces(&text.value, is_name) {
        let part = match piece {
            Piece::Literal(text) => Ok(LogPart::Literal(text)),
            Piece::Name(name) => match name.strip_prefix(HEADER) {
                Some(name) => fields::of_log(name).map(LogPart::Header),
                None => value(&name),
            },
        };
        match part {
            Ok(part) => parts.push(part),
            Err((message, hint)) => {
                reader.error(text.span, message, hint);
                whole = false;
            }
        }
    }
    if whole && !parts.iter().any(|part| !matches!(part, LogPart::Literal(_))) {
        let hint = "values stand in braces: `{client} {method} {target} {status}`";
        reader.warning(text.span, "every line of this log is the same", hint);
    }
    whole.then_some(parts)
}

/// What may stand in the braces of a line: an identifier with dots, or the name of a header field.
fn is_name(name: &str) -> bool {
    name.strip_prefix(HEADER).map_or_else(|| braces::is_dotted(name), fields::is_token)
}

fn value(name: &str) -> Result<LogPart, (String, String)> {
    if let Some((_, value)) = LogValue::every().find(|(known, _)| *known == name) {
        return Ok(LogPart::Value(value));
    }
    let shown = shorten(name);
    let names: Vec<&str> = LogValue::every().map(|(name, _)| name).collect();
    let hint = match nearest(name, names.iter().copied()) {
        Some(meant) => format!("did you mean `{{{meant}}}`?"),
        None => format!("there are {}, and `header:NAME`", either(&names)),
    };
    Err((format!("`{{{shown}}}` is no value of the access log"), hint))
}
