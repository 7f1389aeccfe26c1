//! What can be wrong with a header, in words for the log: whoever sent it is a proxy that someone configured.

use std::fmt;

/// Why bytes are no header. The connection must be closed after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// The first bytes are neither version's signature.
    Signature,
    /// Version 1: the protocol is none of `TCP4`, `TCP6` and `UNKNOWN`, or no single space follows it.
    Protocol,
    /// Version 1: an address is none of the protocol's family, or is not written as its standard form.
    Address,
    /// Version 1: a port is no number from 0 to 65535 without leading zeros.
    Port,
    /// Version 1: CR without LF, or LF without CR.
    LineEnd,
    /// Version 1: no line end within [`super::V1_BYTES_MAX`].
    LineBytes,
    /// Version 2: the version's number is not 2.
    Version,
    /// Version 2: the command is neither LOCAL nor PROXY.
    Command,
    /// Version 2: the address family, or its pair with the transport, is not one of the specification's.
    Family,
    /// Version 2: the transport is not a stream, and this is one.
    Transport,
    /// Version 2: more than [`super::V2_BLOCK_BYTES_MAX`] bytes are announced.
    BlockBytes,
    /// Version 2: fewer bytes are announced than the family's addresses have.
    BlockShort,
    /// Version 2: the extensions (TLVs) do not end where the header does.
    Extensions,
    /// Version 2: the header has a CRC32c and it is not the header's, or it has two, or one of other than four bytes.
    Checksum,
}

impl Flaw {
    /// What was found and what was expected.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Signature => "the connection does not begin with a PROXY protocol header",
            Self::Protocol => "the protocol of the PROXY line is not TCP4, TCP6 or UNKNOWN between single spaces",
            Self::Address => "an address of the PROXY line is not one of the protocol that it names",
            Self::Port => "a port of the PROXY line is not a number from 0 to 65535 without leading zeros",
            Self::LineEnd => "the PROXY line has a CR or an LF alone; it ends in CRLF",
            Self::LineBytes => "the PROXY line is longer than 107 bytes",
            Self::Version => "the PROXY header has a binary version other than 2",
            Self::Command => "the command of the PROXY header is neither LOCAL nor PROXY",
            Self::Family => "the PROXY header has an address family or transport that the protocol does not know",
            Self::Transport => "the PROXY header is about datagrams, not about a stream",
            Self::BlockBytes => "the PROXY header announces more than 4096 bytes of addresses and extensions",
            Self::BlockShort => "the PROXY header is too short for its addresses",
            Self::Extensions => "the lengths of the PROXY header's extensions do not add up to its own",
            Self::Checksum => "the checksum of the PROXY header is wrong",
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Flaw {}
