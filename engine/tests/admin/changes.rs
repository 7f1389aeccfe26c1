//! Changes by call: reloads, readiness, endpoints, the log's level.

use super::support::process::Process;
use super::support::service::ok;
use super::support::{Answer, Service, wait_for};
use super::{BINARY, Gate, refused};

const ROUTE: &str = "  - { name: more, match: { path: /more }, respond: { status: 418 } }\n";

#[test]
fn a_reload_is_answered_with_what_came_of_it() {
    let gate = Gate::start();
    assert_eq!(gate.process.client().get("/more").status, 200);
    gate.rewrite(&gate.admin, ROUTE);
    let answer = gate.change("POST", "/reload", "");
    let outcome = answer.json();
    assert_eq!((answer.status, &outcome["result"], &outcome["generation"]), (200, &"ok".into(), &2.into()));
    assert!(outcome["took_ms"].as_f64().is_some_and(|took| took > 0.0), "{outcome}");
    // It is so when the answer comes, not some time later.
    assert_eq!(gate.process.client().get("/more").status, 418);
    let shown = gate.get("/config").json();
    assert_eq!((&shown["generation"], &shown["reload"]["result"]), (&2.into(), &"ok".into()));
    assert_eq!(gate.get("/routes").json()["routes"][2]["name"], "more");
    wait_for("a line", || gate.process.stderr().contains("admin: reload, asked for by 127.0.0.1:").then_some(()));
}

#[test]
fn a_bad_file_is_answered_with_all_its_errors_and_changes_nothing() {
    let gate = Gate::start();
    gate.rewrite(
        &gate.admin,
        &format!("{ROUTE}  - {{ name: all, match: {{ pth: /x }}, forward: {{ upstream: orign }} }}\n"),
    );
    let answer = gate.change("POST", "/reload", "");
    refused(&answer, 422, "reload_failed");
    let outcome = answer.json();
    let errors = outcome["errors"].as_array().expect("errors");
    assert!(errors.len() >= 3, "{outcome}");
    for named in ["pth", "orign", "all"] {
        assert!(
            errors.iter().any(|error| error.as_str().is_some_and(|text| text.contains(named))),
            "{named}: {outcome}"
        );
    }
    assert_eq!(gate.process.client().get("/more").status, 200, "as before");
    let shown = gate.get("/config").json();
    assert_eq!((&shown["generation"], &shown["reload"]["result"]), (&1.into(), &"failed".into()));
    // And the next good one goes through.
    gate.rewrite(&gate.admin, ROUTE);
    assert_eq!(gate.change("POST", "/reload?wait=yes", "").status, 200);
    assert_eq!(gate.process.client().get("/more").status, 418);
}

#[test]
fn a_reload_need_not_be_waited_for() {
    let gate = Gate::start();
    gate.rewrite(&gate.admin, ROUTE);
    let answer = gate.change("POST", "/reload?wait=no", "");
    assert_eq!((answer.status, &answer.json()["status"]), (202, &"accepted".into()));
    wait_for("the reload", || (gate.generation() == 2).then_some(()));
}

#[test]
fn reloads_at_a_time_are_all_answered_and_each_with_the_file_as_it_was_then() {
    const CALLS: usize = 12;
    let gate = Gate::start();
    gate.rewrite(&gate.admin, ROUTE);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..CALLS).map(|_| scope.spawn(|| gate.change("POST", "/reload", ""))).collect();
        calls.into_iter().map(|call| call.join().expect("an answer")).collect()
    });
    assert!(answers.iter().all(|answer| answer.status == 200));
    let newest = answers.iter().filter_map(|answer| answer.json()["generation"].as_u64()).max();
    assert_eq!(newest, Some(gate.generation()));
    assert_eq!(gate.process.client().get("/more").status, 418);
}

#[test]
fn drained_means_not_ready_and_still_serving() {
    let gate = Gate::start();
    let mut client = gate.process.client();
    assert_eq!((client.get("/ready").status, client.get("/").status), (200, 200));
    for _ in 0..2 {
        let answer = gate.change("POST", "/drain", "");
        assert_eq!((answer.status, &answer.json()["drained"]), (200, &true.into()));
        let readiness = gate.get("/readyz");
        assert_eq!((readiness.status, &readiness.json()["status"]), (503, &"drained".into()));
        assert_eq!((client.get("/ready").status, client.get("/").status), (503, 200));
        assert_eq!(gate.get("/livez").status, 200);
    }
    gate.rewrite(&gate.admin, ROUTE);
    assert_eq!(gate.change("POST", "/reload", "").status, 200);
    assert_eq!((gate.get("/readyz").status, client.get("/ready").status), (503, 503), "a reload keeps it");
    let answer = gate.change("DELETE", "/drain", "");
    assert_eq!((answer.status, &answer.json()["status"]), (200, &"ready".into()));
    assert_eq!((gate.get("/readyz").status, client.get("/ready").status), (200, 200));
}

