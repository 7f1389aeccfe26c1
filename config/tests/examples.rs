//! The files in `examples/` load, and say what their comments say.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use ringgate_config::{
    AccessLog, Action, Address, ClientAuthMode, Config, EndpointAddress, Forward, HostPattern, HttpsRedirect, Limits,
    LogFormat, LogTarget, PathPattern, ProxyVersion, ResponseBody, Route, Segment, TlsVersion, Unchecked, load,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn example(name: &str) -> Config {
    load(&folder().join(name), &Unchecked).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn every_example_loads_without_a_warning() {
    let mut names: Vec<String> =
        std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".yaml"));
    names.sort();
    names.push("include/main.yaml".to_owned());
    assert!(names.len() >= 13, "{names:?}");
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

#[test]
fn redirects() {
    let config = example("redirects.yaml");
    let found: Vec<(String, bool, u16)> = config
        .routes
        .iter()
        .map(|route| match &route.action {
            Action::Redirect(redirect) => {
                let to = redirect.to.as_ref().map(|to| to.to_string());
                (to.unwrap_or_default(), redirect.https, redirect.status)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let meant = [
        ("/new/{rest}", false, 308),
        ("/users/{id}/profile", false, 301),
        ("/thanks", false, 303),
        ("https://example.com/docs{request.path}", false, 307),
        ("", true, 308),
        ("https://{request.host}:8443{request.path}", false, 301),
    ];
    assert_eq!(found, meant.map(|(to, https, status)| (to.to_owned(), https, status)));
}

#[test]
fn responses() {
    let config = example("responses.yaml");
    let respond = |name: &str| match &config.routes.iter().find(|route| route.name == name).unwrap().action {
        Action::Respond(respond) => respond,
        other => panic!("{other:?}"),
    };
    assert_eq!((respond("hello").status, respond("hello").ready), (200, false));
    assert!(respond("ready").ready);
    assert_eq!(respond("no-favicon").status, 204);
    let ResponseBody::Text(whoami) = &respond("whoami").body else { panic!() };
    assert_eq!(whoami.parts.len(), 7);
    let ResponseBody::File { bytes, path } = &respond("maintenance").body else { panic!() };
    assert!(bytes.starts_with(b"<!doctype html>") && config.files.contains(path));
}

#[test]
fn canary() {
    let config = example("canary.yaml");
    let shares: Vec<(&str, u32)> = forward(&config.routes[0])
        .to
        .iter()
        .map(|share| (config.upstreams[share.upstream].name.as_str(), share.weight))
        .collect();
    assert_eq!(shares, [("users", 90), ("users-next", 10)]);
}

#[test]
fn access_log() {
    let log = example("access-log.yaml").access_log.unwrap();
    let LogFormat::Template(parts) = log.format else { panic!() };
    assert_eq!(parts.len(), 16);
    assert_eq!(log.to, LogTarget::File(folder().join("access.log")));
}

#[test]
fn admin() {
    let config = example("admin.yaml");
    let admin = config.admin.unwrap();
    assert_eq!((admin.address, admin.token), (Address::Tcp("127.0.0.1:9901".parse().unwrap()), None));
    assert_eq!((config.shutdown.delay, config.reload.drain), (Duration::from_secs(5), Duration::from_secs(60)));
    assert_eq!(config.runtime.per_core[&2].ring_entries, Some(4096));
}

#[test]
fn include() {
    let config = example("include/main.yaml");
    let names: Vec<&str> = config.routes.iter().map(|route| route.name.as_str()).collect();
    assert_eq!(names, ["rest", "users", "people"]);
    let files: Vec<&str> = config.files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(files, ["main.yaml", "site.yaml", "users.yaml"]);
    assert_eq!(config.files[config.routes[1].at.file as usize].file_name().unwrap(), "users.yaml");
}

#[test]
fn tls() {
    let config = example("tls.yaml");
    assert_eq!(config.listeners[0].https_redirect, Some(HttpsRedirect { port: 8443, status: 308 }));
    let tls = config.listeners[1].tls.as_ref().unwrap();
    assert_eq!(tls.certificates.len(), 2);
    assert!(tls.certificates.iter().all(|own| own.hosts.is_empty()));
    assert!(tls.certificates[0].cert.bytes.starts_with(b"-----BEGIN CERTIFICATE-----"));
    assert!(tls.certificates[0].key.bytes.starts_with(b"-----BEGIN PRIVATE KEY-----"));
    assert_eq!(tls.client_auth.as_ref().unwrap().mode, ClientAuthMode::Optional);
    assert_eq!(tls.hsts.as_ref().unwrap().max_age, Duration::from_secs(300));
    assert!(config.access_log.unwrap().tls);
    // The files are watched like every other.
    assert!(config.files.contains(&folder().join("certs/localhost-rsa.key")));
}

#[test]
fn passthrough() {
    let config = example("passthrough.yaml");
    let entries: Vec<(usize, &str)> = config.listeners[0]
        .passthrough
        .iter()
        .map(|entry| (entry.hosts.len(), config.upstreams[entry.upstream].name.as_str()))
        .collect();
    assert_eq!(entries, [(1, "mail"), (1, "shop"), (0, "rest")]);
    assert_eq!(config.listeners[0].proxy_protocol.as_ref().unwrap().from[0].to_string(), "127.0.0.0/8");
    let tcp = config.listeners[1].tcp.as_ref().unwrap();
    assert_eq!(
        (config.upstreams[tcp.upstream].name.as_str(), tcp.idle_timeout),
        ("database", Duration::from_secs(28_800))
    );
    assert_eq!(config.upstreams[0].proxy_protocol, Some(ProxyVersion::V2));
}

#[test]
fn upstream_tls() {
    let config = example("upstream-tls.yaml");
    let users = config.upstreams[0].tls.as_ref().unwrap();
    assert_eq!((users.server_name.as_deref(), users.verify), (Some("localhost"), true));
    assert!(users.ca.is_some() && users.certificate.is_some());
    let orders = config.upstreams[1].tls.as_ref().unwrap();
    assert_eq!((&orders.server_name, orders.min_version), (&None, TlsVersion::Tls13));
}

fn forward(route: &Route) -> &Forward {
    match &route.action {
        Action::Forward(forward) => forward,
        other => panic!("{other:?}"),
    }
}
