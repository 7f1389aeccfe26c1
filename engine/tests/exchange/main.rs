//! Requests and answers on their way through the gateway, byte for byte, on both drivers.

mod requests;
#[path = "../support/mod.rs"]
mod support;
