//! The static table (RFC 7541 appendix A).

use super::name::{Name, Pseudo};
use crate::wire::HeaderId;

/// How many entries there are. Index 62 is the newest entry of the dynamic table.
pub(super) const LEN: usize = 61;

/// Index 1 is the first entry.
static ENTRIES: [(Name<'static>, &[u8]); LEN] = [
    (Name::Pseudo(Pseudo::Authority), b""),
    (Name::Pseudo(Pseudo::Method), b"GET"),
    (Name::Pseudo(Pseudo::Method), b"POST"),
    (Name::Pseudo(Pseudo::Path), b"/"),
    (Name::Pseudo(Pseudo::Path), b"/index.html"),
    (Name::Pseudo(Pseudo::Scheme), b"http"),
    (Name::Pseudo(Pseudo::Scheme), b"https"),
    (Name::Pseudo(Pseudo::Status), b"200"),
    (Name::Pseudo(Pseudo::Status), b"204"),
    (Name::Pseudo(Pseudo::Status), b"206"),
    (Name::Pseudo(Pseudo::Status), b"304"),
    (Name::Pseudo(Pseudo::Status), b"400"),
    (Name::Pseudo(Pseudo::Status), b"404"),
    (Name::Pseudo(Pseudo::Status), b"500"),
    (Name::Other(b"accept-charset"), b""),
    (Name::Known(HeaderId::AcceptEncoding), b"gzip, deflate"),
    (Name::Known(HeaderId::AcceptLanguage), b""),
    (Name::Other(b"accept-ranges"), b""),
    (Name::Known(HeaderId::Accept), b""),
    (Name::Other(b"access-control-allow-origin"), b""),
    (Name::Known(HeaderId::Age), b""),
    (Name::Known(HeaderId::Allow), b""),
    (Name::Known(HeaderId::Authorization), b""),
    (Name::Known(HeaderId::CacheControl), b""),
    (Name::Other(b"content-disposition"), b""),
    (Name::Known(HeaderId::ContentEncoding), b""),
    (Name::Other(b"content-language"), b""),
    (Name::Known(HeaderId::ContentLength), b""),
    (Name::Other(b"content-location"), b""),
    (Name::Known(HeaderId::ContentRange), b""),
    (Name::Known(HeaderId::ContentType), b""),
    (Name::Known(HeaderId::Cookie), b""),
    (Name::Known(HeaderId::Date), b""),
    (Name::Known(HeaderId::Etag), b""),
    (Name::Known(HeaderId::Expect), b""),
    (Name::Known(HeaderId::Expires), b""),
    (Name::Other(b"from"), b""),
    (Name::Known(HeaderId::Host), b""),
    (Name::Known(HeaderId::IfMatch), b""),
    (Name::Known(HeaderId::IfModifiedSince), b""),
    (Name::Known(HeaderId::IfNoneMatch), b""),
    (Name::Known(HeaderId::IfRange), b""),
    (Name::Known(HeaderId::IfUnmodifiedSince), b""),
    (Name::Known(HeaderId::LastModified), b""),
    (Name::Other(b"link"), b""),
    (Name::Known(HeaderId::Location), b""),
    (Name::Known(HeaderId::MaxForwards), b""),
    (Name::Known(HeaderId::ProxyAuthenticate), b""),
    (Name::Known(HeaderId::ProxyAuthorization), b""),
    (Name::Known(HeaderId::Range), b""),
    (Name::Known(HeaderId::Referer), b""),
    (Name::Other(b"refresh"), b""),
    (Name::Known(HeaderId::RetryAfter), b""),
    (Name::Known(HeaderId::Server), b""),
    (Name::Known(HeaderId::SetCookie), b""),
    (Name::Other(b"strict-transport-security"), b""),
    (Name::Known(HeaderId::TransferEncoding), b""),
    (Name::Known(HeaderId::UserAgent), b""),
    (Name::Known(HeaderId::Vary), b""),
    (Name::Known(HeaderId::Via), b""),
    (Name::Known(HeaderId::WwwAuthenticate), b""),
];

/// The entry at `index`, which counts from 1.
pub(super) fn get(index: usize) -> Option<(Name<'static>, &'static [u8])> {
    ENTRIES.get(index.checked_sub(1)?).copied()
}

/// By [`HeaderId`]: the first index with that name, or 0.
static BY_ID: [u8; 64] = {
    let mut table = [0; 64];
    let mut at = LEN;
    while at > 0 {
        if let Name::Known(id) = ENTRIES[at - 1].0 {
            table[id as usize] = at as u8;
        }
        at -= 1;
    }
    table
};

/// By [`Pseudo`]: the first index with that name, and how many entries have it.
const BY_PSEUDO: [(u8, u8); 6] = [(1, 1), (2, 2), (4, 2), (6, 2), (8, 7), (0, 0)];

/// What the table has for a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// The entry with this index is the field.
    Field(usize),
    /// The entry with this index has the name.
    Name(usize),
    Nothing,
}

/// Looks a field up.
pub(super) fn find(name: Name<'_>, value: &[u8]) -> Found {
    let (first, count) = match name {
        Name::Pseudo(pseudo) => BY_PSEUDO[pseudo as usize],
        Name::Known(id) => (BY_ID[id as usize], 1),
        Name::Other(text) => (by_text(text), 1),
    };
    let first = usize::from(first);
    if first == 0 {
        return Found::Nothing;
    }
    let with_value = |index: &usize| get(*index).is_some_and(|(_, known)| !known.is_empty() && known == value);
    (first..first + usize::from(count)).find(with_value).map_or(Found::Name(first), Found::Field)
}

fn by_text(text: &[u8]) -> u8 {
    match text {
        b"accept-charset" => 15,
        b"accept-ranges" => 18,
        b"access-control-allow-origin" => 20,
        b"content-disposition" => 25,
        b"content-language" => 27,
        b"content-location" => 29,
        b"from" => 37,
        b"link" => 45,
        b"refresh" => 52,
        b"strict-transport-security" => 56,
        _ => 0,
    }
}
