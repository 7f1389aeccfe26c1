//! The directory of what must survive a restart: made if it is not there, and locked, since two processes that write
//! to it would undo each other's work.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file whose lock says that a process uses the directory.
const LOCK: &str = "ringgate.lock";

/// A directory that this process alone uses, until this is dropped.
pub(super) struct StateDir {
    path: PathBuf,
    _lock: File,
}

impl StateDir {
    /// Makes the directory, for this user alone, and locks it.
    ///
    /// # Errors
    /// It can't be made or written to, or another process uses it.
    pub(super) fn open(path: &Path) -> io::Result<StateDir> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("state_dir {}: {error}", path.display()));
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(named)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path.join(LOCK));
        let lock = lock.map_err(named)?;
        match lock.try_lock() {
            Ok(()) => Ok(StateDir { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(named(io::Error::other("another process uses it; give each its own"))),
            Err(TryLockError::Error(error)) => Err(named(error)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time() {
        let path = std::env::temp_dir().join(format!("ringgate-state-{}", std::process::id())).join("deep");
        let first = StateDir::open(&path).expect("made");
        let error = StateDir::open(&path).err().expect("it is in use").to_string();
        assert!(error.contains("another process uses it") && error.contains("deep"), "{error}");
        drop(first);
        drop(StateDir::open(&path).expect("free again"));
        std::fs::remove_dir_all(path.parent().expect("it has one")).expect("removed");
    }

    #[test]
    fn what_is_no_directory_is_refused() {
        let path = std::env::temp_dir().join(format!("ringgate-state-file-{}", std::process::id()));
        std::fs::write(&path, "").expect("written");
        assert!(StateDir::open(&path).is_err());
        std::fs::remove_file(&path).expect("removed");
    }
}
