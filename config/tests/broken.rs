//! Files that are wrong, each with what a person is shown: `tests/broken/NAME.yaml` beside `NAME.expected`.
//! `RINGGATE_WRITE=1 cargo test -p ringgate-config --test broken` writes what is shown now; read it before committing.
#![allow(clippy::unwrap_used)]

mod materials;

use std::path::{Path, PathBuf};

use materials::Told;
use ringgate_config::{Disk, Files, Listed, parse_with};

/// The environment of every file here.
fn environment(name: &str) -> Option<String> {
    match name {
        "PORT" => Some("9001".to_owned()),
        "EMPTY" => Some(String::new()),
        "WORDS" => Some("two words".to_owned()),
        "LONG" => Some("x".repeat(40_000)),
        "PEM" => Some("-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n".to_owned()),
        _ => None,
    }
}

/// The files that lie beside them, in `tests/broken/with/`.
struct Beside;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken")
}

impl Files for Beside {
    fn read(&self, path: &Path, max: u64) -> Result<Vec<u8>, String> {
        Disk.read(&folder().join(path), max)
    }

    fn is_directory(&self, path: &Path) -> bool {
        Disk.is_directory(&folder().join(path))
    }

    fn list(&self, directory: &Path) -> Result<Vec<Listed>, String> {
        Disk.list(&folder().join(directory))
    }
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    files
}

#[test]
fn every_broken_file_is_refused_in_the_expected_words() {
    let mut differing = Vec::new();
    for path in files() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let shown = match parse_with(name, &text, &environment, &Beside, &Told { system: false }) {
            Ok(_) => panic!("{name} is not refused"),
            Err(errors) => format!("{errors}\n"),
        };
        let expected = path.with_extension("expected");
        if std::env::var_os("RINGGATE_WRITE").is_some() {
            std::fs::write(&expected, &shown).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        if wanted != shown {
            differing.push(format!("=== {name}\n{}", difference(&wanted, &shown)));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn there_are_enough_of_them() {
    assert!(files().len() >= 200, "{}", files().len());
}

/// The lines that only one of two texts has between their common beginning and their common end.
fn difference(wanted: &str, shown: &str) -> String {
    let (wanted, shown): (Vec<&str>, Vec<&str>) = (wanted.lines().collect(), shown.lines().collect());
    let head = wanted.iter().zip(&shown).take_while(|(a, b)| a == b).count();
    let tails = wanted[head..].iter().rev().zip(shown[head..].iter().rev());
    let tail = tails.take_while(|(a, b)| a == b).count();
    let minus = wanted[head..wanted.len() - tail].iter().map(|line| format!("-{line}"));
    let plus = shown[head..shown.len() - tail].iter().map(|line| format!("+{line}"));
    let lines: Vec<String> = minus.chain(plus).collect();
    format!("line {}:\n{}", head + 1, lines.join("\n"))
}
