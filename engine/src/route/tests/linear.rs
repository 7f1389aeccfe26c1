//! The table gives what a search through every route gives.

use super::super::precedence::Precedence;
use super::super::rule::Rule;
use super::*;
use proptest::collection::vec;
use proptest::option;
use ringgate_config::{HostPattern, Match, PathPattern, Route, Segment, ValuePattern};
use ringgate_protocols::wire::{Method, path};
use std::cmp::Reverse;

/// What a search through every route gives: written for being right, not for being quick.
fn search(routes: &[Route], head: &RequestHead<'_>) -> Result<Matched, Fault> {
    let mut decoded = Vec::new();
    let refused = matches!(head.method, Method::Trace | Method::Connect);
    if !path::ambiguous(head.path()) {
        path::decode(head.path(), &mut decoded);
        return Ok(if refused { allowed(routes, head, &[&decoded]) } else { search_path(routes, head, &decoded) });
    }
    path::normalise(head.path(), &mut decoded);
    if refused {
        return Ok(allowed(routes, head, &[head.path(), &decoded]));
    }
    let (one, other) = (search_path(routes, head, head.path()), search_path(routes, head, &decoded));
    if one == other { Ok(one) } else { Err(Fault::AmbiguousPath) }
}

/// What a request is told whose method no route may have.
fn allowed(routes: &[Route], head: &RequestHead<'_>, paths: &[&[u8]]) -> Matched {
    let takers: Vec<&Route> = routes
        .iter()
        .filter(|route| {
            let rule = Rule::compile(route).expect("compiled");
            let host = search_hosts(&route.matches.hosts, head).is_some();
            host && rule.predicates.others(head) && paths.iter().any(|path| rule.path.takes(path))
        })
        .collect();
    let mut methods: Vec<Box<[u8]>> = Vec::new();
    if takers.iter().all(|route| !route.matches.methods.is_empty()) {
        methods.extend(takers.iter().flat_map(|route| &route.matches.methods).map(|m| m.as_bytes().into()));
    }
    methods.sort();
    methods.dedup();
    Matched::MethodNotAllowed(methods)
}

/// How narrowly one of the hosts is that of the request; the lower, the narrower.
fn search_hosts(hosts: &[HostPattern], head: &RequestHead<'_>) -> Option<(u8, Reverse<usize>)> {
    let host = String::from_utf8(head.host_name().unwrap_or(b"").to_ascii_lowercase()).expect("ASCII");
    let host = host.strip_suffix('.').unwrap_or(&host);
    let any = hosts.is_empty().then_some((2, Reverse(0)));
    let narrowest = hosts.iter().filter_map(|pattern| match pattern {
        HostPattern::Exact(name) => (name == host).then_some((0, Reverse(0))),
        HostPattern::Wildcard(suffix) => {
            (host.len() > suffix.len() && host.ends_with(suffix)).then_some((1, Reverse(suffix.len())))
        }
    });
    narrowest.chain(any).min()
}

fn search_path(routes: &[Route], head: &RequestHead<'_>, path: &[u8]) -> Matched {
    let mut candidates = Vec::new();
    for (index, route) in routes.iter().enumerate() {
        if let Some(rank) = search_hosts(&route.matches.hosts, head) {
            candidates.push((rank, Precedence::of(route, index), index));
        }
    }
    candidates.sort();
    let mut missed = Vec::new();
    for (_, _, index) in candidates {
        let rule = Rule::compile(&routes[index]).expect("compiled");
        if rule.path.takes(path) && rule.predicates.others(head) {
            if rule.predicates.method(head) {
                return Matched::Route(index);
            }
            missed.extend(rule.predicates.methods.iter().cloned());
        }
    }
    missed.sort();
    missed.dedup();
    if missed.is_empty() { Matched::NotFound } else { Matched::MethodNotAllowed(missed) }
}

/// Few texts, and two of them most of the time, so that routes and requests often meet.
fn text() -> impl Strategy<Value = &'static str> {
    proptest::prop_oneof![8 => select(&["a", "b"][..]), 1 => select(&["ab", "a b", "caf\u{e9}", "a%b", "a;b"][..])]
}

fn segments() -> impl Strategy<Value = Vec<Segment>> {
    let literal = text().prop_map(|text| Segment::Literal(text.into()));
    let one = proptest::prop_oneof![literal, Just(Segment::Capture("x".into()))];
    vec(one, 1..4)
}

