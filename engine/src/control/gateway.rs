//! The process: bind, start the shards, report, wait for signals, stop.

use super::diary::{report_panics, say};
use super::shards::{self, Event, Message, Plan};
use crate::observe::{LogWriter, json};
use crate::proxy::{Permits, Snapshot};
use ringgate_config::{Address as ConfigAddress, Config, Cores};
use ringgate_rt::counters::Counters;
use ringgate_rt::driver::{Choice, Chosen, RING_ENTRIES};
use ringgate_rt::listener::{self, Bound};
use ringgate_rt::mailbox::{Sender, mailbox};
use ringgate_rt::{Address, cores, descriptors};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// Descriptors that the process needs besides two for each client connection.
const DESCRIPTORS_BESIDES: u64 = 256;
/// How long aborted exchanges may take to end.
const ABORT_GRACE: Duration = Duration::from_secs(2);
/// How long the last lines of the access log may take to be written, at least; else until the deadline.
const LOG_GRACE: Duration = Duration::from_secs(1);

/// How a gateway is started, besides its configuration.
#[derive(Default)]
pub struct Options {
    /// The driver asked for.
    pub driver: Choice,
    /// Where access-log lines go, if the configuration wants any; standard output if none is given.
    pub access_log: Option<Box<dyn Write + Send>>,
    /// Leave the shards' threads where the system puts them.
    pub unpinned: bool,
}

/// A listener, as it was bound.
#[derive(Clone, Debug)]
pub struct Started {
    /// Its name in the configuration.
    pub name: String,
    /// Its address, with the port that the system gave.
    pub address: Address,
}

/// A running gateway.
pub struct Gateway {
    /// The listeners as bound.
    pub listeners: Vec<Started>,
    /// The driver of the first shard.
    pub driver: Chosen,
    /// What each shard has done so far.
    pub counters: Vec<Arc<Counters>>,
    mailboxes: Vec<Sender<Message>>,
    events: mpsc::Receiver<Event>,
    tell: mpsc::Sender<Event>,
    running: usize,
    log: Option<LogWriter>,
    deadline: Duration,
}

/// `ringgate run`: until a signal ends it.
pub fn run(path: &Path, options: Options) -> ExitCode {
    let config = match ringgate_config::load(path) {
        Ok(config) => config,
        Err(diagnostics) => {
            eprint!("{diagnostics}");
            return ExitCode::FAILURE;
        }
    };
    report_panics();
    config.warnings.iter().for_each(|warning| say(&format!("warning: {warning}")));
    match Gateway::start(&config, options) {
        Ok(gateway) => gateway.run_until_stopped(),
        Err(error) => {
            say(&format!("{}: can't start: {error}", path.display()));
            ExitCode::FAILURE
        }
    }
}

impl Gateway {
    /// Starts a gateway: when it returns, every listener accepts.
    ///
    /// # Errors
    /// An address that can't be bound, a CPU that the process may not use, a system without descriptors. Each says
    /// which.
    pub fn start(config: &Config, options: Options) -> io::Result<Gateway> {
        let cores = shard_cores(&config.runtime.cores)?;
        let snapshot = Arc::new(Snapshot::compile(config).map_err(io::Error::other)?);
        raise_descriptors(config.limits.connections as u64);
        let mut bound = bind_all(config, cores.len())?;
        let listeners = started(config, &bound);
        let log = match snapshot.access_log {
            true => Some(LogWriter::start(options.access_log.unwrap_or_else(|| Box::new(io::stdout())))?),
            false => None,
        };
        let boxes = cores.iter().map(|_| mailbox()).collect::<io::Result<Vec<_>>>()?;
        let mailboxes: Vec<Sender<Message>> = boxes.iter().map(|(sender, _)| sender.clone()).collect();
        let permits = Permits::new(config.limits.connections);
        let (tell, events) = mpsc::channel();
        for ((index, core), (_, receiver)) in cores.iter().enumerate().zip(boxes) {
            let plan = Plan {
                index,
                core: (!options.unpinned).then_some(*core),
                driver: options.driver,
                entries: config.runtime.ring_entries.unwrap_or(RING_ENTRIES),
                snapshot: snapshot.clone(),
                permits: permits.clone(),
                log: log.as_ref().map(LogWriter::handle),
                bound: bound
                    .iter_mut()
                    .enumerate()
                    .filter_map(|(at, sockets)| sockets.pop().map(|s| (at, s)))
                    .collect(),
                mailboxes: mailboxes.clone(),
            };
            shards::start(plan, receiver, tell.clone())?;
        }
        let mut gateway = Gateway {
            listeners,
            driver: Chosen { driver: ringgate_rt::driver::Driver::Epoll, why: String::new() },
            counters: Vec::new(),
            mailboxes,
            events,
            tell,
            running: cores.len(),
            log,
            deadline: config.shutdown.deadline,
        };
        gateway.wait_until_started()?;
        Ok(gateway)
    }

