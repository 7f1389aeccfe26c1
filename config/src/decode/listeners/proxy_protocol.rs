//! `listeners[].proxy_protocol`: whose connections begin with a header that tells where they come from.

use ipnet::IpNet;

use crate::decode::process;
use crate::form::Form;
use crate::node::{Node, Span, Value};
use crate::reader::Reader;
use crate::secure::ProxySenders;
use crate::table::{Field, Presence, Table};
use crate::wording::shorten;

/// The senders, before `trusted_proxies` are known.
pub(crate) enum Unresolved {
    /// Those of `trusted_proxies`; where the file says so.
    Trusted(Span),
    These(Vec<IpNet>),
}

pub(crate) static SENDERS: Table<Vec<IpNet>> = Table {
    path: "listeners[].proxy_protocol",
    noun: "`proxy_protocol`",
    doc: "Whose connections begin with a header of the PROXY protocol, version 1 or 2. From them the header is required: without it \
          the connection is closed. Over a Unix socket every connection begins with one.",
    fields: &[Field {
        key: "from",
        form: Form::List { of: &Form::Text { kind: "IP network", limits: "" }, min: 1 },
        presence: Presence::Required,
        doc: "The senders; connections from others are taken as they are.",
        example: "[10.0.0.0/8, 192.0.2.7]",
        exceeding: None,
        read: |reader, node, form, from| *from = process::trusted_proxies(reader, node, form),
    }],
    alternatives: &[],
    later: &[],
};

/// `None`: nobody's.
pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Unresolved> {
    match (reader.switch(node), &node.value) {
        (Some(true), _) => Some(Unresolved::Trusted(node.span)),
        (Some(false), _) => None,
        (None, Value::Scalar(_)) => {
            let text = reader.filled(node, "`on`, `off` or a map")?;
            let message = format!("`{}` is none of the values allowed here", shorten(&text.value));
            let hint = "write `on`, or `{ from: [10.0.0.0/8] }`; both versions of the protocol are read";
            reader.error(text.span, message, hint);
            None
        }
        (None, _) => {
            let mut from = Vec::new();
            reader.table(node, &SENDERS, &mut from);
            Some(Unresolved::These(from))
        }
    }
}

/// The senders, where these proxies are trusted; `None` for them: they can't be read.
pub(crate) fn resolve(reader: &mut Reader<'_>, draft: Unresolved, trusted: Option<&[IpNet]>) -> ProxySenders {
    let span = match draft {
        Unresolved::These(from) => return ProxySenders { from },
        Unresolved::Trusted(span) => span,
    };
    if trusted.is_some_and(<[IpNet]>::is_empty) {
        let hint = "name them there, or here: `proxy_protocol: { from: [10.0.0.0/8] }`";
        reader.error(span, "the senders are those of `trusted_proxies`, and there are none", hint);
    }
    ProxySenders { from: trusted.unwrap_or_default().to_vec() }
}
