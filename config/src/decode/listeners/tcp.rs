//! `listeners[].tcp`: connections that go to a service as plain bytes, without HTTP.

use std::time::Duration;

use crate::decode::forward;
use crate::decode::limits::TIME_MIN;
use crate::decode::upstreams::Known;
use crate::form::Form;
use crate::node::Node;
use crate::reader::Reader;
use crate::secure::TcpForward;
use crate::table::{Field, Presence, Table};

/// How long a connection may be silent where the file doesn't say.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3600);
/// A week: databases keep connections in reserve.
const IDLE_TIMEOUT_MAX: Duration = Duration::from_secs(168 * 3600);

/// `tcp` while it is read.
#[derive(Default)]
pub(crate) struct Unresolved {
    upstream: Option<forward::Named>,
    idle_timeout: Option<Duration>,
}

pub(crate) static TCP: Table<Unresolved> = Table {
    path: "listeners[].tcp",
    noun: "`tcp`",
    doc: "Connections go to a service as plain bytes: no routes, no HTTP, no ALPN. `tls` beside it ends TLS here; `tls` of the \
          upstream begins it again.",
    fields: &[
        Field {
            key: "upstream",
            form: forward::UPSTREAM,
            presence: Presence::Required,
            doc: "The service.",
            example: "users",
            exceeding: None,
            read: |reader, node, _, draft| draft.upstream = forward::named(reader, node, 1),
        },
        Field {
            key: "idle_timeout",
            form: Form::Duration { min: TIME_MIN, max: IDLE_TIMEOUT_MAX },
            presence: Presence::Default("1h"),
            doc: "How long a connection may be silent in both directions.",
            example: "10m",
            exceeding: Some("connection closed on both sides"),
            read: |reader, node, form, draft| draft.idle_timeout = reader.duration(node, form),
        },
    ],
    alternatives: &[],
    later: &[],
};

pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Unresolved {
    let mut draft = Unresolved::default();
    reader.table(node, &TCP, &mut draft);
    draft
}

/// `tcp` with its upstream; `None` if there is no such one, which has been reported.
pub(crate) fn resolve(reader: &mut Reader<'_>, draft: &Unresolved, known: &mut Known) -> Option<TcpForward> {
    let upstream = forward::index(reader, draft.upstream.as_ref()?, known)?;
    Some(TcpForward { upstream, idle_timeout: draft.idle_timeout.unwrap_or(IDLE_TIMEOUT) })
}
