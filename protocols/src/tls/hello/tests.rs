use super::*;
use proptest::prelude::*;

fn block8(content: &[u8]) -> Vec<u8> {
    [&[u8::try_from(content.len()).unwrap()], content].concat()
}

fn block16(content: &[u8]) -> Vec<u8> {
    [&u16::try_from(content.len()).unwrap().to_be_bytes()[..], content].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &block16(content)].concat()
}

fn server_name(name: &[u8]) -> Vec<u8> {
    extension(0, &block16(&[&[0], &block16(name)[..]].concat()))
}

fn alpn(protocols: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> = protocols.iter().flat_map(|protocol| block8(protocol)).collect();
    extension(16, &block16(&list))
}

/// A body up to where the extensions are.
fn start() -> Vec<u8> {
    [&[3, 3][..], &[7; 32], &block8(&[9; 32]), &block16(&[0x13, 0x01, 0x5a, 0x5a]), &block8(&[0])].concat()
}

fn message(body: &[u8]) -> Vec<u8> {
    [&[1], &u32::try_from(body.len()).unwrap().to_be_bytes()[1..], body].concat()
}

fn hello(extensions: &[&[u8]]) -> Vec<u8> {
    message(&[start(), block16(&extensions.concat())].concat())
}

/// The message in records of `len` bytes each.
fn records(message: &[u8], len: usize) -> Vec<u8> {
    message.chunks(len).flat_map(|part| [&[22, 3, 1][..], &block16(part)].concat()).collect()
}

fn one(message: &[u8]) -> Vec<u8> {
    records(message, RECORD_BYTES_MAX)
}

/// What is found once `decided` bytes are there, and neither before nor otherwise after.
fn at(bytes: &[u8], decided: usize) -> Sniff {
    let mut sniffer = Sniffer::new();
    for cut in 0..decided {
        assert_eq!(sniff(&bytes[..cut]), Sniff::NeedMore, "{cut} of {bytes:?}");
        assert_eq!(sniffer.sniff(&bytes[..cut]), Sniff::NeedMore, "{cut} of {bytes:?}");
    }
    let found = sniff(&bytes[..decided]);
    for cut in decided..=bytes.len() {
        assert_eq!(sniff(&bytes[..cut]), found, "{cut} of {bytes:?}");
        assert_eq!(sniffer.sniff(&bytes[..cut]), found, "{cut} of {bytes:?}");
    }
    found
}

fn flaw_at(bytes: &[u8], decided: usize) -> Flaw {
    match at(bytes, decided) {
        Sniff::NotTls(flaw) => flaw,
        other => panic!("{other:?}"),
    }
}

fn flaw(message: &[u8]) -> Flaw {
    let bytes = one(message);
    flaw_at(&bytes, bytes.len())
}

fn found(message: &[u8]) -> Hello {
    let bytes = one(message);
    match at(&bytes, bytes.len()) {
        Sniff::Hello(hello) => hello,
        other => panic!("{other:?}"),
    }
}

fn name(name: &[u8]) -> Result<Option<String>, Flaw> {
    match sniff(&one(&hello(&[&server_name(name)]))) {
        Sniff::Hello(hello) => Ok(hello.server_name),
        Sniff::NotTls(flaw) => Err(flaw),
        Sniff::NeedMore => panic!("a whole hello is not enough"),
    }
}

#[test]
fn what_a_hello_asks_for() {
    let grease = extension(0x3a3a, b"");
    let padding = extension(21, &[0; 300]);
    let asked =
        hello(&[&grease, &server_name(b"Api.Example.COM"), &alpn(&[b"\x6a\x6a", b"h2", b"http/1.1"]), &padding]);
    let expected = Hello {
        server_name: Some("api.example.com".to_owned()),
        alpn: vec![b"\x6a\x6a".to_vec(), b"h2".to_vec(), b"http/1.1".to_vec()],
    };
    assert_eq!(found(&asked), expected);
    for len in [1, 2, 3, 4, 5, 40, asked.len() - 1] {
        let split = records(&asked, len);
        assert_eq!(at(&split, split.len()), Sniff::Hello(expected.clone()), "{len}");
        let followed = [&split[..], b"anything"].concat();
        assert_eq!(at(&followed, split.len()), Sniff::Hello(expected.clone()), "{len}");
    }
}

