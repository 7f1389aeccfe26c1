//! From the tree to a [`Config`]: one module for each part of the document, each with the field tables of its maps.

pub(crate) mod access_log;
mod address;
mod admin;
mod braces;
mod fields;
mod forward;
mod host;
mod include;
mod limits;
mod listeners;
mod matches;
mod path;
mod process;
pub(crate) mod redirect;
pub(crate) mod respond;
mod routes;
pub(crate) mod secret;
mod template;
#[cfg(test)]
mod tests;
pub(crate) mod tls;
mod upstreams;

use std::collections::HashMap;
use std::path::PathBuf;

use ipnet::IpNet;

use crate::address::Address;
use crate::document::{AccessLog, Admin, Config, Limits, Listener, Reload, Runtime, Shutdown};
use crate::form::Form;
use crate::lint;
use crate::node::{Node, Span, Value};
use crate::reader::{Reader, first_of};
use crate::rights::Rights;
use crate::table::{Field, Later, Presence, Table, later};
use crate::wording::{describe, shorten};

pub(crate) use address::UNIX_PATH_MAX;
pub(crate) use include::INCLUDED_MAX;
pub(crate) use path::{PATH_MAX, SEGMENTS_MAX};
pub(crate) use upstreams::Known;

/// What is wrong with a text, and what to do.
type Wrong = (String, String);

/// The document while it is read.
struct Draft {
    runtime: Runtime,
    admin: Option<(Admin, Span)>,
    state_dir: Option<PathBuf>,
    shutdown: Shutdown,
    reload: Reload,
    trusted_proxies: Vec<IpNet>,
    /// Something in `trusted_proxies` can't be read: any network may have stood there.
    trusted_illegible: bool,
    limits: Limits,
    listeners: Vec<(listeners::Draft, Span)>,
    upstreams: upstreams::Known,
    routes: routes::Routes,
    include: Vec<include::Included>,
    access_log: Option<AccessLog>,
}

impl Default for Draft {
    fn default() -> Self {
        Draft {
            runtime: Runtime::default(),
            admin: None,
            state_dir: None,
            shutdown: Shutdown::default(),
            reload: Reload::default(),
            trusted_proxies: Vec::new(),
            trusted_illegible: false,
            limits: Limits::default(),
            listeners: Vec::new(),
            upstreams: upstreams::Known::default(),
            routes: routes::Routes::default(),
            include: Vec::new(),
            access_log: Some(AccessLog::default()),
        }
    }
}

/// The whole document; `None` when an error keeps it from being whole, and then that error has been reported. Without
/// `rights` nothing is said about what the process may bind.
pub(crate) fn document(reader: &mut Reader<'_>, root: Option<&Node>, rights: Option<Rights>) -> Option<Config> {
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
    for included in std::mem::take(&mut draft.include) {
        include::read(reader, &included, &mut draft);
    }
    trust(reader, &draft.upstreams);
    let trusted = (!draft.trusted_illegible).then_some(draft.trusted_proxies.as_slice());
    let listeners = listeners::resolve(reader, draft.listeners, trusted, &mut draft.upstreams);
    apart(reader, draft.admin.as_ref(), &listeners);
    let (routes, names) = routes::resolve(reader, draft.routes, &mut draft.upstreams);
    // With errors there is no configuration, and its warnings are not shown.
    if reader.errors() == 0 {
        lint::routes(reader, &routes, &names);
        lint::answers(reader, &listeners, &routes, first_of(root));
        lint::timeouts(reader, &draft.upstreams, &routes);
        let admin = draft.admin.as_ref().map(|(admin, span)| (&admin.address, *span));
        lint::addresses(reader, &listeners, admin, &draft.upstreams.spots, rights);
    }
    Some(Config {
        runtime: draft.runtime,
        admin: draft.admin.map(|(admin, _)| admin),
        state_dir: draft.state_dir,
        shutdown: draft.shutdown,
        reload: draft.reload,
        trusted_proxies: draft.trusted_proxies,
        limits: draft.limits,
        listeners: listeners.into_iter().map(|(listener, _)| listener).collect(),
        upstreams: draft.upstreams.into_upstreams(),
        routes,
        access_log: draft.access_log,
        files: Vec::new(),
        warnings: Vec::new(),
    })
}

/// Asks for those whom this system trusts, once, if a service's certificate is checked against them.
fn trust(reader: &mut Reader<'_>, known: &upstreams::Known) {
    if let Some(span) = known.system_trust
        && let Err(flaw) = reader.materials().authorities(None)
    {
        reader.error(span, format!("what this system trusts {}", flaw.message), flaw.hint);
    }
}

/// Reports an admin listener in the place of another one.
fn apart(reader: &mut Reader<'_>, admin: Option<&(Admin, Span)>, listeners: &[(Listener, Span)]) {
    let Some((Admin { address, .. }, span)) = admin else {
        return;
    };
    let fixed = !matches!(address, Address::Tcp(tcp) if tcp.port() == 0);
    let own = address.normalised();
    if let Some(listener) =
        listeners.iter().map(|(listener, _)| listener).find(|listener| fixed && listener.address.normalised() == own)
    {
        let message =
            format!("`{}` is the address of the listener `{}` too", shorten(&address.to_string()), listener.name);
        reader.error(*span, message, "give `admin` an address of its own");
    }
}

