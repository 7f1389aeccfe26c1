//! `upstreams`: the services behind the gateway.

use std::collections::HashMap;
use std::time::Duration;

use crate::address::EndpointAddress;
use crate::decode::limits::TIME_MIN;
use crate::decode::{NAME_LIMITS, Once, address, parse_name, parsed};
use crate::document::{Endpoint, Upstream};
use crate::node::{Entry, Node, Span, Value};
use crate::reader::Reader;
use crate::table::{Field, Form, Presence, Table, later};

/// How long connecting may take where the file doesn't say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(300);
pub(crate) const WEIGHT_MAX: u64 = 1000;

/// The upstreams by name, those that can't be used too: a route that names one of these is not wrong.
#[derive(Default)]
pub(crate) struct Known {
    upstreams: Vec<Upstream>,
    /// The index of each usable name; `None` for one whose definition has errors.
    index: HashMap<String, Option<usize>>,
    /// Each name, where it stands, and whether a route uses it.
    names: Vec<(String, Span, bool)>,
    /// The map itself can't be read: any name may have stood in it.
    illegible: bool,
}

/// What a route's `upstream` comes to.
pub(crate) enum Reference {
    Index(usize),
    /// Named in the file, or perhaps named in it, but not usable: that has been reported.
    Broken,
    Unknown,
}

impl Known {
    /// The upstream of this name, which counts as used from now on.
    pub(crate) fn refer(&mut self, name: &str) -> Reference {
        if let Some((_, _, used)) = self.names.iter_mut().find(|(known, _, _)| known == name) {
            *used = true;
        }
        match self.index.get(name) {
            Some(Some(index)) => Reference::Index(*index),
            Some(None) => Reference::Broken,
            None if self.illegible => Reference::Broken,
            None => Reference::Unknown,
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _, _)| name.as_str())
    }

    pub(crate) fn unused(&self) -> impl Iterator<Item = (&str, Span)> {
        self.names
            .iter()
            .filter(|(_, _, used)| !used)
            .map(|(name, span, _)| (name.as_str(), *span))
    }

    pub(crate) fn into_upstreams(self) -> Vec<Upstream> {
        self.upstreams
    }
}

/// An upstream while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    endpoints: Option<Vec<Endpoint>>,
    connect_timeout: Option<Duration>,
}

pub(crate) static UPSTREAM: Table<Draft> = Table {
    path: "upstreams.NAME",
    noun: "an upstream",
    doc: "One service: a set of endpoints that answer alike. Requests go round them by weight.",
    fields: &[
        Field {
            key: "endpoints",
            form: Form::List {
                of: &Form::Either(
                    &Form::Text {
                        kind: "address",
                        limits: address::ENDPOINT_LIMITS,
                    },
                    &Form::Object(&ENDPOINT),
                ),
                min: 1,
            },
            presence: Presence::Required,
            doc: "Where the service is reached; no address twice.",
            example: "[\"127.0.0.1:9001\", { address: \"unix:/run/users.sock\", weight: 2 }]",
            exceeding: None,
            read: |reader, node, form, draft| draft.endpoints = endpoints(reader, node, form),
        },
        Field {
            key: "connect_timeout",
            form: Form::Duration {
                min: TIME_MIN,
                max: CONNECT_TIMEOUT_MAX,
            },
            presence: Presence::Default("2s"),
            doc: "How long connecting to an endpoint may take; then 504, or the next endpoint.",
            example: "500ms",
            exceeding: None,
            read: |reader, node, form, draft| draft.connect_timeout = reader.duration(node, form),
        },
    ],
    later: &[
        later("protocol", "HTTP/2 to services"),
        later("tls", "TLS to services"),
        later("balance", "a choice of balancers"),
        later("health", "active health checks"),
        later("outliers", "ejecting outliers"),
        later("circuit_breaker", "circuit breakers"),
        later("slow_start", "slow start"),
        later("retry_budget", "retries"),
    ],
};

/// An endpoint while it is read.
#[derive(Default)]
pub(crate) struct EndpointDraft {
    address: Option<EndpointAddress>,
    weight: Option<u32>,
}

pub(crate) static ENDPOINT: Table<EndpointDraft> = Table {
    path: "upstreams.NAME.endpoints[]",
    noun: "an endpoint",
    doc: "One address of a service. An endpoint of weight 1 may be written as the address alone.",
    fields: &[
        Field {
            key: "address",
            form: Form::Text {
                kind: "address",
                limits: address::ENDPOINT_LIMITS,
            },
            presence: Presence::Required,
            doc: "What is connected to. `localhost` means 127.0.0.1.",
            example: "\"127.0.0.1:9001\"",
            exceeding: None,
            read: |reader, node, _, draft| draft.address = endpoint_address(reader, node),
        },
        Field {
            key: "weight",
            form: Form::Integer {
                min: 1,
                max: WEIGHT_MAX,
            },
            presence: Presence::Default("1"),
            doc: "Its share of the requests, beside the other endpoints' weights.",
            example: "2",
            exceeding: None,
            read: |reader, node, form, draft| {
                draft.weight = reader
                    .integer(node, form)
                    .and_then(|weight| u32::try_from(weight).ok());
            },
        },
    ],
    later: &[],
};

pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Known {
    let mut known = Known::default();
    let Some(entries) = reader.map(node, "upstreams, each under its name") else {
        known.illegible = true;
        return known;
    };
    for Entry { key, span, value } in entries {
        if let Err((message, _)) = parse_name(key) {
            reader.error(*span, message, format!("a name is {NAME_LIMITS}"));
        }
        let mut draft = Draft::default();
        reader.table(value, &UPSTREAM, &mut draft);
        let index = draft.endpoints.map(|endpoints| {
            let connect_timeout = draft.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
            known.upstreams.push(Upstream {
                name: key.clone(),
                endpoints,
                connect_timeout,
                at: span.at,
            });
            known.upstreams.len() - 1
        });
        known.index.insert(key.clone(), index);
        known.names.push((key.clone(), *span, false));
    }
    known
}

fn endpoints(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Option<Vec<Endpoint>> {
    let items = reader.list(node, form, "endpoints", "\"127.0.0.1:9001\"")?;
    let mut once = Once::new("the endpoint");
    let mut endpoints = Vec::new();
    for item in items {
        let mut draft = EndpointDraft::default();
        match item.value {
            Value::Map(_) => reader.table(item, &ENDPOINT, &mut draft),
            _ => draft.address = endpoint_address(reader, item),
        }
        if let Some(address) = draft.address {
            once.check(reader, &address.to_string(), item.span);
            endpoints.push(Endpoint {
                address,
                weight: draft.weight.unwrap_or(1),
            });
        }
    }
    Some(endpoints)
}

fn endpoint_address(reader: &mut Reader<'_>, node: &Node) -> Option<EndpointAddress> {
    let directory = reader.directory().to_owned();
    let parse = |text: &str| address::endpoint(text, &directory);
    let address = parsed(
        reader,
        node,
        "an endpoint's address such as `127.0.0.1:9001`",
        parse,
    )?;
    if address.is_none() {
        reader.not_landed(
            node.span,
            "a host name as an endpoint's address (name resolution)",
        );
    }
    address
}
