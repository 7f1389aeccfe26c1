//! `ringgate diff`: what a reload would change. What the documents say differs is the loader's to tell; what becomes of
//! recorded requests is found by routing each of them with both tables.

mod fates;
mod heads;
mod lines;
mod machines;
mod people;
mod replay;

use fates::Side;
use replay::Replay;
use ringgate_config::Config;
use ringgate_config::diff::Change;
use std::path::Path;

/// Exit of `--exit-code` when something changes. 1 is for errors.
const CHANGED: u8 = 2;

/// Two configurations to compare.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'q> {
    /// The configuration that runs.
    pub old: &'q Path,
    /// The one that is to take over.
    pub new: &'q Path,
    /// An access log with requests to route with both; `-` for standard input.
    pub requests: Option<&'q Path>,
    /// The host of requests for which the log names none.
    pub host: Option<&'q str>,
    /// Everything as one JSON object, in place of text.
    pub json: bool,
    /// Exit with 2 if something changes.
    pub exit_code: bool,
}

/// What is printed: `Ok` on standard output, `Err` on standard error.
pub struct Compared {
    /// The text.
    pub text: Result<String, String>,
    /// 0; 1 if something can't be read; 2 if something changes and that was asked for.
    pub exit: u8,
}

/// Compares two configurations.
pub fn diff(comparison: &Comparison<'_>) -> Compared {
    match compare(comparison) {
        Ok((text, changed)) => {
            let exit = if changed && comparison.exit_code { CHANGED } else { 0 };
            Compared { text: Ok(text), exit }
        }
        Err(text) => Compared { text: Err(text), exit: 1 },
    }
}

/// Everything that differs.
struct Difference<'d> {
    changes: Vec<Change>,
    replay: Option<Replay<'d>>,
}

/// The text, and whether something changes.
fn compare(comparison: &Comparison<'_>) -> Result<(String, bool), String> {
    let load = |path: &Path| {
        ringgate_config::load(path, &crate::secure::Inspector).map_err(|diagnostics| diagnostics.to_string())
    };
    // Both files' errors at once.
    let (old, new) = match (load(comparison.old), load(comparison.new)) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => return Err([old.err(), new.err()].into_iter().flatten().collect()),
    };
    if comparison.host.is_some_and(|host| host.is_empty() || host.contains(char::is_control)) {
        return Err("--host is the name of a host, with or without a port\n".to_owned());
    }
    let replay = match comparison.requests {
        None => None,
        Some(log) => Some(replayed(&old, &new, log, comparison.host)?),
    };
    let difference = Difference { changes: ringgate_config::diff::documents(&old, &new), replay };
    let changed = !difference.changes.is_empty() || difference.replay.as_ref().is_some_and(|replay| replay.changed > 0);
    let text = if comparison.json { machines::json(&difference) } else { people::text(&difference) };
    Ok((text, changed))
}

fn replayed<'d>(old: &'d Config, new: &'d Config, log: &Path, host: Option<&str>) -> Result<Replay<'d>, String> {
    let side = |config| Side::new(config).map_err(|error| format!("{error}\n"));
    let replay = Replay::new(side(old)?, side(new)?);
    replay.read(log, host).map_err(|error| format!("{}: {error}\n", log.display()))
}
