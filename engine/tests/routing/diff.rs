//! `ringgate diff`.

use super::{Said, Scratch, ringgate};
use std::fmt::Write;
use std::time::{Duration, Instant};

const OLD: &str = r#"
  - { name: users, match: { path: "/users/*" }, forward: { upstream: users, timeout: 2s } }
  - { name: reports, match: { path: "/reports/{id}" }, forward: { upstream: orders } }
  - { name: gone, match: { path: /gone }, forward: { upstream: users } }
  - { name: moved, match: { path: "/moved/*" }, redirect: { to: "/a/{rest}" } }
"#;
const NEW: &str = r#"
  - { name: users, match: { path: "/users/*" }, forward: { upstream: users, timeout: 1s } }
  - { name: one-user, match: { path: "/users/{id}", methods: [GET] }, forward: { split: [{ upstream: users, weight: 9 }, { upstream: orders, weight: 1 }] } }
  - { name: reports, match: { path: "/reports/{id}" }, forward: { upstream: orders } }
  - { name: moved, match: { path: "/moved/*" }, redirect: { to: "/b/{rest}" } }
"#;

fn line(method: &str, host: &str, target: &str) -> String {
    format!(
        "{{\"time\":\"2026-11-24T15:56:16.000Z\",\"protocol\":\"HTTP/1.1\",\"method\":\"{method}\",\"host\":\"{host}\",\
         \"target\":\"{target}\",\"status\":200}}\n"
    )
}

fn replay(old: &str, new: &str, log: &str, more: &[&str]) -> Said {
    let (old, new) = (Scratch::config(old), Scratch::config(new));
    let log = Scratch::holding("access.log", log);
    ringgate([&["diff", old.path(), new.path(), "--requests", log.path()], more].concat())
}

#[test]
fn the_same_documents_say_the_same() {
    let (one, other) = (Scratch::config(OLD), Scratch::config(OLD));
    let said = ringgate(["diff", one.path(), other.path(), "--exit-code"]);
    assert_eq!((said.exit, said.out.as_str(), said.err.as_str()), (0, "the documents say the same\n", ""));
}

#[test]
fn what_the_documents_say_differs() {
    let (old, new) = (Scratch::config(OLD), Scratch::config(NEW));
    let said = ringgate(["diff", old.path(), new.path()]);
    assert_eq!(said.exit, 0);
    said.line("removed: route gone");
    said.line("forward.timeout: 2s -> 1s");
    assert_eq!(ringgate(["diff", old.path(), new.path(), "--exit-code"]).exit, 2);
    let json = ringgate(["diff", old.path(), new.path(), "--json"]).json();
    let changes = json["changes"].as_array().expect("a list");
    assert!(changes.iter().any(|c| c["kind"] == "added" && c["what"] == "route" && c["name"] == "one-user"), "{json}");
    assert!(json["requests"].is_null());
}

#[test]
fn recorded_requests_whose_fate_changes_are_listed_the_most_frequent_first() {
    let log = [
        line("GET", "a", "/gone"),
        line("GET", "a", "/users/7").repeat(3),
        line("PUT", "a", "/users/7").repeat(2),
        line("GET", "a", "/reports/7").repeat(9),
        line("GET", "a", "/moved/x?y").repeat(4),
        line("GET", "a", "/nowhere"),
        line("GET", "a", "/users/7"),
    ]
    .concat();
    let said = replay(OLD, NEW, &log, &[]);
    assert_eq!((said.exit, said.err.as_str()), (0, ""));
    let (_, requests) = said.out.split_once("\n\n").expect("two parts");
    let expected = "\
21 requests, 11 of them change
     4  GET a /moved/x?y
        moved (redirect 307 to /a/{rest}) -> moved (redirect 307 to /b/{rest})
     4  GET a /users/7
        users (forward to users, timeout 2s) -> one-user (forward to users 9 / orders 1, timeout 60s)
     2  PUT a /users/7
        users (forward to users, timeout 2s) -> users (forward to users, timeout 1s)
     1  GET a /gone
        gone (forward to users, timeout 60s) -> 404 no_route
";
    assert_eq!(requests, expected);
    let said = replay(OLD, NEW, &log, &["--json", "--exit-code"]);
    assert_eq!(said.exit, 2);
    let json = said.json();
    assert_eq!((json["requests"]["read"].as_u64(), json["requests"]["changed"].as_u64()), (Some(21), Some(11)));
    let last = &json["requests"]["groups"][3];
    assert_eq!((last["old"]["route"].as_str(), last["new"]["refused"]["status"].as_u64()), (Some("gone"), Some(404)));
}

#[test]
fn limits_and_methods_count_as_treatment() {
    let old = "  - { name: all, match: {}, forward: { upstream: users } }\n  - { name: o, match: { path: /o }, forward: { upstream: orders } }\n";
    let new = format!("{}limits: {{ target_bytes: 1KiB }}\n", old.replace("match: {}", "match: { methods: [GET] }"));
    let long = format!("/{}", "x".repeat(2000));
    let said = replay(old, &new, &[line("GET", "a", &long), line("PUT", "a", "/p")].concat(), &[]);
    said.line("-> 414 target_too_long");
    said.line("all (forward to users, timeout 60s) -> 405 method_not_allowed");
}

