//! Whatever head is accepted has one reading, and a plain reader of lines has the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringgate_protocols::h1::{BodyLength, HeadLimits, RequestHead, ResponseHead};
use ringgate_protocols::wire::{Method, Version};

const LIMITS: HeadLimits = HeadLimits { header_bytes: 1 << 16, headers: 64, target_bytes: 1 << 12 };

fuzz_target!(|data: &[u8]| {
    // Most inputs would fail in the first line, so they get one; the fuzzer has its way with it in `head`.
    request(&[b"POST /a HTTP/1.1\r\nHost: a\r\n", data, b"\r\n"].concat());
    request(&[b"POST /a HTTP/1.0\r\n", data, b"\r\n"].concat());
    request(data);
    response(&[b"HTTP/1.1 200 OK\r\n", data, b"\r\n"].concat());
    response(&[b"HTTP/1.0 404 No\r\n", data, b"\r\n"].concat());
    response(data);
});

fn request(bytes: &[u8]) {
    let mut head = RequestHead::new();
    if head.parse(bytes, &LIMITS).is_err() {
        return;
    }
    let fields = fields(bytes);
    assert_eq!(fields.len(), head.fields.len());
    let expected = match stated(&fields, head.version) {
        None => BodyLength::None,
        Some(length) => length,
    };
    assert_eq!(head.body, expected);
    let hosts = values(&fields, "host");
    assert!(hosts.len() == 1 || (hosts.is_empty() && head.version == Version::Http10));
    for host in hosts {
        assert!(!host.is_empty() && !host.contains([',', '/', '@', ' ', '\t', '\\', '%']));
    }
    if head.target.authority.is_none() {
        assert_eq!(head.host.is_some(), !values(&fields, "host").is_empty());
    }
}

fn response(bytes: &[u8]) {
    let mut head = ResponseHead::new();
    if head.parse(bytes, &LIMITS).is_err() {
        return;
    }
    let fields = fields(bytes);
    assert_eq!(fields.len(), head.fields.len());
    let stated = stated(&fields, head.version);
    let bodiless = head.status < 200 || head.status == 204 || head.status == 304;
    let expected = match stated {
        _ if bodiless => BodyLength::None,
        None => BodyLength::UntilClose,
        Some(length) => length,
    };
    assert_eq!(head.body(Method::Get), Ok(expected));
    assert_eq!(head.body(Method::Head), Ok(BodyLength::None));
}

/// Name in lower case and value of each line; also that lines are what they must be.
fn fields(bytes: &[u8]) -> Vec<(String, String)> {
    let text: String = bytes.iter().map(|&byte| byte as char).collect();
    let lines: Vec<_> = text.split("\r\n").collect();
    let [start, fields @ .., last, behind] = lines.as_slice() else {
        panic!("{text:?}");
    };
    assert!(last.is_empty() && behind.is_empty() && !start.is_empty());
    for line in &lines {
        assert!(!line.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t'), "{line:?}");
    }
    let field = |line: &&str| {
        let (name, value) = line.split_once(':').unwrap();
        assert!(!name.is_empty() && !name.contains([' ', '\t']), "{line:?}");
        (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned())
    };
    fields.iter().map(field).collect()
}

fn values<'a>(fields: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    let named = fields.iter().filter(|field| field.0 == name);
    named.map(|field| field.1.as_str()).collect()
}

/// The one length that an accepted head states.
fn stated(fields: &[(String, String)], version: Version) -> Option<BodyLength> {
    let lengths = values(fields, "content-length");
    let encodings = values(fields, "transfer-encoding");
    assert!(lengths.is_empty() || encodings.is_empty());
    if let Some(encoding) = encodings.first() {
        assert!(version == Version::Http11 && encodings.len() == 1);
        assert_eq!(encoding.to_ascii_lowercase(), "chunked");
        return Some(BodyLength::Chunked);
    }
    let first = lengths.first()?;
    let length = |text: &str| {
        assert!(text.bytes().all(|byte| byte.is_ascii_digit()), "{text:?}");
        text.parse::<i64>().unwrap() as u64
    };
    assert!(lengths.iter().all(|other| length(other) == length(first)));
    Some(BodyLength::Length(length(first)))
}
