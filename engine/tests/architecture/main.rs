//! The rules of `docs/ARCHITECTURE.md` that a program can check: which way dependencies point, where unsafe code may
//! stand, how long a file may be. Each rule says why it is there when it is broken.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rules;
mod sources;

use sources::Source;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn imports_point_one_way() {
    hold(rules::direction);
}

#[test]
fn runtimes_are_named_where_they_belong() {
    hold(rules::runtimes);
}

#[test]
fn unsafe_code_is_in_rt() {
    hold(rules::no_unsafe);
    hold(rules::forbids_unsafe);
}

#[test]
fn files_are_short() {
    hold(rules::length);
}

#[test]
fn nothing_is_left_undone() {
    hold(rules::unfinished);
}

#[test]
fn modules_are_named_by_what_they_hold() {
    hold(rules::names);
}

/// The same direction between crates, as cargo resolves them.
#[test]
fn crates_depend_one_way() {
    let mut broken = Vec::new();
    for (package, rule) in rules::CRATES {
        let tree = dependencies(package);
        assert!(tree.len() > 1, "cargo tree names no dependencies of {package}");
        broken.extend(rules::crates(package, &tree, rule));
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

fn hold(rule: fn(&Source) -> Vec<String>) {
    let sources = Source::all(&root());
    // A walk that finds nothing would let every rule hold.
    assert!(sources.len() > 50, "only {} sources were found", sources.len());
    let broken: Vec<String> = sources.iter().flat_map(rule).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The names of all packages that `package` runs with, itself included. What only its tests need is left out, and what
/// only build scripts do: the one of aws-lc-sys drives a C compiler by a package that names libc, on the machine that builds.
fn dependencies(package: &str) -> Vec<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--package"];
    let output = Command::new(cargo).args(arguments).arg(package).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}
