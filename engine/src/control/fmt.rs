//! `ringgate fmt`: a file in its canonical form. The form itself is the configuration's; here are only files.

use ringgate_config::{MAX_FILE_BYTES, format};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What is to be done with a formatted file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Formatted {
    /// It goes to standard output.
    Print,
    /// It takes the file's place.
    Write,
    /// It is only compared.
    Check,
}

/// Formats a file; `-` is standard input. Returns what to print.
///
/// # Errors
/// What to say where the file can't be read or written, is no YAML, or, when it is only compared, is not in its
/// canonical form.
pub fn fmt(path: &Path, then: Formatted) -> Result<String, String> {
    let name = path.display();
    let before = read(path).map_err(|error| format!("{name}: can't be read: {error}\n"))?;
    let after = format::bytes(&name.to_string(), &before).map_err(|diagnostics| format!("{diagnostics}\n"))?;
    match then {
        Formatted::Print => Ok(after),
        _ if after.as_bytes() == before => Ok(String::new()),
        Formatted::Check => {
            Err(format!("{name}: not in its canonical form: `ringgate fmt --write {name}` brings it there\n"))
        }
        Formatted::Write => {
            replace(path, &after).map_err(|error| format!("{name}: can't be written: {error}\n"))?;
            Ok(String::new())
        }
    }
}

/// The bytes of a file, and one more than may be at most, so that the loader's own limit speaks.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Puts the text in the file's place at once: a reload never sees half of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let mode = fs::metadata(&path)?.permissions().mode();
    let beside = beside(&path);
    let written = File::create_new(&beside).and_then(|mut file| {
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let moved = written.and_then(|()| fs::rename(&beside, &path));
    if moved.is_err() {
        let _ = fs::remove_file(&beside);
    }
    moved
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}
