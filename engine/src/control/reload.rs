//! Reading another configuration while the gateway runs: on a thread of its own, one at a time, and what came of it.

use super::diary::{fail, say, warn};
use super::event::Event;
use crate::proxy::Snapshot;
use ringgate_config::{Config, Diagnostics};
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime};

/// Changes that are logged of one reload.
const CHANGES_LOGGED_MAX: usize = 50;
/// How long reading the file may take before that is complained of.
const READ_WITHIN: Duration = Duration::from_secs(10);

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
    /// When the one that is going on was begun.
    begun: Option<Instant>,
    again: bool,
    /// It was complained that it takes long.
    complained: bool,
}

impl Reloads {
    /// Asks for one. Begins to read the file unless that is going on. Whatever comes of it, [`Event::Loaded`] is told.
    /// `now` is what the shards go by.
    pub(super) fn ask(&mut self, path: &Path, now: Option<Arc<Snapshot>>, tell: &mpsc::Sender<Event>) {
        let thread = std::thread::Builder::new().name("reload".into());
        self.ask_on(path, now, tell, |reading| thread.spawn(reading).map(drop));
    }

    /// The same with something else that makes threads.
    fn ask_on(
        &mut self,
        path: &Path,
        now: Option<Arc<Snapshot>>,
        tell: &mpsc::Sender<Event>,
        spawn: impl FnOnce(Box<dyn FnOnce() + Send>) -> io::Result<()>,
    ) {
        if self.begun.is_some() {
            say("reload: one is going on already: the file is read once more when that is done");
            self.again = true;
            return;
        }
        let begun = Instant::now();
        self.begun = Some(begun);
        self.complained = false;
        let (path, sender) = (path.to_owned(), tell.clone());
        let reading = Box::new(move || {
            // Nothing that a panic leaves behind in it is used: what it made is dropped.
            let read = std::panic::catch_unwind(AssertUnwindSafe(|| read(&path, now.as_deref())));
            let result = read.unwrap_or_else(|_| Err(Refused::Other("reading the file panicked".into())));
            // Nobody listens any more when the process is ending.
            let _ = sender.send(Event::Loaded(Box::new(Loaded { begun, result })));
        });
        if let Err(error) = spawn(reading) {
            let result = Err(Refused::Other(format!("there is no thread to read the file: {error}")));
            let _ = tell.send(Event::Loaded(Box::new(Loaded { begun, result })));
        }
    }

    /// Whether one is going on.
    pub(super) fn running(&self) -> bool {
        self.begun.is_some()
    }

    /// When [`Reloads::complain`] has something to say, if nothing is done until then.
    pub(super) fn due(&self) -> Option<Instant> {
        self.begun.filter(|_| !self.complained).map(|begun| begun + READ_WITHIN)
    }

    /// Warns, once, that reading the file takes long. Others that are asked for wait for it.
    pub(super) fn complain(&mut self, path: &Path, now: Instant) {
        if self.due().is_some_and(|due| due <= now) {
            self.complained = true;
            warn(&format!(
                "reload: {} and the files it names are still being read after {READ_WITHIN:?}: no other reload begins \
                 until that is done",
                path.display()
            ));
        }
    }

    /// What was asked for last is done. Returns whether another one was asked for meanwhile.
    pub(super) fn done(&mut self) -> bool {
        self.begun = None;
        std::mem::take(&mut self.again)
    }
}

fn read(path: &Path, now: Option<&Snapshot>) -> Result<(Config, Snapshot), Refused> {
    // At the start a pipe is read to its end; a second time nobody may write into it, and opening it would wait.
    if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return Err(Refused::Other(format!("{} is no regular file: it can't be read anew", path.display())));
    }
    let config = ringgate_config::load(path, &crate::secure::Inspector).map_err(Refused::File)?;
    let snapshot = Snapshot::compile(&config, now).map_err(Refused::Other)?;
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

#[cfg(test)]
mod tests;
