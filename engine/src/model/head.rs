//! Heads as the middle of the pipeline sees them: views over the bytes in which they were received.

use super::BodySize;
use ringgate_protocols::wire::{Fields, HeaderId, HostPort, Method, Span, Target, TargetForm};

/// A request's head.
#[derive(Clone, Copy)]
pub(crate) struct RequestHead<'a> {
    /// What every span refers to.
    pub(crate) bytes: &'a [u8],
    pub(crate) method: Method,
    pub(crate) method_text: Span,
    pub(crate) target: &'a Target,
    pub(crate) fields: &'a Fields,
    /// Whom the request is for. None only for HTTP/1.0.
    pub(crate) host: Option<HostPort>,
    pub(crate) body: BodySize,
    /// The protocol that the client asks to change to.
    pub(crate) upgrade: Option<Span>,
    /// `1.1` or `1.0`, for Via.
    pub(crate) version: &'static str,
}

impl<'a> RequestHead<'a> {
    /// The method as sent.
    pub(crate) fn method_text(&self) -> &'a [u8] {
        self.method_text.of(self.bytes)
    }

    /// The path as sent; `/` where an absolute target has none.
    pub(crate) fn path(&self) -> &'a [u8] {
        match self.target.path.of(self.bytes) {
            b"" if self.target.form == TargetForm::Absolute
                && self.method == Method::Options
                && self.target.query.is_none() =>
            {
                b"*"
            }
            b"" => b"/",
            path => path,
        }
    }

    /// The query as sent, without its question mark.
    pub(crate) fn query(&self) -> Option<&'a [u8]> {
        self.target.query.map(|span| span.of(self.bytes))
    }

    /// The host without its port, as sent.
    pub(crate) fn host_name(&self) -> Option<&'a [u8]> {
        self.host.as_ref().map(|host| host.host.of(self.bytes))
    }

    /// The authority for which the request is meant, as sent: of an absolute target, else of Host.
    pub(crate) fn authority(&self) -> Option<&'a [u8]> {
        match self.target.authority {
            Some(authority) => Some(authority.of(self.bytes)),
            None => self.value(HeaderId::Host),
        }
    }

    /// The value of the first field with this id.
    pub(crate) fn value(&self, id: HeaderId) -> Option<&'a [u8]> {
        self.fields.get(id).map(|field| field.value.of(self.bytes))
    }
}

/// An answer's head.
#[derive(Clone, Copy)]
pub(crate) struct AnswerHead<'a> {
    /// What every span refers to.
    pub(crate) bytes: &'a [u8],
    pub(crate) status: u16,
    pub(crate) reason: &'a [u8],
    pub(crate) fields: &'a Fields,
    pub(crate) body: BodySize,
    /// The length that the head states, also where no body follows (HEAD, 304).
    pub(crate) stated_length: Option<u64>,
}
