//! What is put on heads and taken off them: who the client is, which way the message came, its id.
//!
//! What a client says of its own origin is believed only if it is a trusted proxy; otherwise it is replaced.

use super::PSEUDONYM;
use super::request_id::acceptable;
use crate::model::{AnswerHead, Edits, RequestHead};
use ringgate_protocols::wire::{HeaderId, TargetForm, list};
use std::io::Write;
use std::net::IpAddr;

/// How a request came in.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// The peer's address; none on a Unix socket.
    pub(crate) peer: Option<IpAddr>,
    /// The same as text; `unknown` on a Unix socket (RFC 7239 section 6.2).
    pub(crate) peer_text: &'a [u8],
    /// What the peer says of the client before it is believed.
    pub(crate) trusted: bool,
    /// `http` or `https`.
    pub(crate) scheme: &'a str,
}

/// An IP address as text, without an allocation.
pub(crate) struct IpText {
    bytes: [u8; 46],
    len: usize,
}

impl IpText {
    pub(crate) fn new(address: IpAddr) -> IpText {
        let mut text = IpText { bytes: [0; 46], len: 0 };
        let mut rest = &mut text.bytes[..];
        // 46 bytes hold the longest form of an IPv6 address.
        let _ = write!(rest, "{}", address.to_canonical());
        let left = rest.len();
        text.len = text.bytes.len() - left;
        text
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// How often a request has passed this gateway, by Via.
pub(crate) fn hops(head: &RequestHead<'_>) -> u32 {
    if !head.fields.has(HeaderId::Via) {
        return 0;
    }
    let ours = |element: &&[u8]| {
        let mut words = element.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty());
        words.nth(1).is_some_and(|by| by.eq_ignore_ascii_case(PSEUDONYM.as_bytes()))
    };
    let values = head.fields.all(HeaderId::Via).map(|field| field.value.of(head.bytes));
    values.map(|value| list::elements(value).filter(ours).count() as u32).sum()
}

/// The id that a trusted sender gave the request, if it can be passed on.
pub(crate) fn taken_over_id<'a>(head: &RequestHead<'a>, origin: Origin<'_>) -> Option<&'a [u8]> {
    head.value(HeaderId::XRequestId).filter(|id| origin.trusted && acceptable(id))
}

/// The changes to a request on its way to a service. `id` is its request id; `host` replaces what the client named.
#[inline]
pub(crate) fn to_service(
    edits: &mut Edits,
    head: &RequestHead<'_>,
    origin: Origin<'_>,
    id: &[u8],
    host: Option<&[u8]>,
) {
    edits.clear();
    set_host(edits, head, host);
    edits.add("via", &[head.version.as_bytes(), b" ", PSEUDONYM.as_bytes()]);
    let peer = origin.peer_text;
    extend(edits, head, origin, HeaderId::XForwardedFor, &[peer]);
    keep_or_set(edits, head, origin, HeaderId::XForwardedProto, Some(origin.scheme.as_bytes()));
    keep_or_set(edits, head, origin, HeaderId::XForwardedHost, head.authority());
    set_forwarded(edits, head, origin, peer);
    if !origin.trusted {
        edits.remove(HeaderId::XForwardedPort);
        edits.remove(HeaderId::XRealIp);
    }
    edits.remove(HeaderId::XRequestId);
    edits.add("x-request-id", &[id]);
    drop_lookalikes(edits, head);
}

/// Names that a service may take for one of those set here: CGI and its heirs turn `-` into `_`, so `X_Forwarded_For`
/// reaches the application under the same name. Nobody sends them in good faith.
const LOOKALIKES: [&[u8]; 6] =
    [b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"x-real-ip", b"x-request-id"];

fn drop_lookalikes(edits: &mut Edits, head: &RequestHead<'_>) {
    for (position, field) in head.fields.iter().enumerate().filter(|(_, field)| field.id == HeaderId::Other) {
        let name = field.name.of(head.bytes);
        if name.first().is_some_and(|b| b | 0x20 == b'x') && name.contains(&b'_') {
            let same = |known: &&[u8]| {
                known.len() == name.len()
                    && known.iter().zip(name).all(|(k, n)| *k == n.to_ascii_lowercase() || (*k == b'-' && *n == b'_'))
            };
            if LOOKALIKES.iter().any(same) {
                edits.drop_at(position);
            }
        }
    }
}

/// The changes to an answer on its way to the client.
#[inline]
pub(crate) fn to_client(edits: &mut Edits, head: &AnswerHead<'_>, id: &[u8], date: impl FnOnce() -> [u8; 29]) {
    edits.clear();
    edits.add("via", &[b"1.1 ", PSEUDONYM.as_bytes()]);
    edits.remove(HeaderId::XRequestId);
    edits.add("x-request-id", &[id]);
    if !head.fields.has(HeaderId::Date) {
        edits.add("date", &[&date()]);
    }
}

/// `Host` goes on as received, but an absolute target overrides it (RFC 9112 section 3.2.2), and HTTP/1.0 may have none.
fn set_host(edits: &mut Edits, head: &RequestHead<'_>, host: Option<&[u8]>) {
    let absolute = head.target.form == TargetForm::Absolute;
    let replaced = match host {
        Some(host) => Some(host),
        None if absolute => head.authority(),
        None if !head.fields.has(HeaderId::Host) => Some(&b""[..]),
        None => None,
    };
    if let Some(host) = replaced {
        edits.remove(HeaderId::Host);
        edits.add("host", &[host]);
    }
}

/// Appends to what a trusted sender wrote, or replaces what another did.
fn extend(edits: &mut Edits, head: &RequestHead<'_>, origin: Origin<'_>, id: HeaderId, own: &[&[u8]]) {
    if !origin.trusted || !head.fields.has(id) {
        if head.fields.has(id) {
            edits.remove(id);
        }
        edits.add(id.name(), own);
        return;
    }
    edits.remove(id);
    let mut parts: Vec<&[u8]> = Vec::with_capacity(8);
    for field in head.fields.all(id) {
        parts.push(field.value.of(head.bytes));
        parts.push(b", ");
    }
    parts.extend_from_slice(own);
    edits.add(id.name(), &parts);
}

fn keep_or_set(edits: &mut Edits, head: &RequestHead<'_>, origin: Origin<'_>, id: HeaderId, own: Option<&[u8]>) {
    if head.fields.has(id) {
        if origin.trusted {
            return;
        }
        edits.remove(id);
    }
    if let Some(own) = own {
        edits.add(id.name(), &[own]);
    }
}

/// `Forwarded` (RFC 7239). An IPv6 address is quoted and in brackets; so is a host with a port.
fn set_forwarded(edits: &mut Edits, head: &RequestHead<'_>, origin: Origin<'_>, peer: &[u8]) {
    let (open, close): (&[u8], &[u8]) = match origin.peer.map(|peer| peer.to_canonical()) {
        Some(IpAddr::V6(_)) => (b"\"[", b"]\""),
        _ => (b"", b""),
    };
    let scheme = origin.scheme.as_bytes();
    match head.authority() {
        Some(host) => {
            let own: &[&[u8]] = &[b"for=", open, peer, close, b";host=\"", host, b"\";proto=", scheme];
            extend(edits, head, origin, HeaderId::Forwarded, own);
        }
        None => extend(edits, head, origin, HeaderId::Forwarded, &[b"for=", open, peer, close, b";proto=", scheme]),
    }
}

/// The client's address: the peer, or, behind trusted proxies, the last address in X-Forwarded-For that is not theirs.
pub(crate) fn client(head: &RequestHead<'_>, origin: Origin<'_>, trusts: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    if !origin.trusted || !head.fields.has(HeaderId::XForwardedFor) {
        return origin.peer;
    }
    let mut client = origin.peer;
    let values: Vec<&[u8]> = head.fields.all(HeaderId::XForwardedFor).map(|field| field.value.of(head.bytes)).collect();
    for value in values.iter().rev() {
        let elements: Vec<&[u8]> = list::elements(value).collect();
        for element in elements.iter().rev() {
            let Some(address) = std::str::from_utf8(element).ok().and_then(|text| text.parse().ok()) else {
                return client;
            };
            client = Some(address);
            if !trusts(address) {
                return client;
            }
        }
    }
    client
}

#[cfg(test)]
mod tests;
