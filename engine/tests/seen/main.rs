//! What can be seen of a running gateway: metrics that move, and the access log in every form.

#![allow(clippy::expect_used)]

#[path = "../support/exposition.rs"]
mod exposition;
mod log;
mod metrics;
#[path = "../support/mod.rs"]
mod support;

const BINARY: &str = env!("CARGO_BIN_EXE_ringgate");
