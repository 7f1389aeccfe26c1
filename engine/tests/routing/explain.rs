//! `ringgate explain`.

use super::{Said, Scratch, ringgate};

const ROUTES: &str = r#"
  - name: users
    match: { hosts: [api.example.com], path: "/users/{id}", methods: [GET, PUT] }
    forward: { upstream: users, timeout: 2s }
  - name: gold
    match: { hosts: [api.example.com], path: "/users/{id}", headers: { x-tier: gold }, query: { v: "2" } }
    forward: { upstream: orders }
  - { name: users-all, match: { path: "/users/*" }, forward: { upstream: users, host: users.internal } }
  - { name: split, match: { path: /split }, forward: { split: [{ upstream: users, weight: 90 }, { upstream: orders, weight: 10 }] } }
  - { name: old, match: { path: "/old/*" }, redirect: { to: "/new/{rest}", status: 308 } }
  - { name: hello, match: { path: "/hello/{who}" }, respond: { headers: { x-route: "{route.name}" }, body: "hello {who}\n" } }
  - { name: upload, match: { path: /upload, methods: [POST, PUT] }, forward: { upstream: orders } }
"#;

fn ask(arguments: &[&str]) -> Said {
    let config = Scratch::config(ROUTES);
    let said = ringgate(["explain", config.path()].into_iter().chain(arguments.iter().copied()));
    Said { out: said.out.replace(config.path(), "FILE"), ..said }
}

