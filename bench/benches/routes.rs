//! Tables of very many routes: compiling one, and finding a route in it.
#![allow(clippy::expect_used, reason = "a bench that can't run has nothing to report")]

use criterion::{Criterion, criterion_group, criterion_main};
use ringgate::harness::Routes;
use ringgate_bench::config;
use ringgate_config::{Config, HostPattern, Match, PathPattern, Route, Segment};
use ringgate_protocols::h1::HeadLimits;
use std::hint::black_box;

const LIMITS: HeadLimits = HeadLimits { header_bytes: 32 * 1024, headers: 100, target_bytes: 16 * 1024 };
const MANY: usize = 100_000;

/// So many routes, the same but for what they match.
fn many(matches: impl Fn(usize) -> Match) -> Config {
    let mut config = config(include_str!("../../examples/minimal.yaml")).expect("a good configuration");
    let first = config.routes.first().expect("a route").clone();
    config.routes = (0..MANY).map(|n| Route { name: format!("r{n}"), matches: matches(n), ..first.clone() }).collect();
    config
}

fn path(pattern: PathPattern) -> Match {
    Match { path: Some(pattern), ..Match::default() }
}

fn hosts(n: usize) -> Match {
    let name = format!("h{n}.example.com");
    Match { hosts: vec![HostPattern::Exact(name)], ..path(PathPattern::Prefix(String::new())) }
}

fn exact(n: usize) -> Match {
    path(PathPattern::Exact(format!("/service/{n}/item")))
}

fn prefixes(n: usize) -> Match {
    path(PathPattern::Prefix(format!("/api/{}/{}", n / 300, n % 300)))
}

fn captured(n: usize) -> Match {
    let literal = |text: &str| Segment::Literal(text.to_owned());
    let segments = vec![literal("api"), literal(&n.to_string()), Segment::Capture("id".into()), literal("end")];
    path(PathPattern::Captured { segments, rest: false })
}

fn mixed(n: usize) -> Match {
    let matches = match n % 4 {
        0 => hosts(n),
        1 => exact(n),
        2 => prefixes(n),
        _ => captured(n),
    };
    Match { methods: vec!["GET".into(), "HEAD".into()], ..matches }
}

/// A kind of table: its routes, a request for one of them, and which.
type Table = (&'static str, fn(usize) -> Match, &'static str, &'static str, usize);

const TABLES: &[Table] = &[
    ("hosts", hosts, "h77777.example.com", "/articles/1", 77_777),
    ("exact", exact, "www.example.com", "/service/77777/item", 77_777),
    ("prefixes", prefixes, "www.example.com", "/api/259/77/a/b/c", 77_777),
    ("captured", captured, "www.example.com", "/api/77777/4711/end", 77_777),
    ("mixed", mixed, "www.example.com", "/api/77779/4711/end", 77_779),
];

fn routes(c: &mut Criterion) {
    for (name, matches, host, target, route) in TABLES {
        let config = many(matches);
        let mut group = c.benchmark_group(format!("routes/100,000 {name}"));
        group.sample_size(10);
        group.bench_function("compile", |b| b.iter_with_large_drop(|| Routes::new(&config).expect("good routes")));
        let mut routes = Routes::new(&config).expect("good routes");
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n");
        assert!(routes.parse(request.as_bytes(), &LIMITS));
        assert_eq!(routes.find(request.as_bytes()), Some(*route));
        group.bench_function("find", |b| b.iter(|| routes.find(black_box(request.as_bytes()))));
        let hostile = format!("GET {} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n", "/a".repeat(8_000));
        assert!(routes.parse(hostile.as_bytes(), &LIMITS));
        group.bench_function("find, 8,000 segments", |b| b.iter(|| routes.find(black_box(hostile.as_bytes()))));
        group.finish();
    }
}

criterion_group!(benches, routes);
criterion_main!(benches);
