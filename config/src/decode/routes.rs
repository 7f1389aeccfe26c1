//! `routes`: which requests go where.

use std::time::Duration;

use crate::decode::limits::TIME_MIN;
use crate::decode::upstreams::{Known, Reference};
use crate::decode::{NAME, NAME_LIMITS, Once, host, matches, name, parsed};
use crate::document::{Action, Forward, Match, Route, Share};
use crate::form::Form;
use crate::node::{Node, Span};
use crate::reader::{Reader, first_of};
use crate::suggest::nearest;
use crate::table::{Field, Presence, Table, later, later_instead};
use crate::wording::{either, shorten};

/// How long a service may take where the file doesn't say.
const TIMEOUT: Duration = Duration::from_secs(60);
pub(crate) const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 3600);

/// A route that is good but for its upstream, which is still a name.
pub(crate) struct Unresolved {
    route: Route,
    upstream: (String, Span),
}

/// A route while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    name: Option<(String, Span)>,
    matches: Option<Match>,
    forward: Option<ForwardDraft>,
}

/// `forward` while it is read.
#[derive(Default)]
pub(crate) struct ForwardDraft {
    upstream: Option<(String, Span)>,
    timeout: Option<Duration>,
    host: Option<String>,
}

pub(crate) static ROUTE: Table<Draft> = Table {
    path: "routes[]",
    noun: "a route",
    doc: "Which requests go where. The first route by precedence whose every predicate holds wins: exact host, then the \
          longer wildcard, then none; exact path, then captures, then the longer prefix, then a regular expression; more \
          predicates before fewer; the order of the file.",
    fields: &[
        Field {
            key: "name",
            form: NAME,
            presence: Presence::Required,
            doc: "Its name in logs; unique.",
            example: "users",
            exceeding: None,
            read: |reader, node, _, draft| draft.name = name(reader, node).map(|name| (name, node.span)),
        },
        Field {
            key: "match",
            form: Form::Object(&matches::MATCH),
            presence: Presence::Required,
            doc: "The requests that it takes.",
            example: "{ hosts: [api.example.com], path: \"/users/{id}\" }",
            exceeding: None,
            read: |reader, node, _, draft| reader.table(node, &matches::MATCH, draft.matches.insert(Match::default())),
        },
        Field {
            key: "forward",
            form: Form::Object(&FORWARD),
            presence: Presence::Required,
            doc: "The service that they go to.",
            example: "{ upstream: users, timeout: 2s }",
            exceeding: None,
            read: |reader, node, _, draft| {
                reader.table(node, &FORWARD, draft.forward.insert(ForwardDraft::default()));
            },
        },
    ],
    later: &[
        later("policies", "policies"),
        later("views", "views"),
        later_instead("compose", "composed answers", "forward"),
        later_instead("redirect", "redirects", "forward"),
        later_instead("respond", "fixed answers", "forward"),
    ],
};

pub(crate) static FORWARD: Table<ForwardDraft> = Table {
    path: "routes[].forward",
    noun: "`forward`",
    doc: "The service that a route's requests go to.",
    fields: &[
        Field {
            key: "upstream",
            form: Form::Text { kind: "name", limits: "a name under `upstreams`" },
            presence: Presence::Required,
            doc: "The service.",
            example: "users",
            exceeding: None,
            read: |reader, node, _, draft| {
                let text = reader.filled(node, "the name of an upstream");
                draft.upstream = text.map(|text| (text.value.into_owned(), text.span));
            },
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
    later: &[
        later_instead("split", "splitting between services", "upstream"),
        later("mirror", "mirroring"),
        later("retry", "retries"),
    ],
};

pub(crate) fn read(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Vec<Unresolved> {
    let example = "{ name: all, match: { path: \"/*\" }, forward: { upstream: users } }";
    let Some(items) = reader.list(node, form, "routes", example) else {
        return Vec::new();
    };
    let mut names = Once::new("the route");
    let mut routes = Vec::new();
    for item in items {
        let mut draft = Draft::default();
        reader.table(item, &ROUTE, &mut draft);
        if let Some((name, span)) = &draft.name {
            names.check(reader, name, *span);
        }
        routes.extend(finish(draft, item));
    }
    routes
}

/// A route without a name or a match has been reported; its upstream is still looked up, so it gets stand-ins.
fn finish(draft: Draft, node: &Node) -> Option<Unresolved> {
    let forward = draft.forward?;
    let upstream = forward.upstream?;
    let name = draft.name.map(|(name, _)| name).unwrap_or_default();
    let timeout = forward.timeout.unwrap_or(TIMEOUT);
    let action = Action::Forward(Forward { to: Vec::new(), timeout, host: forward.host });
    let route = Route { name, matches: draft.matches.unwrap_or_default(), action, at: node.span.at };
    Some(Unresolved { route, upstream })
}

/// Gives each route its upstream, and each upstream its users.
pub(crate) fn resolve(reader: &mut Reader<'_>, routes: Vec<Unresolved>, known: &mut Known, root: &Node) -> Vec<Route> {
    if routes.is_empty() {
        reader.warning(first_of(root), "no routes: every request gets 404", "add a route under `routes`");
    }
    let mut resolved = Vec::with_capacity(routes.len());
    for Unresolved { mut route, upstream: (name, span) } in routes {
        match known.refer(&name) {
            Reference::Index(index) => {
                if let Action::Forward(forward) = &mut route.action {
                    forward.to.push(Share { upstream: index, weight: 1 });
                }
                resolved.push(route);
            }
            Reference::Broken => {}
            Reference::Unknown => unknown(reader, &name, span, known),
        }
    }
    for (name, span) in known.unused() {
        let message = format!("no route uses the upstream `{}`", shorten(name));
        reader.warning(span, message, "remove it, or name it in a route's `forward`");
    }
    resolved
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
