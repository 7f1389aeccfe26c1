//! The files that a configuration names: secrets, bodies, further parts. Behind a trait, so that tests and fuzzers
//! read none.

use std::ffi::OsString;
use std::fs;
use std::io::{Error, ErrorKind, Read};
use std::path::Path;

use crate::units::show_size;

/// Whoever answers for the files that a configuration names.
pub trait Files {
    /// The whole of a regular file of at most `max` bytes.
    ///
    /// # Errors
    /// In the words behind "the file ... ": "can't be opened: ...".
    fn read(&self, path: &Path, max: u64) -> Result<Vec<u8>, String>;

    /// Whether there is a directory of this name; `true` too where that can't be told.
    fn is_directory(&self, path: &Path) -> bool;

    /// What a directory holds, in any order; nothing where there is none.
    ///
    /// # Errors
    /// In the words behind "the directory ... ": "can't be listed: ...".
    fn list(&self, directory: &Path) -> Result<Vec<Listed>, String> {
        let _ = directory;
        Ok(Vec::new())
    }
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name alone.
    pub name: OsString,
    /// Whether it is itself a directory, or a link to one.
    pub directory: bool,
}

/// The files of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path, max: u64) -> Result<Vec<u8>, String> {
        // Opening a pipe waits for whoever writes into it.
        let about = fs::metadata(path).map_err(|e| format!("can't be opened: {e}"))?;
        if !about.is_file() {
            return Err(if about.is_dir() { "is a directory" } else { "is no regular file" }.to_owned());
        }
        open(path, max)
    }

    fn is_directory(&self, path: &Path) -> bool {
        // The directory of a relative path that is a name alone.
        path.as_os_str().is_empty() || path.is_dir()
    }

    fn list(&self, directory: &Path) -> Result<Vec<Listed>, String> {
        let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let wrong = |e: Error| format!("can't be listed: {e}");
        let entries = match fs::read_dir(here) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(wrong(e)),
        };
        let listed = |entry: fs::DirEntry| Listed { name: entry.file_name(), directory: entry.path().is_dir() };
        entries.map(|entry| entry.map(listed).map_err(wrong)).collect()
    }
}

/// No files at all: reading one is an error.
pub(crate) struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path, _: u64) -> Result<Vec<u8>, String> {
        Err("can't be opened: this configuration is read without files".to_owned())
    }

    fn is_directory(&self, _: &Path) -> bool {
        true
    }
}

/// The whole of a file of at most `max` bytes, of whatever kind.
pub(crate) fn open(path: &Path, max: u64) -> Result<Vec<u8>, String> {
    let file = fs::File::open(path).map_err(|e| format!("can't be opened: {e}"))?;
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes).map_err(|e| format!("can't be read: {e}"))?;
    if bytes.len() as u64 > max { Err(too_large(max)) } else { Ok(bytes) }
}

/// Why a file is not read to its end.
pub(crate) fn too_large(max: u64) -> String {
    format!("is larger than {}, which is the most that is read", show_size(max))
}
