//! A shard as the gateway uses it, on both drivers: streams, listeners, turns, timers, mailboxes.

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
