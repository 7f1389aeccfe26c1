//! `listeners[].tls.client_auth`: how clients show certificates.

use crate::decode::tls::{self, CERTIFICATES_FILE};
use crate::form::Form;
use crate::node::Node;
use crate::reader::Reader;
use crate::secure::{ClientAuth, ClientAuthMode, Pem};
use crate::table::{Field, Presence, Table};

/// `client_auth` while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    ca: Option<Pem>,
    mode: Option<ClientAuthMode>,
    crl: Option<Pem>,
}

pub(crate) static CLIENT_AUTH: Table<Draft> = Table {
    path: "listeners[].tls.client_auth",
    noun: "`client_auth`",
    doc: "How clients show certificates of their own. All files are read again when they change.",
    fields: &[
        Field {
            key: "ca",
            form: CERTIFICATES_FILE,
            presence: Presence::Required,
            doc: "The file of those who may have signed them, in PEM; never those whom the system trusts.",
            example: "certs/clients-ca.pem",
            exceeding: None,
            read: |reader, node, _, draft| draft.ca = tls::authorities(reader, node),
        },
        Field {
            key: "mode",
            form: Form::Choice(&["optional", "required"]),
            presence: Presence::Default("required"),
            doc: "Whether a client may have none; with `required` its handshake fails then. One that is shown must be good.",
            example: "optional",
            exceeding: None,
            read: |reader, node, form, draft| {
                draft.mode = reader.choice(node, form, &[]).map(|word| match word {
                    "optional" => ClientAuthMode::Optional,
                    _ => ClientAuthMode::Required,
                });
            },
        },
        Field {
            key: "crl",
            form: CERTIFICATES_FILE,
            presence: Presence::Optional("none is revoked"),
            doc: "The file of certificates that are revoked: lists in PEM, or one in DER.",
            example: "certs/clients.crl",
            exceeding: None,
            read: |reader, node, _, draft| {
                let Some(placed) = tls::file(reader, node, "crl: certs/clients.crl") else {
                    return;
                };
                match reader.materials().revocations(&placed.0.bytes) {
                    Ok(()) => draft.crl = Some(placed.0),
                    Err(flaw) => tls::flawed(reader, &placed, flaw),
                }
            },
        },
    ],
    alternatives: &[],
    later: &[],
};

pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<ClientAuth> {
    let mut draft = Draft::default();
    reader.table(node, &CLIENT_AUTH, &mut draft);
    let mode = draft.mode.unwrap_or(ClientAuthMode::Required);
    draft.ca.map(|ca| ClientAuth { ca, mode, crl: draft.crl })
}
