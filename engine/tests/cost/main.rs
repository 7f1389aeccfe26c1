//! What requests and connections cost: operations of the ring, and memory of the real binary.

#![allow(clippy::expect_used)]

mod idle;
mod memory;
mod operations;
#[path = "../support/mod.rs"]
mod support;

use support::process::Process;

const BINARY: &str = env!("CARGO_BIN_EXE_ringgate");

/// One at a time: each of these tests measures a process, and other work would be in its way.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The highest resident memory seen in a row of looks, until `done`.
fn highest_rss_kib(process: &Process, mut done: impl FnMut() -> bool) -> u64 {
    let mut highest = process.rss_kib();
    while !done() {
        std::thread::sleep(std::time::Duration::from_millis(10));
        highest = highest.max(process.rss_kib());
    }
    highest
}
