//! The access log of a real process: its forms, its files, and their rotation.

use crate::BINARY;
use crate::support::process::{Process, scratch};
use crate::support::service::ok;
use crate::support::{Client, Gate, Plan, Service, wait_for};
use ringgate::control::{Gateway, Options};
use ringgate_rt::Address;
use ringgate_rt::driver::Choice;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A file that is gone in the end.
struct LogFile(PathBuf);

impl LogFile {
    fn new(name: &str) -> LogFile {
        LogFile(scratch(name))
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap_or_default()
    }

    #[track_caller]
    fn wait_for(&self, lines: usize) -> String {
        wait_for("lines in the file", || Some(self.text()).filter(|text| text.lines().count() >= lines))
    }
}

impl Drop for LogFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn logging(plan: Plan, members: &str) -> Plan {
    plan.and(&format!("access_log: {{ {members} }}"))
}

#[test]
fn usr1_opens_the_file_anew_after_it_was_moved_away() {
    let service = Service::answering(|_| ok("good"));
    let (file, moved) = (LogFile::new("access.log"), LogFile::new("access.log.1"));
    let plan = logging(Plan::to(&service), &format!("format: combined, to: {{ file: {:?} }}", file.0));
    let process = Process::start(BINARY, &plan.text(), "auto");
    let mut client = process.client();
    client.get("/one");
    file.wait_for(1);
    std::fs::rename(&file.0, &moved.0).expect("a file");
    client.get("/two");
    moved.wait_for(2);
    process.signal("USR1");
    wait_for("a new file", || file.0.exists().then_some(()));
    client.get("/three");
    let line = file.wait_for(1);
    assert!(
        line.starts_with("127.0.0.1 - - [") && line.contains("] \"GET /three HTTP/1.1\" 200 4 \"-\" \"-\""),
        "{line}"
    );
    assert_eq!(moved.text().lines().count(), 2);
    assert_eq!(process.stdout(), "");
}

#[test]
fn a_template_and_listed_headers_are_written() {
    let service = Service::answering(|_| ok("good"));
    let file = LogFile::new("template.log");
    let form = "{ template: \"{client} {status} {target} {header:x-tenant} {fault}\" }";
    let plan = logging(Plan::to(&service), &format!("format: {form}, to: {{ file: {:?} }}", file.0));
    let gate = plan.start(Choice::Auto);
    let mut client = gate.client();
    client.exchange("GET /a HTTP/1.1\r\nhost: h\r\nX-Tenant: red \"1\"\r\n\r\n");
    client.exchange("TRACE /b HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(file.wait_for(2), "127.0.0.1 200 /a red \\x221\\x22 -\n127.0.0.1 405 /b - method_not_allowed\n");

    let gate = logging(Plan::to(&service), "headers: [user-agent, x-none]").start(Choice::Auto);
    gate.client().exchange("GET / HTTP/1.1\r\nhost: h\r\nUser-Agent: test/1\r\n\r\n");
    let line = &gate.log(1)[0];
    assert_eq!(line["headers"], serde_json::json!({ "user-agent": "test/1", "x-none": null }));
}

#[test]
fn a_reload_that_moves_the_log_loses_no_line() {
    let service = Service::answering(|_| ok("good"));
    let files = [LogFile::new("first.log"), LogFile::new("second.log")];
    let text = |at: usize| {
        let form = ["json", "combined"][at];
        logging(Plan::to(&service), &format!("format: {form}, to: {{ file: {:?} }}", files[at].0)).text()
    };
    let mut gate = Gate::start(&text(0), Choice::Auto);
    let mut client = gate.client();
    for n in 0..40 {
        assert_eq!(client.get(&format!("/{n}")).status, 200);
        if n % 10 == 9 {
            gate.reload(&text(1 - n / 10 % 2)).expect("a good file");
        }
    }
    drop(client);
    let lines = wait_for("every line", || {
        let lines: Vec<String> =
            files.iter().flat_map(|file| file.text().lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        (lines.len() >= 40).then_some(lines)
    });
    assert_eq!(lines.len(), 40);
    for n in 0..40 {
        let marks = [format!("\"target\":\"/{n}\""), format!("\"GET /{n} HTTP/1.1\"")];
        assert_eq!(lines.iter().filter(|line| marks.iter().any(|mark| line.contains(mark))).count(), 1, "{n}");
    }
    let (json, combined) = (files[0].text(), files[1].text());
    assert!(json.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{json}");
    assert!(combined.lines().all(|line| line.starts_with("127.0.0.1 - - [")), "{combined}");
}

/// Whoever takes the lines takes his time.
struct Slow(Arc<AtomicUsize>);

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        std::thread::sleep(Duration::from_millis(200));
        self.0.fetch_add(bytes.iter().filter(|byte| **byte == b'\n').count(), Ordering::SeqCst);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_log_that_was_turned_off_is_written_to_its_end_before_the_process_ends() {
    let service = Service::answering(|_| ok("good"));
    let parsed = |plan: Plan| ringgate_config::parse("test.yaml", &plan.text(), &|_| None).expect("a good file");
    let written = Arc::new(AtomicUsize::new(0));
    let options = Options { access_log: Some(Box::new(Slow(written.clone()))), unpinned: true, ..Options::default() };
    let on = parsed(logging(Plan::to(&service), "format: json"));
    let mut gateway = Gateway::start(&on, options).expect("a gateway");
    let Address::Tcp(address) = gateway.listeners[0].address else { panic!("a Unix socket") };
    let mut client = Client::connect(address);
    for _ in 0..3 {
        assert_eq!(client.get("/").status, 200);
    }
    gateway.reload(&parsed(Plan::to(&service).and("access_log: off"))).expect("a good file");
    assert_eq!(client.get("/").status, 200);
    gateway.stop(Some(Duration::from_secs(5)));
    assert_eq!(written.load(Ordering::SeqCst), 3);
}
