//! What can be wrong with a message, in words fit for whoever sent it.

use crate::wire::{host::HostError, target::TargetError};
use std::fmt;

/// What is wrong with a head. The connection must be closed after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeadError {
    /// More than [`super::LEADING_BLANK_LINES_MAX`] empty lines before a request, or one before a response.
    BlankLines,
    /// LF without CR before it (RFC 9112 section 2.2).
    BareLf,
    /// CR without LF behind it (RFC 9112 section 2.2).
    BareCr,
    /// A NUL byte.
    Nul,
    /// More bytes than [`super::HeadLimits::header_bytes`].
    HeaderBytes,
    /// More fields than [`super::HeadLimits::headers`].
    Headers,
    /// A longer target than [`super::HeadLimits::target_bytes`].
    TargetBytes,
    /// The method is no token, or longer than [`super::METHOD_BYTES_MAX`].
    Method,
    /// The request line is not three parts with one space between them.
    RequestLine,
    /// The version is neither HTTP/1.0 nor HTTP/1.1.
    Version,
    /// The request target.
    Target(TargetError),
    /// No three-digit status between single spaces.
    Status,
    /// A control character in the reason phrase.
    Reason,
    /// Whitespace before the first field (RFC 9112 section 2.2).
    LeadingSpace,
    /// A field line that continues on the next one (RFC 9112 section 5.2).
    FoldedLine,
    /// Whitespace between a field name and its colon (RFC 9112 section 5.1).
    SpaceBeforeColon,
    /// A field line that begins with its colon.
    NoFieldName,
    /// A field name that is no token.
    FieldName,
    /// A field line without a colon.
    NoColon,
    /// A control character other than HTAB in a field value (RFC 9110 section 5.5).
    FieldValue,
    /// No `Host` in HTTP/1.1 (RFC 9112 section 3.2).
    HostMissing,
    /// More than one `Host` (RFC 9112 section 3.2).
    HostRepeated,
    /// The host.
    Host(HostError),
    /// `Content-Length` is no number from 0 to 2^63 - 1.
    ContentLength,
    /// Two `Content-Length` that differ.
    ContentLengthsDiffer,
    /// `Content-Length` beside `Transfer-Encoding` (RFC 9112 section 6.1).
    LengthAndEncoding,
    /// `Transfer-Encoding` is not one single `chunked`.
    TransferEncoding,
    /// `Transfer-Encoding` in HTTP/1.0 (RFC 9112 section 6.1).
    TransferEncodingInHttp10,
    /// `Connection` has more options than any sender needs.
    ConnectionOptions,
    /// An expectation other than `100-continue` (RFC 9110 section 10.1.1).
    Expectation,
    /// A 1xx response that states a body (RFC 9110 section 15.2).
    InformationalBody,
    /// The caller gave something other than exactly one head.
    Incomplete,
}

impl HeadError {
    /// The status that answers it: 414, 417, 431, or 400.
    pub const fn status(self) -> u16 {
        match self {
            Self::TargetBytes => 414,
            Self::Expectation => 417,
            Self::HeaderBytes | Self::Headers => 431,
            _ => 400,
        }
    }

    /// What was found and what was expected, fit for the client.
    pub const fn message(self) -> &'static str {
        match self {
            Self::BlankLines => "too many empty lines before the message",
            Self::BareLf => "a line of the head ends in a bare LF; lines end in CRLF",
            Self::BareCr => "the head has a CR that no LF follows; lines end in CRLF",
            Self::Nul => "the head has a NUL byte",
            Self::HeaderBytes => "the head is larger than this server's limit",
            Self::Headers => "the head has more fields than this server's limit",
            Self::TargetBytes => "the request target is longer than this server's limit",
            Self::Method => "the method is not a token of at most 32 bytes followed by one space",
            Self::RequestLine => "the request line is not 'method target version' with single spaces",
            Self::Version => "the version is neither HTTP/1.0 nor HTTP/1.1",
            Self::Target(error) => error.message(),
            Self::Status => "the status line has no three-digit status between single spaces",
            Self::Reason => "the reason phrase has a control character",
            Self::LeadingSpace => "there is whitespace before the first field",
            Self::FoldedLine => "a field continues on the next line, which HTTP no longer allows",
            Self::SpaceBeforeColon => "there is whitespace between a field name and its colon",
            Self::NoFieldName => "a field line has no name before its colon",
            Self::FieldName => "a field name has a character that names must not have",
            Self::NoColon => "a field line has no colon",
            Self::FieldValue => "a field value has a control character",
            Self::HostMissing => "the Host field is missing, which HTTP/1.1 requires",
            Self::HostRepeated => "there is more than one Host field",
            Self::Host(error) => error.message(),
            Self::ContentLength => "Content-Length is not one number from 0 to 9223372036854775807",
            Self::ContentLengthsDiffer => "there are two Content-Length fields that differ",
            Self::LengthAndEncoding => "there are both Content-Length and Transfer-Encoding; send one of them",
            Self::TransferEncoding => "Transfer-Encoding is not one single 'chunked'",
            Self::TransferEncodingInHttp10 => "Transfer-Encoding is not part of HTTP/1.0",
            Self::ConnectionOptions => "the Connection field has more than 32 options",
            Self::Expectation => "the only expectation that can be met is '100-continue'",
            Self::InformationalBody => "a 1xx response states a body, which it can't have",
            Self::Incomplete => "the head is not complete",
        }
    }
}

