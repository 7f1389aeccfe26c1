//! The gateway as a process: signals, memory, what a long row of bad messages leaves behind.

mod stop;
#[path = "../support/mod.rs"]
mod support;
