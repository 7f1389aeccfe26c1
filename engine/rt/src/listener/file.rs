//! The file of a Unix socket: ours for as long as it is the one that was made. Another process may put its own in its
//! place, as a restart does, and then it is left alone.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Which file a path leads to: device and inode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileId(u64, u64);

impl FileId {
    /// The file that is at this path now, if there is one.
    pub fn at(path: &Path) -> Option<FileId> {
        std::fs::symlink_metadata(path).ok().map(|file| FileId(file.dev(), file.ino()))
    }
}

/// The file of a socket that was just bound. Removed when this is dropped, unless another one is in its place.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    id: Option<FileId>,
}

impl SocketFile {
    /// The file that binding has made.
    pub fn made(path: &Path) -> SocketFile {
        SocketFile { path: path.to_path_buf(), id: FileId::at(path) }
    }

    /// Whether the path still leads to it: if not, nobody can connect.
    pub fn is_there(&self) -> bool {
        self.id.is_some() && FileId::at(&self.path) == self.id
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.is_there() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