#[test]
fn header_fields_that_the_log_does_not_tell_of_are_named() {
    let gold =
        "  - { name: gold, match: { path: \"/*\", headers: { x-tier: gold } }, forward: { upstream: orders } }\n";
    let rest = "  - { name: rest, match: { path: \"/*\" }, forward: { upstream: users } }\n";
    let (old, new) = (
        format!("{rest}  - {{ name: o, match: {{ path: /o }}, forward: {{ upstream: orders }} }}\n"),
        format!("{gold}{rest}"),
    );
    let told =
        |value: &str| line("GET", "a", "/told").replace("}\n", &format!(",\"headers\":{{\"x-tier\":{value}}}}}\n"));
    let log = [line("GET", "a", "/x").repeat(2), told("null"), told("\"gold\""), told("\"tin\"")].concat();
    let said = replay(&old, &new, &log, &[]);
    said.line("5 requests, 1 of them change");
    said.line("     1  GET a /told");
    said.line("the log has no header x-tier: 2 requests could go either way");
    // Where both would treat them alike whatever the field is, there is nothing to tell.
    let said = replay(&new, &new, &log, &[]);
    assert!(!said.out.contains("either way"), "{}", said.out);
    let slower = new.replace("upstream: orders", "upstream: orders, timeout: 1s");
    let json = replay(&new, &slower, &log, &["--json"]).json();
    assert_eq!(json["requests"]["undecided"][0]["header"], "x-tier");
    assert_eq!(json["requests"]["undecided"][0]["requests"], 2);
}

#[test]
fn the_combined_format_names_no_host() {
    let old = "  - { name: api, match: { hosts: [api.org] }, forward: { upstream: users } }\n  - { name: o, match: { path: /o }, forward: { upstream: orders } }\n";
    let new = old.replace("upstream: users", "upstream: users, timeout: 3s");
    let log = "192.0.2.1 - - [24/Nov/2026:15:56:16 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl\"\n".repeat(2);
    let said = replay(old, &new, &log, &[]);
    said.line("2 requests, 0 of them change");
    said.line("the log names no host: 2 requests could go either way");
    let said = replay(old, &new, &log, &["--host", "api.org"]);
    said.line("     2  GET api.org /a");
    assert!(!said.out.contains("either way"), "{}", said.out);
}

#[test]
fn lines_that_are_no_requests_are_counted_and_the_first_is_named() {
    let log = [
        line("GET", "a", "/gone"),
        "?\n".into(),
        "{\"a\":\n".into(),
        format!("{{{}\n", "x".repeat(70_000)),
        line("GET", "a", "/gone"),
    ];
    let said = replay(OLD, NEW, &log.concat(), &[]);
    said.line("2 requests, 2 of them change");
    said.line("3 lines could not be read; the first is line 2: it is neither JSON nor the combined log format");
}

#[test]
fn errors_of_both_files_and_of_the_log() {
    let (good, bad) = (Scratch::config(OLD), Scratch::holding("bad.yaml", "routes: 7\n"));
    let said = ringgate(["diff", bad.path(), bad.path()]);
    assert_eq!((said.exit, said.out.as_str()), (1, ""));
    assert_eq!(
        said.err.matches("bad.yaml:1:").count(),
        2 * ringgate(["check", bad.path()]).err.matches("bad.yaml:1:").count()
    );
    let said = ringgate(["diff", good.path(), good.path(), "--requests", "/nonexistent/access.log"]);
    assert_eq!(said.exit, 1);
    assert!(said.err.starts_with("/nonexistent/access.log: No such file"), "{}", said.err);
    let said = ringgate(["diff", good.path(), good.path(), "--requests", good.path(), "--host", "a\nb"]);
    assert_eq!(said.exit, 1);
}

/// The promise is five seconds in a release build.
#[test]
fn a_hundred_thousand_requests_in_time() {
    let many = |upstream: &str| {
        let mut routes = String::new();
        for n in 0..500 {
            writeln!(
                routes,
                "  - {{ name: r{n}, match: {{ path: \"/r{n}/*\" }}, forward: {{ upstream: {upstream} }} }}"
            )
            .expect("memory");
        }
        routes.push_str("  - { name: u, match: { path: /u }, forward: { upstream: users } }\n");
        routes.push_str("  - { name: o, match: { path: /o }, forward: { upstream: orders } }\n");
        routes
    };
    let mut log = String::new();
    (0..100_000).for_each(|n| log.push_str(&line("GET", "a.example.com", &format!("/r{}/item/{n}", n % 600))));
    let begun = Instant::now();
    let said = replay(&many("users"), &many("orders"), &log, &["--json"]);
    let took = begun.elapsed();
    assert_eq!(said.json()["requests"]["changed"].as_u64(), Some(83_400), "of 600 in turn, 500 have a route");
    assert!(took < Duration::from_secs(20), "{took:?}");
}
