//! Messages as fields (RFC 9113 section 8): what a request, a response and a trailer section must be, and what they
//! become for the rest of the gateway.

mod malformed;
mod request;
mod response;
mod section;

pub use malformed::Malformed;
pub(in crate::h2) use section::Kind as Section;

use super::Priority;
use crate::wire::{Fields, HostPort, Method, Span, Target};

/// A request's or response's head, or a trailer section, with everything decided that its fields decide.
///
/// Regular fields lie in [`Head::bytes`] one behind the other as `name: value CRLF`, the lines that HTTP/1.1 would
/// have, so that [`Fields`] and its spans mean the same for both versions. Cookies that came apart are one field again
/// (RFC 9113 section 8.2.3). `host` is never among the fields: see [`Head::host`].
///
/// Meant to be reused: receiving another one keeps the memory.
#[derive(Clone, Debug)]
pub struct Head {
    pub(super) bytes: Vec<u8>,
    /// Request: the method. `Other` in responses and trailers.
    pub method: Method,
    /// Request: the method as written.
    pub method_text: Span,
    /// Request: `http` or `https`, unless it is a plain CONNECT.
    pub scheme: Option<Span>,
    /// Request: `:path` taken apart, or for a plain CONNECT `:authority`. Its authority is that of [`Head::host`] in
    /// either form.
    pub target: Target,
    /// Request: what `target` was made of, as written.
    pub target_text: Span,
    /// Request: the host that is meant: `:authority`, or `Host` where there is none. Always there.
    pub host: Option<HostPort>,
    /// Request: `:protocol` of an extended CONNECT (RFC 8441).
    pub protocol: Option<Span>,
    /// Request: whether the client waits for `100 Continue` before it sends a body (RFC 9110 section 10.1.1).
    pub expectation: Expectation,
    /// Request: the `priority` field (RFC 9218 section 5), where there is one.
    pub priority: Option<Priority>,
    /// Response: the status.
    pub status: u16,
    /// The regular fields in their order.
    pub fields: Fields,
    /// `Content-Length`.
    pub content_length: Option<u64>,
    /// Positions of fields that are never to be indexed, in rising order.
    pub(super) never_indexed: Vec<u32>,
    pub(super) section: section::Section,
}

/// What `Expect` asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Expectation {
    /// Nothing.
    #[default]
    None,
    /// `100-continue`.
    Continue,
    /// Something that can't be met: to be answered with 417.
    Other,
}

impl Default for Head {
    fn default() -> Self {
        Self::new()
    }
}

impl Head {
    /// An empty head.
    pub fn new() -> Self {
        Self {
            bytes: Vec::new(),
            method: Method::Other,
            method_text: Span::default(),
            scheme: None,
            target: Target::default(),
            target_text: Span::default(),
            host: None,
            protocol: None,
            expectation: Expectation::None,
            priority: None,
            status: 0,
            fields: Fields::default(),
            content_length: None,
            never_indexed: Vec::new(),
            section: section::Section::default(),
        }
    }

    /// The bytes that all spans point into.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the field at that position must be sent on never indexed (RFC 7541 section 7.1.3).
    pub fn never_indexed(&self, position: usize) -> bool {
        self.never_indexed.binary_search(&(position as u32)).is_ok()
    }

    fn push(&mut self, text: &[u8]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        Span::new(start, self.bytes.len())
    }
}

/// Which limit a head has passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeadLimit {
    /// [`super::Limits::header_bytes`]: 431.
    Bytes,
    /// [`super::Limits::headers`]: 431.
    Fields,
    /// [`super::Limits::target_bytes`]: 414.
    Target,
}

impl HeadLimit {
    /// The status that answers it.
    pub const fn status(self) -> u16 {
        match self {
            Self::Bytes | Self::Fields => 431,
            Self::Target => 414,
        }
    }
}
