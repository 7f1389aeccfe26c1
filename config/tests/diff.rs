//! What differs between two documents, in the words that a person is shown.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use ringgate_config::diff::{self, Change, Kind, Part};
use ringgate_config::{
    AccessLog, Action, Address, Admin, Config, Cores, Forward, LogFormat, LogPart, LogTarget, LogValue, PerCore,
    Position, Redirect, Reference, Respond, ResponseBody, Route, Secret, Share, Template, TemplatePart, parse,
};

const BASE: &str = r#"
runtime: { cores: [0] }
shutdown: { deadline: 30s }
trusted_proxies: [10.0.0.0/8]
limits: { headers: 50 }
listeners:
  - { name: http, address: "127.0.0.1:8080" }
  - { name: local, address: "unix:/run/a.sock" }
upstreams:
  users: { endpoints: ["127.0.0.1:9001", { address: "127.0.0.1:9002", weight: 2 }] }
  orders: { endpoints: ["127.0.0.1:9101"] }
routes:
  - { name: list, match: { path: /users, methods: [GET, HEAD] }, forward: { upstream: users } }
  - { name: user, match: { hosts: [a.example, b.example], path: "/users/{id}" }, forward: { upstream: users } }
  - { name: all, match: {}, forward: { upstream: orders } }
"#;

