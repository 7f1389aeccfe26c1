//! Where the admin API listens: its sockets, and what a reload makes of them.

use super::support::process::{Process, scratch};
use super::support::service::ok;
use super::support::{Client, Service, wait_for};
use super::{BINARY, Gate, TOKEN, ask, refused, text};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("a socket").permissions().mode() & 0o777
}

#[test]
fn who_reaches_the_unix_socket_may_change_everything() {
    let path = scratch("admin.sock");
    let mut gate = Gate::with(&format!("address: \"unix:{}\"", path.display()));
    assert_eq!(gate.process.admin(), format!("unix:{}", path.display()));
    assert_eq!(mode(&path), 0o600);
    assert_eq!(gate.get("/readyz").status, 200);
    assert_eq!(gate.ask("POST /drain", "", "").status, 200);
    assert_eq!(gate.get("/readyz").status, 503);
    assert_eq!(gate.ask("DELETE /drain", "", "").status, 200);
    assert_eq!(gate.ask("POST /reload", "", "").status, 200);
    wait_for("a line", || gate.process.stderr().contains("admin: reload, asked for by user ").then_some(()));
    // No page can have been loaded from there.
    refused(&gate.ask("GET /config", "origin: http://localhost\r\n", ""), 403, "foreign_origin");
    gate.process.signal("TERM");
    assert_eq!(gate.process.wait().code(), Some(0));
    assert!(!path.exists(), "the path is removed in the end");
}

#[test]
fn a_left_over_socket_is_replaced_and_anything_else_is_not() {
    let path = scratch("left-over.sock");
    drop(UnixListener::bind(&path).expect("a socket"));
    assert!(path.exists());
    let gate = Gate::with(&format!("address: \"unix:{}\"", path.display()));
    assert_eq!((gate.get("/livez").status, mode(&path)), (200, 0o600));
    // Somebody listens there now, and a file is no socket at all.
    let file = scratch("no-socket");
    std::fs::write(&file, "precious").expect("a file");
    for taken in [&path, &file] {
        let before = gate.generation();
        let moved = scratch("taken.sock");
        let at = format!("address: \"unix:{}\"", taken.display());
        let service = Service::answering(|_| ok(""));
        let other = scratch("second.yaml");
        std::fs::write(&other, text(&at, &service.endpoint(), "")).expect("a file");
        let run = std::process::Command::new(BINARY).arg("run").arg(&other).output().expect("the binary");
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(1), "{said}");
        assert!(said.contains("admin.address: can't listen on unix:"), "{said}");
        assert_eq!((gate.generation(), moved.exists()), (before, false));
        let _ = std::fs::remove_file(other);
    }
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), "precious");
    let _ = std::fs::remove_file(file);
}

#[test]
fn a_reload_moves_the_admin_api() {
    let path = scratch("moved.sock");
    let gate = Gate::start();
    let old = gate.process.admin().to_owned();
    let mut kept = gate.admin();
    let there = format!("GET /livez HTTP/1.1\r\nhost: {old}\r\n\r\n");
    assert_eq!(kept.exchange(&there).status, 200);
    gate.rewrite(&format!("address: \"unix:{}\"", path.display()), "");
    // The very call that moves it is answered.
    assert_eq!(gate.change("POST", "/reload", "").status, 200);
    let new = format!("unix:{}", path.display());
    assert_eq!(ask(&new, "GET /config", "", "").json()["config"]["admin"]["address"], new.as_str());
    let at = old.parse::<std::net::SocketAddr>().expect("an address");
    wait_for("the old listener to close", || std::net::TcpStream::connect(at).is_err().then_some(()));
    kept.end();
    // Away with it, and back again.
    gate.rewrite("", "");
    assert_eq!(ask(&new, "POST /reload", "", "").status, 200);
    wait_for("the path to go", || (!path.exists()).then_some(()));
    gate.rewrite(&format!("address: \"unix:{}\"", path.display()), "");
    gate.process.signal("HUP");
    wait_for("the path to come back", || path.exists().then_some(()));
    assert_eq!(ask(&new, "GET /config", "", "").json()["generation"], 4);
}

