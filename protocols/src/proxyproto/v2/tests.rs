use super::*;
use crate::proxyproto::{Read, read};

/// A block of these parts; the length is right.
fn block(command: u8, family: u8, rest: &[&[u8]]) -> Vec<u8> {
    let rest = rest.concat();
    let mut block = SIGNATURE.to_vec();
    block.extend_from_slice(&[command, family]);
    block.extend_from_slice(&u16::try_from(rest.len()).unwrap().to_be_bytes());
    block.extend_from_slice(&rest);
    block
}

fn extension(kind: u8, value: &[u8]) -> Vec<u8> {
    let mut extension = vec![kind];
    extension.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
    extension.extend_from_slice(value);
    extension
}

/// Puts the checksum over the whole block into its last four bytes.
fn sign(block: &mut [u8]) {
    let at = block.len() - CHECKSUM_BYTES;
    block[at..].fill(0);
    let checksum = crc32c::of(&[block]);
    block[at..].copy_from_slice(&checksum.to_be_bytes());
}

const FOUR: &[u8] = &[10, 0, 0, 1, 10, 0, 0, 2, 0x12, 0x34, 0x01, 0xbb];

fn four() -> Header {
    Header::Proxied { source: "10.0.0.1:4660".parse().unwrap(), destination: "10.0.0.2:443".parse().unwrap() }
}

/// The header, which is told at its last byte and not before.
fn whole(block: &[u8]) -> Read {
    for cut in 0..block.len() {
        assert_eq!(read(&block[..cut]), Read::NeedMore, "{cut}");
    }
    let found = read(block);
    assert_eq!(read(&[block, b"GET /"].concat()), found);
    found
}

/// The flaw, which is told once `decided` bytes are there.
fn flaw(block: &[u8], decided: usize) -> Flaw {
    for cut in 0..decided {
        assert_eq!(read(&block[..cut]), Read::NeedMore, "{cut}");
    }
    let Read::Invalid(flaw) = read(block) else { panic!("{block:?} is accepted") };
    for cut in decided..block.len() {
        assert_eq!(read(&block[..cut]), Read::Invalid(flaw), "{cut}");
    }
    flaw
}

fn is(block: &[u8], header: Header) {
    assert_eq!(whole(block), Read::Header { header, len: block.len() }, "{block:?}");
}

#[test]
fn addresses() {
    is(&block(PROXY, TCP4, &[FOUR]), four());
    let mut six = [0; TCP6_BYTES];
    six[0] = 0x20;
    six[15] = 1;
    six[31] = 1;
    six[32..].copy_from_slice(&[0, 1, 0xff, 0xff]);
    let source = "[2000::1]:1".parse().unwrap();
    is(&block(PROXY, TCP6, &[&six]), Header::Proxied { source, destination: "[::1]:65535".parse().unwrap() });
    // IPv4 in IPv6 form is IPv4.
    six[..12].fill(0);
    six[10..16].copy_from_slice(&[0xff, 0xff, 10, 0, 0, 1]);
    let source = "10.0.0.1:1".parse().unwrap();
    is(&block(PROXY, TCP6, &[&six]), Header::Proxied { source, destination: "[::1]:65535".parse().unwrap() });
}

#[test]
fn a_connection_without_addresses() {
    is(&block(LOCAL, UNSPECIFIED, &[]), Header::Local);
    // The family of LOCAL is ignored, whatever it is, and its block is skipped.
    for family in [TCP4, TCP6, UNIX_STREAM, 0x12, 0x99, 0xff] {
        is(&block(LOCAL, family, &[]), Header::Local);
        is(&block(LOCAL, family, &[FOUR]), Header::Local);
    }
    // Not even what would be a wrong checksum counts: these are the address 3.0.4.1, another, and ports.
    is(&block(LOCAL, TCP4, &[&[3, 0, 4, 1, 10, 0, 0, 2, 0, 2, 0, 5]]), Header::Local);
    is(&block(PROXY, UNSPECIFIED, &[]), Header::Unknown);
    is(&block(PROXY, UNSPECIFIED_STREAM, &[]), Header::Unknown);
    // Addresses of a form that is not known, and extensions where the addresses are absent.
    is(&block(PROXY, UNSPECIFIED, &[FOUR]), Header::Unknown);
    is(&block(PROXY, UNSPECIFIED, &[&extension(4, b"")]), Header::Unknown);
    is(&block(PROXY, UNIX_STREAM, &[&[b'/'; UNIX_BYTES]]), Header::Unknown);
}

#[test]
fn extensions_are_read_over() {
    is(&block(PROXY, TCP4, &[FOUR, &extension(0x04, b"")]), four());
    is(&block(PROXY, TCP4, &[FOUR, &extension(0x02, b"example.com"), &extension(0xea, &[1, 2, 3])]), four());
    is(&block(PROXY, UNIX_STREAM, &[&[0; UNIX_BYTES], &extension(0x30, b"net")]), Header::Unknown);
}

