//! `respond`: an answer that the gateway itself gives.

use std::path::PathBuf;

use crate::decode::fields;
use crate::decode::template::{Scope, Written};
use crate::document::{Respond, ResponseBody};
use crate::form::Form;
use crate::node::{Entry, Node, Span};
use crate::reader::Reader;
use crate::table::{Alternatives, Field, Presence, Table};
use crate::template::Template;
use crate::wording::shorten;

/// Where the file doesn't say.
const STATUS: u16 = 200;
const STATUS_MIN: u64 = 200;
const STATUS_MAX: u64 = 599;
/// Statuses whose answers have no body (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5).
const BODILESS: [u16; 3] = [204, 205, 304];
/// Bytes of the longest body that is written in the configuration.
pub(crate) const BODY_MAX: usize = 64 * 1024;
/// Bytes of the largest file that is a body.
pub(crate) const BODY_FILE_MAX: u64 = 1 << 20;
/// Header fields of one answer.
pub(crate) const HEADERS_MAX: usize = 64;
/// Bytes of the longest value.
pub(crate) const VALUE_MAX: usize = 8 * 1024;
const CONTENT_TYPE: &str = "content-type";

/// Media types in which no place is safe for a value: scripts (RFC 9239 section 6) and style sheets.
const CODE: [&str; 7] = [
    "application/ecmascript",
    "application/javascript",
    "application/x-javascript",
    "text/css",
    "text/ecmascript",
    "text/javascript",
    "text/x-javascript",
];

/// An answer while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    status: Option<(u16, Span)>,
    headers: Vec<(String, Written)>,
    body: Option<Body>,
    ready: bool,
}

/// A body while it is read.
enum Body {
    Text(Written),
    File { path: PathBuf, bytes: Vec<u8>, span: Span },
}

pub(crate) static RESPOND: Table<Draft> = Table {
    path: "routes[].respond",
    noun: "`respond`",
    doc: "An answer of the gateway itself. `{}` is 200 without a body.",
    fields: &[
        Field {
            key: "status",
            form: Form::Integer { min: STATUS_MIN, max: STATUS_MAX },
            presence: Presence::Default("200"),
            doc: "Its status. Answers with 204, 205 and 304 have no body.",
            example: "503",
            exceeding: None,
            read: |reader, node, form, draft| {
                let status = reader.integer(node, form).and_then(|status| u16::try_from(status).ok());
                draft.status = status.map(|status| (status, node.span));
            },
        },
        Field {
            key: "headers",
            form: Form::Map {
                key: "NAME",
                of: &Form::Text {
                    kind: "template",
                    limits: "at most 64 fields; each value at most 8KiB, without line breaks",
                },
            },
            presence: Presence::Default("{}"),
            doc: "Its header fields, beside those that the gateway sets on every answer. Without `content-type`, a `body` is plain text and a `file` what its name says.",
            example: "{ content-type: application/json, x-user: \"{request.client}\" }",
            exceeding: None,
            read: |reader, node, _, draft| draft.headers = headers(reader, node),
        },
        Field {
            key: "body",
            form: Form::Text { kind: "template", limits: "at most 64KiB" },
            presence: Presence::Optional("none"),
            doc: "Its body. A `{` that opens no name stands for itself, so JSON is written as it is.",
            example: "'{\"path\": \"{request.path}\"}'",
            exceeding: None,
            read: |reader, node, _, draft| {
                let text = reader.text(node, "a text, which may be empty");
                draft.body = text.map(|text| Body::Text(Written { text: text.value.into_owned(), span: text.span }));
            },
        },
        Field {
            key: "file",
            form: Form::Text { kind: "path of a file", limits: "at most 1MiB" },
            presence: Presence::Optional("none"),
            doc: "The file that is its body: read when the configuration is loaded, sent as it is.",
            example: "/srv/ringgate/maintenance.html",
            exceeding: None,
            read: |reader, node, _, draft| {
                let Some(path) = reader.path(node, "the path of a file") else {
                    return;
                };
                let bytes = reader.read(node.span, &path, BODY_FILE_MAX);
                draft.body = bytes.map(|bytes| Body::File { path, bytes, span: node.span });
            },
        },
        Field {
            key: "health",
            form: Form::Choice(&["ready"]),
            presence: Presence::Optional("the same answer always"),
            doc: "`ready`: answers 503 instead while the gateway is not ready. For load balancers in front of it.",
            example: "ready",
            exceeding: None,
            read: |reader, node, form, draft| draft.ready = reader.choice(node, form, &[]).is_some(),
        },
    ],
    alternatives: &[Alternatives { keys: &["body", "file"], optional: true }],
    later: &[],
};

