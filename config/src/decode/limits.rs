//! `limits`: every limit on what a peer may send, with what exceeding it gives.

use std::time::Duration;

use crate::document::{Limits, MinRate};
use crate::form::Form;
use crate::node::{Node, Span};
use crate::reader::Reader;
use crate::table::{Field, Presence, Table};
use crate::units::show_size;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;
/// One step of the deadline wheel: a shorter time can't be kept.
pub(crate) const TIME_MIN: Duration = Duration::from_millis(10);
const HOUR: Duration = Duration::from_secs(3600);

/// The limits while they are read.
#[derive(Default)]
pub(crate) struct Draft {
    limits: Limits,
    /// Where `target_bytes` is given.
    target: Option<Span>,
}

/// The limits, those that are not given or can't be read at their defaults.
pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Limits {
    let mut draft = Draft::default();
    reader.table(node, &LIMITS, &mut draft);
    let Draft { mut limits, target } = draft;
    if limits.target_bytes > limits.header_bytes {
        // The target is a part of the head.
        if let Some(span) = target {
            let header = show_size(limits.header_bytes as u64);
            let message = format!("`target_bytes` is larger than `header_bytes`, which is {header}");
            reader.error(
                span,
                message,
                "the target is a part of the head: raise `header_bytes` or lower `target_bytes`",
            );
        }
        limits.target_bytes = limits.header_bytes;
    }
    limits
}

/// Stores what could be read.
pub(crate) fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Every value here is bounded far below what a `usize` holds.
fn index(value: Option<u64>) -> Option<usize> {
    value.and_then(|value| usize::try_from(value).ok())
}