#[test]
fn an_address_that_is_taken_fails_the_reload() {
    let gate = Gate::start();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("an address");
    let more = "  - { name: more, match: { path: /more }, respond: { status: 418 } }\n";
    gate.rewrite(&format!("address: \"{at}\", token: {TOKEN}"), more);
    let answer = gate.change("POST", "/reload", "");
    refused(&answer, 422, "reload_failed");
    assert!(answer.text().contains(&format!("admin.address: can't listen on {at}")), "{}", answer.text());
    assert_eq!(gate.process.client().get("/more").status, 200, "nothing else has changed");
    drop(taken);
    assert_eq!(gate.change("POST", "/reload", "").status, 200);
    assert_eq!(ask(&at.to_string(), "GET /livez", "", "").status, 200);
    assert_eq!(gate.process.client().get("/more").status, 418);
}

#[test]
fn a_reload_changes_the_token() {
    let gate = Gate::start();
    gate.rewrite("address: \"127.0.0.1:0\", token: another-one", "");
    let answer = gate.change("POST", "/reload", "");
    assert_eq!(answer.status, 200);
    assert!(answer.json()["changes"].to_string().contains("admin"), "{}", answer.text());
    wait_for("the report", || gate.process.stderr().contains(" done in ").then_some(()));
    for shown in [answer.text(), &gate.process.stderr()] {
        assert!(!shown.contains(TOKEN) && !shown.contains("another-one"), "{shown}");
    }
    refused(&gate.change("POST", "/drain", ""), 401, "unauthorized");
    assert_eq!(gate.ask("POST /drain", "authorization: Bearer another-one\r\n", "").status, 200);
    gate.rewrite("address: \"127.0.0.1:0\"", "");
    gate.process.signal("HUP");
    wait_for("the reload", || (gate.generation() == 3).then_some(()));
    refused(&gate.ask("POST /drain", "authorization: Bearer another-one\r\n", ""), 403, "no_token");
}

#[test]
fn a_gateway_that_stops_says_so_until_its_end() {
    let gate = Gate::with(&format!("address: \"127.0.0.1:0\", token: {TOKEN}"));
    gate.rewrite(&gate.admin, "shutdown: { delay: 1h }\n");
    assert_eq!(gate.change("POST", "/reload", "").status, 200);
    gate.process.signal("TERM");
    let readiness = wait_for("503", || Some(gate.get("/readyz")).filter(|answer| answer.status == 503));
    assert_eq!(readiness.json()["status"], "stopping");
    assert_eq!(gate.process.client().get("/ready").status, 503);
    refused(&gate.change("POST", "/reload", ""), 503, "stopping");
    refused(&gate.change("DELETE", "/drain", ""), 503, "stopping");
    assert_eq!(gate.get("/readyz").status, 503);
    assert_eq!(gate.process.client().get("/").status, 200, "it still serves");
}

#[test]
fn a_gateway_that_finishes_its_exchanges_can_still_be_asked() {
    let service = Service::start(|connection| {
        connection.request();
        connection.wait_for_end();
    });
    let admin = format!("address: \"127.0.0.1:0\", token: {TOKEN}");
    let mut process = Process::start(BINARY, &text(&admin, &service.endpoint(), ""), "auto");
    let mut busy: Client = process.client();
    busy.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    service.wait_for_requests(1);
    process.signal("TERM");
    wait_for("503", || {
        let answer = ask(process.admin(), "GET /readyz", "", "");
        (answer.status == 503 && answer.json()["status"] == "stopping").then_some(())
    });
    refused(&ask(process.admin(), "POST /drain", &format!("authorization: Bearer {TOKEN}\r\n"), ""), 503, "stopping");
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0));
}
