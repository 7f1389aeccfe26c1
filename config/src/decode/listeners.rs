//! `listeners`: where clients connect, and how these connections are secured; each key has a module of its own.

pub(crate) mod certificates;
pub(crate) mod client_auth;
pub(crate) mod hsts;
pub(crate) mod https_redirect;
pub(crate) mod passthrough;
pub(crate) mod proxy_protocol;
pub(crate) mod tcp;
pub(crate) mod tls;

use ipnet::IpNet;

use crate::address::Address;
use crate::decode::upstreams::Known;
use crate::decode::{NAME, Once, address, name, parsed};
use crate::document::Listener;
use crate::form::Form;
use crate::node::{Node, Span};
use crate::reader::Reader;
use crate::secure::HttpsRedirect;
use crate::table::{Alternatives, Field, Presence, Table};

/// A listener while it is read; its upstreams are still names.
#[derive(Default)]
pub(crate) struct Draft {
    name: Option<(String, Span)>,
    address: Option<(Address, Span)>,
    proxy_protocol: Option<proxy_protocol::Unresolved>,
    tls: Option<tls::Read>,
    passthrough: Vec<passthrough::Unresolved>,
    tcp: Option<tcp::Unresolved>,
    https_redirect: Option<HttpsRedirect>,
}

pub(crate) static LISTENER: Table<Draft> = Table {
    path: "listeners[]",
    noun: "a listener",
    doc: "One address that clients connect to.",
    fields: &[
        Field {
            key: "name",
            form: NAME,
            presence: Presence::Required,
            doc: "Its name in logs and in the start report; unique.",
            example: "http",
            exceeding: None,
            read: |reader, node, _, draft| draft.name = name(reader, node).map(|name| (name, node.span)),
        },
        Field {
            key: "address",
            form: Form::Text { kind: "address", limits: address::LISTENER_LIMITS },
            presence: Presence::Required,
            doc: "What it binds; unique. With port 0 the kernel chooses one, which the start report names.",
            example: "\"[::]:8080\"",
            exceeding: None,
            read: |reader, node, _, draft| {
                let directory = reader.directory().to_owned();
                let parse = |text: &str| address::listener(text, &directory);
                let address = parsed(reader, node, "an address such as `0.0.0.0:8080`", parse);
                draft.address = address.map(|address| (address, node.span));
            },
        },
        Field {
            key: "proxy_protocol",
            form: Form::OrSwitch(&Form::Object(&proxy_protocol::SENDERS)),
            presence: Presence::Default("off"),
            doc: "Whose connections begin with a header of the PROXY protocol that tells where they come from; `on`: those of \
                  `trusted_proxies`.",
            example: "{ from: [10.0.0.0/8] }",
            exceeding: None,
            read: |reader, node, _, draft| draft.proxy_protocol = proxy_protocol::read(reader, node),
        },
        Field {
            key: "tls",
            form: Form::OrOff(&Form::Object(&tls::TLS)),
            presence: Presence::Default("off"),
            doc: "How connections are secured; `off`: clear text.",
            example: "{ certificates: [{ cert: certs/site.pem, key: certs/site.key }] }",
            exceeding: None,
            read: |reader, node, _, draft| draft.tls = tls::read(reader, node),
        },
        Field {
            key: "passthrough",
            form: Form::List { of: &Form::Object(&passthrough::PASSTHROUGH), min: 1 },
            presence: Presence::Optional("none"),
            doc: "TLS connections that are not ended here but go on as they are, by host; may stand beside `tls`.",
            example: "[{ hosts: [db.example.com], upstream: users }]",
            exceeding: None,
            read: |reader, node, form, draft| draft.passthrough = passthrough::read(reader, node, form),
        },
        Field {
            key: "tcp",
            form: Form::Object(&tcp::TCP),
            presence: Presence::Optional("HTTP"),
            doc: "Connections go to a service as plain bytes; may stand beside `tls`.",
            example: "{ upstream: users, idle_timeout: 10m }",
            exceeding: None,
            read: |reader, node, _, draft| draft.tcp = Some(tcp::read(reader, node)),
        },
        Field {
            key: "https_redirect",
            form: Form::OrSwitch(&Form::Object(&https_redirect::HTTPS_REDIRECT)),
            presence: Presence::Default("off"),
            doc: "Every request is sent to https, but for those under `/.well-known/acme-challenge/`, and those of which a trusted \
                  proxy says that they came by https.",
            example: "{ port: 8443 }",
            exceeding: None,
            read: |reader, node, _, draft| draft.https_redirect = https_redirect::read(reader, node),
        },
    ],
    alternatives: &[
        Alternatives { keys: &["tcp", "passthrough", "https_redirect"], optional: true },
        Alternatives { keys: &["tls", "https_redirect"], optional: true },
    ],
    later: &[],
};

/// The listeners as far as they can be read, and where each stands.
pub(crate) fn read(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Vec<(Draft, Span)> {
    let example = "{ name: http, address: \"0.0.0.0:8080\" }";
    let Some(items) = reader.list(node, form, "listeners", example) else {
        return Vec::new();
    };
    let mut names = Once::new("the listener");
    let mut addresses = Once::new("the address");
    let mut listeners = Vec::new();
    for item in items {
        let mut draft = Draft::default();
        reader.table(item, &LISTENER, &mut draft);
        if let Some((name, span)) = &draft.name {
            names.check(reader, name, *span);
        }
        if let Some((address, span)) = &draft.address
            && !matches!(address, Address::Tcp(tcp) if tcp.port() == 0)
        {
            addresses.check(reader, &address.normalised().to_string(), *span);
        }
        listeners.push((draft, item.span));
    }
    listeners
}

/// Gives each listener its upstreams, and the senders of the PROXY protocol; they come with where their addresses stand.
/// No `trusted` proxies: they can't be read.
pub(crate) fn resolve(
    reader: &mut Reader<'_>,
    listeners: Vec<(Draft, Span)>,
    trusted: Option<&[IpNet]>,
    known: &mut Known,
) -> Vec<(Listener, Span)> {
    let mut resolved = Vec::with_capacity(listeners.len());
    for (mut draft, at) in listeners {
        let tcp = draft.tcp.as_ref().and_then(|tcp| tcp::resolve(reader, tcp, known));
        let passthrough = passthrough::resolve(reader, draft.passthrough, draft.tls.as_ref(), known);
        let proxy_protocol = draft.proxy_protocol.map(|draft| proxy_protocol::resolve(reader, draft, trusted));
        if let (Some(_), Some(tls)) = (&draft.tcp, &mut draft.tls) {
            plain(reader, tls);
        }
        // One without a name or an address has been reported; its upstreams are used all the same.
        if let (Some((name, _)), Some((address, span))) = (draft.name, draft.address) {
            let tls = draft.tls.map(|read| read.tls);
            let https_redirect = draft.https_redirect;
            let listener = Listener { name, address, proxy_protocol, tls, passthrough, tcp, https_redirect, at: at.at };
            resolved.push((listener, span));
        }
    }
    resolved
}

/// Plain bytes have no protocol on top, and nothing that is for HTTP has a meaning for them.
fn plain(reader: &mut Reader<'_>, read: &mut tls::Read) {
    for (key, span) in &read.of_http {
        let message = format!("`{key}` is for HTTP, and this listener forwards plain bytes");
        reader.error(*span, message, "remove it, or `tcp`");
    }
    read.tls.alpn.clear();
}
