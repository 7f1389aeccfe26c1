//! The files in `examples/` load, and say what their comments say.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use ringgate_config::{
    AccessLog, Action, Address, Config, EndpointAddress, Forward, HostPattern, Limits, PathPattern, Route, Segment,
    load,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn example(name: &str) -> Config {
    load(&folder().join(name)).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn every_example_loads_without_a_warning() {
    let mut names: Vec<String> =
        std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".yaml"));
    names.sort();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        assert_eq!(example(&name).warnings, [], "{name}");
    }
}

#[test]
fn minimal() {
    let config = example("minimal.yaml");
    assert_eq!(config.summary(), "1 routes, 1 upstreams, 1 listeners");
    assert_eq!(config.listeners[0].address, Address::Tcp("127.0.0.1:8080".parse().unwrap()));
    assert_eq!(config.upstreams[0].endpoints[0].address, EndpointAddress::Tcp("127.0.0.1:9000".parse().unwrap()));
    assert_eq!(config.routes[0].matches.path, Some(PathPattern::Prefix(String::new())));
    assert_eq!(config.access_log, Some(AccessLog::default()));
}

#[test]
fn routing() {
    let config = example("routing.yaml");
    let route = |name: &str| config.routes.iter().find(|route| route.name == name).unwrap();
    assert_eq!(config.upstreams[0].endpoints.iter().map(|e| e.weight).collect::<Vec<_>>(), [1, 2]);

    let list = route("users-list");
    assert_eq!(list.matches.hosts, [HostPattern::Exact("api.example.com".to_owned())]);
    assert_eq!(list.matches.methods, ["GET", "HEAD"]);
    assert_eq!(forward(list).timeout.as_secs(), 2);

    let orders = route("user-orders");
    let segments = ["users", "id", "orders"].map(str::to_owned);
    let [users, id, last] = segments;
    let segments = vec![Segment::Literal(users), Segment::Capture(id), Segment::Literal(last)];
    assert_eq!(orders.matches.path, Some(PathPattern::Captured { segments, rest: true }));
    assert_eq!(config.upstreams[forward(orders).to[0].upstream].name, "orders");

    let beta = &route("user-beta").matches;
    assert!(beta.headers[0].1.matches(b"beta-2") && !beta.headers[0].1.matches(b"stable"));
    assert_eq!((beta.query[0].0.as_str(), beta.query[0].1.as_exact()), ("v", Some("2")));
    assert_eq!(forward(route("user-beta")).host.as_deref(), Some("beta.internal"));
    assert_eq!(route("static").matches.hosts, [HostPattern::Wildcard(".example.com".to_owned())]);
    let regex = PathPattern::Regex(r"/v[0-9]+/reports/[a-z]+\.csv".to_owned());
    assert_eq!(route("versioned").matches.path, Some(regex));
}

#[test]
fn limits_are_the_defaults() {
    let config = example("limits.yaml");
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.trusted_proxies[0].to_string(), "127.0.0.0/8");
}

#[test]
fn unix_sockets() {
    let config = example("unix-sockets.yaml");
    assert_eq!(config.listeners[0].address, Address::Unix("/run/ringgate/http.sock".into()));
    assert_eq!(config.upstreams[0].endpoints[1].address, EndpointAddress::Unix("/run/app/2.sock".into()));
    assert_eq!(config.access_log, None);
}

fn forward(route: &Route) -> &Forward {
    match &route.action {
        Action::Forward(forward) => forward,
        other => panic!("{other:?}"),
    }
}
