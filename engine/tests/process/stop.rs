//! How the process ends: by signals, with exchanges under way.

use super::BINARY;
use crate::support::process::{Process, scratch};
use crate::support::service::ok;
use crate::support::{Plan, STUCK, Service, wait_for};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

/// A service that answers only when the test says so, or never.
struct Slow {
    service: Service,
    answer: Arc<AtomicBool>,
}

impl Slow {
    fn start() -> Slow {
        let answer = Arc::new(AtomicBool::new(false));
        let allowed = answer.clone();
        let service = Service::start(move |connection| {
            while connection.request().is_some() {
                wait_for("leave to answer", || allowed.load(Ordering::SeqCst).then_some(()));
                if !connection.send(ok("late")) {
                    return;
                }
            }
        });
        Slow { service, answer }
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.answer.store(true, Ordering::SeqCst);
    }
}

/// Two shards, so that one can end before the other.
fn two_shards(service: &Service, deadline: &str) -> Plan {
    Plan::to(service).two_shards().and(&format!("shutdown: {{ deadline: {deadline} }}"))
}

#[test]
fn term_lets_exchanges_finish_and_closes_what_is_idle() {
    let slow = Slow::start();
    let mut process = Process::start(BINARY, &two_shards(&slow.service, "20s").text(), "auto");
    let mut idle = process.client();
    let mut busy = process.client();
    busy.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    slow.service.wait_for_requests(1);
    process.signal("TERM");
    idle.end();
    // The listener is closed, and the exchange is not.
    wait_for("the listener to close", || std::net::TcpStream::connect(process.address()).is_err().then_some(()));
    slow.answer.store(true, Ordering::SeqCst);
    let answer = busy.answer();
    assert_eq!((answer.status, answer.text()), (200, "late"));
    busy.end();
    assert_eq!(process.wait().code(), Some(0));
    let log = process.stdout();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("\"status\":200"), "{log}");
}

#[test]
fn the_deadline_ends_what_still_runs() {
    let slow = Slow::start();
    let mut process = Process::start(BINARY, &two_shards(&slow.service, "300ms").text(), "auto");
    let mut busy = process.client();
    busy.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    slow.service.wait_for_requests(1);
    let begun = Instant::now();
    process.signal("TERM");
    let answer = busy.answer();
    assert_eq!((answer.status, &answer.json()["error"]), (503, &"stopping".into()));
    assert_eq!(answer.fields.get("connection"), Some("close"));
    drop(busy);
    assert_eq!(process.wait().code(), Some(0));
    assert!(begun.elapsed() >= Duration::from_millis(300), "before the deadline");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let log = process.stdout();
    assert!(log.contains("\"fault\":\"stopping\""), "{log}");
}

#[test]
fn a_second_term_ends_the_process_at_once() {
    let slow = Slow::start();
    let mut process = Process::start(BINARY, &two_shards(&slow.service, "1h").text(), "auto");
    let mut idle = process.client();
    let mut busy = process.client();
    busy.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    slow.service.wait_for_requests(1);
    process.signal("TERM");
    // Now the first has been heard.
    idle.end();
    assert!(process.is_running());
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0));
    busy.end_after_bytes();
}

/// The control thread opens the log of the new configuration, a pipe, and waits for somebody who reads it.
#[test]
fn a_third_signal_ends_a_process_that_is_stuck() {
    let service = Service::answering(|_| ok("ok"));
    let plan = Plan::to(&service);
    let mut process = Process::start(BINARY, &plan.text(), "auto");
    let pipe = scratch("log.pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    process.rewrite(&plan.and(&format!("access_log: {{ to: {{ file: \"{}\" }} }}", pipe.display())).text());
    process.signal("HUP");
    wait_for("the control thread to open the pipe", || process.waits_in("wait_for_partner").then_some(()));
    wait_for("the end", || {
        process.signal("TERM");
        (!process.is_running()).then_some(())
    });
    let status = process.wait();
    let _ = std::fs::remove_file(pipe);
    assert_eq!(status.code(), Some(1));
    assert!(process.stderr().contains("by a third signal"), "{}", process.stderr());
    assert!(!process.stderr().contains("stopped at once"), "it was not stuck: {}", process.stderr());
}

#[test]
fn quit_waits_without_a_deadline() {
    let slow = Slow::start();
    let mut process = Process::start(BINARY, &two_shards(&slow.service, "10ms").text(), "auto");
    let mut idle = process.client();
    let mut busy = process.client();
    busy.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    slow.service.wait_for_requests(1);
    process.signal("QUIT");
    idle.end();
    busy.silent_for(Duration::from_millis(300));
    slow.answer.store(true, Ordering::SeqCst);
    assert_eq!(busy.answer().status, 200);
    assert_eq!(process.wait().code(), Some(0));
}

#[test]
fn term_under_load_loses_no_request_that_was_taken() {
    const CLIENTS: usize = 16;
    for driver in ["auto", "epoll"] {
        let service = Service::answering(|request| ok(&request.target));
        let mut process = Process::start(BINARY, &two_shards(&service, "20s").text(), driver);
        let address = process.address();
        let (running, answered) = (Barrier::new(CLIENTS + 1), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let load = |client: usize| {
                running.wait();
                let begun = Instant::now();
                for n in 0.. {
                    assert!(begun.elapsed() < STUCK, "the gateway does not stop");
                    // A connection of its own now and then: accepting is a part of stopping too.
                    let Ok(stream) = std::net::TcpStream::connect(address) else { return };
                    let mut client_side = crate::support::Client::from_stream(stream);
                    for turn in 0..50 {
                        let path = format!("/{client}/{n}/{turn}");
                        let request = format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n");
                        // Refused or closed before anything of an answer: it was not taken. Anything else is whole.
                        if client_side.wire.stream.write_all(request.as_bytes()).is_err() {
                            break;
                        }
                        match client_side.try_answer() {
                            Ok(answer) => {
                                assert_eq!((answer.status, answer.text()), (200, path.as_str()));
                                answered.fetch_add(1, Ordering::SeqCst);
                                if answer.fields.get("connection") == Some("close") {
                                    client_side.end();
                                    break;
                                }
                            }
                            Err(error) => {
                                assert!(client_side.wire.pending.is_empty(), "a part of an answer: {error}");
                                break;
                            }
                        }
                    }
                }
            };
            let workers: Vec<_> = (0..CLIENTS).map(|client| scope.spawn(move || load(client))).collect();
            running.wait();
            wait_for("load", || (answered.load(Ordering::SeqCst) > 500).then_some(()));
            process.signal("TERM");
            assert_eq!(process.wait().code(), Some(0), "{}", process.stderr());
            workers.into_iter().for_each(|worker| worker.join().expect("a client"));
        });
        // Whatever the service was asked has been answered and logged, or else a client would have noticed above.
        let logged = process.stdout().lines().filter(|line| line.contains("\"status\":200")).count();
        assert_eq!(logged, answered.load(Ordering::SeqCst), "lines of the log and answers");
    }
}
