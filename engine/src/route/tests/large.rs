//! Tables of very many routes: time that grows with their number, or with its square, is seen here.

use super::*;
use ringgate_config::{HostPattern, Match, PathPattern, Segment};
use std::time::{Duration, Instant};

const MANY: usize = 100_000;
/// What compiling so many may take, and finding one of them. In release builds the promises are two seconds and a
/// microsecond (`bench/benches/routes.rs`); these bounds hold for a debug build on a machine with other work, and are
/// passed over by far by whatever looks at every route.
const COMPILE_MAX: Duration = Duration::from_secs(20);
const FIND_MAX: Duration = Duration::from_micros(50);

fn compiled(matches: impl Fn(usize) -> Match) -> RouteTable {
    let mut config = config(&[("one", "")]);
    let first = config.routes[0].clone();
    config.routes = (0..MANY).map(|n| ringgate_config::Route { matches: matches(n), ..first.clone() }).collect();
    let begun = Instant::now();
    let table = RouteTable::compile(&config).expect("compiled");
    assert!(begun.elapsed() < COMPILE_MAX, "compiled in {:?}", begun.elapsed());
    table
}

#[track_caller]
fn quick(table: &RouteTable, host: &str, target: &str, expected: Option<usize>) {
    with_head("GET", host, target, "", |head| {
        let expected = expected.map_or(Matched::NotFound, Matched::Route);
        // The quickest of a few: others may have the processor now and then.
        let times = (0..200).map(|_| {
            let begun = Instant::now();
            assert_eq!(table.find(head), Ok(std::hint::black_box(expected_of(&expected))), "{target}");
            begun.elapsed()
        });
        let quickest = times.min().expect("some");
        assert!(quickest < FIND_MAX, "{target:.40}: {quickest:?}");
    });
}

fn expected_of(matched: &Matched) -> Matched {
    match matched {
        Matched::Route(index) => Matched::Route(*index),
        _ => Matched::NotFound,
    }
}

fn path(pattern: PathPattern) -> Match {
    Match { path: Some(pattern), ..Match::default() }
}

fn literal(text: &str) -> Segment {
    Segment::Literal(text.into())
}

#[test]
fn many_hosts() {
    let table = compiled(|n| Match {
        hosts: vec![match n % 2 {
            0 => HostPattern::Exact(format!("h{n}.example.com")),
            _ => HostPattern::Wildcard(format!(".h{n}.example.com")),
        }],
        ..path(PathPattern::Prefix(String::new()))
    });
    quick(&table, "h77776.example.com", "/x", Some(77_776));
    quick(&table, "a.h77777.example.com", "/x", Some(77_777));
    quick(&table, "other.example.com", "/x", None);
    quick(&table, &"a.".repeat(120), "/x", None);
}

#[test]
fn many_exact_paths() {
    let table = compiled(|n| path(PathPattern::Exact(format!("/service/{n}/item"))));
    quick(&table, "h", "/service/77777/item", Some(77_777));
    quick(&table, "h", "/service/77777/other", None);
}

#[test]
fn many_prefixes() {
    let table = compiled(|n| path(PathPattern::Prefix(format!("/api/{}/{}", n / 300, n % 300))));
    quick(&table, "h", "/api/200/7/a/b/c", Some(200 * 300 + 7));
    quick(&table, "h", "/api/200/300", None);
    quick(&table, "h", &"/".repeat(16_000), None);
    quick(&table, "h", &format!("/api/{}", "2".repeat(16_000)), None);
}

#[test]
fn many_captures() {
    let table = compiled(|n| {
        path(PathPattern::Captured {
            segments: vec![literal("api"), literal(&n.to_string()), Segment::Capture("id".into()), literal("end")],
            rest: n % 2 == 0,
        })
    });
    quick(&table, "h", "/api/77777/x/end", Some(77_777));
    quick(&table, "h", "/api/77776/x/end/more", Some(77_776));
    quick(&table, "h", "/api/77777/x/end/more", None);
    quick(&table, "h", &"/".repeat(16_000), None);
    quick(&table, "h", &"/a".repeat(8_000), None);
    quick(&table, "h", &format!("/api/77777/{}/end", "x".repeat(16_000)), Some(77_777));
}

#[test]
fn many_of_each_kind() {
    let table = compiled(|n| {
        let matches = match n % 4 {
            0 => path(PathPattern::Exact(format!("/a/{n}"))),
            1 => path(PathPattern::Prefix(format!("/a/{n}"))),
            2 => path(PathPattern::Captured {
                segments: vec![Segment::Capture("x".into()), literal(&n.to_string())],
                rest: false,
            }),
            _ => Match {
                hosts: vec![HostPattern::Exact(format!("h{n}"))],
                ..path(PathPattern::Prefix("/only".to_string()))
            },
        };
        Match { methods: vec!["GET".into()], ..matches }
    });
    quick(&table, "h77779", "/a/77776", Some(77_776));
    quick(&table, "h77779", "/a/77777/x", Some(77_777));
    quick(&table, "h77779", "/z/77778", Some(77_778));
    quick(&table, "h77779", "/only/this", Some(77_779));
    quick(&table, "h", "/only/this", None);
}
