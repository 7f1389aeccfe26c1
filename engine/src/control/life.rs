//! `ringgate run`: from the file to the last exchange, by signals and by calls of the admin API.

use super::diary::{self, fail, report_panics, say, warn};
use super::event::Event;
use super::gateway::{Gateway, Options};
use super::notify::{self, Watchdog};
use super::reload::{self, Loaded, Outcome, Refused, Reloads};
use super::report;
use super::shards::{FromShard, Message};
use super::watch::Watch;
use crate::proxy::Note;
use ringgate_config::{Config, diff};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

/// How often old snapshots are looked at while shards still hold them.
const FREE_EVERY: Duration = Duration::from_secs(1);

/// Signals to stop that end the process whatever its control thread does: that may wait for the system. The second one
/// is that thread's.
const STOPS_MAX: usize = 3;

/// Runs the gateway of this file until a signal ends it.
pub fn run(path: &Path, options: Options) -> ExitCode {
    run_and(path, options, report::started)
}

/// The same, with something else to say once every listener accepts.
pub(super) fn run_and(path: &Path, options: Options, tell: impl FnOnce(&Gateway)) -> ExitCode {
    let config = match ringgate_config::load(path, &crate::secure::Inspector) {
        Ok(config) => config,
        Err(diagnostics) => {
            eprintln!("{diagnostics}");
            return ExitCode::FAILURE;
        }
    };
    report_panics();
    options.log_level.adopt();
    let _last_lines = diary::begin();
    live(path, &config, options, tell)
}

/// From a good configuration to the end.
fn live(path: &Path, config: &Config, options: Options, tell: impl FnOnce(&Gateway)) -> ExitCode {
    config.warnings.iter().for_each(|warning| warn(&warning.to_string()));
    let started = Gateway::start(config, options).and_then(|gateway| {
        listen_for_signals(gateway.tell.clone())?;
        Ok(gateway)
    });
    match started {
        Ok(gateway) => {
            gateway.admin.board.update(|status| status.file = Some(path.to_owned()));
            tell(&gateway);
            notify::ready(&config.summary());
            let life = Life {
                path: path.to_owned(),
                gateway,
                reloads: Reloads::default(),
                watchdog: Watchdog::new(),
                watch: Watch::default(),
                stop_at: None,
            };
            life.run()
        }
        Err(error) => {
            fail(&format!("{}: can't start: {error}", path.display()));
            ExitCode::FAILURE
        }
    }
}

fn listen_for_signals(tell: mpsc::Sender<Event>) -> io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        let mut stops = 0;
        for signal in signals.forever() {
            stops += usize::from(matches!(signal, SIGTERM | SIGINT | SIGQUIT));
            if stops >= STOPS_MAX {
                fail("ended at once, by a third signal: the gateway did not stop by the first two");
                diary::finish();
                std::process::exit(1);
            }
            // Nobody listens any more when the process is ending.
            let _ = tell.send(Event::Signal(signal));
        }
    })?;
    Ok(())
}

/// A gateway that runs.
struct Life {
    path: PathBuf,
    gateway: Gateway,
    reloads: Reloads,
    watchdog: Watchdog,
    watch: Watch,
    /// It has been told to stop: it does so then.
    stop_at: Option<Instant>,
}

/// What follows from an event.
enum Next {
    Go,
    Stop(Option<Duration>),
    Exit(ExitCode),
}

impl Life {
    fn run(mut self) -> ExitCode {
        loop {
            let Some(event) = self.gateway.next_event(self.wakes_at()) else {
                if self.stop_at.is_some_and(|at| at <= Instant::now()) {
                    let deadline = self.gateway.config.shutdown.deadline;
                    return self.gateway.stop(Some(deadline));
                }
                self.gateway.free_snapshots();
                self.feed();
                continue;
            };
            self.feed();
            match self.handle(event) {
                Next::Go => {}
                Next::Stop(deadline) => return self.gateway.stop(deadline),
                Next::Exit(code) => return code,
            }
        }
    }

    fn wakes_at(&self) -> Option<Instant> {
        let free = self.gateway.has_old_snapshots().then(|| Instant::now() + FREE_EVERY);
        let watch = self.watch.due(&self.gateway.secured, Instant::now());
        [self.stop_at, free, self.watchdog.due(), self.reloads.due(), watch].into_iter().flatten().min()
    }