/// What is wrong with a body. The connection must be closed after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyError {
    /// The connection ended before the body did.
    Truncated,
    /// No hexadecimal digit where a chunk size begins, or something else than `;` or CRLF behind it.
    ChunkSize,
    /// A chunk size of more than 16 digits, or above 2^63 - 1.
    ChunkSizeOverflow,
    /// A control character or an open quote in a chunk extension.
    ChunkExtension,
    /// Longer extensions than [`super::BodyLimits::extension_bytes`], or more of them than data.
    ChunkExtensionBytes,
    /// A chunk line or trailer line ends in something other than CRLF.
    LineEnd,
    /// Chunk data is not followed by CRLF, so that its size was wrong.
    ChunkEnd,
    /// More bytes than [`super::BodyLimits::trailer_bytes`].
    TrailerBytes,
    /// More fields than [`super::BodyLimits::trailers`].
    Trailers,
    /// A trailer field is malformed.
    Trailer(HeadError),
}

impl BodyError {
    /// The status that answers it: 400, or 431 for trailers beyond a limit.
    pub const fn status(self) -> u16 {
        match self {
            Self::TrailerBytes | Self::Trailers => 431,
            _ => 400,
        }
    }

    /// What was found and what was expected, fit for the client.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Truncated => "the connection ended before the body did",
            Self::ChunkSize => "a chunk does not begin with its size in hexadecimal digits alone",
            Self::ChunkSizeOverflow => "a chunk size is larger than 9223372036854775807 or has more than 16 digits",
            Self::ChunkExtension => "a chunk extension has a control character or an open quote",
            Self::ChunkExtensionBytes => "the chunk extensions are larger than this server's limit",
            Self::LineEnd => "a line of the chunked body does not end in CRLF",
            Self::ChunkEnd => "the data of a chunk is not followed by CRLF",
            Self::TrailerBytes => "the trailer section is larger than this server's limit",
            Self::Trailers => "the trailer section has more fields than this server's limit",
            Self::Trailer(error) => error.message(),
        }
    }
}

/// What is wrong with a request. The connection must be closed after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestError {
    /// The head.
    Head(HeadError),
    /// The body.
    Body(BodyError),
    /// The connection ended inside the head.
    Truncated,
}

impl RequestError {
    /// The status that answers it.
    pub const fn status(self) -> u16 {
        match self {
            Self::Head(error) => error.status(),
            Self::Body(error) => error.status(),
            Self::Truncated => 400,
        }
    }

    /// What was found and what was expected, fit for the client.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Head(error) => error.message(),
            Self::Body(error) => error.message(),
            Self::Truncated => "the connection ended inside the head",
        }
    }
}

/// What is wrong with a response. The connection must be closed after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResponseError {
    /// The head.
    Head(HeadError),
    /// The body.
    Body(BodyError),
    /// The connection ended before the first byte of the response, as a pooled connection does that has gone stale.
    Closed,
    /// The connection ended inside a head, or after an interim response.
    Truncated,
    /// More interim (1xx) responses than [`super::ResponseReceiver::INTERIM_MAX`].
    Interim,
    /// Bytes came that answer no request.
    Unexpected,
}

impl ResponseError {
    /// What was found and what was expected, fit for a log.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Head(error) => error.message(),
            Self::Body(error) => error.message(),
            Self::Closed => "the connection ended before the response began",
            Self::Truncated => "the connection ended before the head of the final response was complete",
            Self::Interim => "there were too many interim (1xx) responses",
            Self::Unexpected => "bytes came that answer no request",
        }
    }
}

macro_rules! display_message {
    ($($error:ty),+) => {
        $(
            impl fmt::Display for $error {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(self.message())
                }
            }

            impl std::error::Error for $error {}
        )+
    };
}

display_message!(HeadError, BodyError, RequestError, ResponseError, HostError, TargetError);
