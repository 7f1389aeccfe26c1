//! What the process says of itself, on stderr, a line each: the time, the level, the message.

mod queue;

use crate::observe::json;
use queue::Queue;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

/// How long the last lines may take to be written when the process ends.
const LAST_LINES_WITHIN: Duration = Duration::from_secs(1);

/// How much a line matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum LogLevel {
    /// Something has failed.
    Error,
    /// Something is probably not meant.
    Warn,
    /// What an operator wants to know: starts, stops, reloads, what the admin API has changed.
    #[default]
    Info,
    /// Details, such as every call of the admin API.
    Debug,
}

/// The level up to which lines are written: one for the process, whose stderr is one too.
static WRITTEN: AtomicU8 = AtomicU8::new(LogLevel::Info as u8);

/// Lines that the thread of [`begin`] writes.
static QUEUE: Queue = Queue::new();
/// Whether that thread is there.
static QUEUED: AtomicBool = AtomicBool::new(false);

impl LogLevel {
    /// Every level, the weightiest first.
    pub const ALL: [LogLevel; 4] = [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug];

    /// Its name on the command line, in the admin API and in the lines.
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
        }
    }

    /// The level of this name.
    pub fn named(name: &str) -> Option<LogLevel> {
        LogLevel::ALL.into_iter().find(|level| level.name() == name)
    }

    /// The level up to which lines are written now.
    pub(super) fn current() -> LogLevel {
        let written = WRITTEN.load(Ordering::Relaxed);
        LogLevel::ALL.into_iter().find(|level| *level as u8 == written).unwrap_or_default()
    }

    /// Writes lines up to this level from now on.
    pub(super) fn adopt(self) {
        WRITTEN.store(self as u8, Ordering::Relaxed);
    }
}

/// Says what an operator wants to know.
pub(super) fn say(message: &str) {
    write(LogLevel::Info, message);
}

/// Says what is probably not meant.
pub(super) fn warn(message: &str) {
    write(LogLevel::Warn, message);
}

/// Says what has failed.
pub(super) fn fail(message: &str) {
    write(LogLevel::Error, message);
}

/// Says what only somebody who looks for something wants to know.
pub(super) fn detail(message: &str) {
    write(LogLevel::Debug, message);
}

fn write(level: LogLevel, message: &str) {
    if level as u8 > WRITTEN.load(Ordering::Relaxed) {
        return;
    }
    put(line(level, message));
}

fn line(level: LogLevel, message: &str) -> Vec<u8> {
    let mut line = Vec::with_capacity(64 + message.len());
    json::timestamp(&mut line, now_micros());
    line.push(b' ');
    line.extend_from_slice(level.name().as_bytes());
    line.push(b' ');
    line.extend_from_slice(message.as_bytes());
    line.push(b'\n');
    line
}

/// Writes a whole line, whatever the level: at once, or after [`begin`] when the lines before it are written.
pub(super) fn put(line: Vec<u8>) {
    match QUEUED.load(Ordering::Acquire) {
        true => QUEUE.put(line),
        // Nothing is left to be told when stderr is gone.
        false => drop(io::stderr().lock().write_all(&line)),
    }
}

/// From now on nobody who says something waits for whoever reads stderr: a thread of its own does. Dropping what is
/// returned, whatever ends the process, waits a short time until the last line is written.
pub(super) fn begin() -> LastLines {
    if !QUEUED.load(Ordering::Acquire) {
        let writer = std::thread::Builder::new().name("stderr".into()).spawn(|| QUEUE.write_to(io::stderr()));
        match writer {
            Ok(_) => QUEUED.store(true, Ordering::Release),
            Err(error) => {
                warn(&format!("no thread to write these lines: who reads them slowly slows the gateway: {error}"));
            }
        }
    }
    LastLines
}

/// Lines that may not be written yet.
pub(super) struct LastLines;

impl Drop for LastLines {
    fn drop(&mut self) {
        finish();
    }
}

/// The process ends: waits until the last line is written, for a short time.
pub(super) fn finish() {
    if QUEUED.load(Ordering::Acquire) {
        // Whoever has not read until now won't.
        let _ = QUEUE.flush(LAST_LINES_WITHIN);
    }
}

fn now_micros() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_micros() as u64
}

/// A panic is one line: where it was, and what it said. The exchange that it ended is the only one that suffers.
pub(super) fn report_panics() {
    std::panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        let place = info.location().map_or_else(|| "an unknown place".to_string(), ToString::to_string);
        let what = info.payload_as_str().unwrap_or("(no message)");
        fail(&format!(
            "panic on {}: {what} (at {place}); only its exchange was ended",
            thread.name().unwrap_or("a thread")
        ));
    }));
}
