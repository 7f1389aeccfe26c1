//! Thousands of malformed and hostile requests and answers against the real binary: each gets its status and the end
//! of its connection, nothing of a refused head reaches the service, the next connection works, and nothing stays in
//! memory.

#![allow(clippy::expect_used)]

mod answers;
mod corpus;
mod fields;
mod requests;
#[path = "../support/mod.rs"]
mod support;

use support::process::Process;
use support::{Plan, Service};

const BINARY: &str = env!("CARGO_BIN_EXE_ringgate");
/// What may stay in memory after everything.
const GROWTH_KIB_MAX: u64 = 2 * 1024;

fn process(service: &Service) -> Process {
    Process::start(BINARY, &Plan::to(service).text(), "auto")
}

/// Resident memory now, with the lowest of a few looks: what a burst leaves goes back to the system a little later.
fn settled_rss_kib(process: &Process, bound: u64) -> u64 {
    let begun = std::time::Instant::now();
    loop {
        let now = process.rss_kib();
        if now <= bound || begun.elapsed() > std::time::Duration::from_secs(3) {
            return now;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
