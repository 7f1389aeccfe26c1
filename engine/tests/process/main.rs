//! The gateway as a process: signals, deadlines, what is written and what is not.

#![allow(clippy::expect_used)]

mod deadline;
mod identity;
mod manager;
mod outputs;
mod reload;
mod stop;
#[path = "../support/mod.rs"]
mod support;

const BINARY: &str = env!("CARGO_BIN_EXE_ringgate");
