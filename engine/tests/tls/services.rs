//! TLS to services: whom the gateway believes, what it shows and asks for, and connections that are kept.

use crate::support::service::{Connection, ok};
use crate::support::tls::{self, Version};
use crate::support::{Authority, Gate, Plan, Service, on_both_drivers, wait_for};
use crate::{believing, secured_service};
use ringgate_rt::driver::Choice;
use rustls::HandshakeKind;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

on_both_drivers!(
    a_service_that_is_not_to_be_believed_gets_no_request,
    an_unchecked_service_gets_requests,
    a_service_is_asked_for_its_name_and_shown_a_certificate,
    an_address_is_a_name_too,
    sessions_are_resumed_where_they_may,
    a_service_without_tls_is_told_from_one_with,
    a_service_that_stalls_in_its_handshake_has_its_time,
    a_service_that_breaks_its_handshake_off_is_passed_over,
    connections_are_kept_and_used_again,
    a_reload_keeps_connections_whose_security_stays,
    no_clear_text_comes_back_to_a_service_that_is_now_over_tls,
    a_kept_connection_that_the_service_has_closed_costs_nobody_a_request,
    many_at_once_have_connections_of_their_own,
    tickets_that_come_alone_are_taken,
);

fn answering(connection: &mut Connection) {
    connection.answer_all(|_| ok("good"));
}

#[track_caller]
fn fails(gate: &Gate, status: u16, error: &str) {
    let answer = gate.client().get("/");
    assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)));
}

fn a_service_that_is_not_to_be_believed_gets_no_request(driver: Choice) {
    let (known, strange) = (Authority::new("known"), Authority::new("strange"));
    let expired = |params: &mut rcgen::CertificateParams| params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let client_only = |params: &mut rcgen::CertificateParams| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    };
    let cases = [
        ("of an unknown authority", strange.issue(&["service.internal"])),
        ("for another name", known.issue(&["other.internal"])),
        ("expired", known.issue_with(&["service.internal"], expired)),
        ("for clients", known.issue_with(&["service.internal"], client_only)),
    ];
    for (what, issued) in cases {
        for version in [Version::Tls12, Version::Tls13] {
            let service = Service::start_tls(tls::server_config(&issued, version), answering);
            let gate = Plan::to(&service).upstream(&believing(&known, "")).start(driver);
            fails(&gate, 502, "upstream_tls_failed");
            assert_eq!(service.request_count(), 0, "{what}, {version:?}");
        }
    }
    // Whom this system trusts: nobody here.
    let service = secured_service(&known, Version::Any, answering);
    let gate = Plan::to(&service).upstream("tls: { server_name: service.internal }").start(driver);
    fails(&gate, 502, "upstream_tls_failed");
}

fn an_unchecked_service_gets_requests(driver: Choice) {
    let strange = Authority::new("strange");
    for version in [Version::Tls12, Version::Tls13] {
        let service = secured_service(&strange, version, answering);
        let gate = Plan::to(&service).upstream("tls: { verify: off }").start(driver);
        assert_eq!(gate.client().get("/").status, 200);
    }
}

