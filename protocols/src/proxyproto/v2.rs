//! Version 2 of the PROXY protocol: a binary block (specification, section 2.2).

#[cfg(test)]
mod tests;

use super::{Flaw, Found, Header, crc32c, proxied, signature};
use std::net::{IpAddr, SocketAddr};

/// How the block begins.
pub(super) const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Bytes before the addresses: signature, version and command, family and transport, length of the rest.
pub(super) const FIXED_BYTES: usize = 16;

/// Most bytes of addresses and extensions that a header may announce. Haproxy's own are below 1 KiB; a client's
/// certificate among the extensions fits.
pub const V2_BLOCK_BYTES_MAX: usize = 4096;

/// Longest block, in bytes.
pub const V2_BYTES_MAX: usize = FIXED_BYTES + V2_BLOCK_BYTES_MAX;

/// Version 2 with the command LOCAL.
pub(super) const LOCAL: u8 = 0x20;
/// Version 2 with the command PROXY.
pub(super) const PROXY: u8 = 0x21;

/// No family, no transport.
pub(super) const UNSPECIFIED: u8 = 0x00;
/// No family, a stream.
const UNSPECIFIED_STREAM: u8 = 0x01;
/// A stream over IPv4.
pub(super) const TCP4: u8 = 0x11;
/// A stream over IPv6.
pub(super) const TCP6: u8 = 0x21;
/// A stream over a Unix socket.
const UNIX_STREAM: u8 = 0x31;
/// The same three with datagrams.
const DATAGRAMS: [u8; 3] = [0x12, 0x22, 0x32];

/// Bytes of two IPv4 addresses and two ports.
pub(super) const TCP4_BYTES: usize = 12;
/// Bytes of two IPv6 addresses and two ports.
pub(super) const TCP6_BYTES: usize = 36;
/// Bytes of two paths of Unix sockets.
const UNIX_BYTES: usize = 216;

/// Bytes of an extension before its value: type and length.
const EXTENSION_FIXED_BYTES: usize = 3;
/// The extension that is the header's checksum (section 2.2.3), and its value's length.
const CHECKSUM_TYPE: u8 = 0x03;
const CHECKSUM_BYTES: usize = 4;

/// Reads the block at the start of `bytes`.
pub(super) fn read(bytes: &[u8]) -> Found {
    if signature(bytes, &SIGNATURE)?.is_none() {
        return Ok(None);
    }
    let Some(&command) = bytes.get(SIGNATURE.len()) else { return Ok(None) };
    let local = match command {
        LOCAL => true,
        PROXY => false,
        _ if command >> 4 == 2 => return Err(Flaw::Command),
        _ => return Err(Flaw::Version),
    };
    let Some(&family) = bytes.get(SIGNATURE.len() + 1) else { return Ok(None) };
    let addresses = match family {
        UNSPECIFIED => Addresses::None,
        // With LOCAL the family is ignored and the block discarded, whatever they are.
        _ if local => Addresses::Skipped,
        _ => Addresses::of(family)?,
    };
    let Some(&[high, low]) = bytes.get(SIGNATURE.len() + 2..FIXED_BYTES) else { return Ok(None) };
    let block_len = usize::from(u16::from_be_bytes([high, low]));
    if block_len > V2_BLOCK_BYTES_MAX {
        return Err(Flaw::BlockBytes);
    }
    if block_len < addresses.len() {
        return Err(Flaw::BlockShort);
    }
    let Some(whole) = bytes.get(..FIXED_BYTES + block_len) else { return Ok(None) };
    if addresses != Addresses::Skipped {
        match extensions(whole, FIXED_BYTES + addresses.len()) {
            Ok(None) => {}
            Ok(Some(at)) => checksum(whole, at)?,
            // Without a family the block may begin with addresses of an unknown form, which are to be skipped.
            Err(Flaw::Extensions) if addresses == Addresses::None => {}
            Err(flaw) => return Err(flaw),
        }
    }
    let header = if local { Header::Local } else { addresses.header(whole) };
    Ok(Some((header, whole.len())))
}

