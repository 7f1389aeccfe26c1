//! Reading another configuration while the gateway runs: on a thread of its own, one at a time, and what came of it.

use super::diary::{fail, say, warn};
use super::event::Event;
use crate::proxy::Snapshot;
use ringgate_config::{Config, Diagnostics};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

/// Changes that are logged of one reload.
const CHANGES_LOGGED_MAX: usize = 50;

/// A configuration that was read for a reload.
pub(super) struct Loaded {
    pub(super) begun: Instant,
    pub(super) result: Result<(Config, Snapshot), Refused>,
}

/// Why a configuration can't be used.
pub(super) enum Refused {
    /// The file is wrong.
    File(Diagnostics),
    /// The file is good, but what it asks for can't be had.
    Other(String),
}

impl Refused {
    /// Each reason, for the log and the admin API.
    pub(super) fn reasons(&self) -> Vec<String> {
        match self {
            Refused::File(diagnostics) => diagnostics.iter().map(ToString::to_string).collect(),
            Refused::Other(reason) => vec![reason.clone()],
        }
    }
}

/// What came of a reload.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) at: SystemTime,
    pub(crate) took: Duration,
    /// Why nothing was changed; empty if it was.
    pub(crate) errors: Vec<String>,
    /// What is different now.
    pub(crate) changes: Vec<String>,
    /// Keys that have changed in the file but can't while the process runs.
    pub(crate) kept: Vec<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) generation: u64,
}

impl Outcome {
    pub(crate) fn succeeded(&self) -> bool {
        self.errors.is_empty()
    }
}

/// Reloads one after the other; what is asked for meanwhile is one more, whatever the number.
#[derive(Default)]
pub(super) struct Reloads {
    running: bool,
    again: bool,
}

impl Reloads {
    /// Asks for one. Begins to read the file unless that is going on.
    pub(super) fn ask(&mut self, path: &Path, tell: &mpsc::Sender<Event>) {
        if self.running {
            self.again = true;
            return;
        }
        self.running = true;
        let (path, sender) = (path.to_owned(), tell.clone());
        let reading = std::thread::Builder::new().name("reload".into()).spawn(move || {
            let begun = Instant::now();
            let read = std::panic::catch_unwind(|| read(&path));
            let result = read.unwrap_or_else(|_| Err(Refused::Other("reading the file panicked".into())));
            // Nobody listens any more when the process is ending.
            let _ = sender.send(Event::Loaded(Box::new(Loaded { begun, result })));
        });
        if let Err(error) = reading {
            self.running = false;
            fail(&format!("reload failed: no thread to read the file: {error}"));
        }
    }

    /// Whether one is going on.
    pub(super) fn running(&self) -> bool {
        self.running
    }

    /// What was asked for last is done. Returns whether another one was asked for meanwhile.
    pub(super) fn done(&mut self) -> bool {
        self.running = false;
        std::mem::take(&mut self.again)
    }
}

fn read(path: &Path) -> Result<(Config, Snapshot), Refused> {
    let config = ringgate_config::load(path).map_err(Refused::File)?;
    let snapshot = Snapshot::compile(&config).map_err(|error| Refused::Other(error.to_string()))?;
    Ok((config, snapshot))
}

/// Logs what came of a reload, a line each.
pub(super) fn report(path: &Path, outcome: &Outcome) {
    let took = outcome.took.as_secs_f64() * 1000.0;
    outcome.warnings.iter().for_each(|warning| warn(&format!("reload: {warning}")));
    if !outcome.succeeded() {
        outcome.errors.iter().for_each(|error| fail(&format!("reload: {error}")));
        let count = outcome.errors.len();
        return fail(&format!(
            "reload of {} failed after {took:.1} ms: {count} errors, nothing was changed",
            path.display()
        ));
    }
    outcome.changes.iter().take(CHANGES_LOGGED_MAX).for_each(|change| say(&format!("reload: {change}")));
    if let Some(more) = outcome.changes.len().checked_sub(CHANGES_LOGGED_MAX).filter(|more| *more > 0) {
        say(&format!("reload: and {more} more changes: `ringgate diff OLD NEW` shows all"));
    }
    outcome
        .kept
        .iter()
        .for_each(|key| warn(&format!("reload: {key} can't change while the process runs: it was kept")));
    let count = outcome.changes.len();
    say(&format!(
        "reload of {} done in {took:.1} ms: {count} changes, generation {}",
        path.display(),
        outcome.generation
    ));
}
