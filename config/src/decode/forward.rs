//! `forward`: the services that a route's requests go to.

use std::time::Duration;

use crate::decode::limits::TIME_MIN;
use crate::decode::upstreams::{Known, Reference, WEIGHT_MAX};
use crate::decode::{NAME_LIMITS, Once, host, parsed};
use crate::document::{Forward, Share};
use crate::form::Form;
use crate::node::{Node, Span};
use crate::reader::Reader;
use crate::suggest::nearest;
use crate::table::{Alternatives, Field, Presence, Table, later};
use crate::wording::{either, shorten};

/// How long a service may take where the file doesn't say.
const TIMEOUT: Duration = Duration::from_secs(60);
pub(crate) const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 3600);

pub(crate) const UPSTREAM: Form = Form::Text { kind: "name", limits: "a name under `upstreams`" };

/// `forward` while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    to: Vec<Named>,
    timeout: Option<Duration>,
    host: Option<String>,
}

/// A service by its name, with its share of the requests.
pub(crate) struct Named {
    upstream: String,
    pub(crate) span: Span,
    weight: u32,
}

/// A route's `forward` whose upstreams are still names.
pub(crate) struct Unresolved {
    to: Vec<Named>,
    pub(crate) timeout: Duration,
    host: Option<String>,
}

pub(crate) static FORWARD: Table<Draft> = Table {
    path: "routes[].forward",
    noun: "`forward`",
    doc: "The service, or the services, that a route's requests go to.",
    fields: &[
        Field {
            key: "upstream",
            form: UPSTREAM,
            presence: Presence::Optional("`split`"),
            doc: "The service.",
            example: "users",
            exceeding: None,
            read: |reader, node, _, draft| draft.to.extend(named(reader, node, 1)),
        },
        Field {
            key: "split",
            form: Form::List { of: &Form::Object(&SHARE), min: 1 },
            presence: Presence::Optional("`upstream`"),
            doc: "Several services, each with its share of the requests; no service twice.",
            example: "[{ upstream: users, weight: 90 }, { upstream: users-next, weight: 10 }]",
            exceeding: None,
            read: |reader, node, form, draft| draft.to = split(reader, node, form),
        },
        Field {
            key: "timeout",
            form: Form::Duration { min: TIME_MIN, max: TIMEOUT_MAX },
            presence: Presence::Default("60s"),
            doc: "How long the service may take from the last byte of the request that it was sent to its answer's head.",
            example: "2s",
            exceeding: Some("504"),
            read: |reader, node, form, draft| draft.timeout = reader.duration(node, form),
        },
        Field {
            key: "host",
            form: Form::Text { kind: "host", limits: "a host name or IP address, with or without a port" },
            presence: Presence::Optional("as received"),
            doc: "What the service gets as `host`.",
            example: "users.internal",
            exceeding: None,
            read: |reader, node, _, draft| {
                draft.host = parsed(reader, node, "a host such as `users.internal`", host::parse_with_port);
            },
        },
    ],
    alternatives: &[Alternatives { keys: &["upstream", "split"], optional: false }],
    later: &[later("mirror", "mirroring"), later("retry", "retries")],
};

/// A share while it is read.
#[derive(Default)]
pub(crate) struct ShareDraft {
    upstream: Option<Named>,
    weight: Option<u32>,
}

pub(crate) static SHARE: Table<ShareDraft> = Table {
    path: "routes[].forward.split[]",
    noun: "a share",
    doc: "One of the services that a route's requests are split between. A weight of 0 sends it none.",
    fields: &[
        Field {
            key: "upstream",
            form: UPSTREAM,
            presence: Presence::Required,
            doc: "The service.",
            example: "users",
            exceeding: None,
            read: |reader, node, _, draft| draft.upstream = named(reader, node, 0),
        },
        Field {
            key: "weight",
            form: Form::Integer { min: 0, max: WEIGHT_MAX },
            presence: Presence::Required,
            doc: "Its share of the requests, out of the sum of all weights; not all are 0.",
            example: "10",
            exceeding: None,
            read: |reader, node, form, draft| {
                draft.weight = reader.integer(node, form).and_then(|weight| u32::try_from(weight).ok());
            },
        },
    ],
    alternatives: &[],
    later: &[],
};

/// A service by its name, with this weight.
pub(crate) fn named(reader: &mut Reader<'_>, node: &Node, weight: u32) -> Option<Named> {
    let text = reader.filled(node, "the name of an upstream")?;
    Some(Named { upstream: text.value.into_owned(), span: text.span, weight })
}

fn split(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Vec<Named> {
    let example = "{ upstream: users, weight: 90 }";
    let Some(items) = reader.list(node, form, "shares", example) else {
        return Vec::new();
    };
    let mut once = Once::new("the upstream");
    let mut shares = Vec::new();
    let mut weights = Vec::new();
    for item in items {
        let mut draft = ShareDraft::default();
        reader.table(item, &SHARE, &mut draft);
        weights.push(draft.weight);
        if let Some(named) = draft.upstream.filter(|named| once.check(reader, &named.upstream, named.span)) {
            shares.push(Named { weight: draft.weight.unwrap_or(0), ..named });
        }
    }
    if weights.iter().all(|weight| *weight == Some(0)) {
        let message = "every weight is 0: no service would get a request";
        reader.error(node.span, message, "give at least one of them a weight from 1 to 1000");
    }
    shares
}

/// `forward` with its defaults; `None` when it names no service, which has been reported.
pub(crate) fn finish(draft: Draft) -> Option<Unresolved> {
    let Draft { to, timeout, host } = draft;
    (!to.is_empty()).then(|| Unresolved { to, timeout: timeout.unwrap_or(TIMEOUT), host })
}

/// The services by their index; `None` when one of them is not known or not usable, which has been reported.
pub(crate) fn resolve(reader: &mut Reader<'_>, forward: Unresolved, known: &mut Known) -> Option<Forward> {
    let Unresolved { to: named, timeout, host } = forward;
    let mut to = Vec::with_capacity(named.len());
    let mut whole = true;
    for named in named {
        match index(reader, &named, known) {
            Some(index) => to.push(Share { upstream: index, weight: named.weight }),
            None => whole = false,
        }
    }
    whole.then_some(Forward { to, timeout, host })
}

/// The index of a service; `None` when it is not known or not usable, which has been reported.
pub(crate) fn index(reader: &mut Reader<'_>, named: &Named, known: &mut Known) -> Option<usize> {
    match known.refer(&named.upstream) {
        Reference::Index(index) => Some(index),
        Reference::Broken => None,
        Reference::Unknown => {
            unknown(reader, &named.upstream, named.span, known);
            None
        }
    }
}

fn unknown(reader: &mut Reader<'_>, name: &str, span: Span, known: &Known) {
    let message = format!("there is no upstream `{}`", shorten(name));
    if reader.full() {
        return reader.error(span, message, "");
    }
    let names: Vec<&str> = known.names().collect();
    let hint = match nearest(name, names.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if names.is_empty() => format!("define it under `upstreams`; a name is {NAME_LIMITS}"),
        None if names.len() <= 10 => format!("`upstreams` has {}", either(&names)),
        None => format!("define it beside the {} others under `upstreams`", names.len()),
    };
    reader.error(span, message, hint);
}
