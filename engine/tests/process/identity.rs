//! Whom the process goes on as.

use super::BINARY;
use crate::support::process::{Process, scratch};
use crate::support::service::ok;
use crate::support::{Plan, Service, wait_for};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::process::Command;

/// Ids that no database has.
const USER: &str = "54321:54322";

fn is_root() -> bool {
    let root = std::fs::metadata("/proc/self").expect("/proc").uid() == 0;
    if !root {
        eprintln!("SKIPPED: only root can give up root");
    }
    root
}

/// What the process says when it can't start.
fn refusal(arguments: &[&str], config: &str) -> String {
    let file = scratch("identity.yaml");
    std::fs::write(&file, config).expect("a file");
    let output = Command::new(BINARY).arg("run").args(arguments).arg(&file).output().expect("the binary");
    let _ = std::fs::remove_file(&file);
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).expect("text")
}

fn service() -> Service {
    Service::start(|connection| while connection.request().is_some() && connection.send(ok("served")) {})
}

#[test]
fn every_thread_gives_up_root_once_the_listeners_are_bound() {
    if !is_root() {
        return;
    }
    let service = service();
    let process = Process::start_with(BINARY, &["--user", USER], &Plan::to(&service).two_shards().text(), "auto");
    let mut client = process.client();
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(client.answer().text(), "served");
    let pid = process.started["pid"].as_u64().expect("a number");
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("threads");
    let statuses: Vec<String> =
        threads.map(|t| std::fs::read_to_string(t.expect("one").path().join("status")).expect("a status")).collect();
    assert!(statuses.len() >= 4, "{} threads", statuses.len());
    for status in statuses {
        let of = |line: &str| {
            let found = status.lines().find_map(|l| l.strip_prefix(line)).expect("such a line");
            found.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("Uid:"), "54321 54321 54321 54321", "{status}");
        assert_eq!(of("Gid:"), "54322 54322 54322 54322");
        assert_eq!((of("Groups:"), of("CapEff:"), of("CapPrm:")), ("54322".into(), "0".repeat(16), "0".repeat(16)));
    }
}

#[test]
fn a_log_that_the_user_may_not_open_is_told_at_the_start() {
    if !is_root() {
        return;
    }
    let folder = scratch("roots-own");
    std::fs::create_dir(&folder).expect("a directory");
    let service = service();
    let log = format!("access_log: {{ to: {{ file: \"{}/access.log\" }} }}", folder.display());
    let said = refusal(&["--user", USER], &Plan::to(&service).and(&log).text());
    assert!(said.contains("access.log") && said.contains("denied"), "{said}");
    assert_eq!(std::fs::read_dir(&folder).expect("a directory").count(), 0);
    std::fs::remove_dir(&folder).expect("an empty directory");
}

#[test]
fn unknown_users_are_refused_before_anything_begins() {
    let config = Plan::to(&service()).text();
    for (user, why) in [
        ("no-such-user", "there is no user `no-such-user`"),
        ("54321", "no user has the number 54321"),
        ("root", "root stays root"),
    ] {
        let said = refusal(&["--user", user], &config);
        assert!(said.contains(why) && said.contains("--user"), "{said}");
    }
}

/// As systemd does it: the socket is descriptor 3, and the variables name it.
#[test]
fn a_socket_of_the_service_manager_is_listened_on() {
    use std::os::fd::AsFd;
    let path = scratch("activated.sock");
    let socket = UnixListener::bind(&path).expect("a path");
    let service = service();
    let config = Plan::to(&service).text().replace("127.0.0.1:0", "127.0.0.1:1");
    assert!(config.contains("127.0.0.1:1\""), "{config}");
    let file = scratch("activated.yaml");
    std::fs::write(&file, config).expect("a file");
    // The shell moves its standard input to descriptor 3, and is replaced by the gateway, which so has its pid.
    let script = "exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=plain; exec \"$0\" run \"$1\"";
    let mut child = Command::new("sh")
        .args(["-c", script, BINARY])
        .arg(&file)
        .stdin(socket.as_fd().try_clone_to_owned().expect("a descriptor"))
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("a shell");
    let mut stream = std::os::unix::net::UnixStream::connect(&path).expect("a socket that listens");
    std::io::Write::write_all(&mut stream, b"GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("served"), "{answer}");
    crate::support::process::signal(child.id(), "TERM");
    let status = wait_for("the process to end", || child.try_wait().expect("a child"));
    assert!(status.success(), "{status}");
    assert!(path.exists(), "whoever has made the path removes it");
    let _ = (std::fs::remove_file(&path), std::fs::remove_file(&file));
}