pub(crate) static LIMITS: Table<Draft> = Table {
    path: "limits",
    noun: "`limits`",
    doc: "Every limit on what a peer may send. \"Limits\" below says what exceeding each one gives.",
    fields: &[
        Field {
            key: "header_bytes",
            form: Form::Size { min: 256, max: 256 * KIB },
            presence: Presence::Default("32KiB"),
            doc: "Bytes of a head: request line or status line, header fields, the empty line.",
            example: "16KiB",
            exceeding: Some("431; from a service 502"),
            read: |reader, node, form, draft| put(&mut draft.limits.header_bytes, index(reader.size(node, form))),
        },
        Field {
            key: "headers",
            form: Form::Integer { min: 1, max: 1000 },
            presence: Presence::Default("100"),
            doc: "Header fields of a head, trailer fields of a body.",
            example: "64",
            exceeding: Some("431; from a service 502"),
            read: |reader, node, form, draft| put(&mut draft.limits.headers, index(reader.integer(node, form))),
        },
        Field {
            key: "target_bytes",
            form: Form::Size { min: 16, max: 256 * KIB },
            presence: Presence::Default("16KiB"),
            doc: "Bytes of a request's target (path and query); at most `header_bytes`, and lowered to it where not given.",
            example: "8KiB",
            exceeding: Some("414"),
            read: |reader, node, form, draft| {
                let size = index(reader.size(node, form));
                draft.target = size.map(|_| node.span);
                put(&mut draft.limits.target_bytes, size);
            },
        },
        Field {
            key: "body_bytes",
            form: Form::OrOff(&Form::Size { min: 0, max: TIB }),
            presence: Presence::Default("10MiB"),
            doc: "Bytes of a request's body; `off`: no limit.",
            example: "100MiB",
            exceeding: Some("413"),
            read: |reader, node, form, draft| match reader.switch(node) {
                Some(false) => draft.limits.body_bytes = u64::MAX,
                _ => put(&mut draft.limits.body_bytes, reader.size(node, form)),
            },
        },
        Field {
            key: "header_timeout",
            form: Form::Duration { min: TIME_MIN, max: HOUR },
            presence: Presence::Default("10s"),
            doc: "From the first byte of a request's head to its last.",
            example: "5s",
            exceeding: Some("408, connection closed"),
            read: |reader, node, form, draft| put(&mut draft.limits.header_timeout, reader.duration(node, form)),
        },
        Field {
            key: "handshake_timeout",
            form: Form::Duration { min: TIME_MIN, max: HOUR },
            presence: Presence::Default("10s"),
            doc: "For what secures a connection, from its beginning: the PROXY protocol's header, the TLS handshake, the host \
                  that `passthrough` looks for.",
            example: "5s",
            exceeding: Some("connection closed"),
            read: |reader, node, form, draft| put(&mut draft.limits.handshake_timeout, reader.duration(node, form)),
        },
        Field {
            key: "handshakes",
            form: Form::Integer { min: 1, max: 1_000_000 },
            presence: Presence::Default("2000"),
            doc: "TLS handshakes in progress on each core.",
            example: "500",
            exceeding: Some("the handshake that has waited longest for its client is ended"),
            read: |reader, node, form, draft| put(&mut draft.limits.handshakes, index(reader.integer(node, form))),
        },
        Field {
            key: "idle_timeout",
            form: Form::Duration { min: TIME_MIN, max: Duration::from_secs(24 * 3600) },
            presence: Presence::Default("60s"),
            doc: "How long a client's connection may wait for its next request.",
            example: "2m",
            exceeding: Some("connection closed"),
            read: |reader, node, form, draft| put(&mut draft.limits.idle_timeout, reader.duration(node, form)),
        },
        Field {
            key: "min_rate",
            form: Form::OrSwitch(&Form::Object(&MIN_RATE)),
            presence: Presence::Default("on"),
            doc: "The slowest that a body may come or an answer be taken; `off`: as slow as the peer likes.",
            example: "{ bytes: 1KiB, grace: 10s }",
            exceeding: Some("a request's body: 408, connection closed; an answer: connection reset"),
            read: |reader, node, _, draft| {
                let mut rate = MinRate::default();
                match reader.switch(node) {
                    Some(true) => {}
                    Some(false) => return draft.limits.min_rate = None,
                    None => reader.table(node, &MIN_RATE, &mut rate),
                }
                draft.limits.min_rate = Some(rate);
            },
        },
        Field {
            key: "connections",
            form: Form::Integer { min: 1, max: 1_000_000 },
            presence: Presence::Default("20000"),
            doc: "Client connections at a time, over all listeners and cores.",
            example: "50000",
            exceeding: Some("accepting pauses until one closes"),
            read: |reader, node, form, draft| put(&mut draft.limits.connections, index(reader.integer(node, form))),
        },
        Field {
            key: "max_hops",
            form: Form::Integer { min: 1, max: 100 },
            presence: Presence::Default("5"),
            doc: "How often a request may have passed this gateway, counted in `via`.",
            example: "2",
            exceeding: Some("508"),
            read: |reader, node, form, draft| {
                let hops = reader.integer(node, form).and_then(|hops| u32::try_from(hops).ok());
                put(&mut draft.limits.max_hops, hops);
            },
        },
    ],
    alternatives: &[],
    later: &[],
};

pub(crate) static MIN_RATE: Table<MinRate> = Table {
    path: "limits.min_rate",
    noun: "`min_rate`",
    doc: "The slowest that a body may come or an answer be taken. Tunnels are exempt. `off` switches it off, `on` gives \
          the defaults of this table.",
    fields: &[
        Field {
            key: "bytes",
            form: Form::Size { min: 1, max: 1024 * MIB },
            presence: Presence::Default("240"),
            doc: "Bytes per second.",
            example: "1KiB",
            exceeding: None,
            read: |reader, node, form, rate| put(&mut rate.bytes, reader.size(node, form)),
        },
        Field {
            key: "grace",
            form: Form::Duration { min: TIME_MIN, max: HOUR },
            presence: Presence::Default("5s"),
            doc: "How long a transfer may be slower than that.",
            example: "10s",
            exceeding: None,
            read: |reader, node, form, rate| put(&mut rate.grace, reader.duration(node, form)),
        },
    ],
    alternatives: &[],
    later: &[],
};