#[test]
fn a_hello_without_extensions() {
    let none = Hello { server_name: None, alpn: Vec::new() };
    assert_eq!(found(&message(&start())), none);
    assert_eq!(found(&hello(&[])), none);
    assert_eq!(found(&hello(&[&extension(43, &[2, 3, 4])])), none);
}

#[test]
fn every_version_of_a_record_and_of_a_hello() {
    for (record, body) in [(0, 0), (1, 1), (1, 3), (3, 3), (4, 4), (0x7a, 0x7a)] {
        let mut bytes = one(&hello(&[&server_name(b"a")]));
        bytes[2] = record;
        bytes[RECORD_HEADER_BYTES + MESSAGE_HEADER_BYTES + 1] = body;
        assert!(matches!(sniff(&bytes), Sniff::Hello(hello) if hello.server_name.as_deref() == Some("a")));
    }
    let mut bytes = one(&hello(&[]));
    bytes[RECORD_HEADER_BYTES + MESSAGE_HEADER_BYTES] = 2;
    assert_eq!(flaw_at(&bytes, bytes.len()), Flaw::HelloVersion);
}

#[test]
fn names() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(longest.len(), 253);
    let longest_dot = format!("{longest}.");
    for (sent, expected) in [
        ("a", "a"),
        ("EXAMPLE.com", "example.com"),
        ("example.com.", "example.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("_dmarc.a-b.c_d", "_dmarc.a-b.c_d"),
        ("1.2.3.4.example", "1.2.3.4.example"),
        ("a.1b", "a.1b"),
        ("a.0xg", "a.0xg"),
        (&longest, &longest),
        (&longest_dot, &longest),
    ] {
        assert_eq!(name(sent.as_bytes()), Ok(Some(expected.to_owned())), "{sent}");
    }
}

#[test]
fn an_address_is_no_name() {
    for address in ["127.0.0.1", "::1", "2001:db8::1", "::ffff:1.2.3.4"] {
        assert_eq!(name(address.as_bytes()), Ok(None), "{address}");
    }
}

#[test]
fn what_is_no_name_is_refused() {
    let long_label = "a".repeat(64);
    let label = "a".repeat(63);
    let too_long = format!("{label}.{label}.{label}.{}", "a".repeat(62));
    for sent in [
        "",
        ".",
        "..",
        ".a",
        "a..b",
        "a..",
        "-a",
        "a-",
        "a.-b.c",
        "a-.b",
        "a b",
        "a\0b",
        "a/b",
        "*.example.com",
        "[::1]",
        "a:443",
        "a@b",
        "1.2.3",
        "1.2.3.4.",
        "1",
        "256.1.1.1",
        "0x7f.1",
        "a.0x1F",
        "a.0X",
        "b\u{fc}cher.example",
        &long_label,
        &too_long,
    ] {
        assert_eq!(name(sent.as_bytes()), Err(Flaw::ServerName), "{sent}");
    }
    assert_eq!(name(b"a\xff"), Err(Flaw::ServerName));
}

#[test]
fn names_that_could_be_two() {
    let entry = |kind: u8, name: &[u8]| [&[kind], &block16(name)[..]].concat();
    let names = |entries: &[u8]| hello(&[&extension(0, &block16(entries))]);
    assert_eq!(flaw(&names(&[entry(0, b"a"), entry(0, b"b")].concat())), Flaw::ServerNames);
    assert_eq!(flaw(&names(&[entry(0, b"a"), entry(0, b"a")].concat())), Flaw::ServerNames);
    assert_eq!(flaw(&names(&[entry(0, b"a"), entry(1, b"b")].concat())), Flaw::ServerNames);
    assert_eq!(flaw(&names(&entry(1, b"a"))), Flaw::ServerNames);
    assert_eq!(flaw(&hello(&[&server_name(b"a"), &server_name(b"a")])), Flaw::Repeated);
    assert_eq!(flaw(&hello(&[&alpn(&[b"a"]), &server_name(b"a"), &alpn(&[b"a"])])), Flaw::Repeated);
}