fn pattern() -> impl Strategy<Value = PathPattern> {
    let joined = |texts: &[&str]| texts.iter().map(|text| format!("/{text}")).collect::<String>();
    proptest::prop_oneof![
        2 => vec(text(), 1..4).prop_map(move |texts| PathPattern::Exact(joined(&texts))),
        1 => select(&["/", "/a/"][..]).prop_map(|path| PathPattern::Exact(path.into())),
        2 => vec(text(), 0..4).prop_map(move |texts| PathPattern::Prefix(joined(&texts))),
        6 => (segments(), proptest::bool::ANY, proptest::bool::weighted(0.1)).prop_map(|(mut segments, rest, slash)| {
            if !segments.iter().any(|s| s.as_literal().is_none()) {
                segments.push(Segment::Capture("y".into()));
            }
            if slash && !rest {
                segments.push(Segment::Literal(String::new()));
            }
            PathPattern::Captured { segments, rest }
        }),
        1 => select(&["/a.*", "/[^/]*/b", "/(a|b)/.*", ".*", "/a/b"][..]).prop_map(|text| PathPattern::Regex(text.into())),
    ]
}

fn route() -> impl Strategy<Value = Match> {
    let hosts = ["a.b.c", "x.c", "c"].map(|name| HostPattern::Exact(name.into()));
    let wide = [".b.c", ".c", ".a.b.c"].map(|suffix| HostPattern::Wildcard(suffix.into()));
    let hosts: Vec<HostPattern> = hosts.into_iter().chain(wide).collect();
    let hosts = proptest::prop_oneof![3 => Just(Vec::new()), 2 => subsequence(hosts, 1..4)];
    let methods = proptest::prop_oneof![
        4 => Just(Vec::new()),
        1 => subsequence(vec!["GET".to_string(), "PUT".into(), "OPTIONS".into()], 1..3)
    ];
    let value = |name: &str| {
        let name = name.to_string();
        let text = select(&["1", "*", "1*"][..]);
        option::weighted(0.1, text.prop_map(move |value| (name.clone(), ValuePattern::wildcard(value))))
    };
    (hosts, option::weighted(0.95, pattern()), methods, value("x"), value("v")).prop_map(
        |(hosts, path, methods, header, query)| Match {
            hosts,
            path,
            methods,
            headers: header.into_iter().collect(),
            query: query.into_iter().collect(),
        },
    )
}

fn target() -> impl Strategy<Value = String> {
    let odd = ["ab", "a%20b", "caf%C3%A9", "%61", ".", "..", "%2e%2e", "", "a;b", "a%2Fb", "a%5Cb", "a%25b", "%FF"];
    let piece = proptest::prop_oneof![8 => select(&["a", "b", "z"][..]), 1 => select(odd.to_vec())];
    let query = select(&["", "?v=1", "?v=12&v=3", "?w=1"][..]);
    (vec(piece, 0..5), proptest::bool::weighted(0.1), query).prop_map(|(pieces, slash, query)| {
        let path: String = pieces.iter().map(|piece| format!("/{piece}")).collect();
        let end = if slash || path.is_empty() { "/" } else { "" };
        format!("{path}{end}{query}")
    })
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]

    #[test]
    fn the_table_is_a_linear_search(
        matches in vec(route(), 0..16),
        method in select(&["GET", "PUT", "POST", "OPTIONS", "TRACE"][..]),
        host in select(&["a.b.c", "a.b.c", "A.b.C.", "b.c:80", "z.a.b.c", "c", "x.c", "y.x.c", "other", "[::1]"][..]),
        target in target(),
        absolute in proptest::bool::weighted(0.1),
        star in proptest::bool::weighted(0.05),
        more in select(&["", "x: 1\r\n", "x: 2\r\n", "x: 2\r\nX: 12\r\n"][..]),
    ) {
        let mut config = config(&[("one", "")]);
        let first = config.routes[0].clone();
        config.routes = matches.into_iter().map(|matches| Route { matches, ..first.clone() }).collect();
        let table = RouteTable::compile(&config).expect("compiled");
        let target = match (star, absolute) {
            (true, _) if method == "OPTIONS" => "*".to_string(),
            (_, true) => format!("http://{host}{target}"),
            _ => target,
        };
        with_head(method, host, &target, more, |head| {
            proptest::prop_assert_eq!(table.find(head), search(&config.routes, head));
            Ok(())
        })?;
    }
}
