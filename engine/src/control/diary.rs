//! What the process says of itself, on stderr, a line each.

use crate::observe::json;
use std::io::Write;

/// Writes one line: the time, and the message.
pub(super) fn say(message: &str) {
    let mut line = Vec::with_capacity(64 + message.len());
    json::timestamp(&mut line, now_micros());
    line.push(b' ');
    line.extend_from_slice(message.as_bytes());
    line.push(b'\n');
    // Nothing is left to be told when stderr is gone.
    let _ = std::io::stderr().lock().write_all(&line);
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
        say(&format!(
            "panic on {}: {what} (at {place}); only its exchange was ended",
            thread.name().unwrap_or("a thread")
        ));
    }));
}
