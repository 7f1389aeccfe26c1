//! What a service manager is told, and what it hands over.

use super::BINARY;
use crate::support::process::{Process, scratch};
use crate::support::service::ok;
use crate::support::{Client, Plan, STUCK, Service, wait_for};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

/// The gateway's messages to its service manager.
struct Manager {
    socket: UnixDatagram,
    path: std::path::PathBuf,
}

impl Manager {
    fn new() -> Manager {
        let path = scratch("notify");
        let socket = UnixDatagram::bind(&path).expect("bound");
        socket.set_read_timeout(Some(STUCK)).expect("set");
        Manager { socket, path }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command.arg("run").env("NOTIFY_SOCKET", &self.path).stdin(Stdio::null());
        command
    }

    /// The next message that says this.
    #[track_caller]
    fn hears(&self, wanted: &str) -> String {
        let mut bytes = [0; 4096];
        loop {
            let n = self.socket.recv(&mut bytes).unwrap_or_else(|error| panic!("{wanted}: {error}"));
            let text = String::from_utf8_lossy(&bytes[..n]).into_owned();
            if text.lines().any(|line| line == wanted || line.starts_with(&format!("{wanted}="))) {
                return text;
            }
        }
    }
}

#[test]
fn a_manager_hears_of_start_reload_and_stop() {
    let service = Service::answering(|_| ok("ok"));
    let text = Plan::to(&service).text();
    let manager = Manager::new();
    let mut process = Process::start_by(manager.command(), &text);
    assert!(manager.hears("READY=1").contains("STATUS=1 routes"));
    process.signal("HUP");
    // `Type=notify-reload` wants both in one message.
    assert!(manager.hears("RELOADING=1").contains("MONOTONIC_USEC="));
    manager.hears("READY=1");
    process.rewrite("nonsense");
    process.signal("HUP");
    manager.hears("RELOADING=1");
    manager.hears("READY=1");
    process.signal("TERM");
    manager.hears("STOPPING=1");
    assert!(process.wait().success());
}

#[test]
fn the_watchdog_is_fed_for_as_long_as_the_shards_turn() {
    let service = Service::answering(|_| ok("ok"));
    let manager = Manager::new();
    let mut command = manager.command();
    command.env("WATCHDOG_USEC", "200000");
    let _process = Process::start_by(command, &Plan::to(&service).two_shards().text());
    for _ in 0..5 {
        manager.hears("WATCHDOG=1");
    }
}

#[test]
fn an_inherited_socket_is_the_listeners_of_its_address() {
    let service = Service::answering(|_| ok("ok"));
    let socket = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = socket.local_addr().expect("an address");
    // It waits in the queue before the gateway is there.
    let mut early = Client::connect(address);
    early.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    let mut command = Command::new("sh");
    let script = format!("exec 3<&0; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=own exec {BINARY} run \"$0\"");
    command.args(["-c", &script]).stdin(Stdio::from(OwnedFd::from(socket.try_clone().expect("a copy"))));
    let text = Plan::to(&service).listen(&address.to_string()).two_shards().text();
    let mut process = Process::start_by(command, &text);
    assert_eq!(early.answer().status, 200);
    for _ in 0..8 {
        assert_eq!(Client::connect(address).get("/").status, 200);
    }
    // Every line tells the client's own address, whichever shard served it.
    wait_for("the lines", || (process.stdout().lines().count() >= 9).then_some(()));
    assert!(process.stdout().lines().all(|line| line.contains("\"client\":\"127.0.0.1\"")));
    process.signal("TERM");
    assert!(process.wait().success());
    // The manager's copy still listens: nobody is refused while the next one starts.
    Client::connect(address);
}

/// The socket as a manager opens it, and a gateway that has inherited it.
fn inheriting(socket: &TcpListener, config: &str) -> Process {
    let mut command = Command::new("sh");
    let script = format!("exec 3<&0; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=plain exec {BINARY} run \"$0\"");
    command.args(["-c", &script]).stdin(Stdio::from(OwnedFd::from(socket.try_clone().expect("a copy"))));
    Process::start_by(command, config)
}

#[test]
fn an_inherited_socket_may_spell_its_address_in_another_way() {
    let service = Service::answering(|_| ok("ok"));
    let socket = TcpListener::bind("0.0.0.0:0").expect("bound");
    let port = socket.local_addr().expect("an address").port();
    let text = Plan::to(&service).listen(&format!("127.0.0.1:{port}")).text();
    let process = inheriting(&socket, &text);
    assert!(process.stderr().contains("the inherited socket is on 0.0.0.0:"), "{}", process.stderr());
    for _ in 0..2 {
        let line = process.reload(&text);
        assert!(line.contains(" done "), "{line}\n{}", process.stderr());
        assert_eq!(Client::connect(([127, 0, 0, 1], port).into()).get("/").status, 200);
    }
}

#[test]
fn a_reload_that_fails_leaves_an_inherited_socket_for_the_next() {
    let service = Service::answering(|_| ok("ok"));
    let socket = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = socket.local_addr().expect("an address");
    let taken = TcpListener::bind("127.0.0.1:0").expect("bound");
    let other = Plan::to(&service).text().replace("name: plain", "name: other");
    let process = inheriting(&socket, &other);
    drop(socket);
    let with = |more: &str| {
        let listeners = format!("listeners: [{{ name: plain, address: \"{address}\" }}{more}, ");
        other.replace("listeners: [", &listeners)
    };
    let busy = format!(", {{ name: busy, address: \"{}\" }}", taken.local_addr().expect("an address"));
    let line = process.reload(&with(&busy));
    assert!(line.contains(" failed "), "{line}");
    let line = process.reload(&with(""));
    assert!(line.contains(" done "), "{line}");
    assert_eq!(Client::connect(address).get("/").status, 200);
}