#[test]
fn the_checksum() {
    for (command, family, rest, header) in [
        (PROXY, TCP4, FOUR, four()),
        (PROXY, UNIX_STREAM, &[7; UNIX_BYTES], Header::Unknown),
        (PROXY, UNSPECIFIED, b"", Header::Unknown),
        (LOCAL, UNSPECIFIED, b"", Header::Local),
    ] {
        let before = extension(0x02, b"example.com");
        let mut good = block(command, family, &[rest, &before, &extension(CHECKSUM_TYPE, &[0; 4])]);
        sign(&mut good);
        is(&good, header);
        // Any change shows: in what the header says, in another extension, in the checksum.
        for at in [FIXED_BYTES + rest.len() + 4, good.len() - 1, good.len() - 4] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(flaw(&bad, bad.len()), Flaw::Checksum);
        }
    }
    let mut changed = block(PROXY, TCP4, &[FOUR, &extension(CHECKSUM_TYPE, &[0; 4])]);
    sign(&mut changed);
    changed[FIXED_BYTES] ^= 1;
    assert_eq!(flaw(&changed, changed.len()), Flaw::Checksum);
}

#[test]
fn a_checksum_that_can_be_read_in_two_ways() {
    let twice = [extension(CHECKSUM_TYPE, &[0; 4]), extension(CHECKSUM_TYPE, &[0; 4])].concat();
    for extensions in [&twice, &extension(CHECKSUM_TYPE, &[0; 5]), &extension(CHECKSUM_TYPE, &[])] {
        for (family, rest) in [(TCP4, FOUR), (UNSPECIFIED, &b""[..])] {
            let bad = block(PROXY, family, &[rest, extensions]);
            assert_eq!(flaw(&bad, bad.len()), Flaw::Checksum);
        }
    }
    // Even where the last of two is right.
    let mut bad = block(PROXY, TCP4, &[FOUR, &twice]);
    sign(&mut bad);
    assert_eq!(flaw(&bad, bad.len()), Flaw::Checksum);
}

#[test]
fn what_is_wrong_is_told_as_soon_as_it_is_known() {
    for at in 1..SIGNATURE.len() {
        let mut bad = block(PROXY, TCP4, &[FOUR]);
        bad[at] ^= 0x20;
        assert_eq!(flaw(&bad, at + 1), Flaw::Signature);
    }
    assert_eq!(flaw(b"\x16\x03\x01", 1), Flaw::Signature);
    assert_eq!(flaw(b"\n", 1), Flaw::Signature);
    for (command, expected) in
        [(0x22, Flaw::Command), (0x2f, Flaw::Command), (0x11, Flaw::Version), (0x31, Flaw::Version), (0, Flaw::Version)]
    {
        assert_eq!(flaw(&block(command, TCP4, &[FOUR]), 13), expected);
    }
    for family in [0x02, 0x10, 0x13, 0x20, 0x30, 0x33, 0x41, 0xff] {
        assert_eq!(flaw(&block(PROXY, family, &[FOUR]), 14), Flaw::Family, "{family:x}");
    }
    for family in DATAGRAMS {
        assert_eq!(flaw(&block(PROXY, family, &[&[0; UNIX_BYTES]]), 14), Flaw::Transport);
    }
    for (family, len) in [(TCP4, TCP4_BYTES), (TCP6, TCP6_BYTES), (UNIX_STREAM, UNIX_BYTES)] {
        let short = vec![0; len - 1];
        assert_eq!(flaw(&block(PROXY, family, &[&short]), 16), Flaw::BlockShort);
        assert_eq!(flaw(&block(PROXY, family, &[]), 16), Flaw::BlockShort);
    }
}

#[test]
fn extensions_that_do_not_add_up() {
    for rest in [&[4][..], &[4, 0], &[4, 0, 1], &[4, 0, 2, 0], &[4, 0, 0, 4], &[4, 0xff, 0xff, 0]] {
        let bad = block(PROXY, TCP4, &[FOUR, rest]);
        assert_eq!(flaw(&bad, bad.len()), Flaw::Extensions);
    }
    // A checksum before the fault does not hide it.
    let bad = block(PROXY, TCP4, &[FOUR, &extension(CHECKSUM_TYPE, &[0; 4]), &[4]]);
    assert_eq!(flaw(&bad, bad.len()), Flaw::Extensions);
}

#[test]
fn a_block_at_the_limit_and_one_past_it() {
    let padding = |len: usize| extension(4, &vec![0; len - TCP4_BYTES - EXTENSION_FIXED_BYTES]);
    let most = block(PROXY, TCP4, &[FOUR, &padding(V2_BLOCK_BYTES_MAX)]);
    assert_eq!(most.len(), V2_BYTES_MAX);
    is(&most, four());
    let more = block(PROXY, TCP4, &[FOUR, &padding(V2_BLOCK_BYTES_MAX + 1)]);
    assert_eq!(flaw(&more, FIXED_BYTES), Flaw::BlockBytes);
    assert_eq!(flaw(&block(LOCAL, UNSPECIFIED, &[&vec![0; V2_BLOCK_BYTES_MAX + 1]]), FIXED_BYTES), Flaw::BlockBytes);
}