#[test]
fn the_winner_comes_first_then_what_is_done_then_the_others() {
    let fields = ["-H", "X-Tier: silver", "-H", "x-forwarded-for: 6.6.6.6", "-H", "connection: keep-alive"];
    let said = ask(&[&["GET", "http://api.example.com/users/7?v=1"], &fields[..]].concat());
    assert_eq!((said.exit, said.err.as_str()), (0, ""));
    let expected = "\
request   GET /users/7?v=1
          host api.example.com

route     users  (FILE:7)
          host api.example.com
          path /users/{id}
          method GET, PUT
          {id} is \"7\"

forward   users  (connect within 2s)
            127.0.0.1:9001  weight 1
            127.0.0.1:9002  weight 2
          answer's head within 2s

sent      GET /users/7?v=1 HTTP/1.1
            host: api.example.com
            x-tier: silver
          + via: 1.1 ringgate
          + x-forwarded-for: CLIENT
          + x-forwarded-proto: http
          + x-forwarded-host: api.example.com
          + forwarded: for=CLIENT;host=\"api.example.com\";proto=http
          + x-request-id: REQUEST-ID
          - x-forwarded-for: 6.6.6.6
          - connection: keep-alive
          (+ set by the gateway, - not passed on)

others    users-all  FILE:13  also matches, but comes later: any host after host api.example.com
          gold       FILE:10  header x-tier: \"silver\" is not \"gold\"; query v: \"1\" is not \"2\"
          split      FILE:14  path is not /split
          old        FILE:15  path is not /old/*
          hello      FILE:16  path is not /hello/{who}
          upload     FILE:17  path is not /upload
";
    assert_eq!(said.out, expected);
}

#[test]
fn a_missing_field_is_not_a_different_one() {
    let said = ask(&["GET", "http://api.example.com/users/7"]);
    assert!(
        said.line("gold ")
            .ends_with("header x-tier is missing: it must be \"gold\"; query v is missing: it must be \"2\"")
    );
}

#[test]
fn of_two_that_match_the_reason_for_the_order_is_said() {
    let config = Scratch::config(
        r#"
  - { name: exact, match: { path: /a/b }, forward: { upstream: users } }
  - { name: twin, match: { path: /a/b }, forward: { upstream: users } }
  - { name: left, match: { path: "/a/{x}" }, forward: { upstream: users } }
  - { name: right, match: { path: "/{x}/b" }, forward: { upstream: users } }
  - { name: long, match: { path: "/a/*" }, forward: { upstream: users } }
  - { name: short, match: { path: "/*" }, forward: { upstream: orders } }
  - { name: regex, match: { path: { regex: "/.*" } }, forward: { upstream: orders } }
  - { name: any, match: {}, forward: { upstream: orders } }
  - { name: more, match: { methods: [GET], path: /a/b }, forward: { upstream: orders } }
"#,
    );
    let said = ringgate(["explain", config.path(), "GET", "http://h/a/b"]);
    let order: Vec<&str> =
        said.out.lines().filter_map(|line| line.get(10..)?.split_once("  also")?.0.split(' ').next()).collect();
    assert_eq!(order, ["exact", "twin", "left", "right", "long", "short", "regex", "any"]);
    for (name, reason) in [
        ("exact ", "0 predicates after 1 predicate"),
        ("left ", "a path with captures after an exact path"),
        ("long ", "a prefix after an exact path"),
        ("any    ", "any path after an exact path"),
    ] {
        let line = said.line(name);
        assert!(line.ends_with(&format!("also matches, but comes later: {reason}")), "{line}");
    }
    let said = ringgate(["explain", config.path(), "POST", "http://h/a/x"]);
    assert!(said.line("short ").ends_with("comes later: a prefix after a path with captures"), "{}", said.out);
    let said = ringgate(["explain", config.path(), "POST", "http://h/a/b"]);
    assert!(said.line("twin ").ends_with("comes later: same rank, later in the file"), "{}", said.out);
    assert!(said.line("more ").ends_with("method POST is not GET"), "{}", said.out);
}

#[test]
fn a_split_a_redirect_an_answer() {
    let said = ask(&["GET", "http://h/split"]);
    said.line("forward   90 of 100 requests to users  (connect within 2s)");
    said.line("          10 of 100 requests to orders  (connect within 500ms)");
    let said = ask(&["GET", "http://h/old/a%20b/c?q=1"]);
    assert_eq!(said.exit, 0);
    said.line("          {rest} is \"a b/c\"");
    said.line("redirect  308 Permanent Redirect");
    said.line("          location: /new/a%20b/c?q=1");
    let said = ask(&["GET", "/hello/you", "-H", "Host: h"]);
    said.line("respond   200 OK");
    said.line("          x-route: hello");
    said.line("          body of 10 bytes: \"hello you\\n\"");
    let said = ask(&["GET", "http://h/users/7/x"]);
    said.line("          + host: users.internal");
    said.line("          - host: h");
}

#[test]
fn where_no_route_wins_it_says_what_the_client_gets() {
    let said = ask(&["GET", "http://h/nowhere"]);
    assert_eq!(said.exit, 3);
    said.line("refused   404 Not Found  (no_route)");
    let said = ask(&["GET", "http://h/upload"]);
    assert_eq!(said.exit, 3);
    said.line("refused   405 Method Not Allowed  (method_not_allowed)");
    said.line("          allow: POST, PUT");
    assert!(said.line("others").ends_with("method GET is not POST or PUT"));
    let said = ask(&["GET", "http://h/x/../users/7"]);
    assert_eq!(said.exit, 3);
    said.line("refused   400 Bad Request  (ambiguous_path)");
    said.line("          as it stands: no route");
    said.line("          fully decoded: route users-all");
    assert!(said.line("others").ends_with("path is /users/* only when fully decoded"));
    let said = ask(&["GET", "http://h/x%zz"]);
    assert_eq!(said.exit, 3);
    said.line("refused   400 Bad Request  (malformed_request)");
    let said = ask(&["GET", &format!("http://h/{}", "x".repeat(20_000))]);
    assert_eq!(said.exit, 3);
    said.line("refused   414 ");
}

#[test]
fn a_route_that_wins_may_refuse() {
    let said = ask(&["POST", "http://h/upload", "-H", "content-length: 99999999999"]);
    assert_eq!(said.exit, 0, "{}", said.out);
    said.line("route     upload");
    said.line("refused   413 Content Too Large  (body_too_large)");
}

#[test]
fn what_can_not_be_asked_is_an_error() {
    for (arguments, message) in [
        (&["GET", "/x"][..], "the URL names no host"),
        (&["GET", "example.com/x"], "is no URL"),
        (&["GET", "http://h/x", "-H", "novalue"], "is no header field"),
        (&["GET", "http://h/x", "-H", "a: b\r\nhost: evil"], "is no header field"),
        (&["G\r\nT", "http://h/x"], "one line each"),
    ] {
        let said = ask(arguments);
        assert_eq!((said.exit, said.out.as_str()), (1, ""), "{arguments:?}");
        assert!(said.err.contains(message), "{arguments:?}: {}", said.err);
    }
    let broken = Scratch::holding("broken.yaml", "routes: 7\n");
    let said = ringgate(["explain", broken.path(), "GET", "http://h/"]);
    assert_eq!(said.exit, 1);
    assert!(said.err.contains("broken.yaml:1:"), "{}", said.err);
}

#[test]
fn a_trusted_sender_is_believed() {
    let trusting = Scratch::config(&format!("{ROUTES}trusted_proxies: [10.0.0.0/8]\n"));
    let fields = ["-H", "x-forwarded-for: 192.0.2.7", "-H", "x-request-id: mine"];
    let from = |address| {
        ringgate([&["explain", trusting.path(), "GET", "http://h/split", "--from", address], &fields[..]].concat())
    };
    let said = from("10.1.2.3");
    said.line("          + x-forwarded-for: 192.0.2.7, 10.1.2.3");
    said.line("            x-request-id: mine");
    let said = from("11.1.2.3");
    said.line("          + x-forwarded-for: 11.1.2.3");
    said.line("          - x-request-id: mine");
}

#[test]
fn the_nearest_fifty_are_shown_and_machines_get_all() {
    let mut routes = String::new();
    for n in 0..60 {
        routes.push_str(&format!(
            "  - {{ name: host{n}, match: {{ hosts: [h{n}.org] }}, forward: {{ upstream: users }} }}\n"
        ));
        routes
            .push_str(&format!("  - {{ name: path{n}, match: {{ path: /p{n} }}, forward: {{ upstream: orders }} }}\n"));
    }
    let config = Scratch::config(&routes);
    let said = ringgate(["explain", config.path(), "GET", "http://h/p59"]);
    assert_eq!(said.out.lines().filter(|line| line.contains("path is not")).count(), 50, "{}", said.out);
    assert_eq!(said.out.lines().last(), Some("          and 69 more: 9 other paths, 60 other hosts"));
    let json = ringgate(["explain", config.path(), "GET", "http://h/p59", "--json"]).json();
    assert_eq!(json["others"].as_array().map(Vec::len), Some(119));
}

#[test]
fn machines_get_the_same() {
    let json = ask(&["GET", "http://api.example.com/users/7", "-H", "x-real-ip: 1.1.1.1", "--json"]).json();
    assert_eq!(json["route"]["name"], "users");
    assert_eq!(json["route"]["line"], 7);
    assert_eq!(json["route"]["captures"]["id"], "7");
    assert_eq!(json["action"]["kind"], "forward");
    assert_eq!(json["action"]["timeout_ms"], 2000);
    assert_eq!(json["action"]["to"][0]["endpoints"][1]["weight"], 2);
    assert_eq!(json["action"]["removed"][0]["name"], "x-real-ip");
    assert_eq!(json["others"][0]["reasons"][0]["what"], "later");
    let said = ask(&["DELETE", "http://h/upload", "--json"]);
    assert_eq!(said.exit, 3);
    assert_eq!(said.json()["refused"]["status"], 405);
    assert_eq!(said.json()["refused"]["allow"], "POST, PUT");
}

#[test]
fn nothing_from_a_request_reaches_the_terminal_as_a_command() {
    let said = ask(&["GET", "http://h/hello/%1B%5B2Jx", "-H", "x: y"]);
    assert_eq!(said.exit, 0);
    assert!(!said.out.contains('\u{1b}'), "{:?}", said.out);
    said.line(r#"{who} is "\u{1b}[2Jx""#);
}

#[test]
fn a_route_of_an_included_file_is_named_by_that_file() {
    let part = Scratch::holding(
        "part.yaml",
        "routes:\n  - { name: inside, match: { path: /in }, forward: { upstream: users } }\n",
    );
    let name = part.0.file_name().and_then(|name| name.to_str()).expect("a name");
    let main = Scratch::config(&format!("{ROUTES}include: [{name}]\n"));
    let said = ringgate(["explain", main.path(), "GET", "http://h/in"]);
    assert_eq!(said.exit, 0, "{}", said.err);
    assert!(said.line("route     inside").ends_with(&format!("{name}:2)")), "{}", said.out);
    assert!(said.line("others").contains(&format!("{}:", main.path())), "{}", said.out);
}

/// A configuration with listeners of every kind, and a certificate for `web.test`; removed when this is dropped.
struct Listeners(Vec<Scratch>);

impl Listeners {
    fn new() -> Listeners {
        let made = rcgen::generate_simple_self_signed(["web.test".to_owned()]).expect("a certificate");
        let cert = Scratch::holding("cert.pem", &made.cert.pem());
        let key = Scratch::holding("cert.key", &made.signing_key.serialize_pem());
        let tls = format!("tls: {{ certificates: [{{ cert: {}, key: {} }}]", cert.path(), key.path());
        let text = format!(
            "trusted_proxies: [127.0.0.0/8]\nlisteners:\n  \
             - {{ name: plain, address: \"127.0.0.1:0\", https_redirect: {{ port: 8443 }} }}\n  \
             - {{ name: inside, address: \"127.0.0.1:0\" }}\n  \
             - {{ name: web, address: \"127.0.0.1:0\", {tls}, hsts: on }}, \
                 passthrough: [{{ hosts: [db.test], upstream: s }}] }}\n  \
             - {{ name: bytes, address: \"127.0.0.1:0\", tcp: {{ upstream: s }} }}\n\
             upstreams: {{ s: {{ endpoints: [\"127.0.0.1:9001\"] }} }}\n\
             routes:\n  \
             - {{ name: all, match: {{ path: \"/*\" }}, forward: {{ upstream: s }} }}\n  \
             - {{ name: said, match: {{ path: /said }}, respond: {{ body: \"{{request.scheme}} {{request.server_name}}\" }} }}\n"
        );
        Listeners(vec![Scratch::holding("listeners.yaml", &text), cert, key])
    }

    fn ask(&self, arguments: &[&str]) -> Said {
        ringgate([&["explain", self.0[0].path()], arguments].concat())
    }
}

#[test]
fn listeners_that_redirect_are_named_for_clear_text() {
    let listeners = Listeners::new();
    let said = listeners.ask(&["GET", "http://web.test/a?b=c"]);
    assert_eq!((said.exit, said.err.as_str()), (0, ""));
    said.line("listener  plain  asks no route: 308 Permanent Redirect, location: https://web.test:8443/a?b=c");
    said.line("          + x-forwarded-proto: http");
    assert!(!said.out.contains("strict-transport-security") && !said.out.contains("bytes"), "{}", said.out);
    let said = listeners.ask(&["GET", "http://web.test/.well-known/acme-challenge/token"]);
    assert!(!said.out.contains("listener  "), "{}", said.out);
    // A trusted sender may say that the client came over TLS already.
    let trusted = ["--from", "127.0.0.9", "-H", "x-forwarded-proto: https"];
    let said = listeners.ask(&[&["GET", "http://web.test/a"][..], &trusted].concat());
    assert!(!said.out.contains("listener  "), "{}", said.out);
    let json = listeners.ask(&["GET", "http://web.test/a", "--json"]).json();
    assert_eq!(json["request"]["scheme"], "http");
    assert_eq!(json["listeners"][0]["name"], "plain");
    assert_eq!(json["listeners"][0]["redirect"]["location"], "https://web.test:8443/a");
    assert_eq!(json["listeners"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_request_over_tls_is_one() {
    let listeners = Listeners::new();
    let said = listeners.ask(&["GET", "https://Web.test/a"]);
    assert_eq!((said.exit, said.err.as_str()), (0, ""));
    said.line("          host Web.test, over TLS");
    said.line("listener  web  answers hold strict-transport-security: max-age=31536000");
    said.line("          + x-forwarded-proto: https");
    said.line("          + forwarded: for=CLIENT;host=\"Web.test\";proto=https");
    assert!(!said.out.contains("plain"), "{}", said.out);
    let said = listeners.ask(&["GET", "https://Web.test/said"]);
    said.line("body of 14 bytes: \"https web.test\"");
    let said = listeners.ask(&["GET", "https://db.test/a"]);
    said.line("listener  web  asks no route: connections for this host pass through to s");
    let json = listeners.ask(&["GET", "https://web.test/a", "--json"]).json();
    assert_eq!(json["request"]["scheme"], "https");
    assert_eq!(json["listeners"][0]["strict_transport_security"], "max-age=31536000");
    // Where no listener speaks TLS, that is said.
    let said = ask(&["GET", "https://api.example.com/users/7"]);
    said.line("listener  none takes requests over TLS");
    assert_eq!(said.exit, 0);
}
