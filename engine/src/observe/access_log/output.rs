//! Where the lines of the access log go: a stream that is there already, or a file that can be opened anew.

use ringgate_config::LogTarget;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The rights of a file that is made for the log, less the process's umask: its lines name clients.
const FILE_MODE: u32 = 0o640;

/// Where lines go.
pub(crate) enum Output {
    /// Somewhere that is there as long as the process.
    Stream(Box<dyn Write + Send>),
    /// A file, appended to.
    File(PathBuf, File),
}

impl Output {
    /// Opens what the configuration names. A file is made if it is not there.
    ///
    /// # Errors
    /// The system's, naming the path.
    pub(crate) fn open(target: &LogTarget) -> io::Result<Output> {
        match target {
            // Without the buffer of `io::stdout`: a batch is written as it is, and what was not written is known.
            LogTarget::Stdout => {
                let stdout = io::stdout().as_fd().try_clone_to_owned()?;
                Ok(Output::Stream(Box::new(File::from(stdout))))
            }
            LogTarget::File(path) => Ok(Output::File(path.clone(), append_to(path)?)),
        }
    }

    /// Opens the file of this name anew: after a log rotation it is another one. A stream stays what it is.
    ///
    /// # Errors
    /// The system's, naming the path; the old file is kept then.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        if let Output::File(path, file) = self {
            *file = append_to(path)?;
        }
        Ok(())
    }

    /// Its name in complaints.
    pub(super) fn name(&self) -> String {
        match self {
            Output::Stream(_) => "standard output".into(),
            Output::File(path, _) => path.display().to_string(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Output::Stream(out) => out.write(bytes),
            Output::File(_, file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Output::Stream(out) => out.flush(),
            // Nothing of a file is kept back here.
            Output::File(..) => Ok(()),
        }
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    let opened = OpenOptions::new().append(true).create(true).mode(FILE_MODE).open(path);
    opened.map_err(|error| io::Error::new(error.kind(), format!("can't open {}: {error}", path.display())))
}
