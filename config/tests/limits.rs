//! Every numeric limit, at its ends and one past each; and what is read is what is given.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use ringgate_config::{Config, Cores, Diagnostics, Limits, MinRate, parse};

fn load(rest: &str) -> Result<Config, Diagnostics> {
    parse("t.yaml", &format!("listeners: [{{ name: a, address: \"127.0.0.1:0\" }}]\n{rest}\n"), &|_| None)
}

fn limit(key: &str, value: &str) -> Result<Limits, Diagnostics> {
    // So that `target_bytes` is held to its own limit and not to the head's.
    let head = if key == "target_bytes" { "header_bytes: 256KiB, " } else { "" };
    load(&format!("limits: {{ {head}{key}: {value} }}")).map(|config| config.limits)
}

/// Both ends are taken, and one past each is refused in its place with the range in the hint.
fn bounded<T: std::fmt::Debug>(
    range: &str,
    load: impl Fn(&str) -> Result<T, Diagnostics>,
    good: [&str; 2],
    bad: &[&str],
) {
    for value in good {
        load(value).unwrap_or_else(|errors| panic!("{errors}"));
    }
    for value in bad {
        let errors = load(value).unwrap_err();
        let error = errors.iter().next().unwrap();
        assert_eq!(errors.iter().count(), 1, "{errors}");
        assert_eq!(error.message, format!("`{value}` is out of range"));
        assert_eq!(error.hint.as_deref(), Some(format!("allowed: {range}").as_str()));
    }
}

#[test]
fn limits_are_taken_at_their_ends_and_refused_one_past() {
    for (key, range, good, bad) in [
        ("header_bytes", "256B to 256KiB", ["256", "256KiB"], ["255", "262145"]),
        ("headers", "1 to 1000", ["1", "1000"], ["0", "1001"]),
        ("target_bytes", "16B to 256KiB", ["16", "256KiB"], ["15", "262145"]),
        ("body_bytes", "0B to 1TiB, or `off`", ["0", "1TiB"], ["1099511627777", "2TiB"]),
        ("header_timeout", "10ms to 1h", ["10ms", "1h"], ["9ms", "3600001ms"]),
        ("handshake_timeout", "10ms to 1h", ["10ms", "1h"], ["9ms", "3600001ms"]),
        ("handshakes", "1 to 1000000", ["1", "1000000"], ["0", "1000001"]),
        ("idle_timeout", "10ms to 24h", ["10ms", "24h"], ["9ms", "86400001ms"]),
        ("connections", "1 to 1000000", ["1", "1000000"], ["0", "1000001"]),
        ("max_hops", "1 to 100", ["1", "100"], ["0", "101"]),
    ] {
        bounded(range, |value| limit(key, value), good, &bad);
    }
    let rate = |key: &'static str| move |value: &str| limit("min_rate", &format!("{{ {key}: {value} }}"));
    bounded("1B to 1GiB", rate("bytes"), ["1", "1GiB"], &["0", "1073741825"]);
    bounded("10ms to 1h", rate("grace"), ["10ms", "1h"], &["9ms", "3600001ms"]);
}

#[test]
fn everything_else_with_a_range_is_held_to_it() {
    bounded("0s to 24h", |v| load(&format!("shutdown: {{ deadline: {v} }}")), ["0s", "24h"], &["86400001ms"]);
    let ring = |v: &str| load(&format!("runtime: {{ ring_entries: {v} }}"));
    bounded("a power of two, 64 to 32768", ring, ["64", "32768"], &["32", "63", "65", "32767", "32769", "65536"]);
    bounded("0 to 1023", |v| load(&format!("runtime: {{ cores: [{v}] }}")), ["0", "1023"], &["1024"]);
    let weight =
        |v: &str| load(&format!("upstreams: {{ u: {{ endpoints: [{{ address: \"127.0.0.1:1\", weight: {v} }}] }} }}"));
    bounded("1 to 1000", weight, ["1", "1000"], &["0", "1001"]);
    let connect =
        |v: &str| load(&format!("upstreams: {{ u: {{ endpoints: [\"127.0.0.1:1\"], connect_timeout: {v} }} }}"));
    bounded("10ms to 5m", connect, ["10ms", "5m"], &["9ms", "300001ms"]);
    let timeout = |v: &str| {
        load(&format!(
            "upstreams: {{ u: {{ endpoints: [\"127.0.0.1:1\"] }} }}\n\
             routes: [{{ name: r, match: {{}}, forward: {{ upstream: u, timeout: {v} }} }}]"
        ))
    };
    bounded("10ms to 24h", timeout, ["10ms", "24h"], &["9ms", "86400001ms"]);
}

