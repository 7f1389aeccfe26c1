//! Version 1 of the PROXY protocol: one line of text (specification, section 2.1).
//!
//! Read from left to right, each field when its end is there, so that what is wrong is known at the first field that is.

#[cfg(test)]
mod tests;

use super::{Flaw, Found, Header, proxied, signature};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// Longest line, in bytes, with its CRLF (specification, section 2.1).
pub const V1_BYTES_MAX: usize = 107;

/// How the line begins.
pub(super) const SIGNATURE: &[u8] = b"PROXY ";

/// Longest protocol, in bytes: `UNKNOWN`.
const PROTOCOL_BYTES_MAX: usize = 7;

/// Longest IPv4 address, in bytes.
const IPV4_BYTES_MAX: usize = 15;

/// Longest IPv6 address, in bytes, by the specification's own sum.
const IPV6_BYTES_MAX: usize = 39;

/// Longest port, in bytes.
const PORT_BYTES_MAX: usize = 5;

/// Reads the line at the start of `bytes`.
pub(super) fn read(bytes: &[u8]) -> Found {
    if signature(bytes, SIGNATURE)?.is_none() {
        return Ok(None);
    }
    let mut line = Line { bytes, at: SIGNATURE.len() };
    let protocol = match line.protocol()? {
        None => return Ok(None),
        Some(protocol) => protocol,
    };
    let header = match protocol {
        Protocol::Unknown => line.skip()?.map(|()| Header::Unknown),
        Protocol::Tcp4 => line.addresses::<Ipv4Addr>(IPV4_BYTES_MAX)?,
        Protocol::Tcp6 => line.addresses::<Ipv6Addr>(IPV6_BYTES_MAX)?,
    };
    Ok(header.map(|header| (header, line.at)))
}

/// What the line is about.
enum Protocol {
    Tcp4,
    Tcp6,
    Unknown,
}

/// The line, and how far it has been read.
struct Line<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Line<'a> {
    fn protocol(&mut self) -> Result<Option<Protocol>, Flaw> {
        let rest = self.rest();
        // Told from what is there already: nothing but these may stand here.
        let known = [(&b"TCP4 "[..], Protocol::Tcp4), (b"TCP6 ", Protocol::Tcp6)];
        for (text, protocol) in known {
            if rest.starts_with(text) {
                self.at += text.len();
                return Ok(Some(protocol));
            }
            if text.starts_with(rest) {
                return Ok(None);
            }
        }
        let len = rest.len().min(PROTOCOL_BYTES_MAX);
        match rest.get(PROTOCOL_BYTES_MAX) {
            _ if rest.get(..len) != b"UNKNOWN".get(..len) => Err(Flaw::Protocol),
            None => Ok(None),
            Some(b' ' | b'\r') => {
                self.at += PROTOCOL_BYTES_MAX;
                Ok(Some(Protocol::Unknown))
            }
            Some(_) => Err(Flaw::Protocol),
        }
    }

    fn addresses<T: FromStr + Into<IpAddr>>(&mut self, len_max: usize) -> Result<Option<Header>, Flaw> {
        let Some(source) = self.address::<T>(len_max)? else { return Ok(None) };
        let Some(destination) = self.address::<T>(len_max)? else { return Ok(None) };
        let Some(source_port) = self.port(b' ')? else { return Ok(None) };
        let Some(destination_port) = self.port(b'\r')? else { return Ok(None) };
        let Some(()) = self.line_feed()? else { return Ok(None) };
        let source = SocketAddr::new(source, source_port);
        Ok(Some(proxied(source, SocketAddr::new(destination, destination_port))))
    }

    fn address<T: FromStr + Into<IpAddr>>(&mut self, len_max: usize) -> Result<Option<IpAddr>, Flaw> {
        let is_part = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
        let Some(text) = self.field(b' ', len_max, is_part, Flaw::Address)? else { return Ok(None) };
        // The standard parsers take no leading zeros in IPv4 and no zones in IPv6.
        match text.parse::<T>() {
            Ok(address) => Ok(Some(address.into())),
            Err(_) => Err(Flaw::Address),
        }
    }

    fn port(&mut self, end: u8) -> Result<Option<u16>, Flaw> {
        let Some(text) = self.field(end, PORT_BYTES_MAX, |byte| byte.is_ascii_digit(), Flaw::Port)? else {
            return Ok(None);
        };
        if text.len() > 1 && text.starts_with('0') {
            return Err(Flaw::Port);
        }
        text.parse().map(Some).map_err(|_| Flaw::Port)
    }

    /// The text before `end`, which is read over as well. `flaw` is what a byte gives that may not stand there.
    fn field(
        &mut self,
        end: u8,
        len_max: usize,
        is_part: impl Fn(u8) -> bool,
        flaw: Flaw,
    ) -> Result<Option<&'a str>, Flaw> {
        let rest = self.rest();
        let len = rest.iter().take(len_max).take_while(|&&byte| is_part(byte)).count();
        match rest.get(len) {
            None => Ok(None),
            Some(&byte) if byte == end => {
                self.at += len + 1;
                std::str::from_utf8(rest.get(..len).unwrap_or_default()).map(Some).map_err(|_| flaw)
            }
            Some(_) => Err(flaw),
        }
    }

    /// Reads over the rest of an `UNKNOWN` line, whatever it holds (section 2.1).
    fn skip(&mut self) -> Result<Option<()>, Flaw> {
        let line = self.bytes.get(..V1_BYTES_MAX.min(self.bytes.len())).unwrap_or_default();
        let rest = line.get(self.at..).unwrap_or_default();
        let Some(end) = memchr::memchr2(b'\r', b'\n', rest) else {
            return if line.len() < V1_BYTES_MAX { Ok(None) } else { Err(Flaw::LineBytes) };
        };
        if rest.get(end) == Some(&b'\n') {
            return Err(Flaw::LineEnd);
        }
        self.at += end + 1;
        if self.at == V1_BYTES_MAX {
            return Err(Flaw::LineBytes);
        }
        self.line_feed()
    }

    fn line_feed(&mut self) -> Result<Option<()>, Flaw> {
        match self.rest().first() {
            None => Ok(None),
            Some(b'\n') => {
                self.at += 1;
                Ok(Some(()))
            }
            Some(_) => Err(Flaw::LineEnd),
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}
