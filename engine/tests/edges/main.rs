//! What comes before the first request, and connections that have none: PROXY protocol headers in and out, plain TCP,
//! passthrough by server name, the way to https. Each with real sockets on both sides.

#![allow(clippy::expect_used, clippy::unwrap_used)]

#[path = "../support/exposition.rs"]
#[allow(dead_code, reason = "other tests read more of a page")]
mod exposition;
mod https;
mod passthrough;
mod plan;
mod proxy_in;
mod proxy_out;
#[path = "../support/sites.rs"]
mod sites;
#[path = "../support/mod.rs"]
mod support;
mod tcp;
