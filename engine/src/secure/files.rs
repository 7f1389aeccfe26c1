//! Files that may change while they are used: looked at again and again, read only when they have changed.
//!
//! Two files are never exchanged at the same moment, and one may be half written: what can't be used is looked at once
//! more before anybody is told.

use ringgate_config::{Disk, Files, Flaw, MAX_FILE_BYTES};
use ringgate_protocols::tls::certificate::fingerprint;
use ringgate_protocols::wire::date::imf_fixdate;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Files that were changed so lately are read at the next look too: the system's times are too coarse to tell whether they
/// have changed once more.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// What came of a look at files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// What is in them is used from now on; else what was used before still is.
    pub(crate) good: bool,
    /// What to tell whoever runs this.
    pub(crate) what: String,
}

/// Files that are used together: a certificate and its key.
pub(super) struct Watch {
    paths: Vec<PathBuf>,
    /// As they were when they were last read. None: they are to be read.
    seen: Option<Vec<Stamp>>,
    /// What could not be used, and at how many looks.
    failed: Option<([u8; 32], u32)>,
}

/// What tells whether a file has changed: device, inode, size, time of change in seconds and nanoseconds. None: there is
/// no file.
type Stamp = Option<(u64, u64, u64, i64, i64)>;

impl Watch {
    /// Nobody has looked at them yet: what is in use may be older than what is in them.
    pub(super) fn over(paths: Vec<PathBuf>) -> Watch {
        Watch { paths, seen: None, failed: None }
    }

    /// What they hold, in their order, if they may have changed.
    pub(super) fn look(&mut self) -> Option<Vec<Result<Vec<u8>, String>>> {
        // Before they are read: what is changed in between is seen at the next look.
        let stamps: Vec<Stamp> = self.paths.iter().map(|path| stamp(path)).collect();
        let once_more = self.failed.is_some_and(|(_, looks)| looks == 1);
        if !once_more && self.seen.as_ref() == Some(&stamps) {
            return None;
        }
        let read = self.paths.iter().map(|path| Disk.read(path, MAX_FILE_BYTES)).collect();
        self.seen = settled(&stamps, SystemTime::now()).then_some(stamps);
        Some(read)
    }

    /// What they hold is in use.
    pub(super) fn used(&mut self) {
        self.failed = None;
    }

    /// What they hold can't be used. Whether to tell: at the second look that finds it so, and not again.
    pub(super) fn refused(&mut self, read: &[Result<Vec<u8>, String>]) -> bool {
        let held: Vec<[u8; 32]> =
            read.iter().map(|held| fingerprint(held.as_deref().unwrap_or_else(|e| e.as_bytes()))).collect();
        let held = fingerprint(&held.concat());
        let looks = match self.failed {
            Some((same, looks)) if same == held => looks.saturating_add(1),
            _ => 1,
        };
        self.failed = Some((held, looks));
        looks == 2
    }
}

fn stamp(path: &Path) -> Stamp {
    let about = std::fs::metadata(path).ok()?;
    Some((about.dev(), about.ino(), about.len(), about.mtime(), about.mtime_nsec()))
}

/// Whether none of them was changed just now, or is said to be changed in the future.
fn settled(stamps: &[Stamp], now: SystemTime) -> bool {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64;
    stamps.iter().flatten().all(|(.., seconds, _)| now - seconds > SETTLED_AFTER.as_secs() as i64)
}

/// A time in Unix seconds as people read it.
pub(super) fn date(seconds: i64) -> String {
    let mut text = [0; 29];
    imf_fixdate(u64::try_from(seconds).unwrap_or(0), &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// A flaw of a file in a sentence.
pub(super) fn sentence(path: &Path, flaw: &Flaw) -> String {
    format!("the file {} {} ({})", path.display(), flaw.message, flaw.hint)
}

/// The bytes of files that could all be read.
///
/// # Errors
/// Why the first of the others could not, in a sentence.
pub(super) fn all_read<'a>(paths: &[PathBuf], read: &'a [Result<Vec<u8>, String>]) -> Result<Vec<&'a [u8]>, String> {
    let whole = |(path, held): (&PathBuf, &'a Result<Vec<u8>, String>)| match held {
        Ok(bytes) => Ok(bytes.as_slice()),
        Err(why) => Err(format!("the file {} {why}", path.display())),
    };
    paths.iter().zip(read).map(whole).collect()
}

impl Watch {
    /// Their paths.
    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }
}

#[cfg(test)]
mod tests;
