//! Services that are killed under load: their clients get an answer of another endpoint or 502, never nothing, never
//! another's bytes.

use crate::support::process::signal;
use crate::support::service::ok;
use crate::support::{Client, Gate, Plan, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

on_both_drivers!(clients_of_a_killed_service_get_another_or_502, a_service_that_is_started_again_is_used_again,);

/// Says to the test below that it is to be a service.
const BE_A_SERVICE: &str = "RINGGATE_TEST_BE_A_SERVICE";
const CLIENTS: usize = 12;

/// This test binary, run again as a service that answers with the path; see `the_service`.
struct Killable {
    child: Child,
    address: String,
}

impl Killable {
    fn start(at: &str) -> Killable {
        let mut child = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", "--nocapture", "kill::the_service_of_these_tests"])
            .env(BE_A_SERVICE, at)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let address = lines.map_while(Result::ok).find_map(|line| Some(line.split_once("listens on ")?.1.to_string()));
        Killable { child, address: address.expect("an address") }
    }

    fn kill(&mut self) {
        signal(self.child.id(), "KILL");
        self.child.wait().expect("a child");
    }
}

impl Drop for Killable {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The other side of `Killable`. On its own it shows only that the service answers.
#[test]
fn the_service_of_these_tests() {
    let at = std::env::var(BE_A_SERVICE);
    let address = at.as_deref().unwrap_or("127.0.0.1:0").parse().expect("an address");
    let service = Service::start_on(address, |connection| connection.answer_all(|request| ok(answer(&request.target))));
    if at.is_err() {
        assert_eq!(Client::connect(service.address()).get("/a").text(), answer("/a"));
        return;
    }
    println!("listens on {}", service.endpoint());
    std::io::stdout().flush().expect("a pipe");
    // The test's end closes this.
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// Long enough for more than one packet.
fn answer(target: &str) -> String {
    format!("{target} ").repeat(200)
}

/// What the load has got.
#[derive(Default)]
struct Tally {
    good: AtomicUsize,
    bad: AtomicUsize,
    stop: AtomicBool,
}

impl Tally {
    fn more_good(&self, n: usize) {
        let before = self.good.load(Ordering::SeqCst);
        wait_for("more good answers", || (self.good.load(Ordering::SeqCst) >= before + n).then_some(()));
    }

    /// Each client asks for paths of its own until it is stopped.
    fn load(&self, gate: SocketAddr, client: usize) {
        let mut connection = Client::connect(gate);
        for n in 0.. {
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            let path = format!("/{client}/{n}");
            let (method, rest) = if n % 3 == 0 { ("POST", "content-length: 4\r\n\r\nbody") } else { ("GET", "\r\n") };
            connection.send(format!("{method} {path} HTTP/1.1\r\nhost: h\r\n{rest}"));
            // A hang fails here, by the client's time limit.
            match connection.try_answer() {
                Ok(got) if got.status == 200 => {
                    assert_eq!(got.text(), answer(&path), "another's bytes");
                    self.good.fetch_add(1, Ordering::SeqCst);
                }
                Ok(got) => {
                    assert_eq!((got.status, &got.json()["error"].as_str().is_some()), (502, &true), "{}", got.text());
                    self.bad.fetch_add(1, Ordering::SeqCst);
                    if got.fields.get("connection") == Some("close") {
                        connection = Client::connect(gate);
                    }
                    // A 502 costs nothing: let the others do something too.
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    // The service died in the middle of its answer, and the client can tell.
                    self.bad.fetch_add(1, Ordering::SeqCst);
                    connection = Client::connect(gate);
                }
                Err(error) => panic!("{path}: {error}"),
            }
        }
    }
}

fn under_load(gate: &Gate, act: impl FnOnce(&Tally)) {
    let address = gate.address();
    let tally = Tally::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let tally = &tally;
                scope.spawn(move || tally.load(address, client))
            })
            .collect();
        let acted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act(&tally)));
        tally.stop.store(true, Ordering::SeqCst);
        workers.into_iter().for_each(|worker| worker.join().expect("a client"));
        acted.expect("what was done under load");
    });
}

fn clients_of_a_killed_service_get_another_or_502(driver: Choice) {
    let (mut one, mut two) = (Killable::start("127.0.0.1:0"), Killable::start("127.0.0.1:0"));
    let gate = Plan::to_endpoints([&one.address, &two.address]).start(driver);
    under_load(&gate, |tally| {
        tally.more_good(500);
        assert_eq!(tally.bad.load(Ordering::SeqCst), 0, "before anything was killed");
        one.kill();
        tally.more_good(500);
        let bad = tally.bad.load(Ordering::SeqCst);
        // At most what was under way, and not safe to ask again.
        assert!(bad <= CLIENTS, "{bad} bad answers");
        two.kill();
        wait_for("answers that say so", || (tally.bad.load(Ordering::SeqCst) > bad + 50).then_some(()));
    });
}

fn a_service_that_is_started_again_is_used_again(driver: Choice) {
    let mut service = Killable::start("127.0.0.1:0");
    let gate = Plan::to_endpoints([&service.address]).start(driver);
    under_load(&gate, |tally| {
        for _ in 0..3 {
            tally.more_good(200);
            let bad = tally.bad.load(Ordering::SeqCst);
            service.kill();
            wait_for("answers that say so", || (tally.bad.load(Ordering::SeqCst) > bad + CLIENTS).then_some(()));
            service = Killable::start(&service.address.clone());
        }
        tally.more_good(200);
    });
}
