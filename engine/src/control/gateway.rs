//! The process: its shards, its listeners and the configuration that they go by. One thread owns it.

use super::admin::{Admin, Status};
use super::diary::{LogLevel, warn};
use super::event::Event;
use super::listeners::{Listeners, Prepared, Started};
use super::shards::{self, FromShard, LogChange, Message, Plan, Turnover};
use super::state_dir::StateDir;
use super::telling::tell;
use super::watch::show_expiry;
use crate::observe::{LogWriter, Output, Registry, RetiredLog};
use crate::proxy::{Permits, Readiness, Snapshot};
use crate::secure::Holdings;
use ringgate_config::{AccessLog, Config, Cores, LogTarget};
use ringgate_rt::counters::Counters;
use ringgate_rt::driver::{Choice, Chosen, RING_ENTRIES};
use ringgate_rt::identity::Identity;
use ringgate_rt::listener::Bound;
use ringgate_rt::mailbox::{Sender, mailbox};
use ringgate_rt::{cores, descriptors};
use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// Descriptors that the process needs besides two for each client connection.
const DESCRIPTORS_BESIDES: u64 = 256;
/// How long the shards may take to go over to another configuration before that is complained of.
const ADOPTED_WITHIN: Duration = Duration::from_secs(10);
/// How long a shard's mailbox may stay full before the shard counts as stuck, and is not told.
const TOLD_WITHIN: Duration = Duration::from_secs(5);

/// How a gateway is started, besides its configuration.
#[derive(Default)]
pub struct Options {
    /// The driver asked for.
    pub driver: Choice,
    /// Where access-log lines go instead of standard output, if the configuration wants any there.
    pub access_log: Option<Box<dyn Write + Send>>,
    /// Leave the shards' threads where the system puts them.
    pub unpinned: bool,
    /// Listening sockets that were open already, under the names that they were given.
    pub inherited: Vec<(String, Bound)>,
    /// How much of what the process does is said on stderr; only for [`run`](super::run).
    pub log_level: LogLevel,
    /// Whom the process goes on as, once its listeners are bound.
    pub user: Option<Identity>,
}

/// A running gateway.
pub struct Gateway {
    /// The listeners as bound.
    pub listeners: Vec<Started>,
    /// The driver of the first shard.
    pub driver: Chosen,
    /// What each shard has done so far.
    pub counters: Vec<Arc<Counters>>,
    pub(super) config: Arc<Config>,
    pub(super) generation: u64,
    pub(super) readiness: Readiness,
    pub(super) permits: Permits,
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) tell: mpsc::Sender<Event>,
    /// Shards that have not ended.
    pub(super) running: usize,
    pub(super) log: Option<LogWriter>,
    /// Logs that were replaced and are not written to their end.
    pub(super) retired_logs: Vec<RetiredLog>,
    /// Held for as long as it is configured.
    state: Option<StateDir>,
    /// What secures connections.
    pub(super) secured: Holdings,
    /// What is counted.
    pub(super) registry: Arc<Registry>,
    pub(super) admin: Admin,
    mailboxes: Vec<Sender<Message>>,
    open: Listeners,
    /// Snapshots that shards may still hold. The last to let go of one is this thread: freeing a large one takes time
    /// that no shard has.
    snapshots: Vec<Arc<Snapshot>>,
    /// Events that came while others were waited for.
    deferred: VecDeque<Event>,
}

