//! `listeners[].https_redirect`: clients that come over clear text are sent to https.

use crate::form::Form;
use crate::node::Node;
use crate::reader::Reader;
use crate::secure::HttpsRedirect;
use crate::table::{Field, Presence, Table};

/// Where the file doesn't say.
const PORT: u16 = 443;
const STATUS: u16 = 308;

/// `https_redirect` while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    port: Option<u16>,
    status: Option<u16>,
}

pub(crate) static HTTPS_REDIRECT: Table<Draft> = Table {
    path: "listeners[].https_redirect",
    noun: "`https_redirect`",
    doc: "Every request is sent to the same host and path over https. Those under `/.well-known/acme-challenge/` go to their \
          routes all the same: whoever issues certificates asks there. `on` gives the defaults of this table.",
    fields: &[
        Field {
            key: "port",
            form: Form::Integer { min: 1, max: 65_535 },
            presence: Presence::Default("443"),
            doc: "The port of the https listener as clients see it.",
            example: "8443",
            exceeding: None,
            read: |reader, node, form, draft| {
                draft.port = reader.integer(node, form).and_then(|port| u16::try_from(port).ok());
            },
        },
        Field {
            key: "status",
            form: Form::Choice(&["301", "302", "307", "308"]),
            presence: Presence::Default("308"),
            doc: "301 and 308 may be kept by clients for good; 307 and 308 keep method and body.",
            example: "301",
            exceeding: None,
            read: |reader, node, form, draft| {
                draft.status = reader.choice(node, form, &[]).and_then(|word| word.parse().ok());
            },
        },
    ],
    alternatives: &[],
    later: &[],
};

pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<HttpsRedirect> {
    let mut draft = Draft::default();
    match reader.switch(node) {
        Some(true) => {}
        Some(false) => return None,
        None => reader.table(node, &HTTPS_REDIRECT, &mut draft),
    }
    Some(HttpsRedirect { port: draft.port.unwrap_or(PORT), status: draft.status.unwrap_or(STATUS) })
}
