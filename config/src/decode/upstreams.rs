//! `upstreams`: the services behind the gateway.

pub(crate) mod tls;

use std::collections::HashMap;
use std::time::Duration;

use crate::address::EndpointAddress;
use crate::decode::limits::TIME_MIN;
use crate::decode::{NAME_LIMITS, Once, address, parse_name, parsed};
use crate::document::{Endpoint, Upstream};
use crate::form::Form;
use crate::node::{Entry, Node, Span, Value};
use crate::reader::Reader;
use crate::secure::ProxyVersion;
use crate::table::{Field, Presence, Table, later};
use crate::wording::shorten;

/// How long connecting may take where the file doesn't say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(300);
pub(crate) const WEIGHT_MAX: u64 = 1000;

/// The upstreams by name, those that can't be used too: a route that names one of these is not wrong.
#[derive(Default)]
pub(crate) struct Known {
    upstreams: Vec<Upstream>,
    /// Every name in the file, in its order.
    named: Vec<Named>,
    /// Where in `named` each name is.
    places: HashMap<String, usize>,
    /// The map itself can't be read: any name may have stood in it.
    illegible: bool,
    /// Where each endpoint stands.
    pub(crate) spots: Vec<(EndpointAddress, Span)>,
    /// Where each upstream gives its `connect_timeout`, by its index.
    pub(crate) patience: HashMap<usize, Span>,
    /// Where the first upstream stands that relies on whom this system trusts.
    pub(crate) system_trust: Option<Span>,
}

/// One name under `upstreams`.
struct Named {
    name: String,
    span: Span,
    /// Its index in the upstreams; `None` when its definition has errors.
    index: Option<usize>,
    /// Whether a route names it.
    used: bool,
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
        let Some(named) = self.places.get(name).and_then(|&place| self.named.get_mut(place)) else {
            return if self.illegible { Reference::Broken } else { Reference::Unknown };
        };
        named.used = true;
        named.index.map_or(Reference::Broken, Reference::Index)
    }

    /// Where a name is first given.
    fn named(&self, name: &str) -> Option<Span> {
        self.places.get(name).and_then(|&place| self.named.get(place)).map(|named| named.span)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|named| named.name.as_str())
    }

    pub(crate) fn unused(&self) -> impl Iterator<Item = (&str, Span)> {
        self.named.iter().filter(|named| !named.used).map(|named| (named.name.as_str(), named.span))
    }

    pub(crate) fn into_upstreams(self) -> Vec<Upstream> {
        self.upstreams
    }

    pub(crate) fn upstreams(&self) -> &[Upstream] {
        &self.upstreams
    }

    fn add(&mut self, reader: &mut Reader<'_>, name: &str, span: Span, draft: Draft) {
        let index = draft.endpoints.map(|placed| {
            let tls = draft.tls.map(|tls| tls::finish(reader, tls, &placed, &mut self.system_trust));
            let endpoints = placed.iter().map(|(endpoint, _)| endpoint.clone()).collect();
            self.spots.extend(placed.into_iter().map(|(endpoint, span)| (endpoint.address, span)));
            if let Some((_, span)) = draft.connect_timeout {
                self.patience.insert(self.upstreams.len(), span);
            }
            let connect_timeout = draft.connect_timeout.map_or(CONNECT_TIMEOUT, |(timeout, _)| timeout);
            self.upstreams.push(Upstream {
                name: name.to_owned(),
                endpoints,
                connect_timeout,
                tls,
                proxy_protocol: draft.proxy_protocol,
                at: span.at,
            });
            self.upstreams.len() - 1
        });
        self.places.insert(name.to_owned(), self.named.len());
        self.named.push(Named { name: name.to_owned(), span, index, used: false });
    }
}

