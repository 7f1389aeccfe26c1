//! Fixed answers: text, files, readiness.

use super::support::{Gate, on_both_drivers};
use super::{gate, text};
use ringgate_rt::driver::Choice;

on_both_drivers!(
    a_fixed_answer_is_as_configured,
    values_are_written_for_the_place_where_they_stand,
    head_and_empty_answers_have_no_body,
    a_body_that_came_with_the_request_does_not_end_the_connection,
    a_body_that_is_too_long_to_be_thrown_away_ends_it,
    a_client_that_waits_for_leave_is_answered,
    a_file_is_sent_whole,
    readiness_is_answered,
    limits_hold_here_too,
);

fn a_fixed_answer_is_as_configured(driver: Choice) {
    let hello = "name: hello, match: { path: /hello }, respond: { status: 203, headers: { content-type: text/x-own, x-a: b }, body: \"hello\\n\" }";
    let gate = gate(driver, &[hello], "");
    let mut client = gate.client();
    for _ in 0..3 {
        let answer = client.get("/hello");
        assert_eq!((answer.status, answer.text()), (203, "hello\n"));
        assert_eq!((answer.fields.get("content-type"), answer.fields.get("x-a")), (Some("text/x-own"), Some("b")));
        assert_eq!(answer.fields.all("date").len(), 1);
        assert!(answer.fields.has("x-request-id"));
    }
    let log = gate.log(3);
    assert_eq!((&log[0]["route"], &log[0]["status"], &log[0]["bytes_out"]), (&"hello".into(), &203.into(), &6.into()));
}

fn values_are_written_for_the_place_where_they_stand(driver: Choice) {
    let routes = [
        "name: json, match: { path: \"/json/{x}\" }, respond: { headers: { content-type: application/json, x-x: \"{x}\" }, body: '{\"x\":\"{x}\",\"r\":\"{route.name}\",\"m\":\"{request.method}\"}' }",
        "name: html, match: { path: \"/html/{x}\" }, respond: { headers: { content-type: \"text/html; charset=utf-8\" }, body: \"<b>{x}</b>\" }",
        "name: text, match: { path: \"/text/*\" }, respond: { body: \"{rest} {{rest}} {request.client}\" }",
    ];
    let gate = gate(driver, &routes, "");
    let mut client = gate.client();
    let answer = client.get("/json/a%22%0d%0Ax%3A%20y");
    assert_eq!(answer.json()["x"], "a\"\r\nx: y");
    assert_eq!((&answer.json()["r"], &answer.json()["m"]), (&"json".into(), &"GET".into()));
    assert_eq!(answer.fields.get("x-x"), Some("a\"%0D%0Ax: y"));
    assert_eq!(client.get("/html/%3Cscript%3E").text(), "<b>&lt;script&gt;</b>");
    assert_eq!(client.get("/text/a/b").text(), "a/b {rest} 127.0.0.1");
}

fn head_and_empty_answers_have_no_body(driver: Choice) {
    let routes = [
        "name: hello, match: { path: /hello }, respond: { body: hello }",
        "name: none, match: { path: /none }, respond: { status: 204 }",
        "name: empty, match: { path: /empty }, respond: {}",
    ];
    let gate = gate(driver, &routes, "");
    let mut client = gate.client();
    client.send("HEAD /hello HTTP/1.1\r\nhost: h\r\n\r\n");
    let answer = client.answer_to("HEAD");
    assert_eq!((answer.status, answer.fields.get("content-length"), answer.body.len()), (200, Some("5"), 0));
    let answer = client.get("/none");
    assert_eq!((answer.status, answer.fields.get("content-length"), answer.body.len()), (204, None, 0));
    let answer = client.get("/empty");
    assert_eq!((answer.status, answer.fields.get("content-length"), answer.body.len()), (200, Some("0"), 0));
    assert!(!answer.fields.has("content-type"));
}

const HELLO: &str = "name: hello, match: { path: /hello }, respond: { body: hello }";

fn a_body_that_came_with_the_request_does_not_end_the_connection(driver: Choice) {
    let gate = gate(driver, &[HELLO], "");
    let mut client = gate.client();
    let answer = client.exchange("POST /hello HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n12345");
    assert_eq!((answer.status, answer.fields.get("connection")), (200, None));
    let chunked = "POST /hello HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    assert_eq!(client.exchange(chunked).status, 200);
    client.send("POST /hello HTTP/1.1\r\nhost: h\r\ncontent-length: 65536\r\n\r\n");
    client.send(vec![b'x'; 65_536]);
    assert_eq!(client.answer().fields.get("connection"), None);
    assert_eq!(client.get("/hello").text(), "hello");
}

fn a_body_that_is_too_long_to_be_thrown_away_ends_it(driver: Choice) {
    let gate = gate(driver, &[HELLO], "");
    let mut client = gate.client();
    let answer = client.exchange("POST /hello HTTP/1.1\r\nhost: h\r\ncontent-length: 65537\r\n\r\n");
    assert_eq!((answer.status, answer.fields.get("connection")), (200, Some("close")));
}

fn a_client_that_waits_for_leave_is_answered(driver: Choice) {
    let gate = gate(driver, &[HELLO], "");
    let mut client = gate.client();
    let request = "POST /hello HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
    let answer = client.exchange(request);
    assert_eq!((answer.status, answer.text()), (200, "hello"));
}

fn a_file_is_sent_whole(driver: Choice) {
    let directory = super::support::process::scratch("respond-file");
    std::fs::create_dir_all(&directory).expect("a directory");
    let path = directory.join(format!("{driver:?}.html"));
    let bytes: Vec<u8> = (0..700_000u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(&path, &bytes).expect("written");
    let route = format!("name: file, match: {{ path: /file }}, respond: {{ file: \"{}\" }}", path.display());
    let file = directory.join(format!("{driver:?}.yaml"));
    std::fs::write(&file, text(&[&route], "")).expect("written");
    let gate = Gate::load(&file, driver);
    let mut client = gate.client();
    for _ in 0..2 {
        let answer = client.get("/file");
        assert_eq!((answer.status, answer.fields.get("content-type")), (200, Some("text/html; charset=utf-8")));
        assert!(answer.body == bytes, "{} bytes", answer.body.len());
    }
    // What it held when the configuration was read is what is sent.
    std::fs::write(&path, "another").expect("written");
    assert!(client.get("/file").body == bytes);
    assert_eq!(gate.log(3)[0]["bytes_out"], 700_000);
}

fn readiness_is_answered(driver: Choice) {
    let ready = "name: ready, match: { path: /ready }, respond: { health: ready, body: yes }";
    let gate: Gate = gate(driver, &[ready], "");
    let answer = gate.client().get("/ready");
    assert_eq!((answer.status, answer.text()), (200, "yes"));
}

fn limits_hold_here_too(driver: Choice) {
    let text = text(&[HELLO], "").replace("connections: 2000", "connections: 2000, body_bytes: 4, max_hops: 1");
    let gate = Gate::start(&text, driver);
    let large = gate.client().exchange("POST /hello HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n12345");
    assert_eq!(large.status, 413);
    let again = gate.client().exchange("GET /hello HTTP/1.1\r\nhost: h\r\nvia: 1.1 ringgate\r\n\r\n");
    assert_eq!(again.status, 508);
}
