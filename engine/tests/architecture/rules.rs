//! The rules. Each takes one source and returns what it breaks, with the reason why that is a rule.

use crate::sources::Source;

/// Lines of a file at most.
const LINES_MAX: usize = 500;

/// What each room may import. The order of `docs/ARCHITECTURE.md`; a room that is not here must be given its place.
const ROOMS: &[(&str, &[&str])] = &[
    ("protocols", &[]),
    ("config", &[]),
    ("rt", &[]),
    ("model", &["protocols", "config", "rt"]),
    ("route", &["protocols", "config", "model"]),
    ("series", &["rt", "model"]),
    ("secure", &["protocols", "config", "rt", "model", "series"]),
    ("upstream", &["protocols", "config", "rt", "model", "series", "secure"]),
    ("observe", &["protocols", "config", "rt", "model", "series"]),
    ("proxy", &["protocols", "config", "rt", "model", "series", "secure", "route", "upstream", "observe"]),
    ("harness", &["protocols", "config", "rt", "model", "series", "secure", "route", "upstream", "observe", "proxy"]),
    ("control", &["protocols", "config", "rt", "model", "series", "secure", "route", "upstream", "observe", "proxy"]),
    ("binary", &["config", "rt", "control"]),
    ("bench", &["protocols", "config", "rt", "harness"]),
];

/// Who may name a runtime or the system below it.
const RUNTIMES: &[(&str, &str)] = &[
    ("monoio", "engine/rt/"),
    ("io_uring", "engine/rt/"),
    ("libc", "engine/rt/"),
    ("mio", "engine/rt/"),
    ("tokio", "engine/src/control/"),
    ("hyper", "engine/src/control/"),
];

/// The file of a bench or test that may have unsafe code: an allocator that counts is `unsafe` to implement.
const COUNTING_ALLOCATOR: &str = "/allocations.rs";

/// Packages, and those that must not be in their tree.
pub(crate) const CRATES: &[(&str, &[&str])] = &[
    (
        "ringgate-protocols",
        &["ringgate-config", "ringgate-rt", "ringgate", "monoio", "io-uring", "mio", "tokio", "hyper", "libc"],
    ),
    (
        "ringgate-config",
        &["ringgate-protocols", "ringgate-rt", "ringgate", "monoio", "io-uring", "mio", "tokio", "hyper"],
    ),
    ("ringgate-rt", &["ringgate-protocols", "ringgate-config", "ringgate", "tokio", "hyper"]),
    ("ringgate", &["ringgate-bench", "ringgate-loadtest"]),
];

/// `{protocols, config} <- model <- series <- {route, secure, observe} <- upstream <- proxy <- control <- binary`, and `rt` below
/// them.
pub(crate) fn direction(source: &Source) -> Vec<String> {
    let Some(room) = room_of(&source.path) else { return Vec::new() };
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![format!(
            "{}: the room `{room}` has no place in the order: give it one in docs/ARCHITECTURE.md and in ROOMS here",
            source.path
        )];
    };
    let roots = ["crate", "ringgate_protocols", "ringgate_config", "ringgate_rt", "ringgate"];
    let mut broken = Vec::new();
    for path in source.paths(&roots) {
        let Some(to) = room_named(&source.path, &path) else { continue };
        if to != room && !allowed.contains(&to) {
            broken.push(format!(
                "{}: `{}`: {room} must not import {to}. Dependencies point one way, so that a room can be read, tested \
                 and replaced without those built on it; if {room} needs something of {to}, ask for it by a trait or \
                 move it down",
                source.path,
                path.join("::")
            ));
        }
        if room == "model" && path[0] == "ringgate_rt" && path.get(1).is_none_or(|item| item != "Buf") {
            broken.push(format!(
                "{}: `{}`: model takes rt's buffer type and nothing else: its values are used without a runtime",
                source.path,
                path.join("::")
            ));
        }
    }
    broken
}

/// The room that a source lies in. Tests and fuzz targets of a crate may use whatever they test with.
fn room_of(path: &str) -> Option<&str> {
    if path.starts_with("bench/") {
        return Some("bench");
    }
    let (folder, inside) = path.split_once("/src/")?;
    match (folder, inside) {
        ("engine/rt", _) => Some("rt"),
        ("engine", "main.rs") => Some("binary"),
        ("engine", "lib.rs" | "tests.rs") => None,
        ("engine", inside) => inside.split(['/', '.']).next(),
        (other, _) => Some(other),
    }
}

