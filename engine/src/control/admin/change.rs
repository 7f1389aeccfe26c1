//! What the admin API changes: asked for on its thread, done on the control thread.

use super::super::diary::{LogLevel, say};
use super::super::gateway::Gateway;
use super::super::reload::Outcome;
use super::super::shards::Message;
use super::status::Phase;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A change that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Reads the file anew; `wait`: answered with what came of it.
    Reload {
        wait: bool,
    },
    /// Says that the gateway is ready, or that it is not.
    Ready(bool),
    LogLevel(LogLevel),
    Endpoint {
        upstream: String,
        address: String,
        drained: bool,
    },
}

/// A change, as the control thread gets it.
pub(in crate::control) struct Asked {
    pub(super) change: Change,
    /// Who wants it, for the log.
    pub(super) who: String,
    pub(super) answer: oneshot::Sender<Done>,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Done {
    /// It is so now.
    Changed,
    /// What a reload has given.
    Reloaded(Arc<Outcome>),
    /// A reload will be made; `after`: when the one that is going on is done.
    WillReload {
        after: bool,
    },
    NoSuchEndpoint,
    Stopping,
}

/// Those who wait for what comes of a reload.
#[derive(Default)]
pub(super) struct Waiting {
    /// For the one that is going on.
    this: Vec<oneshot::Sender<Done>>,
    /// For the next one: theirs may be a file that has changed since the other was begun.
    next: Vec<oneshot::Sender<Done>>,
}

impl Gateway {
    /// Makes a change. Returns whether a reload is to be asked for.
    pub(in crate::control) fn change(&mut self, asked: Asked, reloading: bool, stopping: bool) -> bool {
        let Asked { change, who, answer } = asked;
        if let Change::Reload { wait } = change {
            say(&format!("admin: reload, asked for by {who}"));
            if !stopping {
                match wait {
                    true if reloading => self.admin.waiting.next.push(answer),
                    true => self.admin.waiting.this.push(answer),
                    false => reply(answer, Done::WillReload { after: reloading }),
                }
                return true;
            }
            reply(answer, Done::Stopping);
            return false;
        }
        let done = match &change {
            Change::Ready(ready) => self.set_ready(*ready, stopping),
            Change::LogLevel(level) => {
                level.adopt();
                Done::Changed
            }
            Change::Endpoint { upstream, address, drained } => self.take_out(upstream, address, *drained),
            Change::Reload { .. } => Done::Stopping,
        };
        if matches!(done, Done::Changed) {
            say(&format!("admin: {}, asked for by {who}", change.words()));
        }
        reply(answer, done);
        false
    }

    fn set_ready(&mut self, ready: bool, stopping: bool) -> Done {
        if stopping {
            return Done::Stopping;
        }
        self.readiness.set(ready);
        self.admin.board.update(|status| status.drained = !ready);
        Done::Changed
    }

    fn take_out(&mut self, upstream: &str, address: &str, drained: bool) -> Done {
        if !self.admin.board.read().has_endpoint(upstream, address) {
            return Done::NoSuchEndpoint;
        }
        let key = (upstream.to_owned(), address.to_owned());
        self.admin.board.update(|status| match drained {
            true => drop(status.taken_out.insert(key)),
            false => drop(status.taken_out.remove(&key)),
        });
        let (upstream, endpoint): (Arc<str>, Arc<str>) = (upstream.into(), address.into());
        self.tell_all(|| Message::Endpoint { upstream: upstream.clone(), endpoint: endpoint.clone(), drained });
        Done::Changed
    }

    /// Publishes what came of a reload, and tells those who wait for it.
    pub(in crate::control) fn reloaded(&mut self, outcome: Outcome) {
        let outcome = Arc::new(outcome);
        self.admin.board.update(|status| status.last = Some(outcome.clone()));
        let next = std::mem::take(&mut self.admin.waiting.next);
        for answer in std::mem::replace(&mut self.admin.waiting.this, next) {
            reply(answer, Done::Reloaded(outcome.clone()));
        }
    }

    /// The gateway does not ask for traffic any more, and won't.
    pub(in crate::control) fn say_stopping(&self) {
        self.readiness.set(false);
        self.admin.board.update(|status| status.phase = Phase::Stopping);
    }
}

impl Change {
    fn words(&self) -> String {
        match self {
            Change::Reload { .. } => "reload".to_owned(),
            Change::Ready(true) => "ready again".to_owned(),
            Change::Ready(false) => "not ready from now on".to_owned(),
            Change::LogLevel(level) => format!("log level {}", level.name()),
            Change::Endpoint { upstream, address, drained: true } => format!("{address} of {upstream} is taken out"),
            Change::Endpoint { upstream, address, drained: false } => format!("{address} of {upstream} is back in"),
        }
    }
}

/// Whoever asked may have left.
fn reply(answer: oneshot::Sender<Done>, done: Done) {
    let _ = answer.send(done);
}