#[test]
fn protocols_at_the_limit_and_one_past_it() {
    assert_eq!(found(&hello(&[&alpn(&[&b"h2"[..]; ALPN_PROTOCOLS_MAX])])).alpn.len(), ALPN_PROTOCOLS_MAX);
    assert_eq!(flaw(&hello(&[&alpn(&[&b"h2"[..]; ALPN_PROTOCOLS_MAX + 1])])), Flaw::Alpn);
    assert_eq!(flaw(&hello(&[&alpn(&[])])), Flaw::Alpn);
    assert_eq!(flaw(&hello(&[&alpn(&[b"h2", b""])])), Flaw::Alpn);
}

#[test]
fn lengths_that_do_not_fit() {
    for content in [&b""[..], &[0], &[0, 0], &[0, 1], &[0, 1, 0], &[0, 4, 0, 0, 1], &[0, 4, 0, 0, 1, b'a', b'b']] {
        assert_eq!(flaw(&hello(&[&extension(0, content)])), Flaw::Length, "{content:?}");
    }
    for content in [&b""[..], &[0], &[0, 2, 2, b'h'], &[0, 2, 1, b'h', 0], &[0, 3, 1, b'h']] {
        assert_eq!(flaw(&hello(&[&extension(16, content)])), Flaw::Length, "{content:?}");
    }
    let whole = [start(), block16(&server_name(b"a"))].concat();
    for cut in (0..whole.len()).filter(|&cut| cut != start().len()) {
        assert_eq!(flaw(&message(&whole[..cut])), Flaw::Length, "{cut}");
    }
    assert_eq!(flaw(&message(&[&whole[..], &[0]].concat())), Flaw::Length);
    let part = |session_id: &[u8], suites: &[u8], compression: &[u8]| {
        message(&[&[3, 3][..], &[7; 32], &block8(session_id), &block16(suites), &block8(compression)].concat())
    };
    found(&part(b"", &[0, 1], &[0]));
    assert_eq!(flaw(&part(&[0; 33], &[0, 1], &[0])), Flaw::Length);
    assert_eq!(flaw(&part(b"", &[], &[0])), Flaw::Length);
    assert_eq!(flaw(&part(b"", &[0, 1, 2], &[0])), Flaw::Length);
    assert_eq!(flaw(&part(b"", &[0, 1], &[])), Flaw::Length);
}

