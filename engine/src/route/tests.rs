use super::{Matched, RouteTable};
use crate::model::{BodySize, Fault, RequestHead};
use proptest::prelude::{Just, Strategy};
use ringgate_protocols::h1::{HeadLimits, RequestHead as ParsedHead};

const LIMITS: HeadLimits = HeadLimits { header_bytes: 65_536, headers: 100, target_bytes: 16_384 };

/// A table of routes, each given by its name and the inside of its `match`.
fn table(routes: &[(&str, &str)]) -> (RouteTable, Vec<String>) {
    let mut text = String::from(
        "listeners: [{ name: a, address: \"127.0.0.1:0\" }]\nupstreams: { s: { endpoints: [\"127.0.0.1:9\"] } }\nroutes:\n",
    );
    for (name, matches) in routes {
        text.push_str(&format!("  - {{ name: {name}, match: {{ {matches} }}, forward: {{ upstream: s }} }}\n"));
    }
    let config = ringgate_config::parse("test.yaml", &text, &|_| None).unwrap_or_else(|error| panic!("{error}"));
    let names = config.routes.iter().map(|route| route.name.clone()).collect();
    (RouteTable::compile(&config).expect("compiled"), names)
}

fn ask(table: &RouteTable, method: &str, host: &str, target: &str, more: &str) -> Result<Matched, Fault> {
    let bytes = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n{more}\r\n").into_bytes();
    let mut parsed = ParsedHead::new();
    parsed.parse(&bytes, &LIMITS).unwrap_or_else(|error| panic!("{target}: {error}"));
    table.find(&RequestHead {
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
    assert_eq!(ask(&table, "TRACE", "a", "/m", ""), Ok(allowed(&[])));
}

#[test]
fn percent_encoding_is_decoded_once_to_match() {
    let routes = [("users", r#"path: "/users""#), ("cafe", "path: \"/caf\u{e9}\"")];
    assert_eq!(wins(&routes, "a", "/%75sers", ""), "users");
    assert_eq!(wins(&routes, "a", "/caf%C3%A9", ""), "cafe");
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

proptest::proptest! {
    /// Only routes of equal rank depend on their order in the file.
    #[test]
    fn the_winner_does_not_depend_on_the_order_of_the_file(order in Just((0..7usize).collect::<Vec<_>>()).prop_shuffle(), target in "/(users|me|7|static)?(/(me|7|posts|x))?(/posts)?") {
        let all = [
            ("r", r#"path: { regex: "/users/.*" }"#),
            ("p", r#"path: "/users/*""#),
            ("q", r#"path: "/*""#),
            ("c", r#"path: "/users/{id}""#),
            ("d", r#"path: "/users/{id}/posts""#),
            ("e", r#"path: "/users/me""#),
            ("h", r#"hosts: [a], path: "/static/*""#),
        ];
        let shuffled: Vec<_> = order.iter().map(|i| all[*i]).collect();
        proptest::prop_assert_eq!(wins(&all, "a", &target, ""), wins(&shuffled, "a", &target, ""));
    }
}