/// The room that a path leads to; none if it stays in the crate of a source that is not the engine's.
fn room_named<'a>(source: &str, path: &'a [String]) -> Option<&'a str> {
    match path[0].as_str() {
        "ringgate_protocols" => Some("protocols"),
        "ringgate_config" => Some("config"),
        "ringgate_rt" => Some("rt"),
        "crate" if !source.starts_with("engine/src/") => None,
        _ => path.get(1).map(String::as_str),
    }
}

pub(crate) fn runtimes(source: &Source) -> Vec<String> {
    if !source.is_src() {
        return Vec::new();
    }
    let foreign = RUNTIMES.iter().filter(|(_, home)| !source.path.starts_with(home));
    let named = foreign.filter(|(name, _)| !source.paths(&[*name]).is_empty());
    let broken = named.map(|(name, home)| {
        format!(
            "{}: names {name}, which only {home} may: a runtime that is named in one place can be replaced there, and \
             nothing on a shard may wait for another one",
            source.path
        )
    });
    broken.collect()
}

pub(crate) fn no_unsafe(source: &Source) -> Vec<String> {
    let counts = source.path.ends_with(COUNTING_ALLOCATOR) && (!source.is_src() || source.path.starts_with("bench/"));
    let allowed = counts || source.path.starts_with("engine/rt/");
    match !allowed && source.tokens.iter().any(|token| token == "unsafe") {
        true => {
            vec![format!("{}: unsafe code belongs in engine/rt, where it is looked for and tested for", source.path)]
        }
        false => Vec::new(),
    }
}

pub(crate) fn forbids_unsafe(source: &Source) -> Vec<String> {
    let level = match source.path.as_str() {
        "protocols/src/lib.rs" | "config/src/lib.rs" => "forbid",
        "engine/src/lib.rs" | "engine/src/main.rs" => "deny",
        _ => return Vec::new(),
    };
    let wanted = ["#", "!", "[", level, "(", "unsafe_code", ")", "]"];
    match source.tokens.windows(wanted.len()).any(|window| window == wanted) {
        true => Vec::new(),
        false => {
            vec![format!("{}: must say #![{level}(unsafe_code)]: what peers and users write is read here", source.path)]
        }
    }
}

pub(crate) fn length(source: &Source) -> Vec<String> {
    match source.lines > LINES_MAX {
        true => vec![format!(
            "{}: {} lines; at most {LINES_MAX}, so that a file holds one concern and can be read in one sitting: split it by \
             what its parts own",
            source.path, source.lines
        )],
        false => Vec::new(),
    }
}

pub(crate) fn unfinished(source: &Source) -> Vec<String> {
    let marks = ["todo", "unimplemented", "dbg"];
    let calls = source.tokens.windows(2).filter(|pair| pair[1] == "!" && marks.contains(&pair[0].as_str()));
    let broken = calls
        .map(|pair| format!("{}: {}! must not be committed: it panics or prints for a user", source.path, pair[0]));
    broken.collect()
}

pub(crate) fn names(source: &Source) -> Vec<String> {
    const NAMELESS: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];
    let declared = source.tokens.windows(2).filter(|pair| pair[0] == "mod").map(|pair| pair[1].as_str());
    let bad = declared.filter(|name| source.is_src() && NAMELESS.contains(name));
    let broken = bad.map(|name| {
        format!("{}: mod {name}: a module is named by what it holds; under such a name everything gathers", source.path)
    });
    broken.collect()
}

/// Which of the packages in `tree` must not be there.
pub(crate) fn crates(package: &str, tree: &[String], forbidden: &[&str]) -> Vec<String> {
    let bad = tree.iter().filter(|name| forbidden.contains(&name.as_str()));
    let broken = bad.map(|name| {
        format!("{package} runs with {name}: it must not. See the direction of dependencies in docs/ARCHITECTURE.md")
    });
    broken.collect()
}

/// How many things a rule finds in a file with this path and text.
#[cfg(test)]
fn found(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) -> usize {
    rule(&Source::new(path, text)).len()
}

