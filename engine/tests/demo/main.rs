//! What `ringgate demo` prints is true: each of its curl lines is done, and gives what the text beside it says.

#![allow(clippy::expect_used)]

mod curl;

use curl::{Answer, curl};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_ringgate");
/// A test that waits longer than this for one thing has failed. The machine may be busy with other work.
const STUCK: Duration = Duration::from_secs(20);

/// A demo that runs. It is killed when this is dropped.
struct Demo {
    child: Child,
    lines: Receiver<String>,
    /// What it has printed before its access log began.
    text: Vec<String>,
}

impl Demo {
    fn start(arguments: &[&str]) -> Demo {
        let mut child = Command::new(BINARY)
            .args(["demo", "--port", "0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        let lines = lines_of(child.stdout.take().expect("a pipe"));
        let mut demo = Demo { child, lines, text: Vec::new() };
        demo.text = demo.until("Ctrl-C ends it");
        demo
    }

    /// The next lines, up to one that holds this.
    fn until(&self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line: &String| !line.contains(last)) {
            match self.lines.recv_timeout(STUCK) {
                Ok(line) => lines.push(line),
                Err(error) => panic!("no line with `{last}`: {error}; {lines:#?}"),
            }
        }
        lines
    }

    /// What is printed behind these words.
    fn after(&self, words: &str) -> String {
        let found = self.text.iter().find_map(|line| Some(line.split_once(words)?.1.to_owned()));
        found.unwrap_or_else(|| panic!("no `{words}` in {:#?}", self.text))
    }

    /// What each line to try shows, what it promises, and the line.
    fn to_try(&self) -> Vec<(String, String, String)> {
        let pairs = self.text.windows(2).filter(|pair| pair[1].trim_start().starts_with("curl "));
        let parts = pairs.map(|pair| {
            let (shows, promise) = pair[0].split_once('#').expect("a promise");
            (shows.trim().to_owned(), promise.trim().to_owned(), pair[1].trim().to_owned())
        });
        parts.collect()
    }

    /// Ctrl-C. Returns what it wrote to stderr.
    fn end(mut self) -> String {
        self.signal("INT");
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(begun.elapsed() < STUCK, "it does not end");
            std::thread::yield_now();
        };
        assert!(status.success(), "{status}");
        let mut said = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        said
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -s {name}");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Holds the answers to one line against what the demo says of it.
fn check(shows: &str, answers: &[Answer]) {
    let first = &answers[0];
    let served_by = |name: &str| answers.iter().filter(|a| a.json()["served_by"] == name).count();
    let request_id = || first.json()["request_id"].as_str() == first.field("x-request-id");
    let good = match shows {
        "by path, with a capture" => first.status == 200 && served_by("users-1") + served_by("users-2") == 1,
        "by header, on the same path" => first.status == 200 && served_by("orders-next") == 1,
        "by host; the service sees another" => {
            first.status == 200 && first.json()["saw"]["fields"]["host"] == "orders.internal"
        }
        "what a service is told" => {
            let saw = &first.json()["saw"];
            let told = |name: &str| saw["fields"][name].as_str().unwrap_or_default().to_owned();
            first.status == 200
                && saw["target"] == "/orders/42?page=2"
                && told("x-forwarded-for") == "127.0.0.1"
                && told("via").contains("ringgate")
                && Some(told("x-request-id").as_str()) == first.field("x-request-id")
        }
        "a body" => first.status == 201 && first.json()["received_bytes"] == 10,
        "a canary" => {
            let (orders, next) = (served_by("orders"), served_by("orders-next"));
            answers.len() == 12 && orders + next == 12 && (1..=5).contains(&next)
        }
        "server-sent events" => {
            let events = first.body.matches("data: ").count();
            first.status == 200 && first.field("content-type") == Some("text/event-stream") && events == 3
        }
        "a redirect" => first.status == 308 && first.field("location") == Some("/users/7?a=b"),
        "a fixed answer" => first.status == 200 && first.json()["hello"] == "you" && first.json()["route"] == "hello",
        "the wrong method" => first.status == 405 && first.field("allow") == Some("GET, HEAD"),
        "no such route" => first.status == 404 && request_id(),
        "an ambiguous path" => first.status == 400 && request_id(),
        "a service that is down" => first.status == 502 && request_id(),
        "ready for traffic?" => first.status == 200 && first.json()["status"] == "ready",
        "services and their state" => {
            first.status == 200 && first.json()["upstreams"][0]["endpoints"][0]["state"] == "up"
        }
        "metrics" => {
            first.status == 200 && first.body.contains("\n# TYPE http_server_request_duration_seconds histogram")
        }
        "reload the file" => first.status == 200 && first.json()["generation"] == 2,
        "the same without the token" => first.status == 401,
        other => panic!("the demo shows `{other}`, which no test knows"),
    };
    assert!(good, "{shows}: {answers:#?}");
}

#[test]
fn each_line_gives_what_the_text_promises() {
    let demo = Demo::start(&[]);
    let to_try = demo.to_try();
    assert!(to_try.len() >= 18, "{to_try:#?}");
    for (shows, promise, line) in &to_try {
        let answers = curl(line);
        check(shows, &answers);
        // The status that the text names, where it names one.
        let promised = promise.get(..3).and_then(|status| status.parse::<u16>().ok());
        assert!(promised.is_none_or(|status| answers.iter().all(|a| a.status == status)), "{promise}: {answers:#?}");
    }
    let file = PathBuf::from(demo.after("Its configuration: "));
    assert!(file.exists());
    // The log is written by a thread of its own: the last line may still be on its way.
    let log = demo.until("/broken broken");
    assert!(log.last().is_some_and(|line| line.starts_with("502 GET ") && line.ends_with(" upstream_connect_failed")));
    let said = demo.end();
    assert!(!file.exists() && file.parent().is_some_and(|folder| !folder.exists()), "{said}");
    assert!(!said.contains("panic"), "{said}");
}

#[test]
fn the_written_file_is_the_one_that_is_reloaded() {
    let file = std::env::temp_dir().join(format!("ringgate-demo-test-{}.yaml", std::process::id()));
    let name = file.display().to_string();
    let demo = Demo::start(&["--print", "--write", &name]);
    let written = std::fs::read_to_string(&file).expect("the file");
    let printed = demo.text.join("\n");
    assert!(printed.starts_with(written.trim_end()), "{printed}");
    let hello = format!("curl {}/hello/you", demo.after(" runs on http://").split(' ').next().expect("an address"));
    let reload = demo.to_try().into_iter().find(|(shows, _, _)| shows == "reload the file").expect("a line").2;

    std::fs::write(&file, written.replace("\"hello\": \"{name}\"", "\"bye\": \"{name}\"")).expect("written");
    assert_eq!(curl(&reload)[0].json()["result"], "ok");
    assert_eq!(curl(&hello)[0].json()["bye"], "you");
    std::fs::write(&file, "listeners: []\nroots: []\n").expect("written");
    let refused = curl(&reload);
    assert_eq!((refused[0].status, refused[0].body.contains("roots")), (422, true), "{refused:#?}");
    assert_eq!(curl(&hello)[0].json()["bye"], "you");

    demo.end();
    assert!(file.exists(), "a file that was asked for stays");
    refuses_to_overwrite(&file);
    std::fs::remove_file(&file).expect("removed");
}

fn refuses_to_overwrite(file: &Path) {
    let output = Command::new(BINARY).args(["demo", "--port", "0", "--write"]).arg(file).output().expect("the binary");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("exists"), "{output:?}");
    assert_eq!(std::fs::read_to_string(file).expect("the file"), "listeners: []\nroots: []\n");
}
