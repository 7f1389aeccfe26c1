//! `redirect`: the client is sent elsewhere.

use crate::decode::template::{Scope, Written};
use crate::decode::{Wrong, host};
use crate::document::Redirect;
use crate::form::Form;
use crate::node::Span;
use crate::reader::Reader;
use crate::table::{Field, Presence, Table};
use crate::template::{Reference, RequestValue, Template, TemplatePart};
use crate::wording::shorten;

const STATUSES: Form = Form::Choice(&["301", "302", "303", "307", "308"]);
/// Where the file doesn't say: 308 for the same place over https, which will hold for good.
const STATUS: u16 = 307;
const STATUS_HTTPS: u16 = 308;
/// The path as sent, which begins with `/`.
const PATH: TemplatePart = TemplatePart::Reference(Reference::Request(RequestValue::Path));
/// Bytes of the longest target.
pub(crate) const TO_MAX: usize = 8 * 1024;
/// Variables of nginx, and what they are called here.
const FOREIGN: [(&str, &str); 7] = [
    ("$request_uri", "{request.path}"),
    ("$http_host", "{request.host}"),
    ("$server_name", "{request.host}"),
    ("$host", "{request.host}"),
    ("$scheme", "{request.scheme}"),
    ("$uri", "{request.path}"),
    ("$args", "{request.query}"),
];

/// A redirect while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    to: Option<Written>,
    /// `to` is there, whether or not it could be read.
    aimed: bool,
    https: Option<(bool, Span)>,
    status: Option<u16>,
}

pub(crate) static REDIRECT: Table<Draft> = Table {
    path: "routes[].redirect",
    noun: "`redirect`",
    doc: "Where the clients of a route are sent. At least one of `to` and `https: on`. The query is kept unless `to` has one.",
    fields: &[
        Field {
            key: "to",
            form: Form::Text {
                kind: "template",
                limits: "begins with `/`, `http://HOST` or `https://HOST`; at most 8KiB; the characters of a URL",
            },
            presence: Presence::Optional("the path as it came"),
            doc: "The place. `{request.host}` may stand for the host; no other reference may stand before the path.",
            example: "\"/new/{rest}\"",
            exceeding: None,
            read: |reader, node, _, draft| {
                draft.aimed = true;
                let text = reader.filled(node, "a path or a URL such as `/new/{rest}`");
                draft.to = text.map(|text| Written { text: text.value.into_owned(), span: text.span });
            },
        },
        Field {
            key: "https",
            form: Form::Switch,
            presence: Presence::Default("off"),
            doc: "To the same host over https, without a port, where `to` names no host.",
            example: "on",
            exceeding: None,
            read: |reader, node, _, draft| {
                draft.https = reader.on_or_off(node).map(|on| (on, node.span));
            },
        },
        Field {
            key: "status",
            form: STATUSES,
            presence: Presence::Optional("308 for `https: on` alone, 307 otherwise"),
            doc: "301 and 308 may be kept by clients for good; 307 and 308 keep method and body; after 303 clients send GET.",
            example: "308",
            exceeding: None,
            read: |reader, node, form, draft| {
                draft.status = reader.choice(node, form, &[]).and_then(|word| word.parse().ok());
            },
        },
    ],
    alternatives: &[],
    later: &[],
};

/// The redirect of a route whose templates have this scope; `at` is where it stands, if all of it could be read.
pub(crate) fn finish(reader: &mut Reader<'_>, draft: Draft, at: Option<Span>, scope: &Scope<'_>) -> Option<Redirect> {
    let https = draft.https.is_some_and(|(on, _)| on);
    if !draft.aimed && !https {
        let span = draft.https.map_or(at?, |(_, span)| span);
        let hint = "add `to: \"/new\"`, or `https: on`";
        reader.error(span, "this redirect leads back to where it comes from", hint);
        return None;
    }
    let to = match draft.to {
        None if draft.aimed => return None,
        None => None,
        Some(written) => {
            let template = scope.template(reader, &written)?;
            let foreign = foreign(&written.text);
            if let Err((message, hint)) = place(&written.text, &template, https) {
                let hint = foreign.map_or(hint, |(_, hint)| hint);
                reader.error(written.span, message, hint);
                return None;
            }
            if let Some((message, hint)) = foreign {
                reader.warning(written.span, message, hint);
            }
            Some(template)
        }
    };
    let status = draft.status.unwrap_or(if to.is_none() { STATUS_HTTPS } else { STATUS });
    Some(Redirect { to, https, https_port: None, status })
}

