use super::*;
use crate::proxyproto::{Read, read};

fn header(line: &str) -> Read {
    read(line.as_bytes())
}

fn proxied(source: &str, destination: &str) -> Header {
    Header::Proxied { source: source.parse().unwrap(), destination: destination.parse().unwrap() }
}

#[test]
fn lines() {
    let longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    let worst = format!("UNKNOWN {longest} {longest} 65535 65535");
    let longest6 = format!("TCP6 {longest} {longest} 65535 65535");
    for (text, expected) in [
        ("TCP4 192.168.0.1 192.168.0.11 56324 443", proxied("192.168.0.1:56324", "192.168.0.11:443")),
        ("TCP4 255.255.255.255 0.0.0.0 65535 0", proxied("255.255.255.255:65535", "0.0.0.0:0")),
        ("TCP6 2001:db8::1 ::1 1 2", proxied("[2001:db8::1]:1", "[::1]:2")),
        ("TCP6 2001:DB8:0:0:0:0:0:1 :: 1 2", proxied("[2001:db8::1]:1", "[::]:2")),
        (&longest6, proxied(&format!("[{longest}]:65535"), &format!("[{longest}]:65535"))),
        // One client has one address, however its proxy listens.
        ("TCP6 ::ffff:10.0.0.1 ::ffff:a00:2 1 2", proxied("10.0.0.1:1", "10.0.0.2:2")),
        ("TCP6 ::ffff:10.0.0.1 2001:db8::2 1 2", proxied("10.0.0.1:1", "[2001:db8::2]:2")),
        ("UNKNOWN", Header::Unknown),
        ("UNKNOWN ", Header::Unknown),
        ("UNKNOWN whatever \0 stands\there", Header::Unknown),
        (&worst, Header::Unknown),
    ] {
        let line = format!("PROXY {text}\r\n");
        let len = line.len();
        assert_eq!(header(&line), Read::Header { header: expected, len }, "{text}");
        assert_eq!(header(&format!("{line}\r\nGET / HTTP/1.1")), Read::Header { header: expected, len }, "{text}");
        for cut in 0..len {
            assert_eq!(header(&line[..cut]), Read::NeedMore, "{:?}", &line[..cut]);
        }
    }
}

/// Each is refused at its last byte, and not before.
#[test]
fn what_is_wrong_is_told_at_the_byte_that_shows_it() {
    let longest = "x".repeat(V1_BYTES_MAX - "PROXY UNKNOWN ".len() - 1);
    let (too_long, too_long_cr) = (format!("PROXY UNKNOWN {longest}y"), format!("PROXY UNKNOWN {longest}\r"));
    for (line, flaw) in [
        ("G", Flaw::Signature),
        ("p", Flaw::Signature),
        ("PO", Flaw::Signature),
        ("PROXX", Flaw::Signature),
        ("PROXY\t", Flaw::Signature),
        ("PROXY\r", Flaw::Signature),
        ("PROXY  ", Flaw::Protocol),
        ("PROXY t", Flaw::Protocol),
        ("PROXY TCP5", Flaw::Protocol),
        ("PROXY TCP4\r", Flaw::Protocol),
        ("PROXY TCP44", Flaw::Protocol),
        ("PROXY TCP6\t", Flaw::Protocol),
        ("PROXY UNKNOWm", Flaw::Protocol),
        ("PROXY UNKNOWNS", Flaw::Protocol),
        ("PROXY UNKNOWN\n", Flaw::Protocol),
        ("PROXY UNKNOWN\ra", Flaw::LineEnd),
        ("PROXY UNKNOWN a\n", Flaw::LineEnd),
        ("PROXY UNKNOWN a\r\r", Flaw::LineEnd),
        (&too_long, Flaw::LineBytes),
        (&too_long_cr, Flaw::LineBytes),
        ("PROXY TCP4  ", Flaw::Address),
        ("PROXY TCP4 \r", Flaw::Address),
        ("PROXY TCP4 1.2.3.4\r", Flaw::Address),
        ("PROXY TCP4 1.2.3 ", Flaw::Address),
        ("PROXY TCP4 1.2.3.256 ", Flaw::Address),
        ("PROXY TCP4 01.2.3.4 ", Flaw::Address),
        ("PROXY TCP4 1.2.3.4.5 ", Flaw::Address),
        ("PROXY TCP4 ::1 ", Flaw::Address),
        ("PROXY TCP4 255.255.255.2555", Flaw::Address),
        ("PROXY TCP4 1.2.3.4 5.6.7.8x", Flaw::Address),
        ("PROXY TCP6 1.2.3.4 ", Flaw::Address),
        ("PROXY TCP6 fe80::1%", Flaw::Address),
        ("PROXY TCP6 [", Flaw::Address),
        ("PROXY TCP6 12345:: ", Flaw::Address),
        ("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffff", Flaw::Address),
        ("PROXY TCP4 1.2.3.4 5.6.7.8  ", Flaw::Port),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 +", Flaw::Port),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 -", Flaw::Port),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 080 ", Flaw::Port),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 00 ", Flaw::Port),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 65536 ", Flaw::Port),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 000001", Flaw::Port),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 80\r", Flaw::Port),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 80 443 ", Flaw::Port),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 80 443\n", Flaw::Port),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 80 \r", Flaw::Port),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\r", Flaw::LineEnd),
    ] {
        let (last, _) = line.char_indices().next_back().unwrap();
        assert_eq!(header(&line[..last]), Read::NeedMore, "{:?}", &line[..last]);
        for more in ["", "\r\n", " 1 2\r\n"] {
            assert_eq!(header(&format!("{line}{more}")), Read::Invalid(flaw), "{line:?} {more:?}");
        }
    }
}

#[test]
fn a_line_at_the_limit() {
    let longest = "x".repeat(V1_BYTES_MAX - "PROXY UNKNOWN \r\n".len());
    let line = format!("PROXY UNKNOWN {longest}\r\n");
    assert_eq!(header(&line), Read::Header { header: Header::Unknown, len: V1_BYTES_MAX });
}
