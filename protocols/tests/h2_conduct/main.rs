//! How a connection conducts itself over time: floods and budgets, deadlines, shutdown, whose turn it is to send.

// Clippy takes only functions marked as tests for tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../h2_wire/mod.rs"]
mod wire;

mod floods;
mod shutdown;
mod time;
mod turns;