#[test]
fn an_endpoint_taken_out_gets_no_requests_until_it_is_back() {
    let gate = Gate::start();
    let other = Service::answering(|_| ok("other"));
    let both = |other: &Service| {
        let endpoints = format!("{:?}, {:?}", gate.service.endpoint(), other.endpoint());
        let text = super::text(&gate.admin, "@", "").replace("\"@\"", &endpoints);
        gate.process.rewrite(&text);
        assert_eq!(gate.change("POST", "/reload", "").status, 200);
    };
    both(&other);
    let seen = || {
        let mut client = gate.process.client();
        let mut texts: Vec<String> = (0..8).map(|_| client.get("/").text().to_owned()).collect();
        texts.sort();
        texts.dedup();
        texts
    };
    assert_eq!(seen(), ["other", "served"]);
    let path = format!("/upstreams/origin/endpoints/{}/drain", other.endpoint().replace(':', "%3A"));
    let states = || {
        let shown = gate.get("/upstreams").json();
        let endpoints = shown["upstreams"][0]["endpoints"].as_array().expect("endpoints").clone();
        endpoints.iter().map(|endpoint| endpoint["state"].as_str().expect("a state").to_owned()).collect::<Vec<_>>()
    };
    let answer = gate.change("POST", &path, "");
    assert_eq!((answer.status, &answer.json()["state"]), (200, &"drained".into()));
    assert_eq!((seen(), states()), (vec!["served".to_owned()], vec!["up".to_owned(), "drained".to_owned()]));
    both(&other);
    assert_eq!((seen(), states()[1].as_str()), (vec!["served".to_owned()], "drained"), "a reload keeps it");
    // Gone and back: it is another endpoint then, for the shards as well.
    gate.rewrite(&gate.admin, "");
    assert_eq!(gate.change("POST", "/reload", "").status, 200);
    both(&other);
    assert_eq!((seen().len(), states()[1].as_str()), (2, "up"));
    let drained = format!("endpoint=\"{}\",state=\"drained\"}} 0", other.endpoint());
    let metrics = gate.get("/metrics");
    assert!(metrics.text().contains(&drained), "{drained}: {}", metrics.text());
    assert_eq!(gate.change("POST", &path, "").status, 200);
    assert_eq!(gate.change("DELETE", &path, "").status, 200);
    assert_eq!((seen().len(), states()[1].as_str()), (2, "up"));
    for unknown in ["/upstreams/none/endpoints/127.0.0.1:1/drain", "/upstreams/origin/endpoints/127.0.0.1:1/drain"] {
        refused(&gate.change("POST", unknown, ""), 404, "no_endpoint");
    }
}

#[test]
fn with_all_endpoints_out_there_is_no_healthy_one() {
    let gate = Gate::start();
    let path = format!("/upstreams/origin/endpoints/{}/drain", gate.service.endpoint());
    assert_eq!(gate.change("POST", &path, "").status, 200);
    assert_eq!(gate.process.client().get("/").status, 503);
    assert_eq!(gate.change("DELETE", &path, "").status, 200);
    assert_eq!(gate.process.client().get("/").status, 200);
}

#[test]
fn the_level_says_what_is_written() {
    let gate = Gate::start();
    let set = |level: &str| {
        let answer = gate.change("PUT", "/log-level", &format!("{{\"level\":\"{level}\"}}"));
        assert_eq!((answer.status, &answer.json()["level"]), (200, &level.into()));
    };
    assert_eq!(gate.get("/log-level").json()["level"], "info");
    gate.get("/livez");
    assert!(!gate.process.stderr().contains(" debug "), "{}", gate.process.stderr());
    set("debug");
    gate.get("/livez");
    wait_for("a detail", || gate.process.stderr().contains(" debug admin: \"GET /livez\"").then_some(()));
    set("error");
    assert_eq!(gate.get("/log-level").json()["level"], "error");
    let before = gate.process.stderr();
    assert_eq!(gate.change("POST", "/reload", "").status, 200);
    gate.rewrite(&gate.admin, "nonsense: 1\n");
    assert_eq!(gate.change("POST", "/reload", "").status, 422);
    wait_for("a failure", || gate.process.stderr().contains(" error reload of ").then_some(()));
    let said = gate.process.stderr();
    let since = said.strip_prefix(&before).expect("more of it");
    assert!(!since.contains(" info ") && !since.contains(" debug "), "{since}");
}

#[test]
fn the_command_line_says_what_is_written_first() {
    let service = Service::answering(|_| ok(""));
    let config = super::text("address: \"127.0.0.1:0\"", &service.endpoint(), "");
    let process = Process::start_with(BINARY, &["--log-level", "debug"], &config, "auto");
    let answer = super::ask(process.admin(), "GET /log-level", "", "");
    assert_eq!(answer.json()["level"], "debug");
    wait_for("a detail", || process.stderr().contains(" debug admin: \"GET /log-level\"").then_some(()));
    let refused = std::process::Command::new(BINARY).args(["run", "--log-level", "loud", "x.yaml"]).output();
    let refused = refused.expect("the binary");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("error, warn, info, debug"));
}
