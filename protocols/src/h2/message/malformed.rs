//! What makes a message malformed.

use crate::wire::{host::HostError, target::TargetError};

/// The rule that a malformed message breaks (RFC 9113 section 8.1.1). Its stream ends with PROTOCOL_ERROR, and it goes
/// no further.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// A field name with a capital letter (RFC 9113 section 8.2.1).
    CapitalLetter,
    /// A field name that is no token, or empty (RFC 9113 section 8.2.1).
    FieldName,
    /// A control character in a value, NUL, CR and LF among them (RFC 9113 section 8.2.1).
    FieldValue,
    /// Whitespace at the start or end of a value (RFC 9113 section 8.2.1).
    FieldSpace,
    /// A field of HTTP/1.1 connections (RFC 9113 section 8.2.2).
    ConnectionField,
    /// `TE` other than `trailers` (RFC 9113 section 8.2.2).
    Te,
    /// A pseudo-header field behind a regular one (RFC 9113 section 8.3).
    PseudoOrder,
    /// A pseudo-header field twice (RFC 9113 section 8.3).
    PseudoRepeated,
    /// An unknown pseudo-header field, or one that the message must not have (RFC 9113 section 8.3).
    PseudoUnknown,
    /// A pseudo-header field in trailers (RFC 9113 section 8.1).
    PseudoInTrailers,
    /// A request without `:method`, `:scheme` or `:path`, or a response without `:status` (RFC 9113 section 8.3).
    PseudoMissing,
    /// A method that is no token of at most 32 bytes.
    Method,
    /// A scheme other than `http` and `https`.
    Scheme,
    /// A path that is empty, or begins with something other than `/` (RFC 9113 section 8.3.1).
    Path,
    /// The path, for another reason.
    Target(TargetError),
    /// Neither `:authority` nor `Host` (RFC 9113 section 8.3.1).
    HostMissing,
    /// More than one `Host`.
    HostRepeated,
    /// `Host` says something other than `:authority` (RFC 9113 section 8.3.1).
    HostDiffers,
    /// The host.
    Host(HostError),
    /// CONNECT with `:scheme` or `:path` (RFC 9113 section 8.5).
    Connect,
    /// `:protocol` without CONNECT, or where extended CONNECT is not offered (RFC 8441 section 4).
    Protocol,
    /// `:status` is not three digits from 100 on.
    Status,
    /// 101, which HTTP/2 does not have (RFC 9113 section 8.6).
    SwitchingProtocols,
    /// An informational head that ends its stream (RFC 9113 section 8.1).
    InformationalEnd,
    /// A second head, or trailers that do not end their stream (RFC 9113 section 8.1).
    TrailersNotLast,
    /// `Content-Length` is no number from 0 to 2^63 - 1.
    ContentLength,
    /// Two `Content-Length` that differ.
    ContentLengthsDiffer,
    /// More or less data than `Content-Length` says (RFC 9113 section 8.1.1).
    Length,
    /// Data in an answer that has none: to HEAD, or 204 or 304 (RFC 9110 section 6.4.1).
    NoContent,
}

impl Malformed {
    /// What was found and what was expected, fit for a log.
    pub const fn message(self) -> &'static str {
        match self {
            Self::CapitalLetter => "a field name has a capital letter, which HTTP/2 does not allow",
            Self::FieldName => "a field name is empty or has a character that names must not have",
            Self::FieldValue => "a field value has a control character",
            Self::FieldSpace => "a field value begins or ends with whitespace",
            Self::ConnectionField => "there is a field that belongs to HTTP/1.1 connections",
            Self::Te => "TE says something other than 'trailers'",
            Self::PseudoOrder => "a pseudo-header field stands behind a regular field",
            Self::PseudoRepeated => "a pseudo-header field is there twice",
            Self::PseudoUnknown => "there is a pseudo-header field that the message must not have",
            Self::PseudoInTrailers => "there is a pseudo-header field in trailers",
            Self::PseudoMissing => "a pseudo-header field is missing that the message must have",
            Self::Method => "the method is not a token of at most 32 bytes",
            Self::Scheme => "the scheme is neither http nor https",
            Self::Path => "the path does not begin with '/'",
            Self::Target(error) => error.message(),
            Self::HostMissing => "there is neither :authority nor Host",
            Self::HostRepeated => "there is more than one Host field",
            Self::HostDiffers => "Host says something other than :authority",
            Self::Host(error) => error.message(),
            Self::Connect => "a CONNECT has a scheme or a path",
            Self::Protocol => "there is a :protocol where extended CONNECT is not in use",
            Self::Status => "the status is not three digits from 100 on",
            Self::SwitchingProtocols => "the status is 101, which HTTP/2 does not have",
            Self::InformationalEnd => "an informational head ends its stream",
            Self::TrailersNotLast => "a second field section does not end its stream",
            Self::ContentLength => "Content-Length is not one number from 0 to 9223372036854775807",
            Self::ContentLengthsDiffer => "there are two Content-Length fields that differ",
            Self::Length => "there is more or less data than Content-Length says",
            Self::NoContent => "there is data in an answer that must not have any",
        }
    }
}
