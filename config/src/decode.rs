//! From the tree to a [`Config`]: one module for each part of the document, each with the field tables of its maps.

mod address;
mod host;
mod limits;
mod listeners;
mod matches;
mod path;
mod process;
mod routes;
#[cfg(test)]
mod tests;
mod upstreams;

use std::collections::HashMap;

use ipnet::IpNet;

use crate::document::{AccessLog, Config, Limits, Listener, Reload, Runtime, Shutdown};
use crate::form::Form;
use crate::node::{Node, Span, Value};
use crate::reader::{Reader, first_of};
use crate::table::{Field, Later, Presence, Table, later};
use crate::wording::{describe, shorten};

pub(crate) use address::UNIX_PATH_MAX;
pub(crate) use path::{PATH_MAX, SEGMENTS_MAX};

/// What is wrong with a text, and what to do.
type Wrong = (String, String);

/// The document while it is read.
struct Draft {
    runtime: Runtime,
    shutdown: Shutdown,
    trusted_proxies: Vec<IpNet>,
    limits: Limits,
    listeners: Vec<Listener>,
    upstreams: upstreams::Known,
    routes: Vec<routes::Unresolved>,
    access_log: Option<AccessLog>,
}

impl Default for Draft {
    fn default() -> Self {
        Draft {
            runtime: Runtime::default(),
            shutdown: Shutdown::default(),
            trusted_proxies: Vec::new(),
            limits: Limits::default(),
            listeners: Vec::new(),
            upstreams: upstreams::Known::default(),
            routes: Vec::new(),
            access_log: Some(AccessLog::default()),
        }
    }
}

/// The whole document; `None` when an error keeps it from being whole, and then that error has been reported.
pub(crate) fn document(reader: &mut Reader<'_>, root: Option<&Node>) -> Option<Config> {
    let hint = "begin with `listeners:`, `upstreams:` and `routes:`";
    let Some(root) = root.filter(|root| !matches!(root.value, Value::Null)) else {
        reader.error(Span::START, "the file holds no configuration", hint);
        return None;
    };
    if let Value::Scalar(_) | Value::List(_) = root.value {
        reader.error(first_of(root), format!("expected a map of keys, found {}", describe(root)), hint);
        return None;
    }
    let mut draft = Draft::default();
    reader.table(root, &DOCUMENT, &mut draft);
    let routes = routes::resolve(reader, draft.routes, &mut draft.upstreams, root);
    Some(Config {
        runtime: draft.runtime,
        admin: None,
        state_dir: None,
        shutdown: draft.shutdown,
        reload: Reload::default(),
        trusted_proxies: draft.trusted_proxies,
        limits: draft.limits,
        listeners: draft.listeners,
        upstreams: draft.upstreams.into_upstreams(),
        routes,
        access_log: draft.access_log,
        warnings: Vec::new(),
    })
}

/// The tables in the order of the reference.
pub(crate) static TABLES: [&(dyn crate::table::Rows + Sync); 13] = [
    &DOCUMENT,
    &process::RUNTIME,
    &process::SHUTDOWN,
    &limits::LIMITS,
    &limits::MIN_RATE,
    &listeners::LISTENER,
    &upstreams::UPSTREAM,
    &upstreams::ENDPOINT,
    &routes::ROUTE,
    &matches::MATCH,
    &matches::REGEX,
    &routes::FORWARD,
    &process::ACCESS_LOG,
];

