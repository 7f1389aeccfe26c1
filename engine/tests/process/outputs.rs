//! What becomes of the gateway when nobody takes what it writes, or the system gives it no descriptors.

use super::BINARY;
use crate::support::process::{scratch, signal};
use crate::support::service::ok;
use crate::support::{Client, Plan, Service, wait_for};
use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

/// A gateway whose outputs are for the test to read, or not. It is killed in the end.
struct Bare {
    child: Child,
    address: SocketAddr,
    report: serde_json::Value,
    file: PathBuf,
    /// Where its lines come from, if nobody reads on.
    _unread: Option<Lines<BufReader<ChildStderr>>>,
}

impl Bare {
    fn start(plan: &Plan, command: Command) -> Bare {
        let mut bare = Bare::mute(plan, command);
        // Most tests are not about stderr.
        let lines = bare._unread.take().expect("lines");
        std::thread::spawn(move || lines.for_each(drop));
        bare
    }

    /// Nobody reads its stderr once it has said that it has started.
    fn mute(plan: &Plan, mut command: Command) -> Bare {
        let file = scratch("bare.yaml");
        std::fs::write(&file, plan.text()).expect("a file");
        let mut child = command
            .arg("run")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let report =
            lines.by_ref().map_while(Result::ok).find(|line| line.contains("\"started\"")).expect("a start report");
        let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        let address = report["listeners"][0]["address"].as_str().expect("an address").parse().expect("a TCP address");
        Bare { child, address, report, file, _unread: Some(lines) }
    }

    #[track_caller]
    fn stops_within(&mut self, time: Duration) {
        self.stops_by("TERM", time);
    }

    #[track_caller]
    fn stops_by(&mut self, name: &str, time: Duration) {
        let begun = Instant::now();
        signal(self.child.id(), name);
        let status = wait_for("the process to end", || self.child.try_wait().expect("a child"));
        assert_eq!(status.code(), Some(0));
        assert!(begun.elapsed() < time, "{:?}", begun.elapsed());
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.file);
    }
}

#[test]
fn a_closed_log_does_not_matter_to_clients() {
    let service = Service::answering(|_| ok("good"));
    let mut gateway = Bare::start(&Plan::to(&service), Command::new(BINARY));
    drop(gateway.child.stdout.take());
    for _ in 0..200 {
        assert_eq!(Client::connect(gateway.address).get("/").text(), "good");
    }
    gateway.stops_within(Duration::from_secs(5));
}

#[test]
fn a_log_that_nobody_reads_does_not_matter_to_clients_nor_to_the_stop() {
    let service = Service::answering(|_| ok("good"));
    let plan = Plan::to(&service).and("shutdown: { deadline: 1s }");
    let mut gateway = Bare::start(&plan, Command::new(BINARY));
    let mut client = Client::connect(gateway.address);
    let long = "x".repeat(8000);
    // Far more than a pipe holds.
    for _ in 0..500 {
        assert_eq!(client.get(&format!("/{long}")).text(), "good");
    }
    gateway.stops_within(Duration::from_secs(5));
}

#[test]
fn a_stop_without_a_deadline_does_not_wait_for_ever_for_who_reads_the_log() {
    let service = Service::answering(|_| ok("good"));
    let mut gateway = Bare::start(&Plan::to(&service), Command::new(BINARY));
    let mut client = Client::connect(gateway.address);
    let long = "x".repeat(8000);
    for _ in 0..500 {
        assert_eq!(client.get(&format!("/{long}")).text(), "good");
    }
    gateway.stops_by("QUIT", Duration::from_secs(10));
}

/// More than a pipe holds, from the control thread; and then the process still hears its signals.
#[test]
fn a_stderr_that_nobody_reads_does_not_matter_to_reloads_nor_to_the_stop() {
    let service = Service::answering(|_| ok("good"));
    let plan = Plan::to(&service).and("admin: { address: \"127.0.0.1:0\" }").and("shutdown: { deadline: 1s }");
    let mut gateway = Bare::mute(&plan, Command::new(BINARY));
    let wrong: String = (0..1500).map(|n| format!("unknown_key_number_{n}: true\n")).collect();
    std::fs::write(&gateway.file, wrong).expect("a file");
    signal(gateway.child.id(), "HUP");
    let admin: SocketAddr = gateway.report["admin"].as_str().expect("an address").parse().expect("a TCP address");
    wait_for("the end of the reload", || {
        let mut client = Client::connect(admin);
        let config = client.exchange(format!("GET /config HTTP/1.1\r\nhost: {admin}\r\n\r\n"));
        config.text().contains("unknown_key_number_0").then_some(())
    });
    assert_eq!(Client::connect(gateway.address).get("/").text(), "good");
    gateway.stops_within(Duration::from_secs(5));
}

#[test]
fn without_descriptors_clients_wait_and_are_served_when_there_are_some() {
    let service = Service::answering(|_| ok("good"));
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\"", BINARY]);
    let mut gateway = Bare::start(&Plan::to(&service), command);
    let mut held: Vec<Client> = Vec::new();
    let address = gateway.address;
    let mut last = None;
    for n in 0..200 {
        let mut client = Client::connect(address);
        client.wire.stream.sock().set_read_timeout(Some(Duration::from_millis(200))).expect("a time limit");
        client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
        let answered = client.try_answer();
        held.push(client);
        match answered {
            Ok(answer) if answer.status == 200 => {}
            // No descriptor was left for the service, or none for the client itself.
            other => {
                last = Some((n, other.map(|answer| answer.status).map_err(|error| error.kind())));
                break;
            }
        }
    }
    let (served, how) = last.expect("an end of 64 descriptors");
    assert!((10..60).contains(&served), "{served} clients, then {how:?}");
    assert!(matches!(how, Ok(502 | 503) | Err(std::io::ErrorKind::WouldBlock)), "{how:?}");
    // Those that have a connection keep it.
    assert_eq!(held[0].get("/").text(), "good");
    held.truncate(1);
    wait_for("a new client to be served", || (Client::connect(address).get("/").status == 200).then_some(()));
    drop(held);
    gateway.stops_within(Duration::from_secs(5));
}
