//! What is seen of connections over TLS: metrics, the access log, templates.

use crate::exposition::Exposition;
use crate::sites::{Folder, Secure, Site, tls, trusting};
use crate::support::service::ok;
use crate::support::{Client, Gate, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use rustls::ClientConfig;
use std::fmt::Write;

on_both_drivers!(
    handshakes_are_counted_by_how_they_end,
    a_json_line_says_how_the_connection_is_secured_where_it_is_to,
    a_templated_line_says_it_too,
    templates_of_routes_know_the_client,
);

/// A gateway whose listeners `web` and `bytes` are secured as `web` is, with clients' certificates as `mode` has it;
/// `plain` is not.
fn start(folder: &Folder, service: &Service, client_auth: &str, more: &str, driver: Choice) -> Gate {
    let cores: Vec<usize> = ringgate_rt::cores::allowed().into_iter().take(1).collect();
    let secured = tls("web", client_auth);
    let mut text = format!("runtime: {{ cores: {cores:?} }}\nlimits: {{ connections: 2000 }}\n");
    write!(
        text,
        "listeners:\n  - {{ name: web, address: \"127.0.0.1:0\", {secured} }}\n  \
         - {{ name: plain, address: \"127.0.0.1:0\" }}\n  \
         - {{ name: bytes, address: \"127.0.0.1:0\", tcp: {{ upstream: s }}, {secured} }}\n\
         upstreams: {{ s: {{ endpoints: [\"{}\"] }} }}\n\
         routes:\n  - {{ name: all, match: {{ path: \"/*\" }}, forward: {{ upstream: s }} }}\n  \
         - {{ name: who, match: {{ path: /who }}, respond: {{ headers: {{ x-who: \"{{request.client_subject}}\" }}, \
           body: \"{{request.server_name}}|{{request.tls_version}}|{{request.client_subject}}|\
           {{request.client_sans}}|{{request.client_fingerprint}}|{{request.scheme}}\" }} }}\n{more}\n",
        service.endpoint()
    )
    .unwrap();
    folder.gate(&text, driver)
}

const BY_THE_BOOK: &str = ", client_auth: { ca: client.pem, mode: optional }";

/// A client that shows this certificate.
fn showing(site: &Site, shown: &Site) -> ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(site.der.clone()).unwrap();
    ClientConfig::builder_with_provider(std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![shown.der.clone()], shown.key())
        .unwrap()
}

fn sites() -> (Site, Site, Folder) {
    let (web, client) = (Site::new(&["web.test"]), Site::new(&["robot.test", "other.test"]));
    let folder = Folder::with(&[("web", &web), ("client", &client)]);
    (web, client, folder)
}

fn service() -> Service {
    Service::answering(|_| ok("good"))
}

fn page(gate: &Gate) -> Exposition {
    Exposition::read(&gate.running().metrics())
}

#[track_caller]
fn wait_for_page(gate: &Gate, series: &str, value: f64) {
    wait_for(&format!("{value} of {series}"), || (page(gate).get(series) == value).then_some(()));
}

fn handshakes_are_counted_by_how_they_end(driver: Choice) {
    let ((web, client, folder), service) = (sites(), service());
    let required = ", client_auth: { ca: client.pem }";
    let gate = start(&folder, &service, required, "", driver);
    let config = showing(&web, &client);
    let handshakes = |result: &str| format!("ringgate_tls_handshakes_total{{listener=\"web\",result=\"{result}\"}}");
    let failures = |reason: &str| format!("ringgate_handshake_failures_total{{listener=\"web\",reason=\"{reason}\"}}");
    let active = "ringgate_handshakes_active{listener=\"web\"}";
    // Two whole ones: with what came of them the others go on.
    for (full, resumed) in [(1.0, 0.0), (1.0, 1.0), (1.0, 2.0)] {
        let mut client = Secure::connect(gate.address(), "web.test", config.clone()).expect("a handshake");
        assert_eq!(client.get("web.test", "/").text(), "good");
        wait_for_page(&gate, &handshakes("full"), full);
        wait_for_page(&gate, &handshakes("resumed"), resumed);
    }
    // One that has not said anything yet.
    let waiting = gate.client();
    wait_for_page(&gate, active, 1.0);
    drop(waiting);
    wait_for_page(&gate, &failures("peer_left"), 1.0);
    wait_for_page(&gate, active, 0.0);
    let mut plain = gate.client();
    assert_eq!(plain.get("/").status, 400);
    wait_for_page(&gate, &failures("plain_http"), 1.0);
    let mut nonsense = gate.client();
    nonsense.send([0x80; 100]);
    nonsense.end_after_bytes();
    wait_for_page(&gate, &failures("no_tls"), 1.0);
    let nobody = Secure::connect(gate.address(), "web.test", trusting(&[&web]));
    drop(nobody.map(|mut client| client.wire.fill()));
    wait_for_page(&gate, &failures("client_certificate_missing"), 1.0);
    let stranger = Secure::connect(gate.address(), "web.test", showing(&web, &Site::new(&["stranger.test"])));
    drop(stranger.map(|mut client| client.wire.fill()));
    wait_for_page(&gate, &failures("client_certificate_invalid"), 1.0);
    let doubting = Secure::connect(gate.address(), "web.test", showing(&client, &client));
    assert!(doubting.is_err());
    wait_for_page(&gate, &failures("alert"), 1.0);
    // Nothing of this was the clear-text listener's.
    assert_eq!(Client::connect(gate.listener("plain").unwrap()).get("/").text(), "good");
    let page = page(&gate);
    assert_eq!(page.sum("ringgate_tls_handshakes_total", &["listener=\"plain\""]), 0.0);
    assert_eq!(page.sum("ringgate_handshake_failures_total", &["listener=\"plain\""]), 0.0);
    assert_eq!(page.sum("ringgate_handshake_failures_total", &["\"web\""]), 6.0);
}