impl Gateway {
    /// Starts a gateway: when it returns, every listener accepts.
    ///
    /// # Errors
    /// An address that can't be bound, a CPU that the process may not use, a user that can't be assumed, a log that can't
    /// be opened, a system without descriptors. Each says which.
    pub fn start(config: &Config, options: Options) -> io::Result<Gateway> {
        let cores = shard_cores(&config.runtime.cores)?;
        let mut snapshot = Snapshot::compile(config, None).map_err(io::Error::other)?;
        let registry = Registry::new(cores.len());
        snapshot.count_in(registry.assign(config));
        raise_descriptors(config.limits.connections as u64);
        let open = Listeners::new(cores.len(), options.inherited);
        let prepared = open.prepare(config)?;
        for name in open.unclaimed(&prepared) {
            warn(&format!("the inherited socket {name} is no listener's: name it as one, or give one its address"));
        }
        // Logs are opened by whom has to open them again later, and no file is made for root in another's directory.
        options.user.as_ref().map_or(Ok(()), |user| become_another(user, config))?;
        let log = config.access_log.as_ref().map(|log| start_log(log, options.access_log, &registry)).transpose()?;
        let (tell, events) = mpsc::channel();
        let (config, readiness) = (Arc::new(config.clone()), Readiness::default());
        let permits = Permits::new(config.limits.connections);
        let mut gateway = Gateway {
            admin: Admin::new(Status::starting(config.clone(), &permits, &readiness), tell.clone(), registry.clone()),
            listeners: Vec::new(),
            driver: Chosen { driver: ringgate_rt::driver::Driver::Epoll, why: String::new() },
            counters: Vec::new(),
            secured: snapshot.secured(),
            state: config.state_dir.as_deref().map(StateDir::open).transpose()?,
            config,
            generation: 1,
            readiness,
            permits,
            events,
            tell,
            running: cores.len(),
            log,
            retired_logs: Vec::new(),
            mailboxes: Vec::new(),
            open,
            registry,
            snapshots: vec![Arc::new(snapshot)],
            deferred: VecDeque::new(),
        };
        show_expiry(&gateway.registry, &gateway.secured);
        let admin = gateway.admin.prepare(&gateway.config)?;
        gateway.admin.commit(admin);
        let pinned = !options.unpinned;
        gateway.start_shards(&cores, pinned, options.driver, prepared)?;
        gateway.wait_until_started()?;
        gateway.readiness.set(true);
        gateway.publish();
        Ok(gateway)
    }

    fn start_shards(&mut self, cores: &[usize], pinned: bool, driver: Choice, prepared: Prepared) -> io::Result<()> {
        let boxes = cores.iter().map(|_| mailbox()).collect::<io::Result<Vec<_>>>()?;
        self.mailboxes = boxes.iter().map(|(sender, _)| sender.clone()).collect();
        let begins = self.turnovers(prepared, true);
        for (((index, core), (_, receiver)), begin) in cores.iter().enumerate().zip(boxes).zip(begins) {
            let runtime = &self.config.runtime;
            let tuned = runtime.per_core.get(core).and_then(|own| own.ring_entries);
            let plan = Plan {
                index,
                core: pinned.then_some(*core),
                driver,
                entries: tuned.or(runtime.ring_entries).unwrap_or(RING_ENTRIES),
                permits: self.permits.clone(),
                readiness: self.readiness.clone(),
                series: self.registry.shard(index),
                begin,
                mailboxes: self.mailboxes.clone(),
                events: self.tell.clone(),
            };
            shards::start(plan, receiver)?;
        }
        Ok(())
    }

    /// What each shard is to go by, and from here on the process too.
    fn turnovers(&mut self, mut prepared: Prepared, another_log: bool) -> Vec<Turnover> {
        let here = std::mem::take(&mut prepared.here);
        self.open.commit(prepared);
        self.listeners = self.open.started();
        let snapshot = self.snapshot();
        let turnover = |(listeners, snapshot)| Turnover {
            generation: self.generation,
            snapshot,
            log: match another_log {
                true => LogChange::To(self.log.as_ref().map(LogWriter::handle)),
                false => LogChange::None,
            },
            listeners,
        };
        here.into_iter().zip(std::iter::repeat(snapshot).flatten()).map(turnover).collect()
    }

