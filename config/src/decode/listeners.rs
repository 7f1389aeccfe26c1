//! `listeners`: where clients connect.

use crate::address::Address;
use crate::decode::{NAME, Once, address, name, parsed};
use crate::document::Listener;
use crate::form::Form;
use crate::node::{Node, Span};
use crate::reader::Reader;
use crate::table::{Field, Presence, Table, later};

/// A listener while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    name: Option<(String, Span)>,
    address: Option<(Address, Span)>,
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
    ],
    alternatives: &[],
    later: &[later("tls", "TLS")],
};

/// The listeners, and where each one's address stands.
pub(crate) fn read(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Vec<(Listener, Span)> {
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
        if let (Some((name, _)), Some((address, span))) = (draft.name, draft.address) {
            listeners.push((
                Listener {
                    name,
                    address,
                    proxy_protocol: None,
                    tls: None,
                    passthrough: Vec::new(),
                    tcp: None,
                    https_redirect: None,
                    at: item.span.at,
                },
                span,
            ));
        }
    }
    listeners
}
