//! A difference for people: what the documents say, then what becomes of recorded requests.

use super::super::printable::printable;
use super::Difference;
use super::fates::Told;
use super::replay::Replay;
use std::fmt::Write;

pub(super) fn text(difference: &Difference<'_>) -> String {
    let mut out = String::new();
    if difference.changes.is_empty() {
        out.push_str("the documents say the same\n");
    }
    for change in &difference.changes {
        // Writing to a string does not fail.
        let _ = writeln!(out, "{change}");
    }
    if let Some(replay) = &difference.replay {
        out.push('\n');
        requests(&mut out, replay);
    }
    out
}

fn requests(out: &mut String, replay: &Replay<'_>) {
    let _ = writeln!(out, "{}, {} of them change", counted(replay.requests), replay.changed);
    let groups = replay.groups();
    let wide = groups.first().map_or(0, |(_, count)| count.to_string().len()).max(6);
    for (group, count) in groups {
        let host = group.host.as_deref().unwrap_or("(no host)");
        let request = [&group.method, " ", host, " ", &group.target].map(|text| printable(text.as_bytes())).concat();
        let _ = writeln!(out, "{count:>wide$}  {request}");
        let (was, is) = (replay.old.told(group.was), replay.new.told(group.is));
        let another = if was == is { " (another)" } else { "" };
        let _ = writeln!(out, "{:wide$}  {} -> {}{another}", "", short(&was), short(&is));
    }
    if replay.ungrouped > 0 {
        let _ = writeln!(out, "and {} more, of other kinds", counted(replay.ungrouped));
    }
    for (name, count) in &replay.by_header {
        let _ = writeln!(out, "the log has no header {name}: {} could go either way", counted(*count));
    }
    if replay.by_host > 0 {
        let _ = writeln!(
            out,
            "the log names no host: {} could go either way; say --host HOST if it is one",
            counted(replay.by_host)
        );
    }
    if let Some((line, reason)) = &replay.first_unreadable {
        let lines = if replay.unreadable == 1 { "1 line".to_owned() } else { format!("{} lines", replay.unreadable) };
        let _ = writeln!(out, "{lines} could not be read; the first is line {line}: {reason}");
    }
}

fn counted(requests: u64) -> String {
    if requests == 1 { "1 request".to_owned() } else { format!("{requests} requests") }
}

/// `users (forward to users, timeout 2s)`, or `404 no_route`.
fn short(told: &Told) -> String {
    match (&told.route, told.status) {
        (Some(route), _) => format!("{route} ({})", told.treatment),
        (None, Some(status)) => format!("{status} {}", told.treatment),
        (None, None) => told.treatment.clone(),
    }
}
