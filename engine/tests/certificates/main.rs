//! Certificates of a running gateway: exchanged on disk, broken, shown by the admin API and the metrics.

#![allow(clippy::expect_used)]

mod files;
mod process;
#[path = "../support/mod.rs"]
mod support;
mod swaps;

const BINARY: &str = env!("CARGO_BIN_EXE_ringgate");