#[test]
fn an_import_against_the_direction_is_found() {
    for (path, text) in [
        ("engine/src/model/head.rs", "use crate::proxy::Shard;"),
        ("engine/src/model/head.rs", "use super::super::route::RouteTable;"),
        ("engine/src/model/body.rs", "use ringgate_rt::timer::sleep;"),
        ("engine/src/route/table.rs", "fn f() { ringgate_rt::clock::now(); }"),
        ("engine/src/route/table.rs", "use crate::{model::Fault, upstream::Cluster};"),
        ("engine/src/upstream/pool.rs", "use crate::observe::LogBatch;"),
        ("engine/src/secure/server.rs", "use crate::proxy::Snapshot;"),
        ("engine/src/observe/json.rs", "use crate::secure::Secured;"),
        ("engine/src/proxy/shard.rs", "use crate::control::Options;"),
        ("engine/src/main.rs", "use ringgate::harness::Harness;"),
        ("engine/rt/src/shard.rs", "use ringgate_config::Config;"),
        ("config/src/load.rs", "use ringgate_protocols::wire::host;"),
        ("bench/benches/pipeline.rs", "use ringgate::control::Gateway;"),
        ("engine/src/plugins/mod.rs", ""),
    ] {
        assert_eq!(found(direction, path, text), 1, "{path}: {text}");
    }
}

#[test]
fn imports_along_the_direction_pass() {
    for (path, text) in [
        ("engine/src/model/body.rs", "use ringgate_rt::Buf;"),
        ("engine/src/proxy/exchange.rs", "use super::h1::Parts; use crate::route::Matched; use crate::proxy::ends::X;"),
        ("engine/src/control/gateway.rs", "use crate::{observe::LogWriter, proxy::{Permits, Snapshot}};"),
        ("engine/src/main.rs", "use ringgate::control; // not ringgate::proxy"),
        ("engine/tests/anything.rs", "use ringgate::control::Gateway;"),
        ("config/src/load.rs", "use crate::node::Node; use super::route;"),
    ] {
        assert_eq!(found(direction, path, text), 0, "{path}: {text}");
    }
}

#[test]
fn a_runtime_in_the_wrong_place_is_found() {
    assert_eq!(found(runtimes, "engine/src/proxy/shard.rs", "use monoio::spawn;"), 1);
    assert_eq!(found(runtimes, "engine/src/proxy/shard.rs", "tokio::spawn(x);"), 1);
    assert_eq!(found(runtimes, "engine/rt/src/shard.rs", "use tokio::net; use monoio::net;"), 1);
    assert_eq!(found(runtimes, "engine/src/control/admin.rs", "use tokio::net;"), 0);
    assert_eq!(found(runtimes, "protocols/tests/peer.rs", "use tokio::net;"), 0);
}

#[test]
fn unsafe_code_outside_rt_is_found() {
    assert_eq!(found(no_unsafe, "engine/src/proxy/shard.rs", "fn f() { unsafe { g() } }"), 1);
    assert_eq!(found(no_unsafe, "engine/src/proxy/shard.rs", "#![deny(unsafe_code)] // unsafe"), 0);
    assert_eq!(found(no_unsafe, "engine/rt/src/buffer.rs", "unsafe { g() }"), 0);
    assert_eq!(found(no_unsafe, "bench/src/allocations.rs", "unsafe impl GlobalAlloc for A {}"), 0);
    assert_eq!(found(no_unsafe, "engine/src/allocations.rs", "unsafe impl GlobalAlloc for A {}"), 1);
    assert_eq!(found(forbids_unsafe, "protocols/src/lib.rs", "#![deny(unsafe_code)]"), 1);
    assert_eq!(found(forbids_unsafe, "protocols/src/lib.rs", "#![forbid(unsafe_code)]"), 0);
    assert_eq!(found(forbids_unsafe, "engine/src/main.rs", "fn main() {}"), 1);
}

#[test]
fn long_files_unfinished_code_and_nameless_modules_are_found() {
    assert_eq!(found(length, "engine/src/a.rs", &"x\n".repeat(500)), 0);
    assert_eq!(found(length, "engine/src/a.rs", &"x\n".repeat(501)), 1);
    assert_eq!(found(unfinished, "engine/tests/a.rs", "todo!(); unimplemented!(\"x\"); dbg!(1); todo(); \"dbg!\""), 3);
    assert_eq!(found(names, "engine/src/lib.rs", "mod util; pub mod helpers { } mod utility; mod common;"), 3);
    assert_eq!(found(names, "engine/tests/a/main.rs", "mod common;"), 0);
}

#[test]
fn a_forbidden_crate_is_found() {
    let tree = ["ringgate-rt", "tokio", "libc"].map(str::to_owned);
    assert_eq!(crates("ringgate-rt", &tree, &["tokio", "hyper"]).len(), 1);
    assert_eq!(crates("ringgate-rt", &tree, &["hyper"]).len(), 0);
}