    fn wait_until_started(&mut self) -> io::Result<()> {
        while self.counters.len() < self.running {
            match self.events.recv().map_err(io::Error::other)? {
                Event::Started(chosen, counters) => {
                    self.driver = chosen;
                    self.counters.push(counters);
                }
                Event::Ended(_, result) => {
                    return Err(result.err().unwrap_or_else(|| io::Error::other("a shard ended")));
                }
                Event::Signal(_) | Event::Logged(_) => {}
            }
        }
        Ok(())
    }

    fn run_until_stopped(mut self) -> ExitCode {
        if let Err(error) = self.listen_for_signals() {
            say(&format!("can't listen for signals: {error}"));
            return ExitCode::FAILURE;
        }
        self.report();
        loop {
            match self.events.recv() {
                Ok(Event::Signal(SIGHUP)) => say("reload is not part of this version: nothing was changed"),
                Ok(Event::Signal(SIGQUIT)) => return self.stop(None),
                Ok(Event::Signal(_)) => {
                    let deadline = self.deadline;
                    return self.stop(Some(deadline));
                }
                Ok(Event::Ended(index, result)) => {
                    self.running -= 1;
                    say(&format!(
                        "shard {index} has ended: {}",
                        result.err().map_or_else(|| "no error".into(), |e| e.to_string())
                    ));
                    if self.running == 0 {
                        return ExitCode::FAILURE;
                    }
                }
                Ok(Event::Started(..) | Event::Logged(_)) => {}
                Err(_) => return ExitCode::FAILURE,
            }
        }
    }

    fn listen_for_signals(&self) -> io::Result<()> {
        let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGQUIT, SIGHUP])?;
        let tell = self.tell.clone();
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in signals.forever() {
                if tell.send(Event::Signal(signal)).is_err() {
                    return;
                }
            }
        })?;
        Ok(())
    }

    /// The start report: one line of JSON on stderr.
    fn report(&self) {
        let mut line = b"{\"event\":\"started\"".to_vec();
        json::text(&mut line, "version", Some(env!("CARGO_PKG_VERSION").as_bytes()));
        line.extend_from_slice(b",\"listeners\":[");
        for (at, listener) in self.listeners.iter().enumerate() {
            if at > 0 {
                line.push(b',');
            }
            let address = address_text(&listener.address);
            json::object(&mut line, &[("name", listener.name.as_bytes()), ("address", address.as_bytes())]);
        }
        line.push(b']');
        json::text(&mut line, "driver", Some(self.driver.driver.name().as_bytes()));
        json::text(&mut line, "ring_flags", Some(self.driver.driver.flags().as_bytes()));
        json::text(&mut line, "driver_why", Some(self.driver.why.as_bytes()));
        json::number(&mut line, "shards", Some(self.running as u64));
        json::number(&mut line, "pid", Some(u64::from(std::process::id())));
        line.extend_from_slice(b"}\n");
        let _ = io::stderr().lock().write_all(&line);
    }

    /// Stops: nothing new is accepted, idle connections are closed, exchanges may finish until the deadline (none: for
    /// as long as they take). A signal that ends the process ends it at once.
    pub fn stop(mut self, deadline: Option<Duration>) -> ExitCode {
        self.tell_all(|| Message::Drain);
        let begun = Instant::now();
        let mut aborted = false;
        while self.running > 0 {
            let limit = if aborted { Some(ABORT_GRACE + deadline.unwrap_or_default()) } else { deadline };
            let event = match limit {
                Some(limit) => self.events.recv_timeout(limit.saturating_sub(begun.elapsed())),
                None => self.events.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
            };
            match event {
                Ok(Event::Ended(..)) => self.running -= 1,
                Ok(Event::Signal(SIGTERM | SIGINT | SIGQUIT)) => {
                    say("stopped at once");
                    return ExitCode::SUCCESS;
                }
                Ok(_) => {}
                Err(mpsc::RecvTimeoutError::Timeout) if !aborted => {
                    say("the deadline for stopping has passed: exchanges that still run are ended");
                    self.tell_all(|| Message::Abort);
                    aborted = true;
                }
                Err(_) => {
                    say("some exchanges did not end: stopped without them");
                    return ExitCode::SUCCESS;
                }
            }
        }
        if let Some(log) = self.log.take() {
            let until = deadline.map(|deadline| (begun + deadline).max(Instant::now() + LOG_GRACE));
            self.finish_log(log, until);
        }
        ExitCode::SUCCESS
    }

    /// Waits until the access log is written: whoever takes it may be slow, or stuck.
    fn finish_log(&self, log: LogWriter, until: Option<Instant>) {
        let tell = self.tell.clone();
        let waiter = std::thread::Builder::new().name("log-end".into());
        let waiting = waiter.spawn(move || tell.send(Event::Logged(log.finish())));
        if waiting.is_err() {
            return say("the end of the access log could not be waited for");
        }
        loop {
            let event = match until {
                Some(until) => self.events.recv_timeout(until.saturating_duration_since(Instant::now())),
                None => self.events.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
            };
            match event {
                Ok(Event::Logged(0)) => return,
                Ok(Event::Logged(lost)) => return say(&format!("{lost} lines of the access log were lost")),
                Ok(Event::Signal(SIGTERM | SIGINT | SIGQUIT)) => return say("stopped at once"),
                Ok(_) => {}
                Err(_) => return say("nobody takes the access log: its last lines were lost"),
            }
        }
    }

    fn tell_all(&self, message: impl Fn() -> Message) {
        for mailbox in &self.mailboxes {
            let mut waiting = message();
            // Full only while the shard is behind: it empties its mailbox every turn. One that has ended needs no word.
            while let Err(back) = mailbox.send(waiting) {
                if mailbox.closed() {
                    break;
                }
                waiting = back;
                std::thread::yield_now();
            }
        }
    }
}

