//! What the service manager is told (sd_notify(3)). Nothing, where there is none.

use super::diary::warn;
use sd_notify::NotifyState;
use std::time::{Duration, Instant};

/// The gateway serves.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// A reload has begun; it ends with [`ready`] (`Type=notify-reload`).
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => warn(&format!("can't tell the service manager of the reload: {error}")),
    }
}

/// The process ends.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn(&format!("can't tell the service manager: {error}"));
    }
}

/// The service manager's watchdog: fed while every shard answers.
pub(super) struct Watchdog {
    /// Half of what the manager waits for; none if it does not.
    every: Option<Duration>,
    due: Instant,
    /// Shards that have not answered the last question.
    silent: usize,
}

impl Watchdog {
    pub(super) fn new() -> Watchdog {
        Watchdog { every: sd_notify::watchdog_enabled().map(|limit| limit / 2), due: Instant::now(), silent: 0 }
    }

    /// When it is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.every.map(|_| self.due)
    }

    /// Feeds it if it is due and all have answered. Returns whether the shards, so many of them, are to be asked.
    pub(super) fn turn(&mut self, shards: usize) -> bool {
        let Some(every) = self.every.filter(|_| self.due <= Instant::now()) else { return false };
        self.due = Instant::now() + every;
        if self.silent > 0 {
            warn(&format!("{} shards have not answered for {every:?}", self.silent));
            return false;
        }
        tell(&[NotifyState::Watchdog]);
        self.silent = shards;
        true
    }

    /// A shard has answered.
    pub(super) fn heard(&mut self) {
        self.silent = self.silent.saturating_sub(1);
    }
}