#[test]
fn what_is_no_handshake_is_told_at_its_first_byte() {
    assert_eq!(flaw_at(b"GET / HTTP/1.1\r\n", 1), Flaw::ContentType);
    assert_eq!(flaw_at(b"SSH-2.0-OpenSSH", 1), Flaw::ContentType);
    // A hello of SSL 2.0, an alert, application data.
    assert_eq!(flaw_at(b"\x80\x2e\x01\x03\x01", 1), Flaw::ContentType);
    assert_eq!(flaw_at(b"\x15\x03\x01\x00\x02\x01\x00", 1), Flaw::ContentType);
    assert_eq!(flaw_at(b"\x17\x03\x03\x00\x01a", 1), Flaw::ContentType);
    assert_eq!(flaw_at(b"\x16\x02\x00\x00\x05", 2), Flaw::RecordVersion);
    // Other handshake messages: ServerHello, HelloRequest.
    assert_eq!(flaw_at(b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", 6), Flaw::Message);
    assert_eq!(flaw_at(b"\x16\x03\x01\x00\x04\x00\x00\x00\x00", 6), Flaw::Message);
}

#[test]
fn records_that_no_handshake_has() {
    assert_eq!(flaw_at(b"\x16\x03\x01\x00\x00\x16\x03\x01", 5), Flaw::EmptyRecord);
    let asked = hello(&[&server_name(b"a")]);
    let (first, second) = asked.split_at(10);
    let empty_between = [one(first), vec![22, 3, 1, 0, 0], one(second)].concat();
    assert_eq!(flaw_at(&empty_between, 20), Flaw::EmptyRecord);
    let alert_between = [one(first), vec![21, 3, 1, 0, 2, 1, 0], one(second)].concat();
    assert_eq!(flaw_at(&alert_between, 16), Flaw::ContentType);
    assert_eq!(flaw_at(b"\x16\x03\x01\x40\x01\x01", 5), Flaw::RecordBytes);
    // What follows the hello in its record is known as soon as both lengths are.
    let trailing = [&asked[..], &[0]].concat();
    assert_eq!(flaw_at(&one(&trailing), 9), Flaw::Trailing);
    let later = [one(first), one(&trailing[10..])].concat();
    assert_eq!(flaw_at(&later, 20), Flaw::Trailing);
}

#[test]
fn a_hello_at_the_limit_and_one_past_it() {
    let padded = |len: usize| {
        let others = hello(&[&server_name(b"a"), &extension(21, b"")]).len();
        hello(&[&server_name(b"a"), &extension(21, &vec![0; len - others])])
    };
    let most = padded(HELLO_BYTES_MAX);
    assert_eq!(most.len(), HELLO_BYTES_MAX);
    assert_eq!(found(&most).server_name.as_deref(), Some("a"));
    let bytewise = records(&most, 1);
    assert_eq!(bytewise.len(), SNIFF_BYTES_MAX);
    assert!(matches!(sniff(&bytewise), Sniff::Hello(hello) if hello.server_name.as_deref() == Some("a")));
    let mut sniffer = Sniffer::new();
    for cut in 0..SNIFF_BYTES_MAX {
        assert_eq!(sniffer.sniff(&bytewise[..cut]), Sniff::NeedMore);
        // Of what is whole, nothing is walked over again.
        assert!(cut - sniffer.at <= RECORD_HEADER_BYTES);
    }
    assert_eq!(sniffer.sniff(&bytewise), sniff(&bytewise));
    let more = padded(HELLO_BYTES_MAX + 1);
    assert_eq!(flaw_at(&records(&more, HELLO_BYTES_MAX), 9), Flaw::HelloBytes);
}

#[test]
fn a_flaw_is_told_in_words() {
    assert_eq!(Flaw::ContentType.to_string(), "the client sent something other than a TLS handshake record");
}

/// A hello that may be damaged, in records of any lengths.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let extensions = prop_oneof![
        "[a-zA-Z0-9._-]{1,20}".prop_map(|name| server_name(name.as_bytes())),
        Just(alpn(&[b"h2", b"http/1.1"])),
        (any::<u16>(), proptest::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(kind, content)| extension(kind, &content)),
    ];
    let damage = proptest::option::of((any::<prop::sample::Index>(), any::<u8>()));
    (proptest::collection::vec(extensions, 0..4), 1_usize..300, damage).prop_map(|(extensions, len, damage)| {
        let extensions: Vec<&[u8]> = extensions.iter().map(Vec::as_slice).collect();
        let mut bytes = records(&hello(&extensions), len);
        if let Some((at, byte)) = damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn a_prefix_asks_for_more_or_gives_the_same(bytes in nearly()) {
        let decided = (0..=bytes.len()).find(|&cut| sniff(&bytes[..cut]) != Sniff::NeedMore);
        at(&bytes, decided.unwrap_or(bytes.len()));
    }

    #[test]
    fn records_do_not_matter(name in "[a-z]{1,9}(\\.[a-z]{1,9}){0,3}", len in 1_usize..100) {
        let asked = hello(&[&server_name(name.as_bytes()), &alpn(&[b"h2"])]);
        prop_assert_eq!(sniff(&records(&asked, len)), Sniff::Hello(Hello { server_name: Some(name), alpn: vec![b"h2".to_vec()] }));
    }

    #[test]
    fn anything(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        sniff(&bytes);
        sniff(&one(&message(&bytes)));
    }
}
