use proptest::prelude::*;

use super::*;
use crate::document::Action;
use crate::lint::implies::count;
use crate::{Config, parse};

/// The routes of a file in which each of these is the `match` of one, and the pairs of names that are found.
fn found(matches: &[&str]) -> Vec<(usize, Vec<usize>)> {
    shadowed(&load(matches).routes)
}

fn load(matches: &[&str]) -> Config {
    let routes = matches.iter().enumerate();
    let routes = routes.map(|(i, m)| format!("  - {{ name: r{i}, match: {{ {m} }}, redirect: {{ to: /x }} }}\n"));
    let text = format!("listeners: [{{ name: a, address: \"127.0.0.1:0\" }}]\nroutes:\n{}", routes.collect::<String>());
    parse("t.yaml", &text, &|_| None).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn what_is_shadowed() {
    for (first, second) in [
        ("path: /a", "path: /a"),
        ("path: /a, methods: [GET, PUT]", "path: /a, methods: [GET]"),
        ("path: /a, headers: { x: \"*\" }", "path: /a, headers: { x: \"1\" }"),
        ("path: /a, query: { v: \"1\" }", "path: /a, query: { v: \"1\" }"),
        ("path: \"/{a}/b\"", "path: \"/{c}/b\""),
        ("path: /a/*", "path: /a/*"),
        ("", ""),
        ("path: { regex: \"/x|/y\" }", "path: { regex: \"/x|/y\" }"),
        ("hosts: [a.com, b.com]", "hosts: [b.com]"),
    ] {
        assert_eq!(found(&[first, second]), [(1, vec![0])], "{first} before {second}");
    }
}

#[test]
fn what_is_shadowed_wherever_it_stands() {
    for (winner, loser) in [
        ("path: \"/{a}/*\"", "path: /b/*"),
        ("path: \"/{a}/*\"", "path: /b/c/*, methods: [GET]"),
        ("path: \"/x/{a}/*\"", "path: { regex: \"/x/y/.*\" }"),
        ("path: /*", "path: { regex: \"/x.*|/y\" }"),
        ("path: /*", ""),
        ("path: /x/*", "path: { regex: \"/x/[0-9]+\" }"),
        ("path: /x/*", "path: { regex: \"/x/y\" }"),
        ("path: /*", "headers: { x: \"1\" }"),
    ] {
        assert_eq!(found(&[winner, loser]), [(1, vec![0])], "{winner} before {loser}");
        assert_eq!(found(&[loser, winner]), [(0, vec![1])], "{winner} after {loser}");
    }
}

#[test]
fn what_is_not() {
    for pair in [
        ["path: /a", "path: /b"],
        ["path: /a", "path: /a, methods: [GET]"],
        ["path: \"/x/{a}/*\"", "path: { regex: \"/x/[0-9]+/.*\" }"],
        ["path: /a, headers: { x: \"*\" }", "path: /a, methods: [GET], headers: { x: \"*\" }"],
        ["path: /*", "path: /a"],
        ["path: /*", "path: /a/*"],
        ["path: \"/{a}\"", "path: /b"],
        ["path: \"/{a}/*\"", "path: \"/{b}\""],
        ["path: \"/{a}/{b}/*\"", "path: /c/*"],
        ["path: /a, methods: [GET]", "path: /a, methods: [GET, PUT]"],
        ["path: /a, headers: { x: \"1\" }", "path: /a, headers: { x: \"2\" }"],
        ["hosts: [\"*.a.com\"]", "hosts: [b.a.com]"],
        ["path: /*", "hosts: [a.com]"],
        ["hosts: [a.com]", "hosts: [a.com, b.com]"],
        ["path: /*, methods: [GET]", ""],
        ["path: /x/*", "path: { regex: \"/x/?y.*\" }"],
        ["path: /x/*", "path: { regex: \"/x/*\" }"],
        ["path: /xy/*", "path: { regex: \"/xy*/z\" }"],
        ["path: { regex: \"/.*\" }", "path: { regex: \"/a\" }"],
    ] {
        assert_eq!(found(&pair), [], "{pair:?}");
    }
    assert_eq!(found(&["hosts: [a.com]", "hosts: [b.com]", "hosts: [b.com, a.com]"]), [(2, vec![0, 1])]);
}

/// A request, as far as these routes look at it.
struct Request {
    host: &'static str,
    path: String,
    method: &'static str,
    tier: &'static str,
}

fn requests() -> Vec<Request> {
    let segments = ["a", "b", "c"];
    let mut paths = vec!["/".to_owned()];
    for x in segments {
        paths.push(format!("/{x}"));
        paths.push(format!("/{x}/"));
        for y in segments {
            paths.push(format!("/{x}/{y}"));
            paths.extend(segments.map(|z| format!("/{x}/{y}/{z}")));
        }
    }
    let mut requests = Vec::new();
    for host in ["a.com", "x.a.com", "b.com"] {
        for path in &paths {
            for (method, tier) in [("GET", "1"), ("PUT", "1"), ("GET", "2"), ("PUT", "")] {
                requests.push(Request { host, path: path.clone(), method, tier });
            }
        }
    }
    requests
}

fn fits_path(path: Option<&PathPattern>, asked: &str) -> bool {
    let parts: Vec<&str> = asked.split('/').skip(1).collect();
    match path {
        None => true,
        Some(PathPattern::Exact(exact)) => exact == asked,
        Some(PathPattern::Prefix(prefix)) => {
            asked.strip_prefix(&**prefix).is_some_and(|r| r.is_empty() || r.starts_with('/'))
        }
        Some(PathPattern::Regex(source)) => crate::path_regex(source).unwrap().is_match(asked),
        Some(PathPattern::Captured { segments, rest }) => {
            let fits =
                |(segment, part): (&Segment, &&str)| segment.as_literal().map_or(!part.is_empty(), |l| l == *part);
            parts.len() >= segments.len()
                && segments.iter().zip(&parts).all(fits)
                && (*rest || parts.len() == segments.len())
        }
    }
}

/// The order of paths as the contract says it, as numbers to compare.
fn rank(path: Option<&PathPattern>) -> (u8, Vec<u8>, isize) {
    match path {
        Some(PathPattern::Exact(_)) => (0, Vec::new(), 0),
        Some(PathPattern::Captured { segments, rest }) => {
            let segments = segments.iter().map(|segment| u8::from(segment.as_literal().is_none()));
            (1, segments.chain(rest.then_some(2)).collect(), 0)
        }
        Some(PathPattern::Prefix(prefix)) => (2, Vec::new(), -(prefix.len() as isize)),
        Some(PathPattern::Regex(_)) => (3, Vec::new(), 0),
        None => (4, Vec::new(), 0),
    }
}

fn winner(routes: &[Route], request: &Request) -> Option<usize> {
    let host_rank = |m: &Match| -> Option<usize> {
        let of = |host: &HostPattern| match host {
            HostPattern::Exact(host) => (host == request.host).then_some(0),
            HostPattern::Wildcard(suffix) => request.host.ends_with(suffix.as_str()).then_some(1),
        };
        if m.hosts.is_empty() { Some(2) } else { m.hosts.iter().filter_map(of).min() }
    };
    let fits = |m: &Match| {
        (m.methods.is_empty() || m.methods.iter().any(|method| method == request.method))
            && m.headers.iter().all(|(_, value)| !request.tier.is_empty() && value.matches(request.tier.as_bytes()))
            && fits_path(m.path.as_ref(), &request.path)
    };
    let ranked = routes.iter().enumerate().filter(|(_, route)| fits(&route.matches)).filter_map(|(index, route)| {
        let m = &route.matches;
        Some((host_rank(m)?, rank(m.path.as_ref()), std::cmp::Reverse(count(m)), index))
    });
    ranked.min().map(|(.., index)| index)
}

fn any_match() -> impl Strategy<Value = String> {
    let host = prop::sample::select(vec!["", "hosts: [a.com], ", "hosts: [\"*.a.com\"], ", "hosts: [a.com, b.com], "]);
    let path = prop::sample::select(vec![
        "",
        "path: /a, ",
        "path: /a/*, ",
        "path: /*, ",
        "path: /a/b/*, ",
        "path: \"/{x}\", ",
        "path: \"/{x}/*\", ",
        "path: \"/{y}/b/*\", ",
        "path: \"/a/{z}/*\", ",
        "path: { regex: \"/a/[bc]/?c?\" }, ",
        "path: { regex: \"/a/?.*\" }, ",
        "path: { regex: \"/a|/b\" }, ",
    ]);
    let method = prop::sample::select(vec!["", "methods: [GET], ", "methods: [GET, PUT], "]);
    let header = prop::sample::select(vec!["", "headers: { x-tier: \"1\" }", "headers: { x-tier: \"*\" }"]);
    (host, path, method, header).prop_map(|(host, path, method, header)| format!("{host}{path}{method}{header}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    /// No route that is called shadowed ever wins.
    #[test]
    fn what_is_called_shadowed_never_wins(matches in prop::collection::vec(any_match(), 2..8)) {
        let matches: Vec<&str> = matches.iter().map(String::as_str).collect();
        let config = load(&matches);
        prop_assert!(config.routes.iter().all(|route| matches!(route.action, Action::Redirect(_))));
        let never: Vec<usize> = shadowed(&config.routes).into_iter().map(|(index, _)| index).collect();
        for request in requests() {
            if let Some(winner) = winner(&config.routes, &request) {
                prop_assert!(!never.contains(&winner), "{winner} of {matches:?} takes {} {}", request.host, request.path);
            }
        }
    }
}

#[test]
fn many_routes_of_one_path_are_told_apart() {
    let mut matches: Vec<String> = (0..COMPARED_MAX + 8).map(|i| format!("path: /a, headers: {{ x: v{i} }}")).collect();
    assert_eq!(found(&matches.iter().map(String::as_str).collect::<Vec<_>>()), []);
    let twice = matches.len() - 1;
    matches.push(matches[twice].clone());
    assert_eq!(found(&matches.iter().map(String::as_str).collect::<Vec<_>>()), [(twice + 1, vec![twice])]);
}
