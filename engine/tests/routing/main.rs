//! The command line around routing: `explain` and `diff`.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod agreement;
mod diff;
mod explain;
#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::process::Command;
use support::process::scratch;

const BINARY: &str = env!("CARGO_BIN_EXE_ringgate");

/// What the binary has said.
struct Said {
    exit: i32,
    out: String,
    err: String,
}

impl Said {
    #[track_caller]
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    /// The lines that hold a text.
    #[track_caller]
    fn line(&self, text: &str) -> &str {
        self.out
            .lines()
            .find(|line| line.contains(text))
            .unwrap_or_else(|| panic!("no `{text}` in\n{}{}", self.out, self.err))
    }
}

fn ringgate<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Said {
    let output = Command::new(BINARY).args(arguments).output().expect("the binary");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { exit: output.status.code().expect("an exit"), out: text(output.stdout), err: text(output.stderr) }
}

/// A file of a test, removed when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn holding(name: &str, text: &str) -> Scratch {
        let path = scratch(name);
        std::fs::write(&path, text).expect("a file");
        Scratch(path)
    }

    /// A configuration with these routes.
    fn config(routes: &str) -> Scratch {
        let head = "listeners: [{ name: http, address: \"127.0.0.1:0\" }]\nupstreams:\n  \
            users: { endpoints: [\"127.0.0.1:9001\", { address: \"127.0.0.1:9002\", weight: 2 }] }\n  \
            orders: { endpoints: [\"127.0.0.1:9003\"], connect_timeout: 500ms }\nroutes:\n";
        Scratch::holding("routes.yaml", &format!("{head}{routes}"))
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
