//! The gateway as a process: signals, memory, what a long row of bad messages leaves behind.

#![allow(clippy::expect_used)]

mod stop;
#[path = "../support/mod.rs"]
mod support;