    fn wait_until_started(&mut self) -> io::Result<()> {
        while self.counters.len() < self.running {
            match self.events.recv().map_err(io::Error::other)? {
                Event::Shard(FromShard::Started(chosen, counters)) => {
                    self.driver = chosen;
                    self.counters.push(counters);
                }
                Event::Shard(FromShard::Ended(_, result)) => {
                    return Err(result.err().unwrap_or_else(|| io::Error::other("a shard ended")));
                }
                other => self.deferred.push_back(other),
            }
        }
        Ok(())
    }

    /// Goes over to another configuration, compiled already. When it returns, new requests go by it on every shard.
    ///
    /// # Errors
    /// A listener or a log that can't be opened. Then nothing has changed.
    pub(super) fn adopt(&mut self, mut config: Config, mut snapshot: Snapshot) -> io::Result<()> {
        // Cores and rings are what they are until the process ends.
        config.runtime = self.config.runtime.clone();
        let prepared = self.open.prepare(&config)?;
        let log = self.next_log(&config)?;
        let state = self.next_state(&config)?;
        let admin = self.admin.prepare(&config)?;
        // From here on nothing can fail.
        if let Some(state) = state {
            self.state = state;
        }
        let another_log = log.is_some();
        if let Some(log) = log {
            // The old one writes what it still has.
            self.retired_logs.retain(|retired| !retired.is_done());
            let old = std::mem::replace(&mut self.log, log);
            self.retired_logs.extend(old.map(LogWriter::retire));
        }
        raise_descriptors(config.limits.connections as u64);
        self.permits.set_max(config.limits.connections);
        snapshot.count_in(self.registry.assign(&config));
        self.secured = snapshot.secured();
        show_expiry(&self.registry, &self.secured);
        self.config = Arc::new(config);
        self.generation += 1;
        self.snapshots.push(Arc::new(snapshot));
        let turnovers = self.turnovers(prepared, another_log);
        let told =
            self.tell_each(turnovers.into_iter().map(|turnover| Message::Turnover(Box::new(turnover))).collect());
        self.wait_until_adopted(&told);
        self.publish();
        self.admin.commit(admin);
        self.free_snapshots();
        Ok(())
    }

    /// Loads nothing and compiles here: for those who have a configuration at hand.
    ///
    /// # Errors
    /// As when it is read from a file: then nothing has changed.
    pub fn reload(&mut self, config: &Config) -> io::Result<()> {
        let begun = Instant::now();
        let compiled = Snapshot::compile(config, self.snapshot().as_deref()).map_err(io::Error::other);
        let adopted = compiled.and_then(|snapshot| self.adopt(config.clone(), snapshot));
        self.registry.reloaded(adopted.is_ok(), begun.elapsed());
        adopted
    }

    /// Has the access log's file opened anew, after it was moved away.
    pub fn reopen_log(&self) {
        self.log.iter().for_each(LogWriter::reopen);
    }

    /// Every metric, in the text that Prometheus takes.
    pub fn metrics(&self) -> String {
        self.registry.exposition()
    }

    /// Waits until these shards go by the current configuration, or have ended.
    fn wait_until_adopted(&mut self, told: &[usize]) {
        let begun = Instant::now();
        let mut waiting = told.len();
        while waiting > 0 {
            match self.events.recv_timeout(ADOPTED_WITHIN.saturating_sub(begun.elapsed())) {
                Ok(Event::Shard(FromShard::Adopted(generation))) if generation == self.generation => waiting -= 1,
                Ok(Event::Shard(FromShard::Adopted(_))) => {}
                Ok(other) => {
                    if matches!(&other, Event::Shard(FromShard::Ended(index, _)) if told.contains(index)) {
                        waiting -= 1;
                    }
                    self.deferred.push_back(other);
                }
                Err(_) => {
                    warn(&format!(
                        "{waiting} shards have not taken the new configuration over yet: they are busy or stuck"
                    ));
                    return;
                }
            }
        }
    }

