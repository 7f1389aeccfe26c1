//! From a file to a [`Config`]: size, characters, tree, decoders; what each finds gets its source line.

use std::path::Path;

use crate::decode;
use crate::diagnostic::{Diagnostic, Diagnostics, Position, Severity};
use crate::document::Config;
use crate::files::{self, Disk, Files, NoFiles};
use crate::findings::Found;
use crate::reader::{Asked, Reader};
use crate::rights::Rights;
use crate::secure::{Materials, Unchecked};
use crate::source::{Source, place};

#[cfg(test)]
mod tests;

/// Bytes of the largest file that is read, and of all the files of one configuration: 16 MiB.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Reads a file and everything it says, with the process's environment for `${NAME}` and the files of this machine
/// for those that it names. `materials` answers for the certificates and keys in them.
///
/// # Errors
/// Everything that is wrong with the file, each with its place: it can't be read, is larger than
/// [`MAX_FILE_BYTES`], is no YAML, or doesn't say what a configuration must say.
pub fn load(path: &Path, materials: &dyn Materials) -> Result<Config, Diagnostics> {
    let name = path.display().to_string();
    let bytes = files::open(path, MAX_FILE_BYTES).map_err(|message| unreadable(&name, &message))?;
    let rights = Some(Rights::of_this_process());
    let env = |name: &str| std::env::var(name).ok();
    read(Source::new(0, name, &bytes), path, Asked { env: &env, files: &Disk, materials }, rights)
}

/// There is no text to show.
fn unreadable(name: &str, message: &str) -> Diagnostics {
    let (file, Position { line, column, .. }, severity) = (name.to_owned(), Position::START, Severity::Error);
    let message = format!("the file {message}");
    let diagnostic = Diagnostic { file, line, column, width: 1, severity, message, hint: None, source: None };
    Diagnostics::new(vec![diagnostic], 0)
}

/// Reads everything that a text says, as if it were the file of this name: relative paths in it are taken from that
/// file's directory. `env` answers for `${NAME}`. No file is opened: one that the text needs is an error. See
/// [`parse_with`].
///
/// # Errors
/// As [`load`].
pub fn parse(file_name: &str, text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, Diagnostics> {
    parse_with(file_name, text, env, &NoFiles, &Unchecked)
}

/// As [`parse`], with whoever answers for the files that the text names: [`Disk`] reads those of this machine.
///
/// # Errors
/// As [`load`].
pub fn parse_with(
    file_name: &str,
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
    files: &dyn Files,
    materials: &dyn Materials,
) -> Result<Config, Diagnostics> {
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(unreadable(file_name, &files::too_large(MAX_FILE_BYTES)));
    }
    read(
        Source::new(0, file_name.to_owned(), text.as_bytes()),
        Path::new(file_name),
        Asked { env, files, materials },
        None,
    )
}

/// The name of a file may be lossy, its path isn't: sockets are bound beside it.
fn read(source: Source, path: &Path, asked: Asked<'_>, rights: Option<Rights>) -> Result<Config, Diagnostics> {
    let mut reader = Reader::new(asked, path);
    let root = reader.compose(source);
    // Behind an error of syntax nothing can be made out: no further errors that only follow from it.
    let config = root.and_then(|root| decode::document(&mut reader, root.as_ref(), rights));
    let (findings, sources, read) = reader.finish();
    let Found { errors, warnings, dropped, secrets } = findings.finish(&sources);
    match config {
        Some(config) if errors.is_empty() => {
            Ok(Config { files: read, warnings: place(&sources, warnings, &secrets), ..config })
        }
        _ => Err(Diagnostics::new(place(&sources, errors, &secrets), dropped)),
    }
}
