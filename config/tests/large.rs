//! A hundred thousand routes load in a time that is no worse than linear, lints included.
#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::time::{Duration, Instant};

use ringgate_config::{Config, MAX_FILE_BYTES, parse};

/// What the tests' build may take for 100,000 routes: several times what it does, far less than what one quadratic
/// step would.
const BOUND: Duration = Duration::from_secs(20);

/// A file with `n` routes whose `match` and action are these.
fn file(n: usize, route: impl Fn(usize) -> (String, String)) -> String {
    let mut text = "listeners: [{ name: a, address: \"127.0.0.1:8080\" }]\nupstreams:\n".to_owned();
    for i in 0..100 {
        writeln!(text, "  u{i}: {{ endpoints: [\"127.0.0.1:{}\"] }}", 10_000 + i).unwrap();
    }
    text.push_str("routes:\n");
    for i in 0..n {
        let (matches, action) = route(i);
        writeln!(text, "  - {{ name: r{i}, match: {{ {matches} }}, {action} }}").unwrap();
    }
    text
}

fn forward(i: usize) -> String {
    format!("forward: {{ upstream: u{} }}", i % 100)
}

fn timed(what: &str, text: &str) -> Config {
    assert!(text.len() as u64 <= MAX_FILE_BYTES, "{what}: {}", text.len());
    let began = Instant::now();
    let config = parse("large.yaml", text, &|_| None).unwrap_or_else(|errors| panic!("{what}: {errors}"));
    let took = began.elapsed();
    println!("{what}: {} routes, {} bytes in {took:?}", config.routes.len(), text.len());
    assert!(took < BOUND, "{what} took {took:?}");
    config
}

#[test]
fn a_hundred_thousand_routes_of_every_shape() {
    let n = 100_000;
    let hosts = file(n, |i| (format!("hosts: [h{i}.example.com]"), forward(i)));
    assert_eq!(timed("distinct hosts", &hosts).warnings, []);
    let exact = file(n, |i| (format!("path: /a/{i}"), forward(i)));
    assert_eq!(timed("exact paths", &exact).warnings, []);
    let prefixes = file(n, |i| (format!("path: /a{}/b{i}/*", i % 7), forward(i)));
    assert_eq!(timed("prefixes", &prefixes).warnings, []);
    let captured = file(n, |i| (format!("path: \"/a{i}/{{id}}\""), forward(i)));
    assert_eq!(timed("captured", &captured).warnings, []);
    let under_a_capture = file(n, |i| (format!("path: \"/{{id}}/a{i}\""), forward(i)));
    assert_eq!(timed("captured first", &under_a_capture).warnings, []);
    let redirects = file(n, |i| (format!("path: /o{i}/*"), "redirect: { to: \"/n/{rest}\" }".to_owned()));
    assert_eq!(timed("redirects", &redirects).warnings.len(), 100, "the upstreams that nobody uses");
    let predicates = file(n, |i| (format!("path: /p, headers: {{ x-n: v{i} }}"), forward(i)));
    assert_eq!(timed("predicates", &predicates).warnings, []);
    let mixed = file(n, |i| match i % 4 {
        0 => (format!("hosts: [h{}.com, \"*.h{}.org\"], path: /m", i / 8, i), forward(i)),
        1 => (format!("path: \"/u/{{id}}/x{i}\", methods: [GET]"), forward(i)),
        2 => (format!("path: {{ regex: \"/v[0-9]/{i}\" }}"), forward(i)),
        _ => (format!("path: /s{i}/*"), forward(i)),
    });
    timed("mixed", &mixed);
}
