//! Redirects: where clients are sent, and where they can't be sent whatever they ask for.

use super::gate;
use super::support::on_both_drivers;
use ringgate_rt::driver::Choice;

on_both_drivers!(
    what_the_path_took_is_put_into_the_target,
    the_query_is_kept_unless_the_target_has_one,
    nobody_is_sent_to_another_site_by_a_path,
    the_scheme_is_changed_and_the_host_is_kept,
    each_status_is_as_configured,
    a_redirect_without_a_host_to_keep_is_refused,
    the_query_stands_before_the_fragment,
    the_host_and_the_path_of_the_request_stay_as_they_are,
);

const OLD: &str = "name: old, match: { path: \"/old/*\" }, redirect: { to: \"/new/{rest}\", status: 308 }";

#[track_caller]
fn location(gate: &super::Gate, target: &str) -> (u16, String) {
    let answer = gate.client().get(target);
    (answer.status, answer.fields.get("location").unwrap_or("").to_string())
}

fn what_the_path_took_is_put_into_the_target(driver: Choice) {
    let routes = [
        OLD,
        "name: user, match: { path: \"/user/{id}\" }, redirect: { to: \"/users/{id}/profile\" }",
        "name: other, match: { path: \"/docs/*\" }, redirect: { to: \"https://docs.example.com/{rest}\", status: 301 }",
        "name: base, match: { path: \"/base/*\" }, redirect: { to: \"/{rest}\" }",
    ];
    let gate = gate(driver, &routes, "");
    for (target, expected) in [
        ("/old/a/b", "/new/a/b"),
        ("/old", "/new/"),
        ("/old/", "/new/"),
        ("/old/a%20b", "/new/a%20b"),
        ("/user/7", "/users/7/profile"),
        ("/user/a%3Fb%23c", "/users/a%3Fb%23c/profile"),
        ("/docs/a/b", "https://docs.example.com/a/b"),
        ("/base/a", "/a"),
    ] {
        assert_eq!(location(&gate, target).1, expected, "{target}");
    }
    let answer = gate.client().get("/old/a");
    assert_eq!((answer.status, answer.body.len(), answer.fields.get("content-length")), (308, 0, Some("0")));
    assert!(answer.fields.has("date") && answer.fields.has("x-request-id"));
    let log = gate.log(1);
    assert_eq!((&log[0]["route"], &log[0]["upstream"]), (&"old".into(), &serde_json::Value::Null));
}

fn the_query_is_kept_unless_the_target_has_one(driver: Choice) {
    let with = "name: q, match: { path: \"/q/{x}\" }, redirect: { to: \"/search?q={x}&from=old\" }";
    let gate = gate(driver, &[OLD, with], "");
    assert_eq!(location(&gate, "/old/a?x=1&y=%20").1, "/new/a?x=1&y=%20");
    assert_eq!(location(&gate, "/q/a%26b%3Dc?x=1").1, "/search?q=a%26b%3Dc&from=old");
}

fn nobody_is_sent_to_another_site_by_a_path(driver: Choice) {
    let base = "name: base, match: { path: \"/base/*\" }, redirect: { to: \"/{rest}\" }";
    let same = "name: same, match: { path: { regex: \"/+.*\" } }, redirect: { https: on }";
    let gate = gate(driver, &[base, same], "");
    for target in [
        "/base//evil.com",
        "/base/%2Fevil.com",
        "/base/%5Cevil.com",
        "/base/\\evil.com",
        "/base/%2e%2e/x",
        "//evil.com",
    ] {
        let (status, location) = location(&gate, target);
        let own = location.is_empty() || location.starts_with("https://test/") || {
            location.starts_with('/') && !location.starts_with("//") && !location.starts_with("/\\")
        };
        assert!(own, "{target} gives {status} {location}");
        assert!(matches!(status, 307 | 308 | 400), "{target} gives {status}");
    }
}

fn the_scheme_is_changed_and_the_host_is_kept(driver: Choice) {
    let routes = [
        "name: secure, match: { path: \"/*\" }, redirect: { https: on }",
        "name: moved, match: { path: \"/moved\" }, redirect: { https: on, to: \"/here\" }",
    ];
    let gate = gate(driver, &routes, "");
    let ask = |host: &str, target: &str| {
        let answer = gate.client().exchange(format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        (answer.status, answer.fields.get("location").unwrap_or("").to_string())
    };
    assert_eq!(ask("api.example.com:8080", "/a?b=c"), (308, "https://api.example.com/a?b=c".into()));
    assert_eq!(ask("[::1]:8080", "/"), (308, "https://[::1]/".into()));
    assert_eq!(ask("example.com", "/moved?x"), (307, "https://example.com/here?x".into()));
}

fn each_status_is_as_configured(driver: Choice) {
    let routes: Vec<String> = [301, 302, 303, 307, 308]
        .iter()
        .map(|status| {
            format!("name: r{status}, match: {{ path: /{status} }}, redirect: {{ to: /x, status: {status} }}")
        })
        .collect();
    let gate = gate(driver, &routes.iter().map(String::as_str).collect::<Vec<_>>(), "");
    let mut client = gate.client();
    for status in [301, 302, 303, 307, 308] {
        assert_eq!(client.get(&format!("/{status}")).status, status);
    }
}

fn a_redirect_without_a_host_to_keep_is_refused(driver: Choice) {
    let gate = gate(driver, &["name: secure, match: { path: \"/*\" }, redirect: { https: on }"], "");
    let answer = gate.client().exchange("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"], "no_host");
}

fn the_query_stands_before_the_fragment(driver: Choice) {
    let routes = [
        "name: top, match: { path: \"/top/{x}\" }, redirect: { to: \"/all#{x}\" }",
        "name: odd, match: { path: /odd }, redirect: { to: \"/all#a?b\" }",
        "name: own, match: { path: /own }, redirect: { to: \"/all?c=d#a\" }",
    ];
    let gate = gate(driver, &routes, "");
    assert_eq!(location(&gate, "/top/a%23b%3Fc?x=1").1, "/all?x=1#a%23b%3Fc");
    assert_eq!(location(&gate, "/top/a").1, "/all#a");
    assert_eq!(location(&gate, "/odd?x=1").1, "/all?x=1#a?b");
    assert_eq!(location(&gate, "/own?x=1").1, "/all?c=d#a");
}

fn the_host_and_the_path_of_the_request_stay_as_they_are(driver: Choice) {
    let routes = [
        "name: port, match: { path: \"/port/*\" }, redirect: { to: \"https://{request.host}:8443{request.path}\" }",
        "name: new, match: { path: \"/new/*\" }, redirect: { to: \"https://{request.host}/{rest}\" }",
        "name: docs, match: { path: \"/a/*\" }, redirect: { to: \"https://example.com/docs{request.path}\" }",
    ];
    let gate = gate(driver, &routes, "");
    let ask = |host: &str, target: &str| {
        let answer = gate.client().exchange(format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        answer.fields.get("location").unwrap_or("").to_string()
    };
    assert_eq!(ask("[::1]:8080", "/port/a%20b?c"), "https://[::1]:8443/port/a%20b?c");
    assert_eq!(ask("[::1]", "/new/a/b"), "https://[::1]/a/b");
    assert_eq!(ask("api.example.com", "/new/a"), "https://api.example.com/a");
    assert_eq!(ask("h", "/a/b"), "https://example.com/docs/a/b");
    let answer = gate.client().exchange("GET /new/a HTTP/1.0\r\n\r\n");
    assert_eq!((answer.status, answer.json()["error"].clone()), (400, "no_host".into()));
}