static DOCUMENT: Table<Draft> = Table {
    path: "",
    noun: "the configuration",
    doc: "The whole file: one map.",
    fields: &[
        Field {
            key: "runtime",
            form: Form::Object(&process::RUNTIME),
            presence: Presence::Optional("every core, default rings"),
            doc: "Cores and rings; read once at the start.",
            example: "{ cores: [0, 2] }",
            exceeding: None,
            read: |reader, node, _, draft| reader.table(node, &process::RUNTIME, &mut draft.runtime),
        },
        Field {
            key: "shutdown",
            form: Form::Object(&process::SHUTDOWN),
            presence: Presence::Optional("the defaults below"),
            doc: "How the process stops.",
            example: "{ deadline: 30s }",
            exceeding: None,
            read: |reader, node, _, draft| reader.table(node, &process::SHUTDOWN, &mut draft.shutdown),
        },
        Field {
            key: "trusted_proxies",
            form: Form::List { of: &Form::Text { kind: "IP network", limits: "" }, min: 0 },
            presence: Presence::Default("[]"),
            doc: "Senders whose `x-forwarded-for`, `x-forwarded-proto` and `x-request-id` are believed; all others' are replaced.",
            example: "[127.0.0.0/8, \"fd00::/8\", 192.0.2.7]",
            exceeding: None,
            read: |reader, node, form, draft| draft.trusted_proxies = process::trusted_proxies(reader, node, form),
        },
        Field {
            key: "limits",
            form: Form::Object(&limits::LIMITS),
            presence: Presence::Optional("the defaults below"),
            doc: "Every limit on what a peer may send.",
            example: "{ body_bytes: 1MiB, headers: 50 }",
            exceeding: None,
            read: |reader, node, _, draft| draft.limits = limits::read(reader, node),
        },
        Field {
            key: "listeners",
            form: Form::List { of: &Form::Object(&listeners::LISTENER), min: 1 },
            presence: Presence::Required,
            doc: "Where clients connect.",
            example: "[{ name: http, address: \"0.0.0.0:8080\" }]",
            exceeding: None,
            read: |reader, node, form, draft| draft.listeners = listeners::read(reader, node, form),
        },
        Field {
            key: "upstreams",
            form: Form::Map { key: "NAME", of: &Form::Object(&upstreams::UPSTREAM) },
            presence: Presence::Default("{}"),
            doc: "The services behind the gateway, each under a name that routes use.",
            example: "{ users: { endpoints: [\"127.0.0.1:9001\"] } }",
            exceeding: None,
            read: |reader, node, _, draft| draft.upstreams = upstreams::read(reader, node),
        },
        Field {
            key: "routes",
            form: Form::List { of: &Form::Object(&routes::ROUTE), min: 0 },
            presence: Presence::Optional("every request gets 404, with a warning at load"),
            doc: "Which requests go where.",
            example: "[{ name: all, match: { path: \"/*\" }, forward: { upstream: users } }]",
            exceeding: None,
            read: |reader, node, form, draft| draft.routes = routes::read(reader, node, form),
        },
        Field {
            key: "access_log",
            form: Form::OrSwitch(&Form::Object(&process::ACCESS_LOG)),
            presence: Presence::Default("on"),
            doc: "What is written about each request; `on` is JSON to standard output.",
            example: "{ format: json, to: stdout }",
            exceeding: None,
            read: |reader, node, _, draft| draft.access_log = process::access_log(reader, node),
        },
    ],
    later: &DOCUMENT_LATER,
};

static DOCUMENT_LATER: [Later; 8] = [
    later("include", "further files"),
    later("admin", "the admin listener"),
    later("state_dir", "state that outlives a restart"),
    later("reload", "reloading"),
    later("consumers", "consumers and their credentials"),
    later("policies", "policies"),
    later("tracing", "tracing"),
    later("secrets", "secrets from files"),
];

/// The values of this grammar: the text is parsed by `parse`, whose complaint is reported where the text stands.
fn parsed<R>(
    reader: &mut Reader<'_>,
    node: &Node,
    noun: &str,
    parse: impl FnOnce(&str) -> Result<R, Wrong>,
) -> Option<R> {
    let text = reader.filled(node, noun)?;
    parse(&text.value).map_err(|(message, hint)| reader.error(text.span, message, hint)).ok()
}

/// The longest name.
const NAME_MAX: usize = 64;
/// The grammar of names, in the words of the reference.
const NAME_LIMITS: &str = "1 to 64 of `a-z A-Z 0-9 _ . -`";
/// A name that the user chooses.
const NAME: Form = Form::Text { kind: "name", limits: NAME_LIMITS };

fn name(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    parsed(reader, node, "a name", parse_name)
}

fn parse_name(text: &str) -> Result<String, Wrong> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    if text.is_empty() || text.len() > NAME_MAX || !text.bytes().all(good) {
        let shown = shorten(text);
        return Err((format!("`{shown}` can't be a name"), format!("a name is {NAME_LIMITS}")));
    }
    Ok(text.to_owned())
}

/// Values that may be given once: where each was first.
struct Once {
    what: String,
    seen: HashMap<String, Span>,
}

impl Once {
    fn new(what: impl Into<String>) -> Once {
        Once { what: what.into(), seen: HashMap::new() }
    }

    /// Whether `value` is new; if not, that is reported.
    fn check(&mut self, reader: &mut Reader<'_>, value: &str, span: Span) -> bool {
        let Some(first) = self.seen.get(value) else {
            self.seen.insert(value.to_owned(), span);
            return true;
        };
        let place = match first.at.line == span.at.line {
            true => format!("in column {} of this line", first.at.column),
            false => format!("on line {}", first.at.line),
        };
        let message = format!("{} `{}` is given twice", self.what, shorten(value));
        reader.error(span, message, format!("it is first given {place}"));
        false
    }
}
