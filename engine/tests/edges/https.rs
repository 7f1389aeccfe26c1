//! The way to https: redirects of clear text, and what browsers are told of later visits.

use crate::plan::{at, text};
use crate::sites::{Folder, Secure, Site, tls, trusting};
use crate::support::service::ok;
use crate::support::{Client, Gate, Service, on_both_drivers};
use ringgate_rt::driver::Choice;

on_both_drivers!(
    clear_text_is_sent_to_https,
    a_reload_reaches_connections_that_are_busy,
    no_path_leads_to_another_host,
    whoever_came_over_https_is_not_sent_in_a_circle,
    the_challenges_of_certificate_authorities_are_let_through,
    every_answer_over_tls_tells_of_later_visits,
    clear_text_tells_nothing,
);

fn service() -> Service {
    Service::answering(|_| ok("good"))
}

fn redirecting(service: &Service, redirect: &str, driver: Choice) -> Gate {
    let listener = format!("https_redirect: {redirect}");
    Gate::start(&text(&[&listener], &[("s", &at(&[&service.endpoint()]))], ""), driver)
}

#[track_caller]
fn location(client: &mut Client, request: &str) -> (u16, String) {
    let answer = client.exchange(request);
    (answer.status, answer.fields.get("location").expect("a location").to_owned())
}

fn clear_text_is_sent_to_https(driver: Choice) {
    let service = service();
    let gate = redirecting(&service, "on", driver);
    let mut client = gate.client();
    for (request, to) in [
        ("GET / HTTP/1.1\r\nhost: Web.test\r\n\r\n", "https://Web.test/"),
        ("GET /a%20b/c?d=e&f=%2F HTTP/1.1\r\nhost: web.test:8080\r\n\r\n", "https://web.test/a%20b/c?d=e&f=%2F"),
        ("GET http://other.test/x?y HTTP/1.1\r\nhost: other.test\r\n\r\n", "https://other.test/x?y"),
        ("GET /6 HTTP/1.1\r\nhost: [::1]:8080\r\n\r\n", "https://[::1]/6"),
        ("POST /form HTTP/1.1\r\nhost: web.test\r\ncontent-length: 3\r\n\r\na=b", "https://web.test/form"),
        ("GET /a/../b HTTP/1.0\r\nhost: web.test\r\nconnection: keep-alive\r\n\r\n", "https://web.test/a/../b"),
    ] {
        assert_eq!(location(&mut client, request), (308, to.to_owned()), "{request}");
    }
    // Without a Host there is nowhere to send a client.
    let answer = client.exchange("GET / HTTP/1.0\r\n\r\n");
    assert_eq!((answer.status, &answer.json()["error"]), (400, &"no_host".into()));
    assert_eq!(service.request_count(), 0);
    let line = &gate.log(7)[0];
    assert_eq!((&line["status"], &line["route"]), (&308.into(), &serde_json::Value::Null), "{line}");

    let gate = redirecting(&service, "{ port: 8443, status: 302 }", driver);
    let mut client = gate.client();
    let sent = location(&mut client, "GET /a?b HTTP/1.1\r\nhost: web.test:8080\r\n\r\n");
    assert_eq!(sent, (302, "https://web.test:8443/a?b".to_owned()));
    let sent = location(&mut client, "GET / HTTP/1.1\r\nhost: [2001:db8::1]\r\n\r\n");
    assert_eq!(sent, (302, "https://[2001:db8::1]:8443/".to_owned()));
    client.send("HEAD /head HTTP/1.1\r\nhost: web.test\r\n\r\n");
    let answer = client.answer_to("HEAD");
    assert_eq!((answer.status, answer.fields.get("location")), (302, Some("https://web.test:8443/head")));
}

fn a_reload_reaches_connections_that_are_busy(driver: Choice) {
    const GET: &str = "GET / HTTP/1.1\r\nhost: web.test\r\n\r\n";
    let service = service();
    let mut gate = redirecting(&service, "on", driver);
    let mut client = gate.client();
    for _ in 0..3 {
        assert_eq!(client.exchange(GET).status, 308);
    }
    let other = text(&["https_redirect: off"], &[("s", &at(&[&service.endpoint()]))], "");
    gate.reload(&other).expect("a good file");
    assert_eq!(client.exchange(GET).status, 200);
}

