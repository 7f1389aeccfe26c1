//! What can be read, by whom, and that no secret is among it.

use super::support::{Client, wait_for};
use super::{Gate, TOKEN, connect, refused};

#[test]
fn the_index_names_every_call_and_each_is_there() {
    let gate = Gate::start();
    let index = gate.get("/").json();
    let calls = index["calls"].as_array().expect("calls").clone();
    assert!(calls.len() >= 14, "{index}");
    let document = include_str!("../../../docs/admin-api.md");
    for call in calls {
        let (method, path) = (call["method"].as_str().expect("a method"), call["path"].as_str().expect("a path"));
        assert!(document.contains(&format!("\n### `{method} {path}`\n")), "docs/admin-api.md lacks {method} {path}");
        let path = path.replace("{upstream}", "none").replace("{address}", "none");
        if method == "GET" {
            let answer = gate.get(&path);
            assert!(answer.status == 200 && !answer.body.is_empty(), "{path}: {}", answer.text());
        } else {
            let answer = gate.ask(&format!("{method} {path}"), "", "");
            refused(&answer, 401, "unauthorized");
        }
    }
}

#[test]
fn a_gateway_is_alive_and_ready() {
    let gate = Gate::start();
    for (path, status) in [("/livez", "alive"), ("/readyz", "ready")] {
        let answer = gate.get(path);
        assert_eq!((answer.status, &answer.json()["status"]), (200, &status.into()));
        assert_eq!(answer.fields.get("content-type"), Some("application/json"));
        assert_eq!(answer.fields.get("cache-control"), Some("no-store"));
        assert_eq!(answer.fields.get("x-content-type-options"), Some("nosniff"));
        assert!(!answer.fields.0.iter().any(|(name, _)| name.starts_with("access-control")), "{answer:?}");
    }
}

#[test]
fn head_is_get_without_a_body() {
    let gate = Gate::start();
    for path in ["/livez", "/config"] {
        let answer = gate.ask(&format!("HEAD {path}"), "", "");
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path}");
    }
}

#[test]
fn what_is_not_there_is_said_so() {
    let gate = Gate::start();
    for path in ["/nothing", "/config/", "/upstreams/origin", "//"] {
        refused(&gate.get(path), 404, "not_found");
    }
    for (call, allowed) in
        [("POST /config", "GET, HEAD"), ("PATCH /log-level", "GET, HEAD, PUT"), ("GET /drain", "POST, DELETE")]
    {
        let answer = gate.ask(call, "", "");
        refused(&answer, 405, "method_not_allowed");
        assert_eq!(answer.fields.get("allow"), Some(allowed));
    }
}

#[test]
fn the_configuration_in_force_is_shown_with_its_defaults() {
    let gate = Gate::start();
    let shown = gate.get("/config").json();
    assert_eq!((&shown["generation"], &shown["reload"]), (&1.into(), &serde_json::Value::Null));
    assert!(shown["file"].as_str().is_some_and(|file| file.ends_with("process.yaml")), "{shown}");
    assert!(shown["loaded_at"].as_str().is_some_and(|at| at.starts_with("20") && at.ends_with('Z')), "{shown}");
    let config = &shown["config"];
    assert_eq!(config["admin"], serde_json::json!({ "address": "127.0.0.1:0", "token": "***" }));
    assert_eq!((&config["limits"]["connections"], &config["limits"]["header_bytes"]), (&200.into(), &"32KiB".into()));
    assert_eq!(config["shutdown"]["deadline"], "30s");
    assert_eq!(config["upstreams"]["origin"]["endpoints"][0]["address"], gate.service.endpoint());
    assert_eq!(config["routes"][1]["match"]["path"], "/*");
    assert_eq!(config["routes"][1]["forward"]["upstream"], "origin");
    assert_eq!(config["routes"][0]["respond"]["health"], "ready");
}

#[test]
fn routes_and_services_are_listed() {
    let gate = Gate::start();
    let routes = gate.get("/routes").json();
    assert_eq!(routes["routes"][0]["name"], "ready");
    assert_eq!(routes["routes"][1]["action"], "forward to origin");
    let services = gate.get("/upstreams").json();
    let endpoint = &services["upstreams"][0]["endpoints"][0];
    assert_eq!((&endpoint["address"], &endpoint["state"]), (&gate.service.endpoint().into(), &"up".into()));
}

