//! Stopping: nothing new is accepted, what runs may end, and what does not end in time is ended.

use super::diary::{say, warn};
use super::event::Event;
use super::gateway::Gateway;
use super::notify;
use super::shards::{FromShard, Message};
use crate::observe::{LogWriter, RetiredLog};
use signal_hook::consts::{SIGINT, SIGQUIT, SIGTERM};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long aborted exchanges may take to end.
const ABORT_GRACE: Duration = Duration::from_secs(2);
/// How long the last lines of the access log may take to be written, at least; else until the deadline.
const LOG_GRACE: Duration = Duration::from_secs(1);
/// The same without a deadline: exchanges may take as long as they need, but nobody waits for a reader that is stuck.
const LOG_LIMIT: Duration = Duration::from_secs(5);

impl Gateway {
    /// Stops: nothing new is accepted, idle connections are closed, exchanges may finish until the deadline (none: for
    /// as long as they take). A signal that ends the process ends it at once.
    pub fn stop(mut self, deadline: Option<Duration>) -> ExitCode {
        notify::stopping();
        self.say_stopping();
        self.tell_all(|| Message::Drain);
        let begun = Instant::now();
        let mut aborted = false;
        while self.running > 0 {
            let limit = if aborted { Some(ABORT_GRACE + deadline.unwrap_or_default()) } else { deadline };
            match self.next_event(limit.map(|limit| begun + limit)) {
                Some(Event::Shard(FromShard::Ended(..))) => self.running -= 1,
                Some(Event::Signal(SIGTERM | SIGINT | SIGQUIT)) => {
                    say("stopped at once");
                    return ExitCode::SUCCESS;
                }
                Some(_) => {}
                None if !aborted => {
                    warn("the deadline for stopping has passed: exchanges that still run are ended");
                    self.tell_all(|| Message::Abort);
                    aborted = true;
                }
                None => {
                    warn("some exchanges did not end: stopped without them");
                    return ExitCode::SUCCESS;
                }
            }
        }
        let mut logs = std::mem::take(&mut self.retired_logs);
        logs.extend(self.log.take().map(LogWriter::retire));
        if !logs.is_empty() {
            let now = Instant::now();
            let until = deadline.map_or(now + LOG_LIMIT, |deadline| (begun + deadline).max(now + LOG_GRACE));
            self.finish_logs(logs, until);
        }
        ExitCode::SUCCESS
    }

    /// Waits until the access log is written, and those that it has replaced: whoever takes it may be slow, or stuck.
    fn finish_logs(&mut self, logs: Vec<RetiredLog>, until: Instant) {
        let tell = self.tell.clone();
        let waiter = std::thread::Builder::new().name("log-end".into());
        let waiting = waiter.spawn(move || {
            let lost = logs.into_iter().map(RetiredLog::finish).sum();
            tell.send(Event::Logged(lost))
        });
        if waiting.is_err() {
            return warn("the end of the access log could not be waited for");
        }
        loop {
            match self.next_event(Some(until)) {
                Some(Event::Logged(0)) => return,
                Some(Event::Logged(lost)) => return warn(&format!("{lost} lines of the access log were lost")),
                Some(Event::Signal(SIGTERM | SIGINT | SIGQUIT)) => return say("stopped at once"),
                Some(_) => {}
                None => return warn("nobody takes the access log: its last lines were lost"),
            }
        }
    }
}
