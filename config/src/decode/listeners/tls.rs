//! `listeners[].tls`: how a listener secures connections.

use super::certificates::{self, CERTIFICATE};
use super::client_auth::{self, CLIENT_AUTH};
use super::hsts::{self, HSTS};
use crate::decode::tls::{self, ALPN, MIN_VERSION, SUITES};
use crate::form::Form;
use crate::node::{Node, Span};
use crate::reader::{Reader, first_of};
use crate::secure::{ClientAuth, Hsts, ListenerTls, TlsVersion};
use crate::table::{Field, Presence, Table};

/// `tls` while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    certificates: Option<Vec<certificates::Placed>>,
    client_auth: Option<ClientAuth>,
    min_version: TlsVersion,
    suites: Option<tls::Suites>,
    alpn: Option<Vec<String>>,
    tickets: Option<bool>,
    match_host: Option<bool>,
    strict_sni: bool,
    hsts: Option<Hsts>,
    /// The keys that say something of HTTP.
    of_http: Vec<(&'static str, Span)>,
}

pub(crate) static TLS: Table<Draft> = Table {
    path: "listeners[].tls",
    noun: "`tls`",
    doc: "How a listener secures connections, with TLS 1.2 and 1.3. \"Certificates\" above says which certificate a client gets, and \
          what happens when a file changes.",
    fields: &[
        Field {
            key: "certificates",
            form: Form::List { of: &Form::Object(&CERTIFICATE), min: 1 },
            presence: Presence::Required,
            doc: "The certificates; clients that name no host, or one that none is for, get the first.",
            example: "[{ cert: certs/site.pem, key: certs/site.key }]",
            exceeding: None,
            read: |reader, node, form, draft| draft.certificates = certificates::read(reader, node, form),
        },
        Field {
            key: "client_auth",
            form: Form::Object(&CLIENT_AUTH),
            presence: Presence::Optional("clients are not asked for a certificate"),
            doc: "How clients show certificates of their own.",
            example: "{ ca: certs/clients-ca.pem, mode: optional }",
            exceeding: None,
            read: |reader, node, _, draft| draft.client_auth = client_auth::read(reader, node),
        },
        Field {
            key: "min_version",
            form: MIN_VERSION,
            presence: Presence::Default("1.2"),
            doc: "The oldest version of TLS that is spoken.",
            example: "1.3",
            exceeding: None,
            read: |reader, node, form, draft| {
                draft.min_version = tls::min_version(reader, node, form).unwrap_or_default();
            },
        },
        Field {
            key: "suites",
            form: SUITES,
            presence: Presence::Optional("all that there are; none of them is weak"),
            doc: "Cipher suites, in order of preference, those of TLS 1.2 and of TLS 1.3 in one list.",
            example: "[TLS13_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]",
            exceeding: None,
            read: |reader, node, form, draft| draft.suites = tls::suites(reader, node, form),
        },
        Field {
            key: "alpn",
            form: ALPN,
            presence: Presence::Default("[http/1.1]"),
            doc: "Protocols on top that clients may choose from (ALPN), in order of preference. None beside `tcp`.",
            example: "[http/1.1]",
            exceeding: None,
            read: |reader, node, form, draft| {
                draft.of_http.push(("alpn", node.span));
                draft.alpn = tls::alpn(reader, node, form);
            },
        },
        Field {
            key: "tickets",
            form: Form::Switch,
            presence: Presence::Default("on"),
            doc: "Whether clients can resume a session, on any core; the keys for that change by themselves and are never \
                  written down.",
            example: "off",
            exceeding: None,
            read: |reader, node, _, draft| draft.tickets = reader.on_or_off(node),
        },
        Field {
            key: "match_host",
            form: Form::Switch,
            presence: Presence::Default("on"),
            doc: "Whether a request gets 421 whose host has another certificate than the one that the connection was made with. Of \
                  clients that named no host when they connected nothing is asked: see `strict_sni`.",
            example: "off",
            exceeding: None,
            read: |reader, node, _, draft| {
                draft.of_http.push(("match_host", node.span));
                draft.match_host = reader.on_or_off(node);
            },
        },
        Field {
            key: "strict_sni",
            form: Form::Switch,
            presence: Presence::Default("off"),
            doc: "Whether the handshake fails for clients that name no host, or one that no certificate is for.",
            example: "on",
            exceeding: None,
            read: |reader, node, _, draft| draft.strict_sni = reader.on_or_off(node).unwrap_or(false),
        },
        Field {
            key: "hsts",
            form: Form::OrSwitch(&Form::Object(&HSTS)),
            presence: Presence::Default("off"),
            doc: "Whether browsers are told to come back over https alone (`strict-transport-security`, RFC 6797); `on` gives \
                  the defaults of its table.",
            example: "{ max_age: 17520h, include_subdomains: on }",
            exceeding: None,
            read: |reader, node, _, draft| {
                draft.of_http.push(("hsts", node.span));
                draft.hsts = hsts::read(reader, node);
            },
        },
    ],
    alternatives: &[],
    later: &[],
};

/// `tls` as far as it could be read, with what only the whole listener can tell about.
pub(crate) struct Read {
    pub(crate) tls: ListenerTls,
    /// Every host that a certificate is given for.
    pub(crate) hosts: Vec<certificates::Given>,
    /// The keys that say something of HTTP.
    pub(crate) of_http: Vec<(&'static str, Span)>,
    /// Where it stands.
    pub(crate) span: Span,
}

/// `None`: clear text.
pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Read> {
    if reader.switch(node) == Some(false) {
        return None;
    }
    let mut draft = Draft::default();
    reader.table(node, &TLS, &mut draft);
    if let Some(suites) = &draft.suites {
        tls::agree(reader, draft.min_version, suites);
    }
    let certificates = draft.certificates.unwrap_or_default();
    certificates::lint(reader, &certificates);
    let hosts = certificates.iter().flat_map(certificates::Placed::given).collect();
    let tls = ListenerTls {
        certificates: certificates.into_iter().map(certificates::Placed::into_certificate).collect(),
        strict_sni: draft.strict_sni,
        client_auth: draft.client_auth,
        min_version: draft.min_version,
        suites: draft.suites.map(|(names, _)| names).unwrap_or_default(),
        alpn: draft.alpn.unwrap_or_else(tls::default_alpn),
        tickets: draft.tickets.unwrap_or(true),
        match_host: draft.match_host.unwrap_or(true),
        hsts: draft.hsts,
    };
    Some(Read { tls, hosts, of_http: draft.of_http, span: first_of(node) })
}
