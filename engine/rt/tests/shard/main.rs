//! A shard as the gateway uses it, on both drivers: streams, listeners, turns, timers, mailboxes.
#![allow(clippy::expect_used, reason = "helpers of tests are tests")]

mod cancel;
mod cost;
mod drops;
mod listen;
mod net;
mod panics;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod turns;
mod wake;
mod words;
