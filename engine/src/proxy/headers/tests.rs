use super::*;
use crate::model::BodySize;
use ringgate_protocols::h1::{HeadLimits, RequestHead as ParsedHead};

const LIMITS: HeadLimits = HeadLimits { header_bytes: 65_536, headers: 100, target_bytes: 16_384 };

fn with_head<R>(target: &str, fields: &str, run: impl FnOnce(RequestHead<'_>) -> R) -> R {
    let bytes = format!("GET {target} HTTP/1.1\r\n{fields}\r\n").into_bytes();
    let mut parsed = ParsedHead::new();
    parsed.parse(&bytes, &LIMITS).expect("a good head");
    run(RequestHead {
        bytes: &bytes,
        method: parsed.method,
        method_text: parsed.method_text,
        target: &parsed.target,
        fields: &parsed.fields,
        host: parsed.host,
        body: BodySize::None,
        upgrade: None,
        version: "1.1",
    })
}

fn origin(trusted: bool) -> Origin<'static> {
    Origin { peer: Some("192.0.2.7".parse().expect("an address")), peer_text: b"192.0.2.7", trusted, scheme: "http" }
}

/// The fields added, as `name: value` lines, and whether a field with this id was taken off.
fn edited(trusted: bool, fields: &str) -> (Vec<String>, Edits) {
    let mut edits = Edits::default();
    with_head("/", fields, |head| to_service(&mut edits, &head, origin(trusted), b"id-1", None));
    let added = edits.added().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value))).collect();
    (added, edits)
}

fn takes_off(edits: &Edits, id: HeaderId) -> bool {
    edits.removed() & id.bit() != 0
}

const CLAIMS: &str = "host: a.example\r\nx-forwarded-for: 10.1.1.1\r\nX-Forwarded-For: 10.2.2.2\r\n\
     x-forwarded-proto: https\r\nx-forwarded-host: evil.example\r\nx-forwarded-port: 1\r\nx-real-ip: 10.3.3.3\r\n\
     forwarded: for=10.4.4.4\r\nx-request-id: theirs\r\n";

#[test]
fn what_a_stranger_claims_is_replaced() {
    let (added, edits) = edited(false, CLAIMS);
    for line in [
        "x-forwarded-for: 192.0.2.7",
        "x-forwarded-proto: http",
        "x-forwarded-host: a.example",
        "forwarded: for=192.0.2.7;host=\"a.example\";proto=http",
        "via: 1.1 ringgate",
        "x-request-id: id-1",
    ] {
        assert!(added.iter().any(|l| l == line), "{line} in {added:?}");
    }
    for id in [
        HeaderId::XForwardedFor,
        HeaderId::XForwardedProto,
        HeaderId::XForwardedHost,
        HeaderId::XForwardedPort,
        HeaderId::XRealIp,
        HeaderId::Forwarded,
        HeaderId::XRequestId,
    ] {
        assert!(takes_off(&edits, id), "{id:?}");
    }
    assert!(!takes_off(&edits, HeaderId::Host), "Host goes on as received");
}

#[test]
fn what_a_trusted_proxy_says_is_extended_or_kept() {
    let (added, edits) = edited(true, CLAIMS);
    assert!(added.contains(&"x-forwarded-for: 10.1.1.1, 10.2.2.2, 192.0.2.7".to_string()), "{added:?}");
    let forwarded = "forwarded: for=10.4.4.4, for=192.0.2.7;host=\"a.example\";proto=http".to_string();
    assert!(added.contains(&forwarded), "{added:?}");
    assert!(!added.iter().any(|l| l.starts_with("x-forwarded-proto") || l.starts_with("x-forwarded-host")));
    for id in [HeaderId::XForwardedProto, HeaderId::XForwardedHost, HeaderId::XForwardedPort, HeaderId::XRealIp] {
        assert!(!takes_off(&edits, id), "{id:?} is kept");
    }
}