fn no_path_leads_to_another_host(driver: Choice) {
    let service = service();
    let gate = redirecting(&service, "on", driver);
    for target in ["//evil.test/x", "/\\evil.test", "///evil.test", "/%2F%2Fevil.test", "/@evil.test", "/.evil.test"] {
        let answer = gate.client().exchange(format!("GET {target} HTTP/1.1\r\nhost: web.test\r\n\r\n"));
        if answer.status == 308 {
            let to = answer.fields.get("location").expect("a location");
            assert!(to.starts_with("https://web.test/"), "{target}: {to}");
        } else {
            assert_eq!(answer.status, 400, "{target}");
        }
    }
    // A host that is none is refused, not sent on.
    for host in ["web.test/evil", "evil@web.test", "a b", "web.test:x", "web.test#"] {
        let answer = gate.client().exchange(format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        assert_eq!(answer.status, 400, "{host}");
    }
    assert_eq!(service.request_count(), 0);
}

fn whoever_came_over_https_is_not_sent_in_a_circle(driver: Choice) {
    let service = service();
    let plan = |trusted: &str| text(&["https_redirect: on"], &[("s", &at(&[&service.endpoint()]))], trusted);
    let request = |proto: &str| format!("GET / HTTP/1.1\r\nhost: web.test\r\nx-forwarded-proto: {proto}\r\n\r\n");
    // A balancer that ends TLS says so, and is believed if it is trusted.
    let gate = Gate::start(&plan("trusted_proxies: [127.0.0.0/8]"), driver);
    let mut client = gate.client();
    assert_eq!(client.exchange(request("https")).text(), "good");
    assert_eq!(client.exchange(request("http")).status, 308);
    let gate = Gate::start(&plan(""), driver);
    assert_eq!(gate.client().exchange(request("https")).status, 308);
}

fn the_challenges_of_certificate_authorities_are_let_through(driver: Choice) {
    let service = service();
    let gate = redirecting(&service, "on", driver);
    let mut client = gate.client();
    let path = "/.well-known/acme-challenge/token";
    assert_eq!(client.get(path).text(), "good");
    assert_eq!(service.only_request().target, path);
    for other in ["/.well-known/acme-challengex", "/.well-known/", "/a/.well-known/acme-challenge/t"] {
        assert_eq!(client.get(other).status, 308, "{other}");
    }
    // What only looks like it is not let past.
    for sly in ["/.well-known/acme-challenge/../../secret", "/.well-known/acme-challenge/%2e%2e/%2e%2e/secret"] {
        let status = client.get(sly).status;
        assert!(matches!(status, 308 | 400), "{sly}: {status}");
    }
    assert_eq!(service.request_count(), 1);
}

const HSTS: &str = "strict-transport-security";

fn every_answer_over_tls_tells_of_later_visits(driver: Choice) {
    let service = Service::answering(|request| match request.target.as_str() {
        "/own" => b"HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1\r\nx-a: 1\r\n\
                    STRICT-TRANSPORT-SECURITY: max-age=2\r\ncontent-length: 2\r\n\r\nok"
            .to_vec(),
        "/broken" => b"HTTP/9 nonsense\r\n\r\n".to_vec(),
        _ => ok("good"),
    });
    let site = Site::new(&["web.test"]);
    let folder = Folder::with(&[("web", &site)]);
    let routes = "routes: [{ name: fixed, match: { path: /fixed }, respond: { body: fixed } }, \
                  { name: there, match: { path: /there }, redirect: { to: /here, status: 302 } }, \
                  { name: all, match: { path: \"/s/*\" }, forward: { upstream: s } }, \
                  { name: own, match: { path: /own }, forward: { upstream: s } }, \
                  { name: broken, match: { path: /broken }, forward: { upstream: s } }]";
    for (hsts, value) in [
        ("on", "max-age=31536000"),
        ("{ max_age: 48h }", "max-age=172800"),
        ("{ max_age: 0s }", "max-age=0"),
        ("{ max_age: 17520h, include_subdomains: on, preload: on }", "max-age=63072000; includeSubDomains; preload"),
    ] {
        let listener = tls("web", &format!(", hsts: {hsts}"));
        let gate = folder.gate(&text(&[&listener], &[("s", &at(&[&service.endpoint()]))], routes), driver);
        let mut client = Secure::connect(gate.address(), "web.test", trusting(&[&site])).expect("a handshake");
        for (path, status) in
            [("/s/x", 200), ("/own", 200), ("/fixed", 200), ("/there", 302), ("/none", 404), ("/broken", 502)]
        {
            let answer = client.get("web.test", path);
            assert_eq!(answer.status, status, "{path}");
            // One field, also where the service has sent its own.
            assert_eq!(answer.fields.get(HSTS), Some(value), "{path}");
        }
        // Whatever was for another host, or could not be read.
        let answer = client.get("elsewhere.test", "/fixed");
        assert_eq!((answer.status, answer.fields.get(HSTS)), (421, Some(value)));
        let answer = client.exchange("GET  / HTTP/1.1\r\nhost: web.test\r\n\r\n");
        assert_eq!((answer.status, answer.fields.get(HSTS)), (400, Some(value)));
    }
    // Off is off: what the service says is the service's.
    let gate = folder.gate(&text(&[&tls("web", "")], &[("s", &at(&[&service.endpoint()]))], routes), driver);
    let mut client = Secure::connect(gate.address(), "web.test", trusting(&[&site])).expect("a handshake");
    assert!(!client.get("web.test", "/fixed").fields.has(HSTS));
    assert_eq!(client.get("web.test", "/own").fields.all(HSTS), ["max-age=1", "max-age=2"]);
}

fn clear_text_tells_nothing(driver: Choice) {
    let (service, site) = (service(), Site::new(&["web.test"]));
    let folder = Folder::with(&[("web", &site)]);
    let secured = tls("web", ", hsts: on");
    let listeners = ["", secured.as_str(), "https_redirect: on"];
    let gate = folder.gate(&text(&listeners, &[("s", &at(&[&service.endpoint()]))], ""), driver);
    let mut client = gate.client();
    for request in ["GET / HTTP/1.1\r\nhost: web.test\r\n\r\n", "TRACE / HTTP/1.1\r\nhost: web.test\r\n\r\n"] {
        assert!(!client.exchange(request).fields.has(HSTS));
    }
    let redirecting = gate.listener("l2").expect("a listener");
    let answer = Client::connect(redirecting).exchange("GET / HTTP/1.1\r\nhost: web.test\r\n\r\n");
    assert_eq!((answer.status, answer.fields.has(HSTS)), (308, false));
    // Nor does a clear-text listener whose client says that it came by https.
    let said = "GET / HTTP/1.1\r\nhost: web.test\r\nx-forwarded-proto: https\r\n\r\n";
    assert!(!client.exchange(said).fields.has(HSTS));
}
