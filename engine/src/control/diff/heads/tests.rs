use super::*;
use proptest::prelude::any;

fn plain(host: Option<&str>, method: &str, target: &str, headers: &[(&str, Option<&str>)]) -> Recorded {
    Recorded {
        method: method.into(),
        target: target.into(),
        host: host.map(str::to_owned),
        old_version: false,
        headers: headers.iter().map(|(name, value)| ((*name).into(), value.map(str::to_owned))).collect(),
    }
}

#[test]
fn lines_of_json() {
    let line = br#"{"time":"x","protocol":"HTTP/1.1","method":"GET","host":"a.org","target":"/x?\u0071","route":null,"headers":{"X-Tier":"gold","x-none":null}}"#;
    let expected = plain(Some("a.org"), "GET", "/x?q", &[("x-tier", Some("gold")), ("x-none", None)]);
    assert_eq!(Recorded::read(line), Ok(expected));
    let old = Recorded::read(br#" {"protocol":"HTTP/1.0","method":"GET","host":"","target":"/"}"#).expect("a request");
    assert_eq!((old.host, old.old_version), (None, true));
}

#[test]
fn lines_of_the_combined_format() {
    let line = br#"192.0.2.1 - - [24/Nov/2026:15:56:16 +0000] "GET /a?b HTTP/1.1" 200 1024 "-" "curl \"8\" \x5c" 0.1"#;
    let headers = [("referer", None), ("user-agent", Some("curl \"8\" \\"))];
    assert_eq!(Recorded::read(line), Ok(plain(None, "GET", "/a?b", &headers)));
    let line = br#"www.example.com:80 192.0.2.1 - bob [24/Nov/2026:15:56:16 +0000] "GET / HTTP/1.1" 200 1024"#;
    assert_eq!(Recorded::read(line), Ok(plain(Some("www.example.com:80"), "GET", "/", &[])));
}

#[test]
fn what_is_no_request() {
    for line in [
        "",
        "   ",
        "{",
        "[]",
        "{}",
        r#"{"method":"GET","target":""}"#,
        r#"{"method":7,"target":"/"}"#,
        r#"{"method":"GET","target":"/\r\nx: y"}"#,
        r#"{"method":"GET","target":"/","headers":{"a":"b\nc"}}"#,
        "GET / HTTP/1.1",
        r#"192.0.2.1 - - [x] "-" 400 0 "-" "-""#,
        r#"192.0.2.1 - - [x] "GET /a b HTTP/1.1" 400 0"#,
        r#"192.0.2.1 - - [x] "GET /"#,
        r#"192.0.2.1 - - [x] "GET /\x0d\x0a HTTP/1.1" 200 1"#,
        r#"192.0.2.1 - - [x] "GET /\xzz HTTP/1.1" 200 1"#,
    ] {
        assert!(Recorded::read(line.as_bytes()).is_err(), "{line}");
    }
}

#[test]
fn the_head_is_what_the_client_sent() {
    let mut out = Vec::new();
    let recorded = plain(Some("a"), "PUT", "/x", &[("x-a", Some("1")), ("x-b", None), ("host", Some("b"))]);
    recorded.write(Some("other"), &mut out);
    assert_eq!(String::from_utf8_lossy(&out), "PUT /x HTTP/1.1\r\nhost: a\r\nx-a: 1\r\n\r\n");
    plain(None, "GET", "/", &[]).write(None, &mut out);
    assert_eq!(String::from_utf8_lossy(&out), "GET / HTTP/1.0\r\n\r\n");
    plain(None, "GET", "/", &[]).write(Some("h"), &mut out);
    assert_eq!(String::from_utf8_lossy(&out), "GET / HTTP/1.1\r\nhost: h\r\n\r\n");
}

proptest::proptest! {
    #[test]
    fn no_line_breaks_the_reader(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Recorded::read(&line);
    }

    #[test]
    fn no_line_that_looks_like_a_log_breaks_the_reader(text in r#"\{?[a1 ]{0,3} - - \[[x\]"]{0,3}\] "[A-Z /\\x0-9"\u{e9}]{0,20}"#) {
        let _ = Recorded::read(text.as_bytes());
    }
}