#[test]
fn look_alikes_are_dropped_from_anybody() {
    let fields = "host: a\r\nx_forwarded_for: 1\r\nX-Forwarded_Proto: https\r\nx_good: 1\r\nx_real_ip: 2\r\n";
    for trusted in [false, true] {
        let (_, edits) = edited(trusted, fields);
        assert_eq!(edits.dropped(), [1, 2, 4]);
    }
}

#[test]
fn an_ipv6_peer_is_quoted_in_forwarded() {
    let mut edits = Edits::default();
    let six =
        Origin { peer: Some("2001:db8::1".parse().expect("an address")), peer_text: b"2001:db8::1", ..origin(false) };
    with_head("/", "host: a\r\n", |head| to_service(&mut edits, &head, six, b"id", None));
    let forwarded = edits.added().find(|(name, _)| *name == "forwarded").map(|(_, value)| value.to_vec());
    assert_eq!(forwarded.as_deref(), Some(&b"for=\"[2001:db8::1]\";host=\"a\";proto=http"[..]));
}

#[test]
fn host_is_replaced_by_an_absolute_target_and_by_the_route() {
    let host = |target: &str, host: Option<&[u8]>| {
        let mut edits = Edits::default();
        with_head(target, "host: a.example\r\n", |head| to_service(&mut edits, &head, origin(false), b"id", host));
        edits.added().find(|(name, _)| *name == "host").map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    };
    assert_eq!(host("/", None), None);
    assert_eq!(host("http://b.example:81/x", None).as_deref(), Some("b.example:81"));
    assert_eq!(host("/", Some(b"c.internal")).as_deref(), Some("c.internal"));
}

#[test]
fn hops_are_counted_by_our_name_alone() {
    let count = |fields: &str| with_head("/", &format!("host: a\r\n{fields}"), |head| hops(&head));
    assert_eq!(count(""), 0);
    assert_eq!(count("via: 1.1 other, 1.0 fred\r\n"), 0);
    assert_eq!(count("via: 1.1 ringgate, 1.1 x, HTTP/1.1 Ringgate (comment)\r\nvia: 1.0 ringgate\r\n"), 3);
    assert_eq!(count("via: ringgate, 1.1\r\n"), 0, "a name needs a version before it");
}

#[test]
fn the_client_is_the_last_address_that_is_not_trusted() {
    let trusts = |address: IpAddr| address.to_string().starts_with("10.");
    let find = |trusted, fields: &str| {
        with_head("/", &format!("host: a\r\n{fields}"), |head| client(&head, origin(trusted), trusts))
            .map(|address| address.to_string())
            .unwrap_or_default()
    };
    assert_eq!(find(false, "x-forwarded-for: 203.0.113.5\r\n"), "192.0.2.7");
    assert_eq!(find(true, ""), "192.0.2.7");
    assert_eq!(find(true, "x-forwarded-for: 203.0.113.5, 10.0.0.1\r\n"), "203.0.113.5");
    assert_eq!(find(true, "x-forwarded-for: 1.1.1.1\r\nx-forwarded-for: 203.0.113.5, 10.0.0.1\r\n"), "203.0.113.5");
    assert_eq!(find(true, "x-forwarded-for: nonsense, 10.0.0.1\r\n"), "10.0.0.1", "the last that can be read");
}

#[test]
fn ids_are_taken_over_from_trusted_senders_only() {
    let id = |trusted, fields: &str| {
        with_head("/", &format!("host: a\r\n{fields}"), |head| {
            taken_over_id(&head, origin(trusted)).map(<[u8]>::to_vec)
        })
    };
    assert_eq!(id(true, "x-request-id: abc\r\n").as_deref(), Some(&b"abc"[..]));
    assert_eq!(id(false, "x-request-id: abc\r\n"), None);
    assert_eq!(id(true, "x-request-id: a b\r\n"), None);
}

#[test]
fn addresses_as_text() {
    for text in ["0.0.0.0", "255.255.255.255", "::1", "2001:db8::ff00:42:8329"] {
        assert_eq!(IpText::new(text.parse().expect("an address")).bytes(), text.as_bytes());
    }
    assert_eq!(IpText::new("::ffff:192.0.2.1".parse().expect("an address")).bytes(), b"192.0.2.1");
}
