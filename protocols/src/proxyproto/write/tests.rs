use super::*;
use crate::proxyproto::V1_BYTES_MAX;

fn proxied(source: &str, destination: &str) -> Header {
    Header::Proxied { source: source.parse().unwrap(), destination: destination.parse().unwrap() }
}

fn v1(header: Header) -> String {
    let mut out = b"before".to_vec();
    write_v1(&mut out, header);
    String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned()
}

fn v2(header: Header) -> Vec<u8> {
    let mut out = b"before".to_vec();
    write_v2(&mut out, header);
    out.strip_prefix(b"before\r\n\r\n\0\r\nQUIT\n").unwrap().to_vec()
}

#[test]
fn lines() {
    for (source, destination, line) in [
        ("192.168.0.1:56324", "192.168.0.11:443", "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"),
        ("[2001:db8::1]:0", "[::1]:65535", "PROXY TCP6 2001:db8::1 ::1 0 65535\r\n"),
        // As a socket that listens on both families gives them.
        ("[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.2]:2", "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"),
        ("[::ffff:10.0.0.1]:1", "10.0.0.2:2", "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"),
        ("10.0.0.1:1", "[2001:db8::2]:2", "PROXY TCP6 ::ffff:10.0.0.1 2001:db8::2 1 2\r\n"),
        ("[2001:db8::2]:2", "[::ffff:10.0.0.1]:1", "PROXY TCP6 2001:db8::2 ::ffff:10.0.0.1 2 1\r\n"),
        // A zone means nothing to another host.
        ("[fe80::1%7]:1", "[fe80::2]:2", "PROXY TCP6 fe80::1 fe80::2 1 2\r\n"),
    ] {
        assert_eq!(v1(proxied(source, destination)), line);
    }
    assert_eq!(v1(Header::Unknown), "PROXY UNKNOWN\r\n");
    assert_eq!(v1(Header::Local), "PROXY UNKNOWN\r\n");
}

#[test]
fn the_longest_line_is_within_the_limit() {
    let longest = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535";
    let line = v1(proxied(longest, longest));
    // By the specification's sum.
    assert_eq!(line.len(), 104);
    assert!(line.len() <= V1_BYTES_MAX);
}

#[test]
fn blocks() {
    let four = [0x21, 0x11, 0, 12, 10, 0, 0, 1, 10, 0, 0, 2, 0x12, 0x34, 0x01, 0xbb];
    assert_eq!(v2(proxied("10.0.0.1:4660", "10.0.0.2:443")), four);
    assert_eq!(v2(proxied("[::ffff:10.0.0.1]:4660", "10.0.0.2:443")), four);
    let mixed = v2(proxied("10.0.0.1:4660", "[2001:db8::2]:443"));
    let mut expected = vec![0x21, 0x21, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1];
    expected.extend_from_slice(&[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x12, 0x34, 0x01, 0xbb]);
    assert_eq!(mixed, expected);
    assert_eq!(v2(Header::Local), [0x20, 0x00, 0, 0]);
    assert_eq!(v2(Header::Unknown), [0x21, 0x00, 0, 0]);
}
