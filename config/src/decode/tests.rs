//! What the grammars of single values take. What they refuse is in `tests/broken`.

use std::path::Path;

use super::*;
use crate::address::{Address, EndpointAddress};
use crate::pattern::{HostPattern, PathPattern, Segment};

fn literal(text: &str) -> Segment {
    Segment::Literal(text.to_owned())
}

fn capture(name: &str) -> Segment {
    Segment::Capture(name.to_owned())
}

#[test]
fn paths() {
    let exact = |path: &str| PathPattern::Exact(path.to_owned());
    let prefix = |path: &str| PathPattern::Prefix(path.to_owned());
    for (written, meant) in [
        ("/", exact("/")),
        ("/users", exact("/users")),
        ("/users/", exact("/users/")),
        ("/a.b/c;d=1/e,f", exact("/a.b/c;d=1/e,f")),
        ("/caf%C3%A9", exact("/café")),
        ("/café", exact("/café")),
        ("/%7Bid%7D/%2a", exact("/{id}/*")),
        ("/...", exact("/...")),
        ("/*", prefix("")),
        ("/static/*", prefix("/static")),
        ("/shop.v1.Shop/*", prefix("/shop.v1.Shop")),
        ("/users/{id}", PathPattern::Captured { segments: vec![literal("users"), capture("id")], rest: false }),
        ("/{a}/", PathPattern::Captured { segments: vec![capture("a"), literal("")], rest: false }),
        ("/a/{_x1}/*", PathPattern::Captured { segments: vec![literal("a"), capture("_x1")], rest: true }),
    ] {
        assert_eq!(path::parse(written), Ok(meant), "{written}");
    }
}

#[test]
fn paths_are_bounded_in_bytes_segments_and_names() {
    let long = |n: usize| format!("/{}", "a".repeat(n - 1));
    assert!(path::parse(&long(PATH_MAX)).is_ok());
    assert!(path::parse(&long(PATH_MAX + 1)).is_err());
    assert!(path::parse(&"/a".repeat(SEGMENTS_MAX)).is_ok());
    assert!(path::parse(&"/a".repeat(SEGMENTS_MAX + 1)).is_err());
    assert!(path::parse(&format!("/{{{}}}", "n".repeat(64))).is_ok());
    assert!(path::parse(&format!("/{{{}}}", "n".repeat(65))).is_err());
}

#[test]
fn hosts() {
    let exact = |host: &str| Ok(HostPattern::Exact(host.to_owned()));
    for (written, meant) in [
        ("api.example.com", exact("api.example.com")),
        ("API.Example.COM", exact("api.example.com")),
        ("localhost", exact("localhost")),
        ("a_b.c-d", exact("a_b.c-d")),
        ("127.0.0.1", exact("127.0.0.1")),
        ("[::1]", exact("[::1]")),
        ("[0:0::1]", exact("[::1]")),
        ("*.example.com", Ok(HostPattern::Wildcard(".example.com".to_owned()))),
        ("*.COM", Ok(HostPattern::Wildcard(".com".to_owned()))),
    ] {
        assert_eq!(host::parse(written), meant, "{written}");
    }
    assert!(host::parse(&format!("{}.example", "a".repeat(63))).is_ok());
    assert!(host::parse(&format!("{}.example", "a".repeat(64))).is_err());
    let long = |n: usize| format!("{}{}", "a.".repeat(60), "b".repeat(n - 120));
    assert!(host::parse(&long(180)).is_ok());
    let labels = |n: usize| format!("{}a", "a.".repeat((n - 1) / 2));
    assert_eq!(labels(253).len(), 253);
    assert!(host::parse(&labels(253)).is_ok());
    assert!(host::parse(&labels(255)).is_err());
}

#[test]
fn hosts_that_are_sent_may_have_a_port() {
    for host in ["users.internal", "users.internal:8080", "127.0.0.1:80", "[::1]", "[::1]:443", "Upper.Case"] {
        assert_eq!(host::parse_with_port(host), Ok(host.to_owned()));
    }
    for host in ["", ":80", "a:", "a:x", "a:65536", "a b", "*.a", "a/b", "a\r\nb", "::1"] {
        assert!(host::parse_with_port(host).is_err(), "{host}");
    }
}

#[test]
fn listeners_bind_addresses() {
    let tcp = |text: &str| Address::Tcp(text.parse().unwrap());
    for (written, meant) in [
        ("0.0.0.0:8080", tcp("0.0.0.0:8080")),
        ("[::]:8080", tcp("[::]:8080")),
        ("127.0.0.1:0", tcp("127.0.0.1:0")),
        ("localhost:65535", tcp("127.0.0.1:65535")),
        ("unix:/run/a.sock", Address::Unix("/run/a.sock".into())),
        ("unix:a.sock", Address::Unix("/etc/a.sock".into())),
    ] {
        let address = address::listener(written, Path::new("/etc")).unwrap();
        assert_eq!(address, meant, "{written}");
    }
    assert_eq!(address::listener("[::]:80", Path::new("")).unwrap().to_string(), "[::]:80");
    assert_eq!(address::listener("unix:a", Path::new("")).unwrap().to_string(), "unix:a");
}

#[test]
fn endpoints_are_reached_at_addresses() {
    let endpoint = |text: &str| address::endpoint(text, Path::new(""));
    assert_eq!(endpoint("127.0.0.1:1"), Ok(Some(EndpointAddress::Tcp("127.0.0.1:1".parse().unwrap()))));
    assert_eq!(endpoint("localhost:1"), Ok(Some(EndpointAddress::Tcp("127.0.0.1:1".parse().unwrap()))));
    assert_eq!(endpoint("unix:/a"), Ok(Some(EndpointAddress::Unix("/a".into()))));
    for name in ["orders.internal:9101", "orders:80", "a_b-c.d:1", "xn--bcher-kva:1"] {
        assert_eq!(endpoint(name), Ok(None), "{name}");
    }
    assert!(endpoint("127.0.0.1:0").is_err());
    assert!(endpoint("1.2.3.4.5:1").is_err());
}

#[test]
fn the_path_of_a_unix_socket_is_bounded() {
    let path = |n: usize| format!("unix:/{}", "a".repeat(n - 1));
    assert!(address::listener(&path(UNIX_PATH_MAX), Path::new("/etc")).is_ok());
    assert!(address::listener(&path(UNIX_PATH_MAX + 1), Path::new("/etc")).is_err());
    // The directory counts too: "/etc/" and 102 bytes.
    assert!(address::listener(&format!("unix:{}", "a".repeat(102)), Path::new("/etc")).is_ok());
    assert!(address::listener(&format!("unix:{}", "a".repeat(103)), Path::new("/etc")).is_err());
}

#[test]
fn names() {
    for name in ["a", "A-b_c.1", "0", &"n".repeat(NAME_MAX)] {
        assert_eq!(parse_name(name).as_deref(), Ok(name));
    }
    for name in ["", " ", "a b", "a/b", "é", "a\n", &"n".repeat(NAME_MAX + 1)] {
        assert!(parse_name(name).is_err(), "{name:?}");
    }
}