/// The tables in the order of the reference.
pub(crate) static TABLES: [&(dyn crate::table::Rows + Sync); 33] = [
    &DOCUMENT,
    &include::INCLUDED,
    &process::RUNTIME,
    &process::PER_CORE,
    &admin::ADMIN,
    &secret::SECRET_FILE,
    &process::SHUTDOWN,
    &process::RELOAD,
    &limits::LIMITS,
    &limits::MIN_RATE,
    &listeners::LISTENER,
    &listeners::proxy_protocol::SENDERS,
    &listeners::tls::TLS,
    &listeners::certificates::CERTIFICATE,
    &listeners::client_auth::CLIENT_AUTH,
    &listeners::hsts::HSTS,
    &listeners::passthrough::PASSTHROUGH,
    &listeners::tcp::TCP,
    &listeners::https_redirect::HTTPS_REDIRECT,
    &upstreams::UPSTREAM,
    &upstreams::ENDPOINT,
    &upstreams::tls::TLS,
    &upstreams::tls::CERTIFICATE,
    &routes::ROUTE,
    &matches::MATCH,
    &matches::REGEX,
    &forward::FORWARD,
    &forward::SHARE,
    &redirect::REDIRECT,
    &respond::RESPOND,
    &access_log::ACCESS_LOG,
    &access_log::TEMPLATE,
    &access_log::FILE,
];

static DOCUMENT: Table<Draft> = Table {
    path: "",
    noun: "the configuration",
    doc: "The whole file: one map.",
    fields: &[
        Field {
            key: "include",
            form: Form::List {
                of: &Form::Text { kind: "pattern of files", limits: "at most 1000 files in all" },
                min: 0,
            },
            presence: Presence::Default("[]"),
            doc: "Further files with `upstreams` and `routes`: `*` stands for any run of characters in one name, `?` for one.",
            example: "[\"routes/*.yaml\"]",
            exceeding: None,
            read: |reader, node, form, draft| draft.include = include::find(reader, node, form),
        },
        Field {
            key: "runtime",
            form: Form::Object(&process::RUNTIME),
            presence: Presence::Optional("every core, default rings"),
            doc: "Cores and rings; read once at the start.",
            example: "{ cores: [0, 2] }",
            exceeding: None,
            read: |reader, node, _, draft| draft.runtime = process::runtime(reader, node),
        },
        Field {
            key: "admin",
            form: Form::Object(&admin::ADMIN),
            presence: Presence::Optional("no admin listener"),
            doc: "The listener for whoever runs the gateway.",
            example: "{ address: \"unix:/run/ringgate/admin.sock\" }",
            exceeding: None,
            read: |reader, node, _, draft| draft.admin = admin::read(reader, node),
        },
        Field {
            key: "state_dir",
            form: Form::Text { kind: "path of a directory", limits: "" },
            presence: Presence::Optional("none"),
            doc: "The directory of what must survive a restart.",
            example: "/var/lib/ringgate",
            exceeding: None,
            read: |reader, node, _, draft| draft.state_dir = process::state_dir(reader, node),
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
            key: "reload",
            form: Form::Object(&process::RELOAD),
            presence: Presence::Optional("the defaults below"),
            doc: "How another configuration takes over.",
            example: "{ drain: 30s }",
            exceeding: None,
            read: |reader, node, _, draft| reader.table(node, &process::RELOAD, &mut draft.reload),
        },
        Field {
            key: "trusted_proxies",
            form: Form::List { of: &Form::Text { kind: "IP network", limits: "" }, min: 0 },
            presence: Presence::Default("[]"),
            doc: "Senders whose `x-forwarded-for`, `x-forwarded-proto` and `x-request-id` are believed; all others' are replaced.",
            example: "[127.0.0.0/8, \"fd00::/8\", 192.0.2.7]",
            exceeding: None,
            read: |reader, node, form, draft| {
                let before = reader.errors();
                draft.trusted_proxies = process::trusted_proxies(reader, node, form);
                draft.trusted_illegible = reader.errors() > before;
            },
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
            read: |reader, node, _, draft| upstreams::read(reader, node, &mut draft.upstreams),
        },
        Field {
            key: "routes",
            form: Form::List { of: &Form::Object(&routes::ROUTE), min: 0 },
            presence: Presence::Optional(
                "every request gets 404, with a warning at load unless no listener takes requests",
            ),
            doc: "Which requests go where.",
            example: "[{ name: all, match: { path: \"/*\" }, forward: { upstream: users } }]",
            exceeding: None,
            read: |reader, node, form, draft| draft.routes.read(reader, node, form),
        },
        Field {
            key: "access_log",
            form: Form::OrSwitch(&Form::Object(&access_log::ACCESS_LOG)),
            presence: Presence::Default("on"),
            doc: "What is written about each request; `on` is JSON to standard output.",
            example: "{ format: json, to: stdout }",
            exceeding: None,
            read: |reader, node, _, draft| draft.access_log = access_log::read(reader, node),
        },
    ],
    alternatives: &[],
    later: &DOCUMENT_LATER,
};

static DOCUMENT_LATER: [Later; 3] =
    [later("consumers", "consumers and their credentials"), later("policies", "policies"), later("tracing", "tracing")];

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
        let place = reader.place_of(*first, span);
        let message = format!("{} `{}` is given twice", self.what, shorten(value));
        reader.error(span, message, format!("it is first given {place}"));
        false
    }
}
