//! The gateway as a process of its own: the binary, its signals, its memory.

use super::wait_for;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A running `ringgate run`. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) started: serde_json::Value,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    collectors: Vec<JoinHandle<()>>,
    file: PathBuf,
}

/// A path that nobody else uses, in the system's directory for such.
pub(crate) fn scratch(name: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let n = COUNT.fetch_add(1, Ordering::SeqCst);
    std::env::temp_dir().join(format!("ringgate-{}-{n}-{name}", std::process::id()))
}

impl Process {
    /// Runs the binary with this configuration, and waits for its start report.
    #[track_caller]
    pub(crate) fn start(binary: &str, config: &str, driver: &str) -> Process {
        Process::start_with(binary, &[], config, driver)
    }

    /// The same with further arguments.
    #[track_caller]
    pub(crate) fn start_with(binary: &str, arguments: &[&str], config: &str, driver: &str) -> Process {
        let mut command = Command::new(binary);
        command.args(["run", "--driver", driver]).args(arguments).stdin(Stdio::null());
        Process::start_by(command, config)
    }

    /// The same by a command that is given the file as its last argument.
    #[track_caller]
    pub(crate) fn start_by(mut command: Command, config: &str) -> Process {
        let file = scratch("process.yaml");
        std::fs::write(&file, config).expect("a file");
        command.arg(&file).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary");
        let (stdout, out) = collect(child.stdout.take().expect("a pipe"));
        let (stderr, err) = collect(child.stderr.take().expect("a pipe"));
        let collectors = vec![out, err];
        let mut process = Process { child, started: serde_json::Value::Null, stdout, stderr, collectors, file };
        process.started = wait_for("the start report", || {
            let ended = process.child.try_wait().expect("a child").is_some();
            let said = process.stderr();
            assert!(!ended, "it did not start: {said}");
            let mut reports = said.lines().filter_map(|l| serde_json::from_str::<serde_json::Value>(l).ok());
            reports.find(|report| report["event"] == "started")
        });
        process
    }

    #[track_caller]
    pub(crate) fn address(&self) -> SocketAddr {
        self.started["listeners"][0]["address"].as_str().expect("an address").parse().expect("a TCP address")
    }

    /// Where the admin API listens, as the start report says.
    #[track_caller]
    pub(crate) fn admin(&self) -> &str {
        self.started["admin"].as_str().expect("an admin listener")
    }

    /// Gives the file another text. The process takes it at its next reload.
    #[track_caller]
    pub(crate) fn rewrite(&self, config: &str) {
        std::fs::write(&self.file, config).expect("a file");
    }

    /// Puts a pipe that nobody writes into in the file's place.
    #[track_caller]
    pub(crate) fn rewrite_as_pipe(&self) {
        self.remove_file();
        let made = Command::new("mkfifo").arg(&self.file).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo {}", self.file.display());
    }

    /// Takes the file away.
    #[track_caller]
    pub(crate) fn remove_file(&self) {
        std::fs::remove_file(&self.file).expect("a file");
    }

    /// Asks for a reload of another text, and waits for what comes of it: the last line of its report.
    #[track_caller]
    pub(crate) fn reload(&self, config: &str) -> String {
        self.rewrite(config);
        let seen = self.stderr().len();
        self.signal("HUP");
        wait_for("the end of the reload", || {
            let said = self.stderr()[seen..].to_string();
            let ended =
                |line: &&str| line.contains(" reload of ") && (line.contains(" done ") || line.contains(" failed "));
            said.lines().find(ended).map(str::to_string)
        })
    }

    #[track_caller]
    pub(crate) fn client(&self) -> super::Client {
        super::Client::connect(self.address())
    }

    pub(crate) fn stdout(&self) -> String {
        self.stdout.lock().expect("no panic inside").clone()
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().expect("no panic inside").clone()
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits for the process to end, and for the last that it has written.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let status = wait_for("the process to end", || self.child.try_wait().expect("a child"));
        self.collectors.drain(..).for_each(|collector| collector.join().expect("no panic inside"));
        status
    }

    #[track_caller]
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Whether its first thread waits inside this function of the kernel.
    #[track_caller]
    pub(crate) fn waits_in(&self, function: &str) -> bool {
        let place = format!("/proc/{}/wchan", self.child.id());
        std::fs::read_to_string(place).expect("a process") == function
    }

    /// Resident memory.
    #[track_caller]
    pub(crate) fn rss_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).expect("VmRSS");
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    }

    /// Descriptors that it has open.
    #[track_caller]
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("a process").count()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Sends a signal to a process that the test has started.
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "kill -s {name} {pid}");
}

fn collect(pipe: impl Read + Send + 'static) -> (Arc<Mutex<String>>, JoinHandle<()>) {
    let text = Arc::new(Mutex::new(String::new()));
    let inside = text.clone();
    let collector = std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut text = inside.lock().expect("no panic inside");
            text.push_str(&line);
            text.push('\n');
        }
    });
    (text, collector)
}
