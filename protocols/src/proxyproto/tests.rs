use super::*;
use ppp::{HeaderResult, v1 as ppp1, v2 as ppp2};
use proptest::prelude::*;
use std::net::IpAddr;

/// What `ppp`, an independent reader, makes of the same bytes.
fn peer(bytes: &[u8]) -> Option<Header> {
    Some(match HeaderResult::parse(bytes) {
        HeaderResult::V1(result) => match result.ok()?.addresses {
            ppp1::Addresses::Unknown => Header::Unknown,
            ppp1::Addresses::Tcp4(ip) => {
                from_peer(ip.source_address, ip.source_port, ip.destination_address, ip.destination_port)
            }
            ppp1::Addresses::Tcp6(ip) => {
                from_peer(ip.source_address, ip.source_port, ip.destination_address, ip.destination_port)
            }
        },
        HeaderResult::V2(result) => {
            let header = result.ok()?;
            match (header.command, header.addresses) {
                (ppp2::Command::Local, _) => Header::Local,
                (_, ppp2::Addresses::IPv4(ip)) => {
                    from_peer(ip.source_address, ip.source_port, ip.destination_address, ip.destination_port)
                }
                (_, ppp2::Addresses::IPv6(ip)) => {
                    from_peer(ip.source_address, ip.source_port, ip.destination_address, ip.destination_port)
                }
                _ => Header::Unknown,
            }
        }
    })
}

fn from_peer(source: impl Into<IpAddr>, source_port: u16, destination: impl Into<IpAddr>, port: u16) -> Header {
    proxied(SocketAddr::new(source.into(), source_port), SocketAddr::new(destination.into(), port))
}

fn address() -> impl Strategy<Value = SocketAddr> {
    let mapped = any::<std::net::Ipv4Addr>().prop_map(|ip| IpAddr::V6(ip.to_ipv6_mapped()));
    (prop_oneof![2 => any::<IpAddr>(), 1 => mapped], any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

fn header() -> impl Strategy<Value = Header> {
    let proxied = (address(), address()).prop_map(|(source, destination)| Header::Proxied { source, destination });
    prop_oneof![1 => Just(Header::Local), 1 => Just(Header::Unknown), 8 => proxied]
}

/// The header as it is read back: with IPv4 addresses as such.
fn read_back(header: Header) -> Header {
    match header {
        Header::Proxied { source, destination } => proxied(source, destination),
        other => other,
    }
}

/// Bytes that are nearly a header.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let extensions = proptest::collection::vec(any::<u8>(), 0..40);
    (header(), any::<bool>(), extensions, any::<prop::sample::Index>(), any::<u8>(), any::<bool>()).prop_map(
        |(header, v1, extensions, at, byte, damage)| {
            let mut bytes = Vec::new();
            if v1 {
                write_v1(&mut bytes, header);
            } else {
                write_v2(&mut bytes, header);
                let len = bytes.len() - v2::FIXED_BYTES + extensions.len();
                bytes[15] = len as u8;
                bytes.extend_from_slice(&extensions);
            }
            if damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        },
    )
}

/// Every prefix gives the same as the whole or asks for more, and then only up to where it is decided.
fn prefixes(bytes: &[u8]) {
    let whole = read(bytes);
    let mut decided = false;
    for len in 0..=bytes.len() {
        let found = read(&bytes[..len]);
        decided |= found != Read::NeedMore;
        assert_eq!(found, if decided { whole } else { Read::NeedMore }, "{bytes:?}: {len}");
    }
    if let Read::Header { len, .. } = whole {
        assert_eq!(read(&bytes[..len - 1]), Read::NeedMore);
        assert!(len <= HEADER_BYTES_MAX);
    }
}

#[test]
fn nothing_is_no_header_yet() {
    assert_eq!(read(b""), Read::NeedMore);
}

#[test]
fn a_full_buffer_is_always_an_answer() {
    let mut line = b"PROXY UNKNOWN ".to_vec();
    line.resize(HEADER_BYTES_MAX, b'a');
    assert_eq!(read(&line), Read::Invalid(Flaw::LineBytes));
    let mut block = v2::SIGNATURE.to_vec();
    block.extend_from_slice(&[v2::PROXY, v2::UNSPECIFIED, 0x10, 0]);
    block.resize(HEADER_BYTES_MAX, 0);
    assert!(matches!(read(&block), Read::Header { .. }));
}

#[test]
fn a_flaw_is_told_in_words() {
    assert_eq!(Flaw::Signature.to_string(), "the connection does not begin with a PROXY protocol header");
}

/// Why `ppp` is the peer here and not the reader (docs/decisions/0008-proxy-protocol.md): should one of these change
/// with a later version, the decision may be looked at again.
#[test]
fn what_the_peer_lets_pass() {
    let plus = b"PROXY TCP4 1.2.3.4 5.6.7.8 +80 443\r\n";
    assert!(peer(plus).is_some());
    assert_eq!(read(plus), Read::Invalid(Flaw::Port));
    let bare_lf = b"PROXY UNKNOWN a\nb\r\n";
    assert!(peer(bare_lf).is_some());
    assert_eq!(read(bare_lf), Read::Invalid(Flaw::LineEnd));
    // A valid line that arrives in two parts is refused for good after the first.
    let split = b"PROXY TCP4 1.2.3.4 5.6.7.8 80 ";
    assert!(ppp::PartialResult::is_complete(&HeaderResult::parse(split)));
    assert_eq!(read(split), Read::NeedMore);
    // A checksum that is wrong, and extensions that do not add up.
    for extensions in [&[3, 0, 4, 0, 0, 0, 0][..], &[4, 0]] {
        let mut block = Vec::new();
        write_v2(&mut block, proxied(([10, 0, 0, 1], 1).into(), ([10, 0, 0, 2], 2).into()));
        block[15] += extensions.len() as u8;
        block.extend_from_slice(extensions);
        assert!(peer(&block).is_some());
        assert!(matches!(read(&block), Read::Invalid(Flaw::Checksum | Flaw::Extensions)));
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(header in header(), follows in proptest::collection::vec(any::<u8>(), 0..20)) {
        let expected = read_back(header);
        for (write, local) in [(write_v1 as fn(&mut Vec<u8>, Header), Header::Unknown), (write_v2, Header::Local)] {
            let expected = if expected == Header::Local { local } else { expected };
            let mut bytes = Vec::new();
            write(&mut bytes, header);
            let len = bytes.len();
            prop_assert_eq!(peer(&bytes), Some(expected));
            bytes.extend_from_slice(&follows);
            prop_assert_eq!(read(&bytes), Read::Header { header: expected, len });
            prefixes(&bytes);
        }
    }

    #[test]
    fn what_is_accepted_the_peer_reads_alike(bytes in damaged()) {
        prefixes(&bytes);
        if let Read::Header { header, len } = read(&bytes) {
            // LOCAL with a family and without its addresses is the one thing that only the specification allows.
            let local_without = header == Header::Local && peer(&bytes[..len]).is_none();
            prop_assert!(local_without || peer(&bytes[..len]) == Some(header), "{:?}", bytes);
        }
    }

    #[test]
    fn anything(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prefixes(&bytes);
    }
}
