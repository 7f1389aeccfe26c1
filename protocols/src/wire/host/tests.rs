use super::*;

fn host(text: &str) -> Result<(String, Option<u16>), HostError> {
    // Behind other bytes, so that offsets are seen to be relative to the buffer.
    let bytes = format!("Host: {text}");
    let at = Span::new(6, bytes.len());
    let parsed = parse(bytes.as_bytes(), at)?;
    assert_eq!(parsed.text, at);
    let host = String::from_utf8_lossy(parsed.host.of(bytes.as_bytes())).into_owned();
    Ok((host, parsed.port))
}

#[test]
fn hosts() {
    for (text, name, port) in [
        ("a", "a", None),
        ("example.com", "example.com", None),
        ("EXAMPLE.com:8080", "EXAMPLE.com", Some(8080)),
        ("example.com.", "example.com.", None),
        ("example.com.:1", "example.com.", Some(1)),
        ("a_b-c~d.e", "a_b-c~d.e", None),
        ("1a.2b", "1a.2b", None),
        ("1.2.3.com", "1.2.3.com", None),
        ("127.0.0.1", "127.0.0.1", None),
        ("127.0.0.1:65535", "127.0.0.1", Some(65535)),
        ("127.0.0.1.:5", "127.0.0.1.", Some(5)),
        ("[::1]", "[::1]", None),
        ("[2001:db8::a]:443", "[2001:db8::a]", Some(443)),
        ("[::ffff:1.2.3.4]:0", "[::ffff:1.2.3.4]", Some(0)),
        ("a:00080", "a", Some(80)),
        ("a!$&'()*+;=", "a!$&'()*+;=", None),
    ] {
        assert_eq!(host(text), Ok((name.to_owned(), port)), "{text}");
    }
}

#[test]
fn what_is_no_host() {
    for (text, error) in [
        ("", HostError::Empty),
        (":80", HostError::Empty),
        ("user@example.com", HostError::Userinfo),
        ("user:pass@example.com", HostError::Userinfo),
        ("a:80@b", HostError::Userinfo),
        ("@", HostError::Userinfo),
        ("a,b", HostError::Byte),
        ("a, b", HostError::Byte),
        ("a b", HostError::Byte),
        ("a\tb", HostError::Byte),
        ("a/b", HostError::Byte),
        ("a\\b", HostError::Byte),
        ("a?b", HostError::Byte),
        ("a#b", HostError::Byte),
        ("a%41", HostError::Byte),
        ("\u{e4}.com", HostError::Byte),
        ("a\0", HostError::Byte),
        ("a\x7f", HostError::Byte),
        ("<a>", HostError::Byte),
        ("http://a", HostError::Port),
        ("a..b", HostError::EmptyLabel),
        (".a", HostError::EmptyLabel),
        (".", HostError::EmptyLabel),
        ("a..", HostError::EmptyLabel),
        ("1", HostError::Ipv4),
        ("1.2.3", HostError::Ipv4),
        ("1.2.3.256", HostError::Ipv4),
        ("1.2.3.4.5", HostError::Ipv4),
        ("01.2.3.4", HostError::Ipv4),
        ("a.1", HostError::Ipv4),
        ("[", HostError::Ipv6),
        ("[]", HostError::Ipv6),
        ("[::1", HostError::Ipv6),
        ("[::1%25eth0]", HostError::Ipv6),
        ("[1.2.3.4]", HostError::Ipv6),
        ("[v1.a]", HostError::Ipv6),
        ("[::g]", HostError::Ipv6),
        ("[:::1]", HostError::Ipv6),
        ("[::1]a", HostError::Byte),
        ("[::1]]", HostError::Byte),
        ("::1", HostError::Empty),
        ("a:", HostError::Port),
        ("a:b", HostError::Port),
        ("a:-1", HostError::Port),
        ("a:+1", HostError::Port),
        ("a: 1", HostError::Port),
        ("a:1:2", HostError::Port),
        ("a:65536", HostError::Port),
        ("a:000080", HostError::Port),
        ("a:99999999999999999999999", HostError::Port),
        ("[::1]:", HostError::Port),
    ] {
        assert_eq!(host(text), Err(error), "{text}");
    }
}

#[test]
fn the_longest_name_and_one_longer() {
    let longest = "a".repeat(HOST_BYTES_MAX);
    assert!(host(&longest).is_ok());
    assert!(host(&format!("{longest}:1")).is_ok());
    assert_eq!(host(&format!("{longest}a")), Err(HostError::TooLong));
}
