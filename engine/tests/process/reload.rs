//! Reloads by signal, as whoever runs the process sees them.

use super::BINARY;
use crate::support::process::{Process, scratch};
use crate::support::service::ok;
use crate::support::{Plan, Service, wait_for};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

fn service() -> Service {
    Service::answering(|_| ok("ok"))
}

#[test]
fn hup_brings_the_file_as_it_is_now() {
    let service = service();
    let text = Plan::to(&service).matches("path: /a").text();
    let process = Process::start(BINARY, &text, "auto");
    let mut client = process.client();
    assert_eq!((client.get("/a").status, client.get("/b").status), (200, 404));
    let line = process.reload(&text.replace("path: /a", "path: /b"));
    assert!(line.contains("1 changes, generation 2"), "{line}");
    let said = process.stderr();
    assert!(said.contains("changed: route all") && said.contains("match.path: /a -> /b"), "{said}");
    assert_eq!((client.get("/a").status, client.get("/b").status), (404, 200));
}

#[test]
fn every_error_of_a_bad_file_is_said_and_nothing_changes() {
    let service = service();
    let text = Plan::to(&service).text();
    let process = Process::start(BINARY, &text, "auto");
    let mut client = process.client();
    assert_eq!(client.get("/").status, 200);
    let line = process.reload(&text.replace("upstream: origin", "upstream: orign, tiemout: 1s"));
    assert!(line.contains("failed") && line.contains("2 errors, nothing was changed"), "{line}");
    let said = process.stderr();
    assert!(said.contains("did you mean `origin`?") && said.contains("did you mean `timeout`?"), "{said}");
    assert_eq!(client.get("/").status, 200);
    let line = process.reload(&text);
    assert!(line.contains("done") && line.contains("0 changes"), "{line}");
}

/// Opening a pipe waits for whoever writes into it: then no later reload would ever begin.
#[test]
fn a_pipe_in_the_files_place_is_refused_and_the_next_reload_is_made() {
    let service = service();
    let text = Plan::to(&service).text();
    let process = Process::start(BINARY, &text, "auto");
    process.rewrite_as_pipe();
    let seen = process.stderr().len();
    process.signal("HUP");
    let refused = "is no regular file";
    wait_for("a word about the pipe", || process.stderr()[seen..].contains(refused).then_some(()));
    process.remove_file();
    let line = process.reload(&text);
    assert!(line.contains("done"), "{line}");
}

#[test]
fn what_can_not_change_is_named_and_kept() {
    let service = service();
    let text = Plan::to(&service).text();
    let process = Process::start(BINARY, &text, "auto");
    let core = ringgate_rt::cores::allowed()[0];
    let with = format!("runtime: {{ ring_entries: 512, cores: [{core}] }}");
    let other = text.replace(&format!("runtime: {{ cores: [{core}] }}"), &with).replace("path: \"/*\"", "path: /new");
    for _ in 0..2 {
        process.reload(&other);
        let said = process.stderr();
        assert!(said.contains("ring_entries") && said.contains("it was kept"), "{said}");
    }
    // The rest applies.
    let mut client = process.client();
    assert_eq!((client.get("/").status, client.get("/new").status), (404, 200));
}

#[test]
fn many_hups_at_once_are_few_reloads() {
    let service = service();
    let text = Plan::to(&service).text();
    let process = Process::start(BINARY, &text, "auto");
    // Enough to read that the others come meanwhile.
    let many: String = (0..20_000)
        .map(|n| format!("  - {{ name: r{n}, match: {{ path: /r{n} }}, forward: {{ upstream: origin }} }}\n"))
        .collect();
    let routes = text.find("routes:").expect("routes");
    let large = format!("{}routes:\n{many}", &text[..routes]);
    process.rewrite(&large);
    for _ in 0..50 {
        process.signal("HUP");
    }
    let done = |process: &Process| process.stderr().matches(" done in ").count();
    wait_for("the reloads", || (done(&process) >= 1).then_some(()));
    let line = process.reload(&text);
    assert!(line.contains("done"), "{line}");
    wait_for("the file of now", || (process.client().get("/").status == 200).then_some(()));
    assert!(done(&process) <= 5, "{} reloads", done(&process));
}