fn load(text: &str) -> Config {
    parse("t.yaml", text, &|_| None).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What changes when the parts of [`BASE`] on the left are replaced by those on the right, one blank line between two.
fn shown(replace: &[(&str, &str)]) -> String {
    let mut text = BASE.to_owned();
    for (from, to) in replace {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    show(&diff::documents(&load(BASE), &load(&text)))
}

fn show(changes: &[Change]) -> String {
    changes.iter().map(Change::to_string).collect::<Vec<_>>().join("\n")
}

/// What changes when a loaded [`BASE`] is changed so; and that undoing it mentions the same parts.
fn changed(change: impl FnOnce(&mut Config)) -> String {
    let old = load(BASE);
    let mut new = old.clone();
    change(&mut new);
    let (there, back) = (diff::documents(&old, &new), diff::documents(&new, &old));
    let named = |changes: &[Change]| changes.iter().map(|c| (c.what, c.name.clone())).collect::<Vec<_>>();
    assert_eq!(named(&there), named(&back));
    show(&there)
}

#[test]
fn a_document_does_not_differ_from_itself_wherever_things_stand() {
    assert_eq!(shown(&[]), "");
    assert_eq!(shown(&[("\nrun", "# a comment\n\n\nrun")]), "");
    // In another order, and with the indexes of upstreams exchanged.
    let users = "  users: { endpoints: [\"127.0.0.1:9001\", { address: \"127.0.0.1:9002\", weight: 2 }] }\n";
    let turned = "  users: { endpoints: [{ address: \"127.0.0.1:9002\", weight: 2 }, \"127.0.0.1:9001\"] }\n";
    let orders = "  orders: { endpoints: [\"127.0.0.1:9101\"] }\n";
    assert_eq!(shown(&[(users, ""), (orders, &format!("{orders}{turned}"))]), "");
    assert_eq!(shown(&[("[GET, HEAD]", "[HEAD, GET]"), ("[a.example, b.example]", "[b.example, a.example]")]), "");
    // Defaults written out say nothing new.
    assert_eq!(shown(&[("headers: 50", "headers: 50, header_bytes: 32KiB"), ("\nrun", "\naccess_log: on\nrun")]), "");
}

#[test]
fn sections() {
    assert_eq!(
        shown(&[("30s", "1500ms"), ("headers: 50", "header_bytes: 8KiB, body_bytes: off, min_rate: off")]),
        "changed: shutdown\n    \
             deadline: 30s -> 1500ms\n\
         changed: limits\n    \
             header_bytes: 32KiB -> 8KiB\n    \
             headers: 50 -> 100\n    \
             target_bytes: 16KiB -> 8KiB\n    \
             body_bytes: 10MiB -> off\n    \
             min_rate: { bytes: 240B, grace: 5s } -> off"
    );
    assert_eq!(
        shown(&[("[10.0.0.0/8]", "[192.0.2.7, 192.0.2.7]")]),
        "changed: trusted_proxies\n    192.0.2.7/32: trusted (new)\n    10.0.0.0/8: trusted (gone)"
    );
    assert_eq!(changed(|config| config.reload.drain = Duration::from_secs(5)), "changed: reload\n    drain: 30s -> 5s");
    assert_eq!(
        changed(|config| config.state_dir = Some("/var/lib/ringgate".into())),
        "added: state_dir\n    path: /var/lib/ringgate (new)"
    );
}

#[test]
fn what_only_a_restart_brings_is_marked() {
    let change = |config: &mut Config| {
        config.runtime.cores = Cores::Auto;
        config.runtime.ring_entries = Some(512);
        config.runtime.per_core.insert(3, PerCore { ring_entries: Some(8192) });
    };
    assert_eq!(
        changed(change),
        "changed: runtime (needs a restart)\n    \
             cores: [0] -> auto\n    \
             ring_entries: 512 (new)\n    \
             per_core.3.ring_entries: 8192 (new)"
    );
    let others = diff::documents(&load(BASE), &load(&BASE.replace("8080", "8081").replace("30s", "1s")));
    assert!(others.len() == 2 && others.iter().all(|change| !change.needs_restart));
}

#[test]
fn a_secret_is_never_shown() {
    let admin = |token: &str| {
        let address = Address::Tcp("127.0.0.1:9900".parse().unwrap());
        Some(Admin { address, token: Some(Secret::new(token.to_owned())), at: Position::START })
    };
    let mut old = load(BASE);
    old.admin = admin("hunter2");
    let mut new = old.clone();
    new.admin = admin("hunter3");
    assert_eq!(diff::documents(&old, &old), []);
    let changes = diff::documents(&old, &new);
    assert_eq!(show(&changes), "changed: admin\n    token: a secret -> a secret (another)");
    new.admin = None;
    let gone = diff::documents(&old, &new);
    assert_eq!(show(&gone), "removed: admin\n    address: 127.0.0.1:9900 (gone)\n    token: a secret (gone)");
    assert!(!format!("{changes:?}{gone:?}").contains("hunter"));
}

#[test]
fn listeners_and_upstreams() {
    assert_eq!(
        shown(&[
            ("127.0.0.1:8080", "0.0.0.0:8080"),
            ("name: local, address: \"unix:/run/a.sock\"", "name: other, address: \"[::1]:80\""),
        ]),
        "changed: listener http\n    \
             address: 127.0.0.1:8080 -> 0.0.0.0:8080\n\
         added: listener other\n    \
             address: [::1]:80 (new)\n\
         removed: listener local\n    \
             address: unix:/run/a.sock (gone)"
    );
    assert_eq!(
        shown(&[
            ("\"127.0.0.1:9001\", ", ""),
            ("weight: 2 }]", "weight: 3 }, \"unix:/u.sock\"], connect_timeout: 1s"),
            ("  orders: {", "  third: { endpoints: [\"127.0.0.1:9\"] }\n  orders: {"),
        ]),
        "changed: upstream users\n    \
             connect_timeout: 2s -> 1s\n    \
             endpoint 127.0.0.1:9002: weight 2 -> weight 3\n    \
             endpoint unix:/u.sock: weight 1 (new)\n    \
             endpoint 127.0.0.1:9001: weight 1 (gone)\n\
         added: upstream third\n    \
             connect_timeout: 2s (new)\n    \
             endpoint 127.0.0.1:9: weight 1 (new)"
    );
}

#[test]
fn routes() {
    assert_eq!(
        shown(&[
            ("/users, methods: [GET, HEAD]", "\"/users/*\", methods: [GET], headers: { x-a: \"b*\" }, query: { v: 1 }"),
            ("\"/users/{id}\" }, forward: { upstream: users", "\"/u/{id}/*\" }, forward: { upstream: orders, host: x"),
            ("match: {}, forward: { upstream: orders", "match: {}, forward: { upstream: orders, timeout: 2m"),
        ]),
        "changed: route list\n    \
             match.path: /users -> /users/*\n    \
             match.methods: [GET, HEAD] -> [GET]\n    \
             match.headers.x-a: b* (new)\n    \
             match.query.v: 1 (new)\n\
         changed: route user\n    \
             match.path: /users/{id} -> /u/{id}/*\n    \
             forward.upstream: users -> orders\n    \
             forward.host: x (new)\n\
         changed: route all\n    \
             forward.timeout: 60s -> 2m"
            .replace("60s", "1m")
    );
    let renamed = shown(&[("name: all", "name: rest")]);
    assert!(renamed.starts_with("added: route rest\n    action: forward (new)\n"), "{renamed}");
    assert!(renamed.contains("\nremoved: route all\n    action: forward (gone)\n"), "{renamed}");
}

#[test]
fn other_actions() {
    let split = |config: &mut Config| {
        let Action::Forward(forward) = &mut config.routes[0].action else { panic!() };
        forward.to = vec![Share { upstream: 0, weight: 9 }, Share { upstream: 1, weight: 1 }];
    };
    let split = changed(split);
    assert_eq!(
        split,
        "changed: route list\n    forward.split: [orders 1, users 9] (new)\n    forward.upstream: users (gone)"
    );
    let redirect = |config: &mut Config| {
        let rest = vec![TemplatePart::Literal("/new/".to_owned()), TemplatePart::Reference(Reference::Rest)];
        let to = Some(Template { parts: rest });
        config.routes[2].action = Action::Redirect(Redirect { to, https: true, https_port: None, status: 308 });
    };
    assert_eq!(
        changed(redirect),
        "changed: route all\n    \
             action: forward -> redirect\n    \
             redirect.to: /new/{rest} (new)\n    \
             redirect.https: on (new)\n    \
             redirect.status: 308 (new)\n    \
             forward.upstream: orders (gone)\n    \
             forward.timeout: 1m (gone)"
    );
}

#[test]
fn bodies_differ_behind_what_is_shown_of_them() {
    let answer = |body: ResponseBody, status: u16| {
        let mut config = load(BASE);
        let headers = vec![("x-a".to_owned(), Template::literal("b\x1b[2J"))];
        config.routes[0].action = Action::Respond(Respond { status, headers, body, ready: status == 200 });
        config
    };
    let text = |end: &str| ResponseBody::Text(Template::literal(&format!("{}{end}", "x".repeat(100))));
    let file = |bytes: &[u8]| ResponseBody::File { path: "/a".into(), bytes: bytes.to_vec() };
    let body = |old, new| show(&diff::documents(&answer(old, 200), &answer(new, 200)));
    assert_eq!(body(text("a"), text("a")), "");
    assert!(body(text("a"), text("b")).ends_with("xxx... (another)"), "{}", body(text("a"), text("b")));
    assert_eq!(body(file(b"ab"), file(b"ab")), "");
    assert!(body(file(b"ab"), file(b"ac")).ends_with("file /a, 2 bytes -> file /a, 2 bytes (another)"));
    let health = show(&diff::documents(&answer(text(""), 200), &answer(text(""), 204)));
    assert_eq!(health, "changed: route list\n    respond.status: 200 -> 204\n    respond.health: ready (gone)");
    // Nothing of a value gets through to a terminal.
    let added = show(&diff::documents(&load(BASE), &answer(text(""), 200)));
    assert!(added.contains("respond.headers.x-a: b\\u{1b}[2J (new)"), "{added}");
}

#[test]
fn the_access_log() {
    assert_eq!(
        shown(&[("\nrun", "\naccess_log: off\nrun")]),
        "removed: access_log\n    format: json (gone)\n    to: stdout (gone)"
    );
    let templated = |config: &mut Config| {
        let parts = vec![
            LogPart::Value(LogValue::Status),
            LogPart::Literal(" ".to_owned()),
            LogPart::Header("user-agent".to_owned()),
        ];
        let (format, to) = (LogFormat::Template(parts), LogTarget::File("/var/log/a".into()));
        config.access_log = Some(AccessLog { format, to, headers: vec!["b".to_owned(), "a".to_owned()], tls: false });
    };
    assert_eq!(
        changed(templated),
        "changed: access_log\n    \
             format: json -> {status} {header:user-agent}\n    \
             to: stdout -> file /var/log/a\n    \
             headers: [a, b] (new)"
    );
}

/// Routes of these names, paths and other predicates, in this order.
fn ordered(routes: &[(&str, &str)]) -> Config {
    let lines: Vec<String> = routes
        .iter()
        .map(|(name, matches)| format!("  - {{ name: {name}, match: {{ {matches} }}, forward: {{ upstream: u }} }}\n"))
        .collect();
    load(&format!(
        "listeners: [{{ name: a, address: \"127.0.0.1:0\" }}]\nupstreams: {{ u: {{ endpoints: [\"127.0.0.1:1\"] }} }}\nroutes:\n{}",
        lines.concat()
    ))
}

#[test]
fn the_order_of_routes_counts_between_equals_alone() {
    let differs = |a: &str, b: &str| {
        let changes = diff::documents(&ordered(&[("a", a), ("b", b)]), &ordered(&[("b", b), ("a", a)]));
        assert!(changes.len() <= 1, "{changes:?}");
        if let Some(change) = changes.first() {
            assert_eq!(change.to_string(), "changed: route a\n    order: before `b` -> after `b`");
        }
        !changes.is_empty()
    };
    let regex = |source: &str| format!("path: {{ regex: \"{source}\" }}");
    for (a, b) in [
        ("path: /x", "path: /x"),
        ("hosts: [h, i], path: /x", "hosts: [j, i], path: /x"),
        ("path: /x, methods: [GET, PUT]", "path: /x, methods: [PUT]"),
        ("path: /x, methods: [GET]", "path: /x, query: { a: b }"),
        ("path: \"/{a}/x\"", "path: \"/{b}/x\""),
        ("path: \"/x/*\"", "path: \"/x/*\""),
        (&regex("/a.*"), &regex("/.*b")),
        ("", ""),
    ] {
        assert!(differs(a, b), "{a} | {b}");
    }
    for (a, b) in [
        ("path: /x", "path: /y"),
        ("path: /x", "path: \"/x/*\""),
        ("path: \"/a/*\"", "path: \"/b/*\""),
        ("path: \"/*\"", ""),
        ("path: \"/{a}/x\"", "path: \"/x/{a}\""),
        ("path: \"/{a}/x\"", "path: \"/{a}/y\""),
        ("path: \"/{a}\"", "path: \"/{a}/*\""),
        ("hosts: [h], path: /x", "hosts: [i], path: /x"),
        ("hosts: [h], path: /x", "path: /x"),
        ("path: /x, methods: [GET]", "path: /x, methods: [POST]"),
        ("path: /x, methods: [GET]", "path: /x"),
        ("path: /x, methods: [GET]", "path: /x, headers: { a: b }, query: { a: b }"),
    ] {
        assert!(!differs(a, b), "{a} | {b}");
    }
}

#[test]
fn a_route_that_is_put_between_others_changes_no_order() {
    let old = ordered(&[("a", "path: /x"), ("b", "path: /x"), ("c", "path: /x")]);
    let new = ordered(&[("a", "path: /x"), ("d", "path: /x"), ("c", "path: /x")]);
    let changes = diff::documents(&old, &new);
    let kinds: Vec<_> = changes.iter().map(|c| (c.kind, c.name.as_deref().unwrap())).collect();
    assert_eq!(kinds, [(Kind::Added, "d"), (Kind::Removed, "b")]);
    // A moved one that changes besides is one change.
    let new = ordered(&[("b", "path: /x"), ("c", "path: /x"), ("a", "path: /x, hosts: [h]")]);
    let new = diff::documents(&old, &new);
    assert_eq!(show(&new), "changed: route a\n    match.hosts: [h] (new)");
    let moved = diff::documents(&old, &ordered(&[("b", "path: /x"), ("c", "path: /x"), ("a", "path: /x")]));
    assert_eq!(show(&moved), "changed: route a\n    order: before `c` -> after `c`");
}

#[test]
fn ten_thousand_routes_are_compared_quickly() {
    let base = load(BASE);
    let route = |i: usize| Route {
        name: format!("route-{i}"),
        matches: ordered(&[("a", &format!("hosts: [h{i}.example], path: \"/{{x}}/{i}\", methods: [GET]"))]).routes[0]
            .matches
            .clone(),
        action: Action::Forward(Forward {
            to: vec![Share { upstream: 0, weight: 1 }],
            timeout: Duration::from_secs(1),
            host: None,
        }),
        at: Position::START,
    };
    let mut old = base.clone();
    old.routes = (0..10_000).map(route).collect();
    let mut new = old.clone();
    new.routes.rotate_left(1);
    new.routes[77].matches.methods.push("PUT".to_owned());
    let (changes, took) = quickest(&old, &new);
    assert_eq!(show(&changes), "changed: route route-78\n    match.methods: [GET] -> [GET, PUT]");
    // Several times what it takes unoptimised, so that a busy machine does not fail it.
    assert!(took < Duration::from_millis(500), "{took:?}");

    // All of one rank: not each with each.
    for config in [&mut old, &mut new] {
        let matches = config.routes[0].matches.clone();
        config.routes.iter_mut().for_each(|route| route.matches = matches.clone());
    }
    new.routes.reverse();
    let (changes, took) = quickest(&old, &new);
    assert!(changes.iter().filter(|change| change.what == Part::Route).count() >= 9_998);
    assert!(took < Duration::from_millis(500), "{took:?}");
}

/// The changes, and the shortest of three times that telling them took.
fn quickest(old: &Config, new: &Config) -> (Vec<Change>, Duration) {
    let timed = |_| {
        let began = Instant::now();
        let changes = diff::documents(old, new);
        (changes, began.elapsed())
    };
    (0..3).map(timed).min_by_key(|&(_, took)| took).unwrap()
}
