//! `routes`: which requests go where.

use crate::decode::template::Scope;
use crate::decode::upstreams::Known;
use crate::decode::{NAME, Once, forward, matches, name, redirect, respond};
use crate::document::{Action, Match, Redirect, Respond, Route};
use crate::form::Form;
use crate::node::{Node, Span};
use crate::reader::{Reader, first_of};
use crate::table::{Alternatives, Field, Presence, Table, later, later_instead};
use crate::wording::shorten;

/// A route that is good but for its upstreams, which are still names.
struct Unresolved {
    name: String,
    /// Where the name stands.
    named: Span,
    matches: Match,
    action: UnresolvedAction,
    span: Span,
}

/// What is done with a route's requests, before the upstreams are known.
enum UnresolvedAction {
    Forward(forward::Unresolved),
    Redirect(Redirect),
    Respond(Respond),
}

/// A route while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    name: Option<(String, Span)>,
    matches: Option<Match>,
    /// Whether something in `match` couldn't be read.
    illegible: bool,
    action: Option<ActionDraft>,
}

/// What is done with a route's requests, while it is read.
enum ActionDraft {
    Forward(forward::Draft),
    /// With where it stands, and whether something in it couldn't be read.
    Redirect(redirect::Draft, Span, bool),
    Respond(respond::Draft),
}

pub(crate) static ROUTE: Table<Draft> = Table {
    path: "routes[]",
    noun: "a route",
    doc: "Which requests go where. The first route by precedence whose every predicate holds wins: exact host, then the \
          longer wildcard, then none; exact path, then captures, then the longer prefix, then a regular expression; more \
          predicates before fewer; the order of the file. A route has one of `forward`, `redirect` and `respond`.",
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
            read: |reader, node, _, draft| {
                let before = reader.errors();
                reader.table(node, &matches::MATCH, draft.matches.insert(Match::default()));
                draft.illegible = reader.errors() > before;
            },
        },
        Field {
            key: "forward",
            form: Form::Object(&forward::FORWARD),
            presence: Presence::Optional("`redirect` or `respond`"),
            doc: "The service that they go to.",
            example: "{ upstream: users, timeout: 2s }",
            exceeding: None,
            read: |reader, node, _, draft| {
                let mut forward = forward::Draft::default();
                reader.table(node, &forward::FORWARD, &mut forward);
                draft.action = Some(ActionDraft::Forward(forward));
            },
        },
        Field {
            key: "redirect",
            form: Form::Object(&redirect::REDIRECT),
            presence: Presence::Optional("`forward` or `respond`"),
            doc: "Where their clients are sent instead.",
            example: "{ to: \"/new\", status: 308 }",
            exceeding: None,
            read: |reader, node, _, draft| {
                let mut redirect = redirect::Draft::default();
                let before = reader.errors();
                reader.table(node, &redirect::REDIRECT, &mut redirect);
                let illegible = reader.errors() > before;
                draft.action = Some(ActionDraft::Redirect(redirect, first_of(node), illegible));
            },
        },
        Field {
            key: "respond",
            form: Form::Object(&respond::RESPOND),
            presence: Presence::Optional("`forward` or `redirect`"),
            doc: "What the gateway itself answers.",
            example: "{ status: 200, headers: { content-type: text/plain }, body: \"hello\\n\" }",
            exceeding: None,
            read: |reader, node, _, draft| {
                let mut respond = respond::Draft::default();
                reader.table(node, &respond::RESPOND, &mut respond);
                draft.action = Some(ActionDraft::Respond(respond));
            },
        },
    ],
    alternatives: &[Alternatives { keys: &["forward", "redirect", "respond"], optional: false }],
    later: &[
        later("policies", "policies"),
        later("views", "views"),
        later_instead("compose", "composed answers", "forward"),
    ],
};

/// The routes of all files, in their order.
pub(crate) struct Routes {
    names: Once,
    routes: Vec<Unresolved>,
}

impl Default for Routes {
    fn default() -> Self {
        Routes { names: Once::new("the route"), routes: Vec::new() }
    }
}

impl Routes {
    /// Reads the routes of one file behind those of the files before.
    pub(crate) fn read(&mut self, reader: &mut Reader<'_>, node: &Node, form: &Form) {
        let example = "{ name: all, match: { path: \"/*\" }, forward: { upstream: users } }";
        let Some(items) = reader.list(node, form, "routes", example) else {
            return;
        };
        for item in items {
            let mut draft = Draft::default();
            reader.table(item, &ROUTE, &mut draft);
            if let Some((name, span)) = &draft.name {
                self.names.check(reader, name, *span);
            }
            self.routes.extend(finish(reader, draft, item));
        }
    }
}

/// A route without a name or a match has been reported; its action is still looked at, so it gets stand-ins.
fn finish(reader: &mut Reader<'_>, draft: Draft, node: &Node) -> Option<Unresolved> {
    let complete = draft.matches.is_some() && !draft.illegible;
    let matches = draft.matches.unwrap_or_default();
    let scope = Scope::new(matches.path.as_ref(), complete);
    let action = match draft.action? {
        ActionDraft::Forward(draft) => UnresolvedAction::Forward(forward::finish(draft)?),
        ActionDraft::Redirect(draft, span, illegible) => {
            let at = (!illegible).then_some(span);
            UnresolvedAction::Redirect(redirect::finish(reader, draft, at, &scope)?)
        }
        ActionDraft::Respond(draft) => UnresolvedAction::Respond(respond::finish(reader, draft, &scope)?),
    };
    let (name, named) = draft.name.unwrap_or((String::new(), node.span));
    Some(Unresolved { name, named, matches, action, span: node.span })
}

/// Gives each route its upstreams, and each upstream its users. The routes come with where their names stand.
pub(crate) fn resolve(reader: &mut Reader<'_>, routes: Routes, known: &mut Known) -> (Vec<Route>, Vec<Span>) {
    let routes = routes.routes;
    let (mut resolved, mut names) = (Vec::with_capacity(routes.len()), Vec::with_capacity(routes.len()));
    for Unresolved { name, named, matches, action, span } in routes {
        let action = match action {
            UnresolvedAction::Forward(forward) => forward::resolve(reader, forward, known).map(Action::Forward),
            UnresolvedAction::Redirect(redirect) => Some(Action::Redirect(redirect)),
            UnresolvedAction::Respond(respond) => Some(Action::Respond(respond)),
        };
        if let Some(action) = action {
            resolved.push(Route { name, matches, action, at: span.at });
            names.push(named);
        }
    }
    for (name, span) in known.unused() {
        let message = format!("no route uses the upstream `{}`", shorten(name));
        reader.warning(span, message, "remove it, or name it in a route's `forward`");
    }
    (resolved, names)
}
