//! Who is refused what, and what clients that misbehave get.

use super::support::{Client, STUCK, wait_for};
use super::{Gate, TOKEN, connect, refused};
use std::time::Instant;

/// As in `control::admin`: what docs/admin-api.md promises.
const CONNECTIONS_MAX: usize = 64;
const HEADER_BYTES_MAX: usize = 16 * 1024;
const BODY_BYTES_MAX: usize = 64 * 1024;

const CHANGES: &[(&str, &str)] = &[
    ("POST", "/reload"),
    ("POST", "/drain"),
    ("DELETE", "/drain"),
    ("PUT", "/log-level"),
    ("POST", "/upstreams/origin/endpoints/x/drain"),
    ("DELETE", "/upstreams/origin/endpoints/x/drain"),
];

#[test]
fn changes_need_the_token() {
    let gate = Gate::start();
    let short = &TOKEN[..TOKEN.len() - 1];
    for (method, path) in CHANGES {
        let call = format!("{method} {path}");
        let wrong = [
            String::new(),
            "authorization: Bearer\r\n".to_owned(),
            "authorization: Bearer wrong\r\n".to_owned(),
            format!("authorization: Bearer {short}\r\n"),
            format!("authorization: Bearer {TOKEN}x\r\n"),
            format!("authorization: Basic {TOKEN}\r\n"),
            format!("authorization: {TOKEN}\r\n"),
            format!("authorization: Bearer {TOKEN}\r\nauthorization: Bearer {TOKEN}\r\n"),
        ];
        for fields in wrong {
            let answer = gate.ask(&call, &fields, "");
            refused(&answer, 401, "unauthorized");
            assert!(answer.fields.get("www-authenticate").is_some_and(|value| value.starts_with("Bearer realm=")));
        }
    }
    assert_eq!(gate.generation(), 1);
    assert_eq!(gate.get("/readyz").status, 200);
    wait_for("a line", || gate.process.stderr().contains("was refused to 127.0.0.1:").then_some(()));
}

#[test]
fn without_a_token_nothing_is_changed_over_tcp() {
    let gate = Gate::with("address: \"127.0.0.1:0\"");
    for (method, path) in CHANGES {
        let answer = gate.change(method, path, "");
        refused(&answer, 403, "no_token");
        assert!(answer.text().contains("admin.token"), "{}", answer.text());
        refused(&gate.ask(&format!("{method} {path}"), "authorization: Bearer \r\n", ""), 403, "no_token");
    }
    assert_eq!(gate.get("/readyz").status, 200);
}

#[test]
fn a_foreign_host_is_refused() {
    let gate = Gate::start();
    let at: std::net::SocketAddr = gate.process.admin().parse().expect("an address");
    let port = at.port();
    let with_host = |lines: &str| gate.admin().exchange(format!("GET /config HTTP/1.1\r\n{lines}\r\n"));
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"] {
        assert_eq!(with_host(&format!("host: {host}:{port}\r\n")).status, 200, "{host}");
    }
    for host in ["evil.example", "localhost", "localhost.evil.example", "127.0.0.1.evil.example"] {
        refused(&with_host(&format!("host: {host}\r\n")), 421, "wrong_host");
        let right_port = with_host(&format!("host: {host}:{port}\r\n"));
        assert_eq!(right_port.status, if host == "localhost" { 200 } else { 421 }, "{host}");
    }
    refused(&with_host(&format!("host: 127.0.0.1:{}\r\n", port ^ 1)), 421, "wrong_host");
    refused(&with_host(""), 400, "malformed_request");
    refused(&with_host(&format!("host: {at}\r\nhost: {at}\r\n")), 400, "malformed_request");
    let absolute = gate.admin().exchange(format!("GET http://evil.example/config HTTP/1.1\r\nhost: {at}\r\n\r\n"));
    refused(&absolute, 421, "wrong_host");
}

