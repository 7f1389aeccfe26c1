//! `listeners[].passthrough`: TLS connections that go on as they are to a service, by the host that the client names.

use super::tls;
use crate::decode::tls::{SERVER_NAME, server_names};
use crate::decode::upstreams::Known;
use crate::decode::{Once, forward};
use crate::form::Form;
use crate::node::{Node, Span};
use crate::pattern::HostPattern;
use crate::reader::{Reader, first_of};
use crate::secure::Passthrough;
use crate::table::{Field, Presence, Table};

/// What to do about a host that no client names.
const NO_NAME: &str = "leave it out: an entry without `hosts` takes connections that name none, or another one";

/// An entry while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    hosts: Vec<(HostPattern, Span)>,
    upstream: Option<forward::Named>,
}

pub(crate) static PASSTHROUGH: Table<Draft> = Table {
    path: "listeners[].passthrough[]",
    noun: "an entry of `passthrough`",
    doc: "TLS connections that are not ended here but go on as they are to a service, by the host that the client names: the \
          exact host, then the wildcard, then the entry without `hosts`. Others are for `tls` of the listener; without it \
          they are closed.",
    fields: &[
        Field {
            key: "hosts",
            form: Form::List { of: &SERVER_NAME, min: 0 },
            presence: Presence::Optional("every other host, and none"),
            doc: "The hosts; none in two entries. At most one entry is without, and then there is no `tls`.",
            example: "[db.example.com, \"*.legacy.example.com\"]",
            exceeding: None,
            read: |reader, node, form, draft| {
                draft.hosts = server_names(reader, node, form, NO_NAME).unwrap_or_default();
            },
        },
        Field {
            key: "upstream",
            form: forward::UPSTREAM,
            presence: Presence::Required,
            doc: "The service: one without `tls` of its own.",
            example: "users",
            exceeding: None,
            read: |reader, node, _, draft| draft.upstream = forward::named(reader, node, 1),
        },
    ],
    alternatives: &[],
    later: &[],
};

/// An entry whose upstream is still a name.
pub(crate) struct Unresolved {
    hosts: Vec<(HostPattern, Span)>,
    /// It takes every other host; not so one whose hosts can't be read.
    every: bool,
    upstream: Option<forward::Named>,
    span: Span,
}

/// The entries, no host in two of them and at most one without hosts.
pub(crate) fn read(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Vec<Unresolved> {
    let Some(items) = reader.list(node, form, "entries", "{ hosts: [db.example.com], upstream: db }") else {
        return Vec::new();
    };
    let mut once = Once::new("the host");
    let mut first: Option<Span> = None;
    let mut entries = Vec::with_capacity(items.len());
    for item in items {
        let before = reader.errors();
        let mut draft = Draft::default();
        reader.table(item, &PASSTHROUGH, &mut draft);
        let every = draft.hosts.is_empty() && reader.errors() == before;
        draft.hosts.retain(|(host, span)| once.check(reader, &host.to_string(), *span));
        let span = first_of(item);
        if every && let Some(first) = first {
            let hint = format!("the first is {}: name the `hosts` of one of the two", reader.place_of(first, span));
            reader.error(span, "two entries of `passthrough` take every host", hint);
        }
        first = first.or(every.then_some(span));
        entries.push(Unresolved { hosts: draft.hosts, every, upstream: draft.upstream, span });
    }
    entries
}

/// The entries with their upstreams, beside this `tls` of the listener.
pub(crate) fn resolve(
    reader: &mut Reader<'_>,
    entries: Vec<Unresolved>,
    tls: Option<&tls::Read>,
    known: &mut Known,
) -> Vec<Passthrough> {
    if let (Some(tls), Some(every)) = (tls, entries.iter().find(|entry| entry.every)) {
        let place = reader.place_of(tls.span, every.span);
        let message = "this entry of `passthrough` takes every host: no connection would be left for `tls`";
        reader.error(every.span, message, format!("name its `hosts`, or remove `tls` {place}"));
    }
    let mut resolved = Vec::with_capacity(entries.len());
    for Unresolved { hosts, upstream, .. } in entries {
        for given in tls.iter().flat_map(|tls| &tls.hosts).filter(|given| hosts.iter().any(|(h, _)| *h == given.host)) {
            let message =
                format!("connections for `{}` pass through: `{}` is not served for it", given.host, given.file);
            reader.warning(given.span, message, "name the host in one of the two places");
        }
        let Some(upstream) = upstream else {
            continue;
        };
        let span = upstream.span;
        let Some(index) = forward::index(reader, &upstream, known) else {
            continue;
        };
        if let Some(upstream) = known.upstreams().get(index).filter(|upstream| upstream.tls.is_some()) {
            let message =
                format!("what passes through is secured already: the `tls` of `{}` is in its way", upstream.name);
            reader.error(span, message, "name an upstream without `tls`; it may have the same endpoints");
        }
        resolved.push(Passthrough { hosts: hosts.into_iter().map(|(host, _)| host).collect(), upstream: index });
    }
    resolved
}
