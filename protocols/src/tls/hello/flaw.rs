//! What can be wrong with a hello, in words for the log.

use std::fmt;

/// Why bytes are no ClientHello that can be passed on by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// A record that is not one of a handshake; at the first byte: no TLS at all, or a hello of SSL 2.0.
    ContentType,
    /// A record's version that does not begin with 3.
    RecordVersion,
    /// A record without content, which handshakes must not have (RFC 8446 section 5.1).
    EmptyRecord,
    /// A record of more than [`super::RECORD_BYTES_MAX`].
    RecordBytes,
    /// Another handshake message than a ClientHello.
    Message,
    /// A hello of more than [`super::HELLO_BYTES_MAX`].
    HelloBytes,
    /// The record that ends the hello holds more behind it.
    Trailing,
    /// A hello of a version that does not begin with 3.
    HelloVersion,
    /// A length within the hello that does not fit.
    Length,
    /// The extension for the server's name, or that for protocols, twice.
    Repeated,
    /// The extension for the server's name holds something other than one host name.
    ServerNames,
    /// The server's name is no DNS name.
    ServerName,
    /// More than [`super::ALPN_PROTOCOLS_MAX`] protocols, or an empty one.
    Alpn,
}

impl Flaw {
    /// What was found and what was expected.
    pub const fn message(self) -> &'static str {
        match self {
            Self::ContentType => "the client sent something other than a TLS handshake record",
            Self::RecordVersion => "a TLS record has a version other than 3.x",
            Self::EmptyRecord => "a TLS handshake record is empty",
            Self::RecordBytes => "a TLS record is longer than 16384 bytes",
            Self::Message => "the TLS handshake does not begin with a ClientHello",
            Self::HelloBytes => "the ClientHello is longer than 16384 bytes",
            Self::Trailing => "more handshake data follows the ClientHello in its record",
            Self::HelloVersion => "the ClientHello has a version other than 3.x",
            Self::Length => "a length in the ClientHello does not fit what it is the length of",
            Self::Repeated => "the ClientHello has an extension twice",
            Self::ServerNames => "the ClientHello's server name extension is not one host name",
            Self::ServerName => "the ClientHello's server name is not a DNS name",
            Self::Alpn => "the ClientHello offers an empty protocol, or more than 64",
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Flaw {}
