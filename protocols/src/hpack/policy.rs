//! Which fields are worth an entry in the encoder's table, and which must never have one (RFC 7541 section 7.1).

use super::name::{Name, Pseudo};
use crate::wire::HeaderId;

/// A cookie shorter than this many bytes is never indexed: one that short can be guessed byte by byte from the length
/// of what is sent, if an attacker may put fields of his own beside it (RFC 7541 section 7.1.3).
pub const SHORT_COOKIE_BYTES: usize = 20;

/// How a field is represented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Policy {
    /// Never in any table, on no hop: a secret.
    Never,
    /// Not in the table: it will not come again.
    Without,
    /// In the table once it has come twice.
    SecondTime,
    /// In the table at once.
    AtOnce,
}

const fn set(ids: &[HeaderId]) -> u64 {
    let (mut set, mut at) = (0, 0);
    while at < ids.len() {
        set |= ids[at].bit();
        at += 1;
    }
    set
}

const SECRETS: u64 = set(&[HeaderId::Authorization, HeaderId::ProxyAuthorization, HeaderId::SetCookie]);

/// Other for every message, or nearly.
const VARYING: u64 = set(&[
    HeaderId::ContentLength,
    HeaderId::ContentRange,
    HeaderId::Range,
    HeaderId::IfRange,
    HeaderId::Etag,
    HeaderId::IfMatch,
    HeaderId::IfNoneMatch,
    HeaderId::IfModifiedSince,
    HeaderId::IfUnmodifiedSince,
    HeaderId::LastModified,
    HeaderId::Expires,
    HeaderId::Age,
    HeaderId::Location,
    HeaderId::XRequestId,
    HeaderId::Traceparent,
    HeaderId::Tracestate,
    HeaderId::WwwAuthenticate,
    HeaderId::ProxyAuthenticate,
]);

/// The same for a whole connection, or nearly.
const STEADY: u64 = set(&[
    HeaderId::Server,
    HeaderId::UserAgent,
    HeaderId::Accept,
    HeaderId::AcceptEncoding,
    HeaderId::AcceptLanguage,
    HeaderId::ContentType,
    HeaderId::ContentEncoding,
    HeaderId::CacheControl,
    HeaderId::Vary,
    HeaderId::Via,
    HeaderId::Te,
    HeaderId::XForwardedProto,
]);

/// How to represent a field. A date is the same for a second, a client's address for as long as that client is the only
/// one on the connection, and of unknown names nothing is known: they show their worth by coming again.
pub(super) fn policy(name: Name<'_>, value: &[u8]) -> Policy {
    match name {
        Name::Pseudo(Pseudo::Authority | Pseudo::Scheme | Pseudo::Method | Pseudo::Status | Pseudo::Protocol) => {
            Policy::AtOnce
        }
        // Queries carry tokens, and seldom come again.
        Name::Pseudo(Pseudo::Path) if memchr::memchr(b'?', value).is_some() => Policy::Without,
        Name::Pseudo(Pseudo::Path) => Policy::SecondTime,
        Name::Known(HeaderId::Cookie) if value.len() < SHORT_COOKIE_BYTES => Policy::Never,
        Name::Known(id) => match id.bit() {
            bit if bit & SECRETS != 0 => Policy::Never,
            bit if bit & VARYING != 0 => Policy::Without,
            bit if bit & STEADY != 0 => Policy::AtOnce,
            _ => Policy::SecondTime,
        },
        Name::Other(_) => Policy::SecondTime,
    }
}