#[test]
fn what_is_given_is_what_is_read() {
    let config = load(
        "limits: { header_bytes: 8KiB, headers: 50, target_bytes: 4KiB, body_bytes: 1MiB, header_timeout: 1s,\n\
         \u{20} handshake_timeout: 4s, handshakes: 9, idle_timeout: 2m, min_rate: { bytes: 1KiB, grace: 3s }, connections: 7, max_hops: 2 }\n\
         shutdown: { deadline: 1h }\n\
         runtime: { cores: [3, 1], ring_entries: 128 }",
    )
    .unwrap();
    let expected = Limits {
        header_bytes: 8192,
        headers: 50,
        target_bytes: 4096,
        body_bytes: 1 << 20,
        header_timeout: Duration::from_secs(1),
        handshake_timeout: Duration::from_secs(4),
        handshakes: 9,
        idle_timeout: Duration::from_secs(120),
        min_rate: Some(MinRate { bytes: 1024, grace: Duration::from_secs(3) }),
        connections: 7,
        max_hops: 2,
    };
    assert_eq!(config.limits, expected);
    assert_eq!(config.shutdown.deadline, Duration::from_secs(3600));
    assert_eq!(config.runtime.cores, Cores::List(vec![3, 1]));
    assert_eq!(config.runtime.ring_entries, Some(128));
}

/// The contract: the values in `gateway.yaml` are the defaults.
#[test]
fn the_defaults_are_the_contracts() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/gateway.yaml")).unwrap();
    let from = text.find("limits: {").unwrap();
    let to = from + text[from..].find("max_hops: 5 }").unwrap() + "max_hops: 5 }".len();
    assert!(text[from..to].contains("handshake_timeout: 10s"));
    assert_eq!(load(&text[from..to]).unwrap().limits, Limits::default());
    assert!(text.contains("deadline: 30s"));
    assert_eq!(load("").unwrap().shutdown.deadline, Duration::from_secs(30));
}

#[test]
fn off_lifts_a_limit_and_on_is_its_default() {
    for off in ["off", "false", "\"off\""] {
        assert_eq!(limit("body_bytes", off).unwrap().body_bytes, u64::MAX);
        assert_eq!(limit("min_rate", off).unwrap().min_rate, None);
    }
    for on in ["on", "true", "{}"] {
        assert_eq!(limit("min_rate", on).unwrap().min_rate, Some(MinRate::default()));
    }
    assert!(limit("body_bytes", "on").is_err());
}

#[test]
fn the_target_is_a_part_of_the_head() {
    let limits = |text: &str| load(&format!("limits: {{ {text} }}")).map(|config| config.limits.target_bytes);
    assert_eq!(limits("header_bytes: 8KiB").unwrap(), 8192, "lowered where not given");
    assert_eq!(limits("header_bytes: 64KiB").unwrap(), 16384);
    assert_eq!(limits("header_bytes: 8KiB, target_bytes: 8KiB").unwrap(), 8192);
    assert!(limits("header_bytes: 8KiB, target_bytes: 8193").is_err());
    assert!(limits("target_bytes: 33KiB").is_err());
}
