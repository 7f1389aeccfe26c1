//! The PROXY protocol, versions 1 and 2: what a proxy says about its client before the client's first byte.
//!
//! [`read`] takes the header off the start of a connection, [`write_v1`] and [`write_v2`] make one. Which senders are
//! believed is the caller's to decide, before it reads: the header is never looked for where none is expected (section
//! 5 of the specification, <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>).

mod crc32c;
mod flaw;
mod v1;
mod v2;
mod write;

#[cfg(test)]
mod tests;

pub use flaw::Flaw;
pub use v1::V1_BYTES_MAX;
pub use v2::{V2_BLOCK_BYTES_MAX, V2_BYTES_MAX};
pub use write::{write_v1, write_v2};

use std::net::SocketAddr;

/// Longest header of either version, in bytes: a buffer of this size always gives an answer other than
/// [`Read::NeedMore`].
pub const HEADER_BYTES_MAX: usize = V2_BYTES_MAX;

/// What a header says about the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Header {
    /// The proxy speaks for itself, as in a health check (version 2 only). The connection's own addresses count.
    Local,
    /// The proxy passes on a connection.
    Proxied {
        /// The client's address, as the proxy saw it.
        source: SocketAddr,
        /// The address that the client connected to.
        destination: SocketAddr,
    },
    /// The proxy passes on a connection and does not say whose: version 1's `UNKNOWN`, or a family other than IPv4 and
    /// IPv6 in version 2. The connection's own addresses count.
    Unknown,
}

/// What [`read`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Read {
    /// The bytes are the beginning of a header: call again when there are more.
    NeedMore,
    /// A header.
    Header {
        /// What it says.
        header: Header,
        /// Its length in bytes, at most [`HEADER_BYTES_MAX`]; what follows is the client's.
        len: usize,
    },
    /// No header of either version. The connection must be closed.
    Invalid(Flaw),
}

/// Reads the header at the start of `bytes`, of either version.
///
/// Keeps nothing between calls: with more bytes behind them the same bytes give the same, unless the answer was
/// [`Read::NeedMore`]; a flaw is told at the first byte, field or length that shows it. Allocates nothing. An IPv6
/// address that stands for an IPv4 one (`::ffff:a.b.c.d`) is given as the IPv4 address, so that one client has one.
pub fn read(bytes: &[u8]) -> Read {
    let read = match bytes.first() {
        None => Ok(None),
        Some(&first) if first == v1::SIGNATURE[0] => v1::read(bytes),
        Some(_) => v2::read(bytes),
    };
    match read {
        Ok(None) => Read::NeedMore,
        Ok(Some((header, len))) => Read::Header { header, len },
        Err(flaw) => Read::Invalid(flaw),
    }
}

/// What both versions' readers give: nothing while bytes are missing, or a header and its length.
type Found = Result<Option<(Header, usize)>, Flaw>;

/// Both addresses with IPv4 written as IPv4.
fn proxied(source: SocketAddr, destination: SocketAddr) -> Header {
    Header::Proxied { source: canonical(source), destination: canonical(destination) }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Whether `bytes` are `signature`, or so far its beginning; what follows it is not looked at.
fn signature(bytes: &[u8], signature: &[u8]) -> Result<Option<()>, Flaw> {
    let len = bytes.len().min(signature.len());
    if bytes.get(..len) != signature.get(..len) {
        return Err(Flaw::Signature);
    }
    Ok((len == signature.len()).then_some(()))
}
