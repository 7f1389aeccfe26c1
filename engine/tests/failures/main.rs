//! Services that fail and clients that leave: what the other side gets, on both drivers.

#![allow(clippy::expect_used)]

mod bad_answers;
mod closing;
mod connect;
mod early;
mod kill;
mod leaving;
mod stale;
#[path = "../support/mod.rs"]
mod support;
mod timeouts;