fn headers(reader: &mut Reader<'_>, node: &Node) -> Vec<(String, Written)> {
    let Some(entries) = reader.map(node, "header fields", "{ content-type: text/plain }") else {
        return Vec::new();
    };
    if let Some(entry) = entries.get(HEADERS_MAX) {
        let message = format!("more than {HEADERS_MAX} header fields in one answer");
        reader.error(entry.span, message, "answers of the gateway itself are short: remove some");
    }
    let mut once = crate::decode::Once::new("the header field");
    let mut headers = Vec::new();
    for Entry { key, span, value } in entries.iter().take(HEADERS_MAX) {
        let name = match fields::of_answer(key) {
            Ok(name) => name,
            Err((message, hint)) => {
                reader.error(*span, message, hint);
                continue;
            }
        };
        let Some(text) = reader.text(value, "the header field's value") else {
            continue;
        };
        if text.value.len() > VALUE_MAX || text.value.chars().any(|c| c.is_control() && c != '\t') {
            let message = format!("`{}` is no value that a header field can have", shorten(&text.value));
            let hint = "a value has no line breaks or other control characters, and at most 8KiB";
            reader.error(text.span, message, hint);
        } else if once.check(reader, &name, *span) {
            headers.push((name, Written { text: text.value.into_owned(), span: text.span }));
        }
    }
    headers
}

/// The answer of a route whose templates have this scope.
pub(crate) fn finish(reader: &mut Reader<'_>, draft: Draft, scope: &Scope<'_>) -> Option<Respond> {
    let mut headers = Vec::with_capacity(draft.headers.len());
    for (name, written) in &draft.headers {
        let template = scope.template(reader, written);
        if name == CONTENT_TYPE && template.as_ref().is_some_and(|template| template.as_literal().is_none()) {
            let message = "the `content-type` of an answer can't come from the request";
            reader.error(written.span, message, "write it out: `text/plain`, for example");
            continue;
        }
        headers.extend(template.map(|template| (name.clone(), template)));
    }
    let status = draft.status.map_or(STATUS, |(status, _)| status);
    let (body, empty, span) = match draft.body {
        None => (ResponseBody::Text(Template::default()), true, None),
        Some(Body::File { path, bytes, span }) => {
            let empty = bytes.is_empty();
            (ResponseBody::File { path, bytes }, empty, Some(span))
        }
        Some(Body::Text(written)) => {
            if written.text.len() > BODY_MAX {
                let hint = "put it into a file and name that: `file: PATH`";
                reader.error(written.span, "the body is longer than 64KiB", hint);
                return None;
            }
            let template = scope.template(reader, &written)?;
            if let Some(code) = code(&headers).filter(|_| template.as_literal().is_none()) {
                let message = format!("a body of `{}` can't refer to the request", shorten(code));
                let hint = "no place in it is safe for what a client sends: answer with `application/json`";
                reader.error(written.span, message, hint);
                return None;
            }
            (ResponseBody::Text(template), written.text.is_empty(), Some(written.span))
        }
    };
    if let Some(span) = span
        && !empty
        && BODILESS.contains(&status)
    {
        let message = format!("an answer with status {status} has no body");
        reader.error(span, message, "remove the body, or choose another status");
        return None;
    }
    (headers.len() == draft.headers.len()).then_some(Respond { status, headers, body, ready: draft.ready })
}

/// The media type that these fields state, if it is one of [`CODE`].
fn code(headers: &[(String, Template)]) -> Option<&str> {
    let stated = headers.iter().find(|(name, _)| name == CONTENT_TYPE).and_then(|(_, value)| value.as_literal())?;
    let essence = stated.split(';').next().unwrap_or_default().trim();
    CODE.iter().any(|code| code.eq_ignore_ascii_case(essence)).then_some(essence)
}
