//! Names of fields, known ones as numbers.

use crate::wire::HeaderId;

/// A pseudo-header field (RFC 9113 section 8.3, RFC 8441 section 4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Pseudo {
    /// `:authority`
    Authority = 0,
    /// `:method`
    Method = 1,
    /// `:path`
    Path = 2,
    /// `:scheme`
    Scheme = 3,
    /// `:status`
    Status = 4,
    /// `:protocol`
    Protocol = 5,
}

impl Pseudo {
    /// The name with its colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authority => ":authority",
            Self::Method => ":method",
            Self::Path => ":path",
            Self::Scheme => ":scheme",
            Self::Status => ":status",
            Self::Protocol => ":protocol",
        }
    }

    fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            b":authority" => Self::Authority,
            b":method" => Self::Method,
            b":path" => Self::Path,
            b":scheme" => Self::Scheme,
            b":status" => Self::Status,
            b":protocol" => Self::Protocol,
            _ => return None,
        })
    }
}

/// The name of a field. A known name is never [`Name::Other`], so that equal names are equal values, unless it is
/// written with capital letters, which HTTP/2 forbids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Name<'a> {
    /// A pseudo-header field.
    Pseudo(Pseudo),
    /// A name that has an id; never [`HeaderId::Other`].
    Known(HeaderId),
    /// Any other, as received: it may hold any byte, or none.
    Other(&'a [u8]),
}

impl<'a> Name<'a> {
    /// The name that these bytes are.
    pub fn of(bytes: &'a [u8]) -> Self {
        if bytes.first() == Some(&b':') {
            return Pseudo::of(bytes).map_or(Self::Other(bytes), Self::Pseudo);
        }
        match HeaderId::of(bytes) {
            HeaderId::Other => Self::Other(bytes),
            // `HeaderId::of` takes capital letters too; they must stay to be seen.
            id if id.name().as_bytes() == bytes => Self::Known(id),
            _ => Self::Other(bytes),
        }
    }

    /// The name as text.
    pub fn text(self) -> &'a [u8] {
        match self {
            Self::Pseudo(pseudo) => pseudo.name().as_bytes(),
            Self::Known(id) => id.name().as_bytes(),
            Self::Other(bytes) => bytes,
        }
    }

    /// The name without its text.
    pub(super) fn tag(self) -> Tag {
        match self {
            Self::Pseudo(pseudo) => Tag::Pseudo(pseudo),
            Self::Known(id) => Tag::Known(id),
            Self::Other(_) => Tag::Other,
        }
    }
}

/// A name whose text, if it is none of the known ones, lies elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tag {
    Pseudo(Pseudo),
    Known(HeaderId),
    Other,
}

impl Tag {
    /// The name, where `other` is its text unless it is known.
    pub(super) fn name(self, other: &[u8]) -> Name<'_> {
        match self {
            Self::Pseudo(pseudo) => Name::Pseudo(pseudo),
            Self::Known(id) => Name::Known(id),
            Self::Other => Name::Other(other),
        }
    }
}
