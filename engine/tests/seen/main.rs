//! What can be seen of a running gateway: metrics that move, and the access log in every form.

#![allow(clippy::expect_used, clippy::unwrap_used)]

#[path = "../support/exposition.rs"]
mod exposition;
mod log;
mod metrics;
mod secured;
#[path = "../support/sites.rs"]
mod sites;
#[path = "../support/mod.rs"]
mod support;

const BINARY: &str = env!("CARGO_BIN_EXE_ringgate");