    /// What the shards go by.
    pub(super) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.snapshots.last().cloned()
    }

    /// Frees the snapshots that no shard holds any more.
    pub(super) fn free_snapshots(&mut self) {
        let current = self.snapshots.pop();
        self.snapshots.retain(|snapshot| Arc::strong_count(snapshot) > 1);
        self.snapshots.extend(current);
    }

    /// Configurations that are in memory: 1 once nothing of an old one is in use.
    pub fn snapshots_alive(&self) -> usize {
        self.snapshots.iter().rev().skip(1).filter(|snapshot| Arc::strong_count(snapshot) > 1).count() + 1
    }

    /// Whether snapshots other than the current one are waited for.
    pub(super) fn has_old_snapshots(&self) -> bool {
        self.snapshots.len() > 1
    }

    /// The directory of this configuration, if it is another one than now.
    fn next_state(&self, config: &Config) -> io::Result<Option<Option<StateDir>>> {
        if config.state_dir.as_deref() == self.state.as_ref().map(StateDir::path) {
            return Ok(None);
        }
        config.state_dir.as_deref().map(StateDir::open).transpose().map(Some)
    }

    /// The writer for this configuration, if it is another one than now.
    fn next_log(&self, config: &Config) -> io::Result<Option<Option<LogWriter>>> {
        let target = |config: &Config| config.access_log.as_ref().map(|log| log.to.clone());
        if target(config) == target(&self.config) {
            return Ok(None);
        }
        config.access_log.as_ref().map(|log| start_log(log, None, &self.registry)).transpose().map(Some)
    }

    /// The next event; none when `until` has passed.
    pub(super) fn next_event(&mut self, until: Option<Instant>) -> Option<Event> {
        if let Some(event) = self.deferred.pop_front() {
            return Some(event);
        }
        match until {
            Some(until) => self.events.recv_timeout(until.saturating_duration_since(Instant::now())).ok(),
            None => self.events.recv().ok(),
        }
    }

    pub(super) fn tell_all(&self, message: impl Fn() -> Message) {
        self.tell_each(self.mailboxes.iter().map(|_| message()).collect());
    }

    /// Gives each shard its message. Returns those that have it: neither ended, nor stuck.
    fn tell_each(&self, messages: Vec<Message>) -> Vec<usize> {
        let told = tell(&self.mailboxes, messages, TOLD_WITHIN);
        for shard in told.stuck {
            warn(&format!("shard {shard} has taken no message for {TOLD_WITHIN:?}: it is stuck, and was not told"));
        }
        told.told
    }
}

/// Opens the access log. What has been asked for on standard output goes to `stdout` if that is given.
fn start_log(log: &AccessLog, stdout: Option<Box<dyn Write + Send>>, registry: &Registry) -> io::Result<LogWriter> {
    let out = match (&log.to, stdout) {
        (LogTarget::Stdout, Some(stdout)) => Output::Stream(stdout),
        (target, _) => {
            let said = |error: io::Error| io::Error::new(error.kind(), format!("access_log: {error}"));
            Output::open(target).map_err(said)?
        }
    };
    LogWriter::start(out, registry.log().clone(), warn)
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

fn become_another(user: &Identity, config: &Config) -> io::Result<()> {
    user.assume().map_err(|error| io::Error::new(error.kind(), format!("--user {}: {error}", user.name)))?;
    for file in &config.files {
        if let Err(error) = std::fs::File::open(file) {
            warn(&format!("{} can't read {}: {error}; a reload will fail", user.name, file.display()));
        }
    }
    Ok(())
}

fn raise_descriptors(connections: u64) {
    let wanted = connections * 2 + DESCRIPTORS_BESIDES;
    match descriptors::raise_limit(wanted) {
        Ok(now) if now >= wanted => {}
        Ok(now) => warn(&format!(
            "the limit on open descriptors is {now}, but limits.connections ({connections}) needs {wanted}: raise LimitNOFILE \
             (systemd) or ulimit -n, or lower limits.connections to {}",
            now.saturating_sub(DESCRIPTORS_BESIDES) / 2
        )),
        Err(error) => warn(&format!("can't read or raise the limit on open descriptors: {error}")),
    }
}
