//! `admin`: the listener for whoever runs the gateway.

use crate::address::Address;
use crate::decode::{Wrong, address, parsed, secret};
use crate::document::Admin;
use crate::form::Form;
use crate::node::{Node, Span};
use crate::reader::Reader;
use crate::table::{Field, Presence, Table};
use crate::wording::shorten;

const LIMITS: &str = "`unix:PATH`, or a loopback address: `127.0.0.1:PORT`, `[::1]:PORT`";

/// The admin listener while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    address: Option<(Address, Span)>,
    token: Option<secret::Placed>,
}

pub(crate) static ADMIN: Table<Draft> = Table {
    path: "admin",
    noun: "`admin`",
    doc: "The listener for whoever runs the gateway: readiness, metrics, what is loaded. Without this key there is none. \
          Changing calls are taken over a Unix socket, or with the token.",
    fields: &[
        Field {
            key: "address",
            form: Form::Text { kind: "address", limits: LIMITS },
            presence: Presence::Required,
            doc: "What it binds. Never an address of a network: a Unix socket's permissions, or the token, decide who may change anything.",
            example: "\"unix:/run/ringgate/admin.sock\"",
            exceeding: None,
            read: |reader, node, _, draft| {
                let directory = reader.directory().to_owned();
                let parse = |text: &str| loopback(text, address::bound(text, &directory, "127.0.0.1")?);
                let noun = "an address such as `unix:/run/ringgate/admin.sock`";
                draft.address = parsed(reader, node, noun, parse).map(|address| (address, node.span));
            },
        },
        Field {
            key: "token",
            form: secret::SECRET,
            presence: Presence::Optional("changing calls over a Unix socket only"),
            doc: "What changing calls over TCP bear: `authorization: Bearer TOKEN`.",
            example: "{ file: /run/secrets/admin-token }",
            exceeding: None,
            read: |reader, node, _, draft| {
                draft.token = secret::read(reader, node).filter(|token| sendable(reader, token))
            },
        },
    ],
    alternatives: &[],
    later: &[],
};

/// The admin listener, and where its address stands.
pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<(Admin, Span)> {
    let mut draft = Draft::default();
    reader.table(node, &ADMIN, &mut draft);
    let (address, span) = draft.address?;
    let token = draft.token.map(|(secret, _)| secret);
    Some((Admin { address, token, at: node.span.at }, span))
}

fn loopback(text: &str, address: Address) -> Result<Address, Wrong> {
    match address {
        Address::Tcp(tcp) if !tcp.ip().to_canonical().is_loopback() => Err((
            format!("`{}` is not for `admin`: the admin listener is not for the network", shorten(text)),
            format!("write `unix:/run/ringgate/admin.sock`, or a loopback address: `127.0.0.1:{}`", tcp.port()),
        )),
        address => Ok(address),
    }
}

/// Whether a header field can bear it as it is (RFC 6750 section 2.1, and a little more).
fn sendable(reader: &mut Reader<'_>, (secret, span): &secret::Placed) -> bool {
    let good = secret.reveal().bytes().all(|b| b.is_ascii_graphic());
    if !good {
        let hint = "a token is ASCII letters, digits and signs, without spaces";
        reader.error(*span, "no `authorization` field can bear this token", hint);
    }
    good
}