#[test]
fn a_foreign_origin_is_refused() {
    let gate = Gate::start();
    let at = gate.process.admin();
    let token = format!("authorization: Bearer {TOKEN}\r\n");
    assert_eq!(gate.ask("GET /config", &format!("origin: http://{at}\r\n"), "").status, 200);
    for origin in ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1", "http://localhost:1", ""] {
        let fields = format!("origin: {origin}\r\n");
        refused(&gate.ask("GET /config", &fields, ""), 403, "foreign_origin");
        refused(&gate.ask("POST /drain", &format!("{fields}{token}"), ""), 403, "foreign_origin");
        let both = format!("origin: http://{at}\r\n{fields}");
        refused(&gate.ask("GET /config", &both, ""), 403, "foreign_origin");
    }
    // What a browser asks before it sends a call of another site.
    let asked = "origin: http://evil.example\r\naccess-control-request-method: POST\r\n";
    let answer = gate.ask("OPTIONS /reload", asked, "");
    assert_eq!(answer.status, 403);
    assert!(!answer.fields.0.iter().any(|(name, _)| name.starts_with("access-control")), "{answer:?}");
    assert_eq!(gate.get("/readyz").status, 200);
}

#[test]
fn a_body_has_a_limit_and_a_form() {
    let gate = Gate::start();
    let level = |body: &str| gate.change("PUT", "/log-level", body);
    let padded = |bytes: usize| {
        let body = "{\"level\":\"info\"}";
        format!("{body}{}", " ".repeat(bytes - body.len()))
    };
    assert_eq!(level(&padded(BODY_BYTES_MAX)).status, 200);
    refused(&level(&padded(BODY_BYTES_MAX + 1)), 413, "body_too_large");
    let chunked = format!("authorization: Bearer {TOKEN}\r\ntransfer-encoding: chunked\r\n");
    let mut client = gate.admin();
    let (host, size) = (gate.process.admin(), BODY_BYTES_MAX + 1);
    client.send(format!(
        "PUT /log-level HTTP/1.1\r\nhost: {host}\r\n{chunked}\r\n{size:x}\r\n{}\r\n0\r\n\r\n",
        padded(size)
    ));
    refused(&client.answer(), 413, "body_too_large");
    for body in ["", "info", "{}", "{\"level\":\"loud\"}", "{\"level\":\"info\",\"more\":1}", "\u{0}"] {
        refused(&level(body), 400, "bad_request");
    }
    refused(&gate.change("POST", "/drain", "{}"), 400, "bad_request");
    refused(&gate.change("POST", "/reload?wait=maybe", ""), 400, "bad_request");
    refused(&gate.change("POST", "/drain?now", ""), 400, "bad_request");
    assert_eq!(gate.get("/readyz").status, 200);
}

#[test]
fn a_head_has_a_limit() {
    let gate = Gate::start();
    let fits = format!("x-long: {}\r\n", "a".repeat(HEADER_BYTES_MAX - 200));
    assert_eq!(gate.ask("GET /livez", &fits, "").status, 200);
    let long = format!("x-long: {}\r\n", "a".repeat(HEADER_BYTES_MAX));
    assert_eq!(gate.ask("GET /livez", &long, "").status, 431);
    let many = "x: y\r\n".repeat(200);
    assert_eq!(gate.ask("GET /livez", &many, "").status, 431);
    // One that never ends: it is cut off, and nobody else notices.
    let mut flood = gate.admin();
    flood.send("GET /livez HTTP/1.1\r\n");
    let line = format!("x: {}\r\n", "a".repeat(1000));
    let begun = Instant::now();
    while flood.try_send(&line).is_ok() {
        assert!(begun.elapsed() < STUCK, "a head without an end is read for ever");
    }
    assert_eq!(gate.get("/livez").status, 200);
}

#[test]
fn what_is_no_http_is_refused() {
    let gate = Gate::start();
    for bytes in ["\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET\r\n\r\n"] {
        let mut client = gate.admin();
        client.send(bytes);
        client.end_after_bytes();
    }
    assert_eq!(gate.get("/livez").status, 200);
}

#[test]
fn slow_clients_take_their_places_for_a_while_and_hurt_nobody() {
    let gate = Gate::start();
    let half = format!("GET /livez HTTP/1.1\r\nhost: {}\r\n", gate.process.admin());
    let mut slow: Vec<Client> = (0..CONNECTIONS_MAX + 8).map(|_| gate.admin()).collect();
    slow.iter_mut().for_each(|client| client.send(&half));
    // All places are taken; the gateway itself does not know of them.
    assert_eq!(gate.process.client().get("/").text(), "served");
    // The first ones run into their limit, then one more is served.
    let begun = Instant::now();
    assert_eq!(connect(gate.process.admin()).exchange(format!("{half}\r\n")).status, 200);
    assert!(begun.elapsed().as_secs() >= 1, "the places were not taken: {:?}", begun.elapsed());
    slow.iter_mut().for_each(|client| {
        client.end_after_bytes();
    });
}