    /// What is to be done now and then, whatever happens.
    fn feed(&mut self) {
        self.reloads.complain(&self.path, Instant::now());
        self.watch.turn(&self.gateway.secured, &self.gateway.tell, Instant::now());
        if self.watchdog.turn(self.gateway.running) {
            self.gateway.tell_all(|| Message::Answer);
        }
    }

    fn handle(&mut self, event: Event) -> Next {
        match event {
            Event::Signal(SIGHUP) => self.ask_for_reload(),
            Event::Signal(SIGUSR1) => self.gateway.reopen_log(),
            Event::Signal(SIGQUIT) => return Next::Stop(None),
            Event::Signal(_) => return self.terminate(),
            Event::Loaded(loaded) => self.loaded(*loaded),
            Event::Shard(FromShard::Note(Note::Warning(what))) => warn(&what),
            Event::Shard(FromShard::Note(Note::Fact(what))) => say(&what),
            Event::Looked(changes) => {
                self.watch.done(Instant::now());
                self.gateway.certificates_changed(&changes);
            }
            Event::Admin(asked) => {
                if self.gateway.change(*asked, self.reloads.running(), self.stop_at.is_some()) {
                    self.ask_for_reload();
                }
            }
            Event::Shard(FromShard::Answered) => self.watchdog.heard(),
            Event::Shard(FromShard::Ended(index, result)) => {
                self.gateway.running -= 1;
                let why = result.err().map_or_else(|| "no error".into(), |e| e.to_string());
                fail(&format!("shard {index} has ended: {why}"));
                if self.gateway.running == 0 {
                    return Next::Exit(ExitCode::FAILURE);
                }
            }
            Event::Shard(FromShard::Started(..) | FromShard::Adopted(_)) | Event::Logged(_) => {}
        }
        Next::Go
    }

    /// TERM: says that it is not ready, and stops after `shutdown.delay`. A second one: at once.
    fn terminate(&mut self) -> Next {
        let shutdown = self.gateway.config.shutdown.clone();
        if self.stop_at.is_some() {
            say("stopped at once");
            return Next::Exit(ExitCode::SUCCESS);
        }
        if shutdown.delay.is_zero() {
            return Next::Stop(Some(shutdown.deadline));
        }
        say(&format!("not ready from now on; stopping in {:?}", shutdown.delay));
        self.gateway.say_stopping();
        self.stop_at = Some(Instant::now() + shutdown.delay);
        Next::Go
    }

    fn ask_for_reload(&mut self) {
        if self.stop_at.is_some() {
            return warn("no reload: the gateway is stopping");
        }
        notify::reloading();
        self.reloads.ask(&self.path, self.gateway.snapshot(), &self.gateway.tell);
    }

    fn loaded(&mut self, loaded: Loaded) {
        let Loaded { begun, result } = loaded;
        let adopted = result.and_then(|(config, snapshot)| {
            let warnings = config.warnings.iter().map(ToString::to_string).collect();
            let differs = diff::documents(&self.gateway.config, &config);
            self.gateway.adopt(config, snapshot).map_err(|error| Refused::Other(error.to_string()))?;
            Ok((differs, warnings))
        });
        let outcome = match adopted {
            Ok((differs, warnings)) => self.outcome(begun, |outcome| {
                let (kept, changes): (Vec<_>, Vec<_>) = differs.into_iter().partition(|change| change.needs_restart);
                outcome.changes = changes.iter().map(ToString::to_string).collect();
                outcome.kept = kept.iter().map(ToString::to_string).collect();
                outcome.warnings = warnings;
            }),
            Err(refused) => self.outcome(begun, |outcome| outcome.errors = refused.reasons()),
        };
        self.gateway.registry.reloaded(outcome.succeeded(), outcome.took);
        reload::report(&self.path, &outcome);
        self.gateway.reloaded(outcome);
        notify::ready(&self.gateway.config.summary());
        if self.reloads.done() {
            self.ask_for_reload();
        }
    }

    fn outcome(&self, begun: Instant, fill: impl FnOnce(&mut Outcome)) -> Outcome {
        let mut outcome = Outcome {
            at: SystemTime::now(),
            took: begun.elapsed(),
            errors: Vec::new(),
            changes: Vec::new(),
            kept: Vec::new(),
            warnings: Vec::new(),
            generation: self.gateway.generation,
        };
        fill(&mut outcome);
        outcome
    }
}
