//! Where requests go: shares of endpoints, reuse of connections, kinds of addresses, on both drivers.

#![allow(clippy::expect_used)]

mod addresses;
mod shares;
#[path = "../support/mod.rs"]
mod support;
