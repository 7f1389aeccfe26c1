//! Making headers, for services that want them.

#[cfg(test)]
mod tests;

use super::{Header, v2};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Appends the header as a line of version 1, at most [`super::V1_BYTES_MAX`] bytes.
///
/// [`Header::Local`] and [`Header::Unknown`] are both `UNKNOWN`, for which the version has one word only. IPv4
/// addresses in IPv6 form are written as IPv4 where both are; an IPv4 address beside an IPv6 one takes IPv6 form.
pub fn write_v1(out: &mut Vec<u8>, header: Header) {
    let Header::Proxied { source, destination } = header else {
        out.extend_from_slice(b"PROXY UNKNOWN\r\n");
        return;
    };
    // Writing into a Vec can't fail.
    let _ = match Pair::of(source.ip(), destination.ip()) {
        Pair::V4(from, to) => write!(out, "PROXY TCP4 {from} {to} "),
        Pair::V6(from, to) => write!(out, "PROXY TCP6 {from} {to} "),
    };
    let _ = write!(out, "{} {}\r\n", source.port(), destination.port());
}

/// Appends the header as a block of version 2, without extensions: 52 bytes at most.
///
/// [`Header::Local`] is the command LOCAL, [`Header::Unknown`] is PROXY without a family. Addresses as in
/// [`write_v1`].
pub fn write_v2(out: &mut Vec<u8>, header: Header) {
    out.extend_from_slice(&v2::SIGNATURE);
    let (source, destination) = match header {
        Header::Local => return out.extend_from_slice(&[v2::LOCAL, v2::UNSPECIFIED, 0, 0]),
        Header::Unknown => return out.extend_from_slice(&[v2::PROXY, v2::UNSPECIFIED, 0, 0]),
        Header::Proxied { source, destination } => (source, destination),
    };
    match Pair::of(source.ip(), destination.ip()) {
        Pair::V4(from, to) => {
            out.extend_from_slice(&[v2::PROXY, v2::TCP4, 0, v2::TCP4_BYTES as u8]);
            out.extend_from_slice(&from.octets());
            out.extend_from_slice(&to.octets());
        }
        Pair::V6(from, to) => {
            out.extend_from_slice(&[v2::PROXY, v2::TCP6, 0, v2::TCP6_BYTES as u8]);
            out.extend_from_slice(&from.octets());
            out.extend_from_slice(&to.octets());
        }
    }
    out.extend_from_slice(&source.port().to_be_bytes());
    out.extend_from_slice(&destination.port().to_be_bytes());
}

/// Two addresses of one family, as a header must have them.
enum Pair {
    V4(Ipv4Addr, Ipv4Addr),
    V6(Ipv6Addr, Ipv6Addr),
}

impl Pair {
    fn of(source: IpAddr, destination: IpAddr) -> Self {
        match (source.to_canonical(), destination.to_canonical()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Self::V4(source, destination),
            (source, destination) => Self::V6(in_ipv6(source), in_ipv6(destination)),
        }
    }
}

fn in_ipv6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}