fn a_service_is_asked_for_its_name_and_shown_a_certificate(driver: Choice) {
    let authority = Authority::new("of both");
    authority.save("gateway", &authority.issue(&["gateway.internal"]));
    let issued = authority.issue(&["service.internal"]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    for version in [Version::Tls12, Version::Tls13] {
        let seen = seen.clone();
        let config = tls::server_config_with(&issued, version, Some(&authority));
        let service = Service::start_tls(config, move |connection| {
            let shaken = connection.request();
            let rustls::Connection::Server(server) = &connection.wire.stream.tls().tls else { panic!("a server") };
            let shown = server.peer_certificates().map(|chain| chain.len());
            seen.lock().expect("no panic").push((server.server_name().map(str::to_owned), shown));
            if shaken.is_some() {
                connection.send(ok("good"));
            }
        });
        let shown = format!("certificate: {}", authority.member("gateway"));
        let gate = Plan::to(&service).upstream(&believing(&authority, &shown)).start(driver);
        assert_eq!(gate.client().get("/").status, 200, "{version:?}");
        // Without one the service refuses.
        let gate = Plan::to(&service).upstream(&believing(&authority, "resumption: off")).start(driver);
        assert_eq!(gate.client().get("/").status, 502, "{version:?}");
    }
    let seen = seen.lock().expect("no panic");
    let good = (Some("service.internal".to_owned()), Some(1));
    assert_eq!(seen.iter().filter(|one| **one == good).count(), 2, "{seen:?}");
}

fn an_address_is_a_name_too(driver: Choice) {
    let authority = Authority::new("of an address");
    let issued = authority.issue(&["127.0.0.1"]);
    let names = Arc::new(Mutex::new(Vec::new()));
    let inside = names.clone();
    let service = Service::start_tls(tls::server_config(&issued, Version::Any), move |connection| {
        if connection.request().is_some() {
            let rustls::Connection::Server(server) = &connection.wire.stream.tls().tls else { panic!("a server") };
            inside.lock().expect("no panic").push(server.server_name().map(str::to_owned));
            connection.send(ok("good"));
        }
    });
    let gate = Plan::to(&service).upstream(&format!("tls: {{ ca: \"{}\" }}", authority.ca())).start(driver);
    assert_eq!(gate.client().get("/").status, 200);
    assert_eq!(*names.lock().expect("no panic"), [None], "an address is never sent (RFC 6066 section 3)");
}

fn sessions_are_resumed_where_they_may(driver: Choice) {
    for version in [Version::Tls12, Version::Tls13] {
        for on in [true, false] {
            let authority = Authority::new("of a service");
            let kinds = Arc::new(Mutex::new(Vec::new()));
            let inside = kinds.clone();
            let mut config = tls::server_config(&authority.issue(&["service.internal"]), version);
            config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().expect("keys");
            let service = Service::start_tls(config, move |connection| {
                // One request on each connection.
                if connection.request().is_some() {
                    let kind = connection.wire.stream.tls().tls.handshake_kind();
                    inside.lock().expect("no panic").push(kind.expect("it is over"));
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\ngood");
                    let _ = connection.wire.stream.tls().close_notify();
                    connection.wait_for_end();
                }
            });
            let members = format!("resumption: {}", if on { "on" } else { "off" });
            let gate = Plan::to(&service).upstream(&believing(&authority, &members)).start(driver);
            let mut client = gate.client();
            for _ in 0..4 {
                assert_eq!(client.get("/").text(), "good");
            }
            let kinds = kinds.lock().expect("no panic").clone();
            let expected = if on { HandshakeKind::Resumed } else { HandshakeKind::Full };
            assert_eq!(kinds[0], HandshakeKind::Full);
            assert!(kinds[1..].iter().all(|kind| *kind == expected), "{version:?}, resumption {on}: {kinds:?}");
        }
    }
}

fn a_service_without_tls_is_told_from_one_with(driver: Choice) {
    let authority = Authority::new("of nobody");
    // One that answers what it does not understand, one that ends, one that speaks first.
    let talking = Service::start(|connection| {
        let _ = connection.wire.fill();
        connection.send("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    });
    let ending = Service::start(|connection| drop(connection.wire.fill()));
    let first = Service::start(|connection| {
        connection.send("SSH-2.0-OpenSSH_9.2\r\n");
        connection.wait_for_end();
    });
    for service in [talking, ending, first] {
        let gate = Plan::to(&service).upstream(&believing(&authority, "")).start(driver);
        let begun = Instant::now();
        fails(&gate, 502, "upstream_tls_failed");
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
    // The other way about: clear text to a service that wants TLS.
    let service = secured_service(&authority, Version::Any, answering);
    let gate = Plan::to(&service).start(driver);
    assert_eq!(gate.client().get("/").status, 502);
    assert_eq!(service.request_count(), 0);
}

fn a_service_that_stalls_in_its_handshake_has_its_time(driver: Choice) {
    let authority = Authority::new("of nobody");
    let service = Service::start(|connection| {
        connection.wait_for_end();
    });
    let plan = Plan::to(&service).upstream(&format!("connect_timeout: 300ms, {}", believing(&authority, "")));
    let gate = plan.start(driver);
    let begun = Instant::now();
    fails(&gate, 504, "upstream_connect_timeout");
    assert!(begun.elapsed() >= Duration::from_millis(290), "{:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    wait_for("its connection to be ended", || (service.ended() == service.connections()).then_some(()));
}

fn a_service_that_breaks_its_handshake_off_is_passed_over(driver: Choice) {
    let authority = Authority::new("of a good one");
    let broken = Service::start(|connection| {
        let _ = connection.wire.fill();
        connection.send([21, 3, 3, 0, 2, 2, 40]);
    });
    let good = secured_service(&authority, Version::Any, answering);
    let plan = Plan::to_endpoints([broken.endpoint(), good.endpoint()]).upstream(&believing(&authority, ""));
    let gate = plan.start(driver);
    let mut client = gate.client();
    for _ in 0..10 {
        assert_eq!(client.get("/").status, 200);
    }
    assert_eq!(good.request_count(), 10);
}

fn connections_are_kept_and_used_again(driver: Choice) {
    let authority = Authority::new("of a service");
    let service = secured_service(&authority, Version::Any, answering);
    let gate = Plan::to(&service).upstream(&believing(&authority, "")).start(driver);
    for _ in 0..5 {
        let mut client = gate.client();
        for _ in 0..5 {
            assert_eq!(client.get("/").text(), "good");
        }
    }
    assert_eq!((service.connections(), service.request_count()), (1, 25));
}

fn a_reload_keeps_connections_whose_security_stays(driver: Choice) {
    let authority = Authority::new("of a service");
    let service = secured_service(&authority, Version::Any, answering);
    let plan = Plan::to(&service).upstream(&believing(&authority, ""));
    let mut gate = plan.start(driver);
    assert_eq!(gate.client().get("/").text(), "good");
    // Everything stands somewhere else in the file.
    gate.reload(&format!("# moved\n\n{}", plan.text())).expect("a good file");
    assert_eq!(gate.client().get("/").text(), "good");
    assert_eq!(service.connections(), 1);
    let other = Plan::to(&service).upstream(&believing(&authority, "min_version: 1.3"));
    gate.reload(&other.text()).expect("a good file");
    assert_eq!(gate.client().get("/").text(), "good");
    assert_eq!(service.connections(), 2, "this one began otherwise");
}

fn no_clear_text_comes_back_to_a_service_that_is_now_over_tls(driver: Choice) {
    let authority = Authority::new("of a service");
    let (go, wait) = std::sync::mpsc::channel();
    let wait = Mutex::new(wait);
    let service = Service::start(move |connection| {
        while connection.request().is_some() && wait.lock().expect("alone").recv().is_ok() {
            connection.send(ok("in clear text"));
        }
    });
    let mut gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    service.wait_for_requests(1);
    let secured = Plan::to(&service).upstream(&format!("connect_timeout: 200ms, {}", believing(&authority, "")));
    gate.reload(&secured.text()).expect("a good file");
    go.send(()).expect("a service");
    assert_eq!(client.answer_to("GET").text(), "in clear text", "what had begun");
    // Were the connection kept, it would carry this one.
    go.send(()).expect("a service");
    let status = gate.client().get("/").status;
    assert!(matches!(status, 502 | 504), "{status}");
}

/// By a word, by an end without one, by a reset.
fn a_kept_connection_that_the_service_has_closed_costs_nobody_a_request(driver: Choice) {
    for version in [Version::Tls12, Version::Tls13] {
        for how in 0..3 {
            let authority = Authority::new("of a service");
            let service = secured_service(&authority, version, move |connection| {
                for _ in 0..2 {
                    if connection.request().is_none() {
                        return;
                    }
                    connection.send(ok("good"));
                }
                match how {
                    0 => drop(connection.wire.stream.tls().close_notify()),
                    1 => {}
                    _ => connection.reset_on_close(),
                }
            });
            let gate = Plan::to(&service).upstream(&believing(&authority, "")).start(driver);
            let mut client = gate.client();
            for n in 0..20 {
                assert_eq!(client.get("/").status, 200, "request {n}, way {how}, {version:?}");
            }
            assert!(service.connections() >= 10, "{}", service.connections());
        }
    }
}

fn many_at_once_have_connections_of_their_own(driver: Choice) {
    let authority = Authority::new("of a service");
    let service = secured_service(&authority, Version::Tls13, |connection| {
        connection.answer_all(|request| ok(&request.target));
    });
    let gate = Plan::to(&service).upstream(&believing(&authority, "")).start(driver);
    let mut clients: Vec<_> = (0..50).map(|_| gate.client()).collect();
    for round in 0..4 {
        for (n, client) in clients.iter_mut().enumerate() {
            client.send(format!("GET /{round}/{n} HTTP/1.1\r\nhost: h\r\n\r\n"));
        }
        for (n, client) in clients.iter_mut().enumerate() {
            assert_eq!(client.answer().text(), format!("/{round}/{n}"));
        }
    }
    assert!(service.connections() <= 50 * 4, "{}", service.connections());
}

/// TLS 1.3 sends tickets whenever it likes: a kept connection that has bytes to be read is not one that has ended.
fn tickets_that_come_alone_are_taken(driver: Choice) {
    let authority = Authority::new("of a service");
    let mut config = tls::server_config(&authority.issue(&["service.internal"]), Version::Tls13);
    config.send_tls13_tickets = 8;
    let service = Service::start_tls(config, answering);
    let gate = Plan::to(&service).upstream(&believing(&authority, "")).start(driver);
    for _ in 0..30 {
        assert_eq!(gate.client().get("/").status, 200);
        crate::support::client::settle();
    }
    assert_eq!(service.connections(), 1, "tickets do not cost a kept connection");
}