/// An upstream while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    endpoints: Option<Vec<(Endpoint, Span)>>,
    connect_timeout: Option<(Duration, Span)>,
    tls: Option<tls::Draft>,
    proxy_protocol: Option<ProxyVersion>,
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
                    &Form::Text { kind: "address", limits: address::ENDPOINT_LIMITS },
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
            form: Form::Duration { min: TIME_MIN, max: CONNECT_TIMEOUT_MAX },
            presence: Presence::Default("2s"),
            doc: "How long connecting to an endpoint may take, and a TLS handshake with it as long again.",
            example: "500ms",
            exceeding: Some("504"),
            read: |reader, node, form, draft| {
                draft.connect_timeout = reader.duration(node, form).map(|timeout| (timeout, node.span));
            },
        },
        Field {
            key: "tls",
            form: Form::OrSwitch(&Form::Object(&tls::TLS)),
            presence: Presence::Default("off"),
            doc: "How connections to it are secured; `on` gives the defaults of its table.",
            example: "{ ca: certs/internal-ca.pem, server_name: users.internal }",
            exceeding: None,
            read: |reader, node, _, draft| draft.tls = tls::read(reader, node),
        },
        Field {
            key: "proxy_protocol",
            form: Form::Choice(&["v1", "v2"]),
            presence: Presence::Optional("none"),
            doc: "The header of the PROXY protocol that each connection begins with, to tell where the client comes from. Such \
                  connections are not shared between clients, so each request makes one of its own.",
            example: "v2",
            exceeding: None,
            read: |reader, node, form, draft| {
                draft.proxy_protocol = reader.choice(node, form, &[]).map(|word| match word {
                    "v1" => ProxyVersion::V1,
                    _ => ProxyVersion::V2,
                });
            },
        },
    ],
    alternatives: &[],
    later: &[
        later("protocol", "HTTP/2 to services"),
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
            form: Form::Text { kind: "address", limits: address::ENDPOINT_LIMITS },
            presence: Presence::Required,
            doc: "What is connected to. `localhost` means 127.0.0.1.",
            example: "\"127.0.0.1:9001\"",
            exceeding: None,
            read: |reader, node, _, draft| draft.address = endpoint_address(reader, node),
        },
        Field {
            key: "weight",
            form: Form::Integer { min: 1, max: WEIGHT_MAX },
            presence: Presence::Default("1"),
            doc: "Its share of the requests, beside the other endpoints' weights.",
            example: "2",
            exceeding: None,
            read: |reader, node, form, draft| {
                draft.weight = reader.integer(node, form).and_then(|weight| u32::try_from(weight).ok());
            },
        },
    ],
    alternatives: &[],
    later: &[],
};

/// Reads the upstreams of one file to those of the others.
pub(crate) fn read(reader: &mut Reader<'_>, node: &Node, known: &mut Known) {
    let Some(entries) = reader.map(node, "`upstreams`", "{ users: { endpoints: [\"127.0.0.1:9001\"] } }") else {
        known.illegible = true;
        return;
    };
    for Entry { key, span, value } in entries {
        if let Err((message, _)) = parse_name(key) {
            reader.error(*span, message, format!("a name is {NAME_LIMITS}"));
        }
        let mut draft = Draft::default();
        reader.table(value, &UPSTREAM, &mut draft);
        match known.named(key) {
            // Within one file YAML's own keys tell; this is another file.
            Some(first) => {
                let hint = format!("it is first given {}", reader.place_of(first, *span));
                reader.error(*span, format!("the upstream `{}` is given twice", shorten(key)), hint);
            }
            None => known.add(reader, key, *span, draft),
        }
    }
}

fn endpoints(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Option<Vec<(Endpoint, Span)>> {
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
            endpoints.push((Endpoint { address, weight: draft.weight.unwrap_or(1) }, item.span));
        }
    }
    Some(endpoints)
}

fn endpoint_address(reader: &mut Reader<'_>, node: &Node) -> Option<EndpointAddress> {
    let directory = reader.directory().to_owned();
    let parse = |text: &str| address::endpoint(text, &directory);
    let address = parsed(reader, node, "an endpoint's address such as `127.0.0.1:9001`", parse)?;
    if address.is_none() {
        let feature = "a host name as an endpoint's address (name resolution)";
        reader.not_landed(node.span, feature, "write the IP address for now");
    }
    address
}
