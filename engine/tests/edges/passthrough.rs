//! TLS connections that go on as they are, by the server name of their first message.

use crate::plan::{Nobody, at, page, text, wait_for_count};
use crate::sites::{Folder, Secure, Site, tls, trusting};
use crate::support::{Client, Gate, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::io::{Read, Write};

on_both_drivers!(
    the_name_chooses_the_service_and_its_certificate_is_seen,
    a_name_that_nobody_takes_is_closed_and_counted,
    beside_tls_other_names_end_here,
    the_service_gets_the_clients_own_bytes,
    what_is_no_hello_goes_nowhere,
    half_a_hello_has_its_time,
    a_service_that_is_down_resets_the_client,
);

const FAILURES: &str = "ringgate_handshake_failures_total";
const CONNECTIONS: &str = "ringgate_tcp_connections_total";

/// A service over TLS that says its name, and then sends back what comes.
fn named(site: &Site, name: &'static str) -> Service {
    site.service(move |stream| {
        let _ = stream.write_all(name.as_bytes());
        let mut bytes = [0; 16 * 1024];
        while let Ok(n @ 1..) = stream.read(&mut bytes) {
            if stream.write_all(&bytes[..n]).is_err() {
                return;
            }
        }
    })
}

/// Shakes hands for a host, and reads who is there.
#[track_caller]
fn who(gate: &Gate, host: &str, site: &Site, len: usize) -> (Secure, String) {
    let mut client = Secure::connect(gate.address(), host, trusting(&[site])).expect("a handshake");
    let name = client.wire.exactly(len).expect("a name");
    (client, String::from_utf8(name).unwrap())
}

fn the_name_chooses_the_service_and_its_certificate_is_seen(driver: Choice) {
    let exact = Site::new(&["a.example.test"]);
    let wild = Site::new(&["b.example.test"]);
    let other = Site::new(&["elsewhere.test", "c.b.example.test", "example.test"]);
    let services = [named(&exact, "exact"), named(&wild, "wild"), named(&other, "other")];
    let [a, b, c] = services.each_ref().map(|service| at(&[&service.endpoint()]));
    let listener = "passthrough: [{ hosts: [a.example.test], upstream: a }, \
                    { hosts: [\"*.example.test\"], upstream: b }, { upstream: c }]";
    let gate = Gate::start(&text(&[listener], &[("a", &a), ("b", &b), ("c", &c)], ""), driver);
    // The client trusts the service's certificate alone: it is the one that the client is shown.
    for (host, site, name) in [
        ("a.example.test", &exact, "exact"),
        ("A.Example.Test", &exact, "exact"),
        ("b.example.test", &wild, "wild"),
        // A star is one label.
        ("c.b.example.test", &other, "other"),
        ("example.test", &other, "other"),
        ("elsewhere.test", &other, "other"),
    ] {
        let (mut client, said) = who(&gate, host, site, name.len());
        assert_eq!(said, name, "{host}");
        let sent = vec![b'x'; 200_000];
        client.send(&sent);
        assert!(client.wire.exactly(sent.len()).expect("the echo") == sent);
    }
    wait_for_count(&gate, CONNECTIONS, "ended", 6.0);
    // Handshakes of others are none of ours.
    assert_eq!(page(&gate).sum("ringgate_tls_handshakes_total", &[]), 0.0);
    let log = gate.log(6);
    let line = log.iter().find(|line| line["upstream"] == "a").expect("a line");
    assert_eq!((&line["protocol"], &line["host"]), (&"TCP".into(), &"a.example.test".into()), "{line}");

    // Without a name: the service for every other.
    let mut config = trusting(&[&other]);
    config.enable_sni = false;
    let mut client = Secure::connect(gate.address(), "elsewhere.test", config).expect("a handshake");
    assert_eq!(client.wire.exactly(5).expect("a name"), b"other");
}

fn a_name_that_nobody_takes_is_closed_and_counted(driver: Choice) {
    let site = Site::new(&["a.test", "b.test"]);
    let service = named(&site, "a");
    let listener = "passthrough: [{ hosts: [a.test], upstream: s }]";
    let gate = Gate::start(&text(&[listener], &[("s", &at(&[&service.endpoint()]))], ""), driver);
    assert!(Secure::connect(gate.address(), "b.test", trusting(&[&site])).is_err());
    let mut nameless = trusting(&[&site]);
    nameless.enable_sni = false;
    assert!(Secure::connect(gate.address(), "a.test", nameless).is_err());
    wait_for_count(&gate, FAILURES, "no_passthrough", 2.0);
    assert_eq!(who(&gate, "a.test", &site, 1).1, "a");
    assert_eq!(service.connections(), 1);
}

fn beside_tls_other_names_end_here(driver: Choice) {
    let (ours, theirs) = (Site::new(&["web.test"]), Site::new(&["db.test"]));
    let web = Service::answering(|_| crate::support::service::ok("web"));
    let db = named(&theirs, "db");
    let folder = Folder::with(&[("web", &ours)]);
    let listener = format!("{}, passthrough: [{{ hosts: [db.test], upstream: db }}]", tls("web", ""));
    let upstreams = [("web", at(&[&web.endpoint()])), ("db", at(&[&db.endpoint()]))];
    let upstreams = upstreams.each_ref().map(|(name, members)| (*name, members.as_str()));
    let gate = folder.gate(&text(&[&listener], &upstreams, ""), driver);
    let mut client = Secure::connect(gate.address(), "web.test", trusting(&[&ours])).expect("a handshake");
    assert_eq!(client.get("web.test", "/").text(), "web");
    assert_eq!(web.only_request().fields.get("x-forwarded-proto"), Some("https"));
    assert_eq!(who(&gate, "db.test", &theirs, 2).1, "db");
    // Without a name: for the listener's own certificate.
    let mut nameless = trusting(&[&ours]);
    nameless.enable_sni = false;
    let mut client = Secure::connect(gate.address(), "web.test", nameless).expect("a handshake");
    assert_eq!(client.get("web.test", "/").text(), "web");
    wait_for_count(&gate, "ringgate_tls_handshakes_total", "", 2.0);
}

/// A hello as TLS 1.0 has it, with this server name and no sign of any later version.
fn old_hello(name: &str) -> Vec<u8> {
    let number = |n: usize| (n as u16).to_be_bytes();
    let entry = [&[0][..], &number(name.len()), name.as_bytes()].concat();
    let list = [&number(entry.len())[..], &entry].concat();
    let extension = [&[0, 0][..], &number(list.len()), &list].concat();
    let mut body = vec![3, 1];
    body.extend([7; 32]);
    body.push(0);
    body.extend([0, 4, 0, 0x2f, 0, 0x35]);
    body.extend([1, 0]);
    body.extend(number(extension.len()));
    body.extend(extension);
    let message = [&[1, 0][..], &number(body.len()), &body].concat();
    [&[22, 3, 1][..], &number(message.len()), &message].concat()
}

/// The one record of these bytes as records of at most `len` bytes.
fn in_records(bytes: &[u8], len: usize) -> Vec<u8> {
    let records = bytes[5..].chunks(len).map(|piece| [&[22, 3, 1, 0, piece.len() as u8][..], piece].concat());
    records.collect::<Vec<_>>().concat()
}

fn the_service_gets_the_clients_own_bytes(driver: Choice) {
    let service = Service::start(|connection| {
        while connection.wire.fill().is_ok_and(|n| n > 0) {
            let bytes = std::mem::take(&mut connection.wire.pending);
            connection.send(bytes);
        }
    });
    let listener = "passthrough: [{ hosts: [old.test], upstream: s }]";
    let gate = Gate::start(&text(&[listener], &[("s", &at(&[&service.endpoint()]))], ""), driver);
    let hello = old_hello("old.test");
    // What is behind the hello may come in the same packet.
    let whole = [&hello[..], b"\x17\x03\x01\x00\x02ab and what is no TLS at all"].concat();
    let split = [&in_records(&hello, 7)[..], b"more"].concat();
    for sent in [&whole, &split] {
        for step in [sent.len(), 1, 50] {
            let mut client = gate.client();
            for piece in sent.chunks(step) {
                client.send(piece);
                if step == 50 {
                    crate::support::client::settle();
                }
            }
            assert_eq!(client.wire.exactly(sent.len()).expect("the echo"), *sent, "{step}");
            client.half_close();
            client.end();
        }
    }
    wait_for_count(&gate, CONNECTIONS, "ended", 6.0);
    let sent = 3 * (whole.len() + split.len());
    assert_eq!(page(&gate).sum("ringgate_tcp_bytes_total", &["\"in\""]), sent as f64);
}

fn what_is_no_hello_goes_nowhere(driver: Choice) {
    let service = Service::start(|_| panic!("nobody comes here"));
    let gate =
        Gate::start(&text(&["passthrough: [{ upstream: s }]"], &[("s", &at(&[&service.endpoint()]))], ""), driver);
    for bytes in [&b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"[..], b"\x16\x03\x01\x00\x00\x01", b"\x80\x2e\x01\x00\x02"] {
        let mut client = gate.client();
        client.send(bytes);
        client.end();
    }
    wait_for_count(&gate, FAILURES, "no_tls", 3.0);
    assert_eq!(service.connections(), 0);
}

fn half_a_hello_has_its_time(driver: Choice) {
    let service = Service::start(|_| panic!("nobody comes here"));
    let gate = Gate::start(
        &text(
            &["passthrough: [{ upstream: s }]"],
            &[("s", &at(&[&service.endpoint()]))],
            "limits: { connections: 2000, handshake_timeout: 300ms }",
        ),
        driver,
    );
    let (mut silent, mut half) = (gate.client(), gate.client());
    half.send(&old_hello("a.test")[..40]);
    wait_for("both to be waited for", || {
        (page(&gate).get("ringgate_handshakes_active{listener=\"l0\"}") == 2.0).then_some(())
    });
    silent.end();
    half.end();
    wait_for_count(&gate, FAILURES, "timeout", 2.0);
    // One that has left is no time-out.
    let mut gone = gate.client();
    gone.send(&old_hello("a.test")[..40]);
    drop(gone);
    wait_for_count(&gate, FAILURES, "peer_left", 1.0);
    assert_eq!(page(&gate).get("ringgate_handshakes_active{listener=\"l0\"}"), 0.0);
}

fn a_service_that_is_down_resets_the_client(driver: Choice) {
    let nobody = Nobody::new();
    let gate =
        Gate::start(&text(&["passthrough: [{ upstream: s }]"], &[("s", &at(&[&nobody.endpoint()]))], ""), driver);
    let mut client = Client::connect(gate.address());
    client.send(old_hello("a.test"));
    assert_eq!(client.end(), crate::support::client::End::Reset);
    wait_for_count(&gate, CONNECTIONS, "failed", 1.0);
    let line = gate.log(1);
    assert_eq!((&line[0]["fault"], &line[0]["host"]), (&"upstream_connect_failed".into(), &"a.test".into()));
}