#[test]
fn an_endpoint_is_shown_with_its_connections() {
    let gate = Gate::start();
    let endpoint = || gate.get("/upstreams").json()["upstreams"][0]["endpoints"][0].clone();
    assert_eq!(endpoint()["requests"], 0);
    let mut client = gate.process.client();
    client.get("/");
    client.get("/");
    let shown = wait_for("what the shard has counted", || Some(endpoint()).filter(|shown| shown["requests"] == 2));
    assert_eq!(shown["connections"], serde_json::json!({ "active": 0, "idle": 1 }));
    assert_eq!((&shown["connects_failed"], &shown["skipped_on"]), (&0.into(), &0.into()));
}

#[test]
fn metrics_are_text_for_prometheus() {
    let gate = Gate::start();
    gate.process.client().get("/");
    let counted = "http_server_request_duration_seconds_count{http_route=\"all\"";
    let answer =
        wait_for("a counted request", || Some(gate.get("/metrics")).filter(|page| page.text().contains(counted)));
    assert_eq!(answer.fields.get("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert!(answer.text().lines().any(|line| line == "# TYPE http_server_request_duration_seconds histogram"));
}

#[test]
fn connections_are_counted() {
    let gate = Gate::start();
    let total = || gate.get("/connections").json()["total"].as_u64();
    assert_eq!(total(), Some(0));
    let clients: Vec<Client> = (0..3).map(|_| gate.process.client()).collect();
    wait_for("three connections", || (total() == Some(3)).then_some(()));
    let shown = gate.get("/connections").json();
    assert_eq!((&shown["limit"], &shown["listeners"][0]["name"]), (&200.into(), &"plain".into()));
    let listener = &shown["listeners"][0];
    assert_eq!((&listener["open"], &listener["accepted"], &listener["limited"]), (&3.into(), &3.into(), &0.into()));
    assert_eq!(shown["shards"].as_array().map(Vec::len), Some(1));
    drop(clients);
    wait_for("none again", || (total() == Some(0)).then_some(()));
}

#[test]
fn a_long_list_comes_whole() {
    let gate = Gate::start();
    let more = (0..3000).fold(String::new(), |all, n| {
        format!("{all}  - {{ name: r{n}, match: {{ path: \"/r/{n}\" }}, respond: {{ status: 204 }} }}\n")
    });
    gate.rewrite(&gate.admin, &more);
    assert_eq!(gate.change("POST", "/reload", "").status, 200);
    let mut client = gate.admin();
    for (path, names) in [("/routes", "routes"), ("/config", "config")] {
        let host = gate.process.admin();
        let shown = client.exchange(format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n")).json();
        let routes = if names == "config" { &shown["config"]["routes"] } else { &shown["routes"] };
        assert_eq!(routes.as_array().expect("routes").len(), 3002);
        assert_eq!(routes[3001]["name"], "r2999");
    }
}

#[test]
fn no_answer_and_no_line_has_the_token_in_it() {
    let gate = Gate::start();
    let mut all = Vec::new();
    for path in
        ["/", "/livez", "/readyz", "/metrics", "/config", "/routes", "/upstreams", "/connections", "/log-level", "/x"]
    {
        all.push(gate.get(path));
    }
    for (method, path, body) in [
        ("PUT", "/log-level", "{\"level\":\"debug\"}"),
        ("POST", "/reload", ""),
        ("POST", "/drain", ""),
        ("DELETE", "/drain", ""),
        ("POST", "/upstreams/origin/endpoints/none/drain", ""),
        ("POST", "/log-level", ""),
    ] {
        all.push(gate.change(method, path, body));
    }
    let said = gate.process.stderr();
    assert!(!said.contains(TOKEN), "{said}");
    // A message that quotes a line of the file quotes what it does not know to be a secret.
    gate.rewrite(&format!("address: \"127.0.0.1:0\", token: {TOKEN}, tokn: {TOKEN}"), "");
    all.push(gate.change("POST", "/reload", ""));
    all.push(gate.get("/config"));
    for answer in &all {
        assert!(!format!("{answer:?}").contains(TOKEN), "{}", answer.text());
        assert!(!answer.text().contains(TOKEN), "{}", answer.text());
    }
    assert!(all.iter().any(|answer| answer.text().contains("***")), "the token's place is shown");
}

#[test]
fn a_connection_serves_one_call_after_the_other() {
    let gate = Gate::start();
    let mut client = connect(gate.process.admin());
    for _ in 0..20 {
        let host = gate.process.admin();
        assert_eq!(client.exchange(format!("GET /livez HTTP/1.1\r\nhost: {host}\r\n\r\n")).status, 200);
    }
}
