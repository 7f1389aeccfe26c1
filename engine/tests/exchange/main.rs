//! Requests and answers on their way through the gateway, byte for byte, on both drivers.

#![allow(clippy::expect_used)]

mod answers;
mod bodies;
mod hops;
mod identity;
mod interim;
mod pipelining;
mod pressure;
mod requests;
#[path = "../support/mod.rs"]
mod support;
mod trailers;
mod upgrade;