fn a_json_line_says_how_the_connection_is_secured_where_it_is_to(driver: Choice) {
    let ((web, client, folder), service) = (sites(), service());
    let gate = start(&folder, &service, BY_THE_BOOK, "access_log: { tls: on, headers: [user-agent] }", driver);
    for (config, subject) in [(showing(&web, &client), Some("CN=rcgen self signed cert")), (trusting(&[&web]), None)] {
        let mut client = Secure::connect(gate.address(), "web.test", config).expect("a handshake");
        assert_eq!(client.get("web.test", "/").text(), "good");
        let line = gate.log(if subject.is_some() { 1 } else { 2 }).pop().unwrap();
        assert_eq!(line["tls_version"], "TLSv1.3", "{line}");
        assert!(line["tls_cipher"].as_str().is_some_and(|suite| suite.starts_with("TLS_")), "{line}");
        assert_eq!(line["server_name"], "web.test", "{line}");
        assert_eq!(line["client_subject"].as_str(), subject, "{line}");
        let sans = subject.map(|_| "DNS:robot.test, DNS:other.test");
        assert_eq!(line["client_sans"].as_str(), sans, "{line}");
        let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys[16..],
            ["fault", "tls_version", "tls_cipher", "server_name", "client_subject", "client_sans", "headers"]
        );
    }
    assert_eq!(Client::connect(gate.listener("plain").unwrap()).get("/").text(), "good");
    let line = gate.log(3).pop().unwrap();
    for key in ["tls_version", "tls_cipher", "server_name", "client_subject", "client_sans"] {
        assert_eq!(line.get(key), Some(&serde_json::Value::Null), "{key}");
    }
    // Plain bytes over TLS.
    let mut bytes = Secure::connect(gate.listener("bytes").unwrap(), "web.test", showing(&web, &client)).unwrap();
    assert_eq!(bytes.get("web.test", "/").text(), "good");
    drop(bytes);
    let line = gate.log(4).pop().unwrap();
    assert_eq!((&line["protocol"], &line["tls_version"]), (&"TCP".into(), &"TLSv1.3".into()), "{line}");
    assert_eq!(line["client_subject"], "CN=rcgen self signed cert", "{line}");
    // Without `tls: on` a line is as it was.
    let gate = start(&folder, &service, BY_THE_BOOK, "", driver);
    let mut client = Secure::connect(gate.address(), "web.test", trusting(&[&web])).expect("a handshake");
    assert_eq!(client.get("web.test", "/").text(), "good");
    assert!(gate.log(1)[0].get("tls_version").is_none());
}

fn a_templated_line_says_it_too(driver: Choice) {
    let ((web, client, folder), service) = (sites(), service());
    // The lines are read as JSON here.
    let template = r#"access_log: { format: { template: '{"v":"{tls_version}","n":"{server_name}","s":"{client_subject}","a":"{client_sans}"}' } }"#;
    let gate = start(&folder, &service, BY_THE_BOOK, template, driver);
    let mut secure = Secure::connect(gate.address(), "web.test", showing(&web, &client)).expect("a handshake");
    assert_eq!(secure.get("web.test", "/").text(), "good");
    assert_eq!(Client::connect(gate.listener("plain").unwrap()).get("/").text(), "good");
    let lines = gate.log(2);
    assert_eq!((&lines[0]["v"], &lines[0]["n"]), (&"TLSv1.3".into(), &"web.test".into()));
    assert_eq!(lines[0]["s"], "CN=rcgen self signed cert");
    assert_eq!(lines[0]["a"], "DNS:robot.test, DNS:other.test");
    for key in ["v", "n", "s", "a"] {
        assert_eq!(lines[1][key], "-", "{key}");
    }
}

fn templates_of_routes_know_the_client(driver: Choice) {
    use sha2::Digest;
    let ((web, client, folder), service) = (sites(), service());
    let gate = start(&folder, &service, BY_THE_BOOK, "", driver);
    let mut secure = Secure::connect(gate.address(), "web.test", showing(&web, &client)).expect("a handshake");
    let answer = secure.get("web.test", "/who");
    let fingerprint: String = sha2::Sha256::digest(&client.der).iter().map(|byte| format!("{byte:02x}")).collect();
    let expected =
        format!("web.test|TLSv1.3|CN=rcgen self signed cert|DNS:robot.test, DNS:other.test|{fingerprint}|https");
    assert_eq!(answer.text(), expected);
    assert_eq!(answer.fields.get("x-who"), Some("CN=rcgen self signed cert"));
    let mut nobody = Secure::connect(gate.address(), "web.test", trusting(&[&web])).expect("a handshake");
    assert_eq!(nobody.get("web.test", "/who").text(), "web.test|TLSv1.3||||https");
    assert_eq!(Client::connect(gate.listener("plain").unwrap()).get("/who").text(), "|||||http");
}