/// Which addresses the block begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Addresses {
    None,
    Skipped,
    Tcp4,
    Tcp6,
    Unix,
}

impl Addresses {
    /// Those of a family and transport.
    fn of(family: u8) -> Result<Self, Flaw> {
        match family {
            UNSPECIFIED | UNSPECIFIED_STREAM => Ok(Self::None),
            TCP4 => Ok(Self::Tcp4),
            TCP6 => Ok(Self::Tcp6),
            UNIX_STREAM => Ok(Self::Unix),
            _ if DATAGRAMS.contains(&family) => Err(Flaw::Transport),
            _ => Err(Flaw::Family),
        }
    }

    const fn len(self) -> usize {
        match self {
            Self::None | Self::Skipped => 0,
            Self::Tcp4 => TCP4_BYTES,
            Self::Tcp6 => TCP6_BYTES,
            Self::Unix => UNIX_BYTES,
        }
    }

    /// What they say. `whole` is at least as long as they are.
    fn header(self, whole: &[u8]) -> Header {
        let block = whole.get(FIXED_BYTES..).unwrap_or_default();
        match self {
            Self::None | Self::Skipped | Self::Unix => Header::Unknown,
            Self::Tcp4 => pair::<4, TCP4_BYTES>(block),
            Self::Tcp6 => pair::<16, TCP6_BYTES>(block),
        }
    }
}

/// Two addresses of `N` bytes and two ports.
fn pair<const N: usize, const LEN: usize>(block: &[u8]) -> Header
where
    IpAddr: From<[u8; N]>,
{
    let address = |at: usize| block.get(at..).and_then(|rest| rest.first_chunk::<N>()).map(|&ip| IpAddr::from(ip));
    let port =
        |at: usize| block.get(at..).and_then(|rest| rest.first_chunk::<2>()).map(|&port| u16::from_be_bytes(port));
    match (address(0), address(N), port(LEN - 4), port(LEN - 2)) {
        (Some(source), Some(destination), Some(source_port), Some(destination_port)) => {
            proxied(SocketAddr::new(source, source_port), SocketAddr::new(destination, destination_port))
        }
        _ => Header::Unknown,
    }
}

/// Walks the extensions from `at` to the end of the header. Returns where the checksum's value is, if there is one.
fn extensions(whole: &[u8], mut at: usize) -> Result<Option<usize>, Flaw> {
    let mut found = Ok(None);
    while at < whole.len() {
        let fixed = whole.get(at..).and_then(|rest| rest.first_chunk::<EXTENSION_FIXED_BYTES>());
        let &[kind, high, low] = fixed.ok_or(Flaw::Extensions)?;
        let len = usize::from(u16::from_be_bytes([high, low]));
        let value = at + EXTENSION_FIXED_BYTES;
        if kind == CHECKSUM_TYPE {
            let single = found == Ok(None) && len == CHECKSUM_BYTES;
            found = if single { Ok(Some(value)) } else { Err(Flaw::Checksum) };
        }
        at = value + len;
    }
    if at > whole.len() { Err(Flaw::Extensions) } else { found }
}

/// Compares the checksum at `at` with that of the header, in which its own bytes count as zero (section 2.2.3).
fn checksum(whole: &[u8], at: usize) -> Result<(), Flaw> {
    let (before, rest) = whole.split_at_checked(at).ok_or(Flaw::Checksum)?;
    let (stated, after) = rest.split_first_chunk::<CHECKSUM_BYTES>().ok_or(Flaw::Checksum)?;
    let actual = crc32c::of(&[before, &[0; CHECKSUM_BYTES], after]);
    if actual == u32::from_be_bytes(*stated) { Ok(()) } else { Err(Flaw::Checksum) }
}
