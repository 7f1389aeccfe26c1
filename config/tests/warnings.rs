//! What is allowed but probably not meant.
#![allow(clippy::unwrap_used)]

use ringgate_config::{Severity, parse};

fn warnings(text: &str) -> Vec<String> {
    let config = parse("w.yaml", text, &|_| None).unwrap();
    assert!(config.warnings.iter().all(|warning| warning.severity == Severity::Warning));
    config.warnings.iter().map(|warning| warning.to_string()).collect()
}

const LISTENERS: &str = "listeners: [{ name: a, address: \"127.0.0.1:0\" }]\n";

#[test]
fn no_routes() {
    for routes in ["", "routes: []\n"] {
        let warnings = warnings(&format!("{LISTENERS}{routes}"));
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].starts_with("w.yaml:1:1: warning: no routes: every request gets 404\n"));
        assert!(warnings[0].ends_with("\n  = hint: add a route under `routes`"));
    }
}

#[test]
fn an_upstream_that_no_route_uses() {
    let text = format!(
        "{LISTENERS}upstreams:\n  used: {{ endpoints: [\"127.0.0.1:1\"] }}\n  spare: {{ endpoints: [\"127.0.0.1:2\"] }}\n\
         routes: [{{ name: r, match: {{}}, forward: {{ upstream: used }} }}]\n"
    );
    let warnings = warnings(&text);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("w.yaml:4:3: warning: no route uses the upstream `spare`\n"), "{warnings:?}");
}

#[test]
fn paths_that_are_hardly_meant() {
    let path = |path: &str| {
        warnings(&format!(
            "{LISTENERS}upstreams: {{ u: {{ endpoints: [\"127.0.0.1:1\"] }} }}\n\
             routes: [{{ name: r, match: {{ path: {path} }}, forward: {{ upstream: u }} }}]\n"
        ))
    };
    assert!(path("\"/users/:id\"")[0].contains("warning: `:id` is taken literally"));
    assert!(path("\"/:a/*\"")[0].contains("= hint: a capture is written `{a}`"));
    assert!(path("\"/:a/{b}\"")[0].contains("`:a` is taken literally"));
    assert!(path("{ regex: \"users/.*\" }")[0].contains("never matches"));
    for good in
        ["\"/a:b\"", "\"/:\"", "\"/{id}\"", "{ regex: \"/users/.*\" }", "{ regex: \"(/a|/b)\" }", "{ regex: \"a|/b\" }"]
    {
        assert_eq!(path(good), [""; 0], "{good}");
    }
}

#[test]
fn trust_in_everybody() {
    let text = |networks: &str| format!("trusted_proxies: [{networks}]\n{LISTENERS}");
    assert_eq!(warnings(&text("0.0.0.0/0, \"::/0\"")).len(), 3, "and no routes");
    assert_eq!(warnings(&text("10.0.0.0/8")).len(), 1);
}

const UPSTREAM: &str = "upstreams: { u: { endpoints: [\"127.0.0.1:1\"] } }\n";

#[test]
fn a_route_that_another_one_shadows() {
    let text = format!(
        "{LISTENERS}{UPSTREAM}routes:\n  - {{ name: tenants, match: {{ path: \"/{{tenant}}/*\" }}, forward: {{ upstream: u }} }}\n  \
         - {{ name: static, match: {{ path: /static/* }}, forward: {{ upstream: u }} }}\n"
    );
    assert_eq!(
        warnings(&text),
        ["w.yaml:5:13: warning: no request reaches the route `static`: `tenants` takes all of them before
  |
5 |   - { name: static, match: { path: /static/* }, forward: { upstream: u } }
  |             ^^^^^^
  = hint: `tenants` is on line 4: a path with captures comes before a prefix, wherever it stands in the file"]
    );
}

#[test]
fn connecting_that_takes_longer_than_a_route_waits() {
    let text = |connect: &str| {
        warnings(&format!(
            "{LISTENERS}upstreams: {{ u: {{ endpoints: [\"127.0.0.1:1\"]{connect} }} }}\n\
             routes: [{{ name: r, match: {{}}, forward: {{ upstream: u, timeout: 1s }} }}]\n"
        ))
    };
    let warning = text(", connect_timeout: 1500ms").remove(0);
    assert!(warning.starts_with("w.yaml:2:64: warning: `connect_timeout` is 1500ms, longer than"), "{warning}");
    assert_eq!(text(", connect_timeout: 1s"), [""; 0]);
    assert_eq!(text(""), [""; 0], "the default is nobody's mistake");
}

#[test]
fn endpoints_that_are_the_gateway_itself() {
    let text = |listener: &str, admin: &str, endpoint: &str| {
        warnings(&format!(
            "listeners: [{{ name: a, address: \"{listener}\" }}]\n{admin}upstreams: {{ u: {{ endpoints: [\"{endpoint}\"] }} }}\n\
             routes: [{{ name: r, match: {{}}, forward: {{ upstream: u }} }}]\n"
        ))
    };
    for (listener, endpoint) in [
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("0.0.0.0:8080", "127.0.0.1:8080"),
        ("[::]:8080", "127.0.0.1:8080"),
        ("[::]:8080", "[::1]:8080"),
        ("127.0.0.1:8080", "0.0.0.0:8080"),
        ("unix:a.sock", "unix:a.sock"),
    ] {
        let found = text(listener, "", endpoint);
        assert_eq!(found.len(), 1, "{listener} {endpoint}");
        assert!(found[0].contains("is the listener `a` of this gateway"), "{found:?}");
    }
    for (listener, endpoint) in
        [("127.0.0.1:8080", "127.0.0.1:8081"), ("127.0.0.1:8080", "127.0.0.2:8080"), ("0.0.0.0:8080", "[::1]:8080")]
    {
        assert_eq!(text(listener, "", endpoint), [""; 0], "{listener} {endpoint}");
    }
    let admin = text("127.0.0.1:8080", "admin: { address: \"127.0.0.1:9901\" }\n", "127.0.0.1:9901");
    assert!(admin[0].contains("`127.0.0.1:9901` is the admin address of this gateway"), "{admin:?}");
}

#[test]
fn paths_that_are_always_ambiguous() {
    for path in ["/a;b", "/a%3Bb/*", "/100%25", "/{id}/a;v=1"] {
        let text = format!(
            "{LISTENERS}{UPSTREAM}routes: [{{ name: r, match: {{ path: \"{path}\" }}, forward: {{ upstream: u }} }}]\n"
        );
        assert!(warnings(&text)[0].contains("warning: no request can reach this path"), "{path}");
    }
}

#[test]
fn variables_of_nginx_in_a_redirect() {
    let text = format!(
        "{LISTENERS}routes: [{{ name: r, match: {{}}, redirect: {{ to: \"https://a.com/$request_uri\" }} }}]\n"
    );
    let warnings = warnings(&text);
    assert!(warnings[0].contains("`$request_uri` is taken literally"), "{warnings:?}");
    assert!(warnings[0].contains("hint: here it is `{request.path}`"), "{warnings:?}");
}
