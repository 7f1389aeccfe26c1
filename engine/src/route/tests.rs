mod captures;
mod large;
mod linear;

use super::{Matched, RouteTable};
use crate::model::{BodySize, Fault, RequestHead};
use proptest::prelude::{Just, Strategy};
use proptest::sample::{select, subsequence};
use ringgate_config::Config;
use ringgate_protocols::h1::{HeadLimits, RequestHead as ParsedHead};

const LIMITS: HeadLimits = HeadLimits { header_bytes: 65_536, headers: 100, target_bytes: 16_384 };

/// A table of routes, each given by its name and the inside of its `match`.
fn table(routes: &[(&str, &str)]) -> (RouteTable, Vec<String>) {
    let config = config(routes);
    let names = config.routes.iter().map(|route| route.name.clone()).collect();
    (RouteTable::compile(&config).expect("compiled"), names)
}

fn config(routes: &[(&str, &str)]) -> Config {
    let mut text = String::from(
        "listeners: [{ name: a, address: \"127.0.0.1:0\" }]\nupstreams: { s: { endpoints: [\"127.0.0.1:9\"] } }\nroutes:\n",
    );
    for (name, matches) in routes {
        text.push_str(&format!("  - {{ name: {name}, match: {{ {matches} }}, forward: {{ upstream: s }} }}\n"));
    }
    ringgate_config::parse("test.yaml", &text, &|_| None).unwrap_or_else(|error| panic!("{error}"))
}

fn ask(table: &RouteTable, method: &str, host: &str, target: &str, more: &str) -> Result<Matched, Fault> {
    with_head(method, host, target, more, |head| table.find(head))
}

