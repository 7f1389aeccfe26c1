//! Ringgate: an API gateway and L7 proxy, thread-per-core on io_uring.
//!
//! The binary is the product; this library is what it and the tests and benches are made of. `docs/ARCHITECTURE.md`
//! shows where things live and how a request flows.
#![deny(unsafe_code)]

pub mod control;
#[doc(hidden)]
pub mod harness;
mod model;
mod observe;
mod proxy;
mod route;
mod secure;
mod series;
mod upstream;

#[cfg(test)]
mod tests;
