//! A service that is killed under load.

use crate::support::process::signal;
use crate::support::service::ok;
use crate::support::{Client, Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

on_both_drivers!(
    a_service_killed_under_load_gives_502_and_no_hang,
    the_other_endpoint_takes_over_from_one_that_is_killed,
);

/// Answers each request with its target, a thousand times, until it is killed.
const SCRIPT: &str = r#"
import http.server, sys
class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = (self.path * 1000).encode()
        self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    def log_message(self, *args):
        pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64
server = Server(("127.0.0.1", 0), Echo)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;

struct Victim(Child, SocketAddr);

impl Victim {
    fn start() -> Victim {
        let mut child = Command::new("python3")
            .args(["-c", SCRIPT])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        stdout.read_line(&mut line).expect("a line");
        let port: u16 = line.trim().parse().expect("a port");
        Victim(child, SocketAddr::from(([127, 0, 0, 1], port)))
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Default)]
struct Count {
    good: AtomicUsize,
    refused: AtomicUsize,
    cut: AtomicUsize,
    stop: AtomicBool,
}

impl Count {
    fn all(&self) -> usize {
        [&self.good, &self.refused, &self.cut].iter().map(|n| n.load(Ordering::SeqCst)).sum()
    }
}

/// Asks for targets that nobody else asks for, and checks every answer. A hang is a panic of `answer`.
fn load(address: SocketAddr, number: usize, count: &Count) {
    let mut client = Client::connect(address);
    for n in 0.. {
        if count.stop.load(Ordering::SeqCst) {
            return;
        }
        let target = format!("/{number}-{n}");
        client.send(format!("GET {target} HTTP/1.1\r\nhost: h\r\n\r\n"));
        match client.try_answer() {
            Ok(answer) if answer.status == 200 => {
                assert_eq!(answer.text(), target.repeat(1000), "another request's bytes");
                count.good.fetch_add(1, Ordering::SeqCst);
            }
            Ok(answer) => {
                assert_eq!(answer.status, 502);
                assert_eq!(answer.json()["request_id"].as_str(), answer.fields.get("x-request-id"));
                count.refused.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) => {
                assert!(
                    !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
                    "a hang"
                );
                let got = String::from_utf8_lossy(&client.wire.pending).to_string();
                assert!(target.repeat(1000).starts_with(&got), "another request's bytes");
                count.cut.fetch_add(1, Ordering::SeqCst);
                client = Client::connect(address);
            }
        }
    }
}

/// Kills the service in the middle of a load, lets the load go on for a while, and returns what it got after that.
fn killed_under_load(plan: &Plan, victim: &Victim, driver: Choice) -> (usize, usize) {
    let gate = plan.start(driver);
    let (address, count) = (gate.address(), Arc::new(Count::default()));
    let loads: Vec<_> = (0..8)
        .map(|number| {
            let count = count.clone();
            std::thread::spawn(move || load(address, number, &count))
        })
        .collect();
    let until = |n: usize| {
        let begun = std::time::Instant::now();
        while count.all() < n && begun.elapsed() < crate::support::STUCK && !loads.iter().any(|l| l.is_finished()) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    };
    until(300);
    let before = (count.good.load(Ordering::SeqCst), count.refused.load(Ordering::SeqCst));
    signal(victim.0.id(), "KILL");
    until(count.all() + 600);
    count.stop.store(true, Ordering::SeqCst);
    for load in loads {
        load.join().expect("a client without a hang or a wrong byte");
    }
    assert!(before.0 >= 250 && before.1 == 0, "{before:?}");
    assert!(count.cut.load(Ordering::SeqCst) <= 8, "at most what was under way is cut");
    (count.good.load(Ordering::SeqCst) - before.0, count.refused.load(Ordering::SeqCst))
}

fn a_service_killed_under_load_gives_502_and_no_hang(driver: Choice) {
    let victim = Victim::start();
    let (_, refused) = killed_under_load(&Plan::to_endpoints([victim.1]), &victim, driver);
    assert!(refused > 300, "{refused}");
}

fn the_other_endpoint_takes_over_from_one_that_is_killed(driver: Choice) {
    let victim = Victim::start();
    let service = Service::answering(|request| ok(request.target.repeat(1000)));
    let plan = Plan::to_endpoints([victim.1.to_string(), service.endpoint()]);
    let (good, refused) = killed_under_load(&plan, &victim, driver);
    // GETs under way are tried again on the same endpoint, once; all later ones go to the other.
    assert!(good > 300 && refused <= 16, "{good} {refused}");
}
