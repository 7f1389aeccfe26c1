//! What is done with a request that a route takes.

use super::super::printable::printable;
use super::Taken;
use crate::model::RequestHead;
use crate::proxy::{Preview, Sender, Snapshot, preview};
use crate::route::captured_path;
use ringgate_config::{Action, Config, Forward, ResponseBody};
use std::time::Duration;

/// What is done with a request.
pub(super) enum Treatment {
    Forwarded(Forwarded),
    Answered(Answered),
}

/// A request on its way to a service.
pub(super) struct Forwarded {
    pub(super) services: Vec<Service>,
    pub(super) timeout: Duration,
    /// The request line.
    pub(super) line: String,
    pub(super) fields: Vec<Sent>,
    /// Fields that do not go on, or not as they came.
    pub(super) removed: Vec<(String, String)>,
}

/// A service that may get the request.
pub(super) struct Service {
    pub(super) name: String,
    /// Its weight, out of all of them.
    pub(super) share: (u32, u32),
    pub(super) connect_timeout: Duration,
    /// Address and weight.
    pub(super) endpoints: Vec<(String, u32)>,
}

/// A field that the service gets.
pub(super) struct Sent {
    pub(super) name: String,
    pub(super) value: String,
    /// The gateway has put it there, or changed it.
    pub(super) set: bool,
}

/// An answer of the gateway itself.
pub(super) struct Answered {
    /// `redirect` or `respond`.
    pub(super) action: &'static str,
    pub(super) status: u16,
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: Body,
    /// While the gateway is not ready, it answers 503.
    pub(super) ready: bool,
}

/// The body of an answer.
pub(super) struct Body {
    pub(super) bytes: usize,
    /// The file that holds it, or the text.
    pub(super) from: From,
}

pub(super) enum From {
    File(String),
    Text(String),
}

impl Taken {
    pub(super) fn of(
        config: &Config,
        snapshot: &Snapshot,
        index: usize,
        head: RequestHead<'_>,
        sender: Sender,
    ) -> Taken {
        let path = captured_path(&head);
        let captures = snapshot.table.captures(index, &path);
        let previewed = preview(&snapshot.routes[index], &snapshot.common, head, &captures, sender);
        let action = &config.routes[index].action;
        let treatment = previewed.map(|preview| match preview {
            Preview::Forwarded(written) => Treatment::Forwarded(forwarded(config, action, &head, &written)),
            Preview::Answered(own) => Treatment::Answered(answered(action, own.status, &own.fields, own.text)),
        });
        let captures = captures.all();
        let captures = captures.iter().map(|(name, value)| (printable(name.as_bytes()), printable(value)));
        Taken { captures: captures.collect(), treatment }
    }
}

fn forwarded(config: &Config, action: &Action, head: &RequestHead<'_>, written: &[u8]) -> Forwarded {
    let (shares, timeout) = match action {
        Action::Forward(Forward { to, timeout, .. }) => (to.as_slice(), *timeout),
        Action::Redirect(_) | Action::Respond(_) => (&[][..], Duration::ZERO),
    };
    let whole = shares.iter().map(|share| share.weight).sum();
    let services = shares.iter().filter_map(|share| {
        let upstream = config.upstreams.get(share.upstream)?;
        Some(Service {
            name: upstream.name.clone(),
            share: (share.weight, whole),
            connect_timeout: upstream.connect_timeout,
            endpoints: upstream.endpoints.iter().map(|e| (e.address.to_string(), e.weight)).collect(),
        })
    });
    let mut received: Vec<(Vec<u8>, &[u8])> = Vec::with_capacity(head.fields.len());
    for field in head.fields.iter() {
        received.push((field.name.of(head.bytes).to_ascii_lowercase(), field.value.of(head.bytes)));
    }
    let mut lines = written.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end);
    let line = printable(lines.next().unwrap_or(b""));
    let mut fields = Vec::with_capacity(received.len());
    for written in lines.filter(|line| !line.is_empty()) {
        let colon = written.iter().position(|b| *b == b':').unwrap_or(written.len());
        let (name, value) = (written[..colon].to_ascii_lowercase(), written.get(colon + 1..).unwrap_or(b""));
        let value = value.trim_ascii();
        let same = received.iter().position(|(n, v)| *n == name && v.trim_ascii() == value);
        same.into_iter().for_each(|at| drop(received.remove(at)));
        fields.push(Sent { name: printable(&name), value: printable(value), set: same.is_none() });
    }
    let removed = received.iter().map(|(name, value)| (printable(name), printable(value))).collect();
    Forwarded { services: services.collect(), timeout, line, fields, removed }
}

fn answered(action: &Action, status: u16, fields: &[(String, Vec<u8>)], text: Option<Vec<u8>>) -> Answered {
    let fields = fields.iter().map(|(name, value)| (name.clone(), printable(value))).collect();
    let (action, file, ready) = match action {
        Action::Respond(respond) => ("respond", Some(&respond.body), respond.ready),
        Action::Redirect(_) | Action::Forward(_) => ("redirect", None, false),
    };
    let body = match (file, text) {
        (Some(ResponseBody::File { path, bytes }), None) => {
            Body { bytes: bytes.len(), from: From::File(path.display().to_string()) }
        }
        (_, text) => {
            let text = text.unwrap_or_default();
            Body { bytes: text.len(), from: From::Text(String::from_utf8_lossy(&text).into_owned()) }
        }
    };
    Answered { action, status, fields, body, ready }
}