fn with_head<R>(method: &str, host: &str, target: &str, more: &str, then: impl FnOnce(&RequestHead<'_>) -> R) -> R {
    let bytes = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n{more}\r\n").into_bytes();
    let mut parsed = ParsedHead::new();
    parsed.parse(&bytes, &LIMITS).unwrap_or_else(|error| panic!("{target}: {error}"));
    then(&RequestHead {
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

/// The name of the route that wins for a GET; `-` for none, `!` for an ambiguous path, `M` for another method.
fn wins(routes: &[(&str, &str)], host: &str, target: &str, more: &str) -> String {
    let (table, names) = table(routes);
    match ask(&table, "GET", host, target, more) {
        Ok(Matched::Route(index)) => names[index].clone(),
        Ok(Matched::NotFound) => "-".into(),
        Ok(Matched::MethodNotAllowed(_)) => "M".into(),
        Err(Fault::AmbiguousPath) => "!".into(),
        Err(fault) => panic!("{fault:?}"),
    }
}

#[test]
fn hosts_from_exact_to_none_falling_through() {
    let routes = [
        ("any", r#"path: "/*""#),
        ("wide", r#"hosts: ["*.example.com"], path: "/*""#),
        ("narrow", r#"hosts: ["*.api.example.com"], path: "/a""#),
        ("exact", r#"hosts: [v1.api.example.com], path: "/x""#),
    ];
    let win = |host, target| wins(&routes, host, target, "");
    assert_eq!(win("v1.api.example.com", "/x"), "exact");
    assert_eq!(win("v1.api.example.com", "/a"), "narrow", "falls through to the longer wildcard");
    assert_eq!(win("v1.api.example.com", "/other"), "wide", "then to the shorter");
    assert_eq!(win("V1.API.Example.COM:8443", "/x"), "exact", "without port, case ignored");
    assert_eq!(win("v1.api.example.com.", "/x"), "exact", "an absolute name is the same name");
    assert_eq!(win("example.com", "/x"), "any", "a wildcard takes at least one label");
    assert_eq!(win("other.org", "/x"), "any");
}

#[test]
fn paths_from_exact_to_regex() {
    let routes = [
        ("regex", r#"path: { regex: "/users/[0-9]+/.*" }"#),
        ("all", r#"path: "/*""#),
        ("users", r#"path: "/users/*""#),
        ("captured", r#"path: "/users/{id}""#),
        ("literal-first", r#"path: "/users/{id}/posts""#),
        ("capture-later", r#"path: "/users/me/{what}""#),
        ("exact", r#"path: "/users/me""#),
    ];
    let win = |target| wins(&routes, "a", target, "");
    assert_eq!(win("/users/me"), "exact");
    assert_eq!(win("/users/7"), "captured");
    assert_eq!(win("/users/me/posts"), "capture-later", "literal segments compared from the left");
    assert_eq!(win("/users/7/posts"), "literal-first");
    assert_eq!(win("/users/7/likes"), "users", "a prefix comes before a regex");
    assert_eq!(win("/users"), "users");
    assert_eq!(win("/"), "all");
    assert_eq!(wins(&routes[..1], "a", "/users/7/likes", ""), "regex");
    assert_eq!(wins(&routes[..1], "a", "/x/users/7/likes", ""), "-", "anchored at both ends");
}

#[test]
fn what_follows_a_capture_comes_after_segments_that_are_named() {
    let routes = [
        ("rest", r#"path: "/{x}/*""#),
        ("deep-rest", r#"path: "/a/{x}/*""#),
        ("both", r#"path: "/a/{x}/{y}""#),
        ("literal", r#"path: "/a/{x}/c""#),
        ("left", r#"path: "/{x}/b/c""#),
    ];
    for routes in [routes, [4, 3, 2, 1, 0].map(|at| routes[at])] {
        let win = |target| wins(&routes, "a", target, "");
        assert_eq!(win("/a/b/c"), "literal");
        assert_eq!(win("/a/b/d"), "both");
        assert_eq!(win("/a/b"), "deep-rest");
        assert_eq!(win("/a/b/c/d"), "deep-rest");
        assert_eq!(win("/z/b/c"), "left");
        assert_eq!(win("/z"), "rest");
    }
}

#[test]
fn a_narrow_host_s_widest_path_comes_before_a_wide_host_s_exact_one() {
    let routes = [("wide", r#"path: "/users""#), ("narrow", r#"hosts: [a.org], path: "/*""#)];
    assert_eq!(wins(&routes, "a.org", "/users", ""), "narrow");
    assert_eq!(wins(&routes, "b.org", "/users", ""), "wide");
    assert_eq!(wins(&routes, "b.org", "http://a.org/users", ""), "narrow", "an absolute target names the host");
}

#[test]
fn a_prefix_ends_at_a_segment() {
    let routes = [("static", r#"path: "/static/*""#)];
    for (target, expected) in
        [("/static", "static"), ("/static/", "static"), ("/static/a/b", "static"), ("/statics", "-"), ("/stati", "-")]
    {
        assert_eq!(wins(&routes, "a", target, ""), expected, "{target}");
    }
    assert_eq!(wins(&[("one", r#"path: "/users/{id}""#)], "a", "/users/", ""), "-", "a capture is not empty");
}

#[test]
fn more_predicates_come_first_then_the_order_of_the_file() {
    let routes = [
        ("plain", r#"path: "/p""#),
        ("one", r#"path: "/p", headers: { x-tier: gold }"#),
        ("two", r#"path: "/p", headers: { x-tier: gold }, query: { v: "2" }"#),
        ("twin", r#"path: "/p""#),
    ];
    assert_eq!(wins(&routes, "a", "/p", ""), "plain");
    assert_eq!(wins(&routes, "a", "/p", "x-tier: gold\r\n"), "one");
    assert_eq!(wins(&routes, "a", "/p?v=2", "x-tier: gold\r\n"), "two");
    assert_eq!(wins(&routes, "a", "/p?v=3", "x-tier: gold\r\n"), "one");
}

#[test]
fn header_values_may_hold_a_star_and_any_of_several_fields_counts() {
    let routes = [("iot", r#"headers: { user-agent: "*Sensor*" }"#)];
    assert_eq!(wins(&routes, "a", "/", "user-agent: My Sensor/1\r\n"), "iot");
    assert_eq!(wins(&routes, "a", "/", "User-Agent: x\r\nuser-agent: Sensor\r\n"), "iot");
    assert_eq!(wins(&routes, "a", "/", "user-agent: sensor\r\n"), "-");
    assert_eq!(wins(&routes, "a", "/", ""), "-");
}

#[test]
fn query_parameters_are_decoded() {
    let routes = [("q", r#"query: { "a b": "c&d" }"#)];
    assert_eq!(wins(&routes, "a", "/?x=1&a%20b=c%26d", ""), "q");
    assert_eq!(wins(&routes, "a", "/?a+b=c%26d", ""), "q");
    assert_eq!(wins(&routes, "a", "/?a+b=c&d", ""), "-");
    assert_eq!(wins(&routes, "a", "/", ""), "-");
}

#[test]
fn only_the_method_missed() {
    let (table, _) = table(&[
        ("read", r#"path: "/m", methods: [GET, HEAD]"#),
        ("write", r#"path: "/m", methods: [PUT, GET]"#),
        ("other", r#"path: "/n", methods: [DELETE]"#),
    ]);
    let allowed = |list: &[&str]| Matched::MethodNotAllowed(list.iter().map(|m| m.as_bytes().into()).collect());
    assert_eq!(ask(&table, "POST", "a", "/m", ""), Ok(allowed(&["GET", "HEAD", "PUT"])));
    assert_eq!(ask(&table, "PUT", "a", "/m", ""), Ok(Matched::Route(1)));
    assert_eq!(ask(&table, "get", "a", "/m", ""), Ok(allowed(&["GET", "HEAD", "PUT"])), "methods have a case");
    assert_eq!(ask(&table, "GET", "a", "/nowhere", ""), Ok(Matched::NotFound));
}

#[test]
fn a_method_that_no_route_may_have_is_told_those_that_are_taken() {
    let (table, _) = table(&[
        ("read", r#"path: "/m", methods: [GET, HEAD]"#),
        ("write", r#"path: "/m", methods: [PUT, GET]"#),
        ("header", r#"path: "/m", headers: { x: "1" }"#),
        ("other", r#"hosts: [b.com], path: "/m""#),
        ("any", r#"path: "/any""#),
        ("some", r#"path: "/any", methods: [GET]"#),
    ]);
    let allowed = |list: &[&str]| Ok(Matched::MethodNotAllowed(list.iter().map(|m| m.as_bytes().into()).collect()));
    assert_eq!(ask(&table, "TRACE", "a", "/m", ""), allowed(&["GET", "HEAD", "PUT"]));
    assert_eq!(ask(&table, "TRACE", "a", "/m", "x: 1\r\n"), allowed(&[]), "one takes any");
    assert_eq!(ask(&table, "TRACE", "b.com", "/m", ""), allowed(&[]), "one takes any");
    assert_eq!(ask(&table, "TRACE", "a", "/any", ""), allowed(&[]), "one takes any");
    assert_eq!(ask(&table, "TRACE", "a", "/nowhere", ""), allowed(&[]));
    assert_eq!(ask(&table, "CONNECT", "a", "a:443", ""), allowed(&[]));
    assert_eq!(ask(&table, "TRACE", "a", "/./m", ""), allowed(&["GET", "HEAD", "PUT"]), "in either reading");
}

#[test]
fn a_route_that_misses_more_than_the_method_names_none() {
    let (table, _) = table(&[("one", r#"path: "/m", methods: [PUT], headers: { x: "1" }"#)]);
    assert_eq!(ask(&table, "GET", "a", "/m", ""), Ok(Matched::NotFound));
    let allowed = Matched::MethodNotAllowed(vec![b"PUT"[..].into()]);
    assert_eq!(ask(&table, "GET", "a", "/m", "x: 1\r\n"), Ok(allowed));
}

#[test]
fn percent_encoding_is_decoded_once_to_match() {
    let routes = [("users", r#"path: "/users""#), ("cafe", "path: \"/caf\u{e9}\"")];
    assert_eq!(wins(&routes, "a", "/%75sers", ""), "users");
    assert_eq!(wins(&routes, "a", "/caf%C3%A9", ""), "cafe");
    let regex = [("regex", r#"path: { regex: "/v[0-9]+/a b" }"#)];
    assert_eq!(wins(&regex, "a", "/v12/a%20b", ""), "regex");
    assert_eq!(wins(&regex, "a", "/v12/%FF", ""), "-", "no text, so no text matches it");
}

#[test]
fn a_path_that_could_be_two_is_refused() {
    let routes = [("admin", r#"path: "/admin/*""#), ("all", r#"path: "/*""#)];
    for target in ["/x/../admin/a", "//admin/a", "/x/%2e%2e/admin/a", "/%2Fadmin/a", "/x/..%2Fadmin/a", "/admin;v=1/a"]
    {
        assert_eq!(wins(&routes, "a", target, ""), "!", "{target}");
    }
    for (target, expected) in [("/a//b", "all"), ("/admin/x%2Fy", "admin"), ("/a/./b", "all"), ("/a;b", "all")] {
        assert_eq!(wins(&routes, "a", target, ""), expected, "{target}: the same route either way");
    }
}

#[test]
fn the_star_of_options_is_taken_by_what_takes_everything() {
    let (table, _) = table(&[("all", r#"path: "/*""#), ("one", r#"path: "/one""#)]);
    assert_eq!(ask(&table, "OPTIONS", "a", "*", ""), Ok(Matched::Route(0)));
}

/// Matches that overlap in many ways.
const POOL: &[(&str, &str)] = &[
    ("exact", r#"path: "/a/b""#),
    ("right", r#"path: "/a/{x}""#),
    ("left", r#"path: "/{x}/b""#),
    ("two", r#"path: "/{x}/{y}""#),
    ("rest", r#"path: "/{x}/*""#),
    ("deep-rest", r#"path: "/a/{x}/*""#),
    ("prefix", r#"path: "/a/*""#),
    ("all", r#"path: "/*""#),
    ("regex", r#"path: { regex: "/.*b" }"#),
    ("method", r#"methods: [GET]"#),
    ("prefix-method", r#"path: "/a/*", methods: [GET]"#),
    ("prefix-field", r#"path: "/a/*", headers: { x: "1" }"#),
    ("prefix-both", r#"path: "/a/*", headers: { x: "*" }, methods: [GET, PUT]"#),
    ("query", r#"path: "/*", query: { v: "1" }"#),
    ("host", r#"hosts: [h.example.com], path: "/*""#),
    ("host-method", r#"hosts: [h.example.com], path: "/a/*", methods: [PUT]"#),
    ("wildcard", r#"hosts: ["*.example.com"], path: "/a/b""#),
    ("wide", r#"hosts: ["*.com"], methods: [PUT]"#),
];

proptest::proptest! {
    /// Whatever routes there are, their order in the file decides only between those of equal rank; of POOL, these are
    /// the two with a prefix and one further predicate.
    #[test]
    fn the_winner_does_not_depend_on_the_order_of_the_file(
        chosen in subsequence(POOL, 1..POOL.len()),
        order in Just((0..POOL.len()).collect::<Vec<_>>()).prop_shuffle(),
        method in select(&["GET", "PUT", "POST"][..]),
        host in select(&["h.example.com", "i.example.com", "j.com", "k"][..]),
        target in select(&["/a/b", "/a/c", "/c/b", "/a/b/c", "/q", "/a?v=1", "/"][..]),
        more in select(&["x: 1\r\n", "x: 2\r\n", ""][..]),
    ) {
        let shuffled: Vec<_> = order.iter().filter_map(|at| chosen.get(*at)).copied().collect();
        let winner = |routes: &[(&str, &str)]| {
            let (table, names) = table(routes);
            let found = ask(&table, method, host, target, more).map(|matched| match matched {
                Matched::Route(index) => names[index].replace("prefix-field", "prefix-method"),
                other => format!("{other:?}"),
            });
            format!("{found:?}")
        };
        proptest::prop_assert_eq!(winner(&chosen), winner(&shuffled));
    }
}
