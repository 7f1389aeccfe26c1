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
