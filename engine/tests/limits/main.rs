//! Every limit of the configuration, at the limit and one past it; the gateway's own answers; the access log.

#![allow(clippy::expect_used)]

mod answers;
mod bodies;
mod connections;
mod heads;
mod log;
mod rates;
#[path = "../support/mod.rs"]
mod support;
mod times;