/// The CPUs to run a shard on each.
fn shard_cores(asked: &Cores) -> io::Result<Vec<usize>> {
    let Cores::List(list) = asked else { return Ok(cores::automatic()) };
    let allowed = cores::allowed();
    match list.iter().find(|core| !allowed.contains(core)) {
        Some(core) => Err(io::Error::other(format!(
            "runtime.cores names CPU {core}, but this process may only use {allowed:?}; change the list, or the process's CPU set"
        ))),
        None => Ok(list.clone()),
    }
}

fn raise_descriptors(connections: u64) {
    let wanted = connections * 2 + DESCRIPTORS_BESIDES;
    match descriptors::raise_limit(wanted) {
        Ok(now) if now >= wanted => {}
        Ok(now) => say(&format!(
            "the limit on open descriptors is {now}, but limits.connections ({connections}) needs {wanted}: raise LimitNOFILE \
             (systemd) or ulimit -n, or lower limits.connections to {}",
            now.saturating_sub(DESCRIPTORS_BESIDES) / 2
        )),
        Err(error) => say(&format!("can't read or raise the limit on open descriptors: {error}")),
    }
}

/// One list of sockets for each listener: one socket for each shard, or a single one.
fn bind_all(config: &Config, shards: usize) -> io::Result<Vec<Vec<Bound>>> {
    let mut all = Vec::new();
    for listener in &config.listeners {
        let address = match &listener.address {
            ConfigAddress::Tcp(at) => Address::Tcp(*at),
            ConfigAddress::Unix(path) => Address::Unix(path.clone()),
        };
        let bound = listener::bind(&address, shards).map_err(|error| {
            let hint = match error.kind() {
                io::ErrorKind::AddrInUse => "; is another instance running?",
                io::ErrorKind::PermissionDenied => "; ports below 1024 need CAP_NET_BIND_SERVICE",
                _ => "",
            };
            io::Error::new(
                error.kind(),
                format!("listener {}: can't listen on {}: {error}{hint}", listener.name, listener.address),
            )
        })?;
        all.push(bound);
    }
    Ok(all)
}

fn started(config: &Config, bound: &[Vec<Bound>]) -> Vec<Started> {
    let listeners = config.listeners.iter().zip(bound);
    listeners
        .filter_map(|(listener, sockets)| {
            sockets.first().map(|socket| Started { name: listener.name.clone(), address: socket.address().clone() })
        })
        .collect()
}

fn address_text(address: &Address) -> String {
    match address {
        Address::Tcp(at) => at.to_string(),
        Address::Unix(path) => format!("unix:{}", path.display()),
    }
}