#[test]
fn a_load_notices_nothing() {
    let one = service();
    let two = service();
    let process = Process::start(BINARY, &Plan::to(&one).two_shards().text(), "auto");
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let loads: Vec<_> = (0..8)
        .map(|_| {
            let (mut client, stop, count) = (process.client(), stop.clone(), count.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    // The same connection all the time: a closed one would fail here.
                    assert_eq!(client.get("/").status, 200);
                    count.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let extra = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    for step in 0..20 {
        let before = count.load(Ordering::SeqCst);
        let odd = step % 2 == 1;
        let plan = if odd { Plan::to_endpoints([one.endpoint(), two.endpoint()]) } else { Plan::to(&one) };
        let mut text = plan.two_shards().text();
        if odd {
            let listeners = format!("\"127.0.0.1:0\" }}, {{ name: extra, address: \"{extra}\" }}]");
            text = text.replace("\"127.0.0.1:0\" }]", &listeners);
        }
        let line = if step % 5 == 4 { process.reload("nonsense: [") } else { process.reload(&text) };
        assert_eq!(line.contains("failed"), step % 5 == 4, "{line}");
        wait_for("more requests", || (count.load(Ordering::SeqCst) > before + 50).then_some(()));
    }
    stop.store(true, Ordering::SeqCst);
    loads.into_iter().for_each(|load| load.join().expect("no request failed"));
    assert!(two.request_count() > 0);
}

#[test]
fn usr1_opens_the_log_anew() {
    let service = service();
    let directory = scratch("logs");
    std::fs::create_dir_all(&directory).expect("a directory");
    let (log, moved) = (directory.join("access.log"), directory.join("access.log.1"));
    let text = Plan::to(&service).and(&format!("access_log: {{ to: {{ file: \"{}\" }} }}", log.display())).text();
    let process = Process::start(BINARY, &text, "auto");
    let mut client = process.client();
    let lines = |path: &std::path::Path| std::fs::read_to_string(path).map_or(0, |text| text.lines().count());
    client.get("/one");
    wait_for("its line", || (lines(&log) == 1).then_some(()));
    std::fs::rename(&log, &moved).expect("moved");
    process.signal("USR1");
    wait_for("another file", || log.exists().then_some(()));
    client.get("/two");
    wait_for("its line", || (lines(&log) == 1).then_some(()));
    assert_eq!(lines(&moved), 1);
}

/// A load balancer that asks `/readyz` never meets a closed door while the delay lasts.
#[test]
fn a_stop_is_announced_before_the_listener_closes() {
    let service = service();
    let text = Plan::to(&service)
        .and("shutdown: { delay: 700ms, deadline: 5s }")
        .and("admin: { address: \"127.0.0.1:0\" }")
        .text();
    let text =
        text.replace("routes: [", "routes: [{ name: ready, match: { path: /ready }, respond: { health: ready } }, ");
    let mut process = Process::start(BINARY, &text, "auto");
    let admin: std::net::SocketAddr = process.admin().parse().expect("an address");
    let readyz = || {
        let mut client = crate::support::Client::connect(admin);
        client.exchange(format!("GET /readyz HTTP/1.1\r\nhost: {admin}\r\n\r\n")).status
    };
    assert_eq!((readyz(), process.client().get("/ready").status), (200, 200));
    process.signal("TERM");
    wait_for("the announcement", || (readyz() == 503).then_some(()));
    // From the announcement on there is time: new connections are served.
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_millis(400) {
        let mut client = process.client();
        assert_eq!((client.get("/").status, client.get("/ready").status), (200, 503));
    }
    assert!(process.wait().success());
}

#[test]
fn a_second_term_does_not_wait() {
    let service = service();
    let text = Plan::to(&service).and("shutdown: { delay: 1h }").text();
    let mut process = Process::start(BINARY, &text, "auto");
    process.signal("TERM");
    wait_for("the announcement", || process.stderr().contains("not ready from now on").then_some(()));
    assert_eq!(process.client().get("/").status, 200);
    process.signal("TERM");
    assert!(process.wait().success());
}
