//! What fails around the gateway: services that refuse, close, lie or die, clients that leave.

#![allow(clippy::expect_used)]

mod bad_answers;
mod clients;
mod closes;
mod connecting;
mod kill;
mod stale;
#[path = "../support/mod.rs"]
mod support;
