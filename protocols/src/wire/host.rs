//! Host and port as `Host`, `:authority` and absolute targets carry them.

#[cfg(test)]
mod tests;

use super::Span;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Longest host, in bytes: that of a DNS name (RFC 1035 section 2.3.4).
pub const HOST_BYTES_MAX: usize = 255;

/// A host, and a port where one is given (RFC 9110 section 7.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostPort {
    /// Host and port as written.
    pub text: Span,
    /// The host as written, without the port; an IPv6 address with its brackets.
    pub host: Span,
    /// The port, where one is given.
    pub port: Option<u16>,
}

/// Why a host was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostError {
    /// No host, or nothing before the port.
    Empty,
    /// Longer than [`HOST_BYTES_MAX`].
    TooLong,
    /// `user@` before the host (RFC 9110 section 4.2.4).
    Userinfo,
    /// A byte that no host has.
    Byte,
    /// A label of a name is empty, as in `a..b` or `.a`.
    EmptyLabel,
    /// The last label is a number, and the whole is no IPv4 address.
    Ipv4,
    /// What stands in brackets is no IPv6 address.
    Ipv6,
    /// The port is empty, no number, or above 65535.
    Port,
    /// The port is absent where it must be given (CONNECT).
    NoPort,
}

impl HostError {
    /// What was found and what was expected, fit for the client.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Empty => "the host is empty",
            Self::TooLong => "the host is longer than 255 bytes",
            Self::Userinfo => "the host has userinfo ('user@') before it, which HTTP does not allow",
            Self::Byte => "the host has a character that no host name or address has",
            Self::EmptyLabel => "the host name has an empty label (two dots in a row, or a leading dot)",
            Self::Ipv4 => "the host ends in a number, but is no IPv4 address",
            Self::Ipv6 => "the host is in brackets, but is no IPv6 address",
            Self::Port => "the port after the host is not a number from 0 to 65535",
            Self::NoPort => "the port after the host is missing",
        }
    }
}

/// Reads `host[:port]` (RFC 9110 section 7.2, RFC 3986 section 3.2.2).
///
/// Stricter than the grammar where a host could be read in two ways: no percent-encoding, no comma, no empty label,
/// no empty port, no IPvFuture, and a name whose last label is a number must be an IPv4 address. A trailing dot is
/// allowed. Allocates nothing.
pub fn parse(bytes: &[u8], at: Span) -> Result<HostPort, HostError> {
    let text = at.of(bytes);
    let host_len = match text.first() {
        None | Some(b':') => return Err(HostError::Empty),
        Some(b'[') => ipv6_len(text)?,
        Some(_) => name_len(text)?,
    };
    if host_len > HOST_BYTES_MAX {
        return Err(HostError::TooLong);
    }
    let port = match text.get(host_len..).unwrap_or_default() {
        [] => None,
        [b':', digits @ ..] => Some(port(digits)?),
        _ => return Err(HostError::Byte),
    };
    let start = at.start as usize;
    Ok(HostPort { text: at, host: Span::new(start, start + host_len), port })
}

/// Length of the bracketed address at the start of `text`, with both brackets.
fn ipv6_len(text: &[u8]) -> Result<usize, HostError> {
    let close = memchr::memchr(b']', text).ok_or(HostError::Ipv6)?;
    let address = text.get(1..close).unwrap_or_default();
    let address = std::str::from_utf8(address).map_err(|_| HostError::Ipv6)?;
    // The standard parser takes no zone, which is right: a zone means nothing to another host (RFC 6874 section 4).
    address.parse::<Ipv6Addr>().map_err(|_| HostError::Ipv6)?;
    Ok(close + 1)
}

/// Length of the name or IPv4 address at the start of `text`.
fn name_len(text: &[u8]) -> Result<usize, HostError> {
    let mut label_start = 0;
    let mut label_is_number = true;
    let mut len = text.len();
    for (index, &byte) in text.iter().enumerate() {
        match byte {
            b':' => {
                len = index;
                break;
            }
            b'.' if index == label_start => return Err(HostError::EmptyLabel),
            b'.' => {
                label_start = index + 1;
                // A trailing dot closes the last label instead of beginning another.
                if !matches!(text.get(index + 1), None | Some(b':')) {
                    label_is_number = true;
                }
            }
            b'0'..=b'9' => {}
            b'@' => return Err(HostError::Userinfo),
            _ if is_name_byte(byte) => label_is_number = false,
            _ => return Err(HostError::Byte),
        }
    }
    let name = text.get(..len).unwrap_or_default();
    if label_is_number && !is_ipv4(name) {
        return Err(HostError::Ipv4);
    }
    // What looks like a port may be the password of userinfo.
    if memchr::memchr(b'@', text).is_some() {
        return Err(HostError::Userinfo);
    }
    Ok(len)
}

/// `unreserved` and `sub-delims` of RFC 3986 without the comma: with it, a list of hosts could pass for one.
const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b';' | b'=')
}

fn is_ipv4(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    std::str::from_utf8(name).is_ok_and(|name| name.parse::<Ipv4Addr>().is_ok())
}

fn port(digits: &[u8]) -> Result<u16, HostError> {
    if digits.is_empty() || digits.len() > 5 {
        return Err(HostError::Port);
    }
    let mut port: u32 = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return Err(HostError::Port);
        }
        port = port * 10 + u32::from(digit - b'0');
    }
    u16::try_from(port).map_err(|_| HostError::Port)
}