/// Whether it says where to go: a path, or a URL whose host is known.
fn place(text: &str, to: &Template, https: bool) -> Result<(), Wrong> {
    let shown = shorten(text);
    if text.len() > TO_MAX {
        return Err((format!("`{shown}` is too long"), "a redirect's target has at most 8KiB".to_owned()));
    }
    let literals = to.parts.iter().filter_map(TemplatePart::as_literal);
    let stray = literals.flat_map(str::chars).find(|&c| !is_of_url(c));
    if let Some(stray) = stray {
        return Err(match stray {
            '{' | '}' => (
                format!("a `{stray}` in `{shown}` stands alone"),
                "a reference is `{name}`; write `%7B` and `%7D` for the signs themselves".to_owned(),
            ),
            _ => (
                format!("`{shown}` holds {}, which no URL does", character(stray)),
                format!("write it percent-encoded: `{}`", encoded(stray)),
            ),
        });
    }
    let first = to.parts.first().and_then(TemplatePart::as_literal).unwrap_or_default();
    if first.starts_with("//") {
        let hint = "write the scheme, `https://HOST/...`, or a path that begins with one `/`".to_owned();
        return Err((format!("`{shown}` begins with `//`: clients would take what follows for a host"), hint));
    }
    if first.starts_with('/') {
        return Ok(());
    }
    let (scheme, behind) = match (first.strip_prefix("https://"), first.strip_prefix("http://")) {
        (Some(behind), _) => ("https", behind),
        (None, Some(behind)) => ("http", behind),
        (None, None) => {
            return Err((format!("`{shown}` is neither a path nor an http URL"), lead(text, &shown)));
        }
    };
    if scheme == "http" && https {
        let message = format!("`https: on` contradicts `{shown}`");
        return Err((message, "remove `https: on`, or write `https://`".to_owned()));
    }
    authority(behind, &to.parts[1..])
}

/// The host of a URL, of which `first` is what follows the scheme: written out, or `{request.host}`, with or without
/// a port. Whatever else the request says must not decide where a client is sent.
fn authority(first: &str, rest: &[TemplatePart]) -> Result<(), Wrong> {
    let (host, port) = match (first, rest) {
        ("", [TemplatePart::Reference(Reference::Request(RequestValue::Host)), rest @ ..]) => match rest {
            [TemplatePart::Literal(text), more @ ..] => {
                ("request.host", up_to_path(text, more).filter(|port| port.is_empty() || port.starts_with(':')))
            }
            [] | [PATH, ..] => ("request.host", Some("")),
            _ => ("request.host", None),
        },
        _ => match up_to_path(first, rest) {
            Some(host) => (host, Some("")),
            None => ("", None),
        },
    };
    let Some(port) = port else {
        let hint = "write the host out; only `{request.host}` may stand for it, whole";
        return Err(("the host of this URL is made from the request".to_owned(), hint.to_owned()));
    };
    let whole = format!("{host}{port}");
    if whole.is_empty() {
        return Err(("this URL names no host".to_owned(), "write `https://HOST/...`".to_owned()));
    }
    if whole.contains('@') {
        let hint = "write the host alone: what stands before the `@` would be sent to every client";
        return Err((format!("`{}` is more than a host", shorten(&whole)), hint.to_owned()));
    }
    host::parse_with_port(&whole)
        .map(|_| ())
        .map_err(|(_, hint)| (format!("`{}` is not a host", shorten(&whole)), hint))
}

/// A text up to where the path begins; `None` if something else of the request comes first.
fn up_to_path<'t>(text: &'t str, rest: &[TemplatePart]) -> Option<&'t str> {
    match (text.find(['/', '?', '#']), rest) {
        (Some(end), _) => Some(&text[..end]),
        (None, [] | [PATH, ..]) => Some(text),
        (None, _) => None,
    }
}

/// RFC 3986 section 2.
fn is_of_url(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
}

/// Where a text that is no place may have been meant to lead.
fn lead(text: &str, shown: &str) -> String {
    let first = text.split('/').next().unwrap_or_default();
    if first.contains(':') {
        return "a redirect leads to a path, or to `http://` or `https://` in small letters".to_owned();
    }
    if first.starts_with('.') {
        return "write the whole path: it begins with `/`".to_owned();
    }
    if first.contains('.') {
        return format!("write `https://{shown}` for another host, `/{shown}` for a path");
    }
    format!("write `/{shown}` for a path, or `https://HOST/...`")
}

fn encoded(c: char) -> String {
    c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn character(c: char) -> String {
    match c {
        ' ' => "a space".to_owned(),
        c if c.is_control() => "a control character".to_owned(),
        c => format!("`{c}`"),
    }
}

/// Variables as nginx writes them, which mean nothing here.
fn foreign(text: &str) -> Option<Wrong> {
    if let Some((theirs, ours)) = FOREIGN.iter().find(|(theirs, _)| text.contains(theirs)) {
        return Some((format!("`{theirs}` is taken literally"), format!("here it is `{ours}`")));
    }
    let at = text.find('$').filter(|at| text[at + 1..].starts_with(|c: char| c.is_ascii_digit()))?;
    let hint = "what `/*` takes is `{rest}`, and what a path captures as `{name}` has that name";
    Some((format!("`{}` is taken literally", &text[at..at + 2]), hint.to_owned()))
}
