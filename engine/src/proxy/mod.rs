//! The pipeline: what happens to a connection and to each request on it, from top to bottom.
//!
//! `connection` is a client's connection, `exchange` one request on it, `forward` and `transfer` what goes to the service
//! and back. Only `h1/` knows HTTP/1; everything else is written against the two traits in `ends`.

mod accept;
mod answer;
mod arrive;
mod connection;
mod current;
mod ends;
mod entrance;
mod exchange;
mod forward;
mod h1;
mod headers;
mod listener_plan;
mod own;
mod preview;
mod rate;
mod reach;
mod record;
mod request_id;
mod shard;
mod snapshot;
mod tcp;
mod template;
mod transfer;
mod tunnel;
mod tunnels;

pub(crate) use accept::{ACCEPTS_IN_FLIGHT, Permit, Permits, accept_loop, adopt, serve_waiting};
pub(crate) use entrance::{Entrance, EntranceId};
pub(crate) use h1::view;
pub(crate) use listener_plan::ListenerPlan;
pub(crate) use preview::{Preview, Sender, allow, preview, reason, redirected};
pub(crate) use shard::{Note, Notes, Readiness, Shard};
pub(crate) use snapshot::Snapshot;

/// The name of this gateway in Via.
pub(crate) const PSEUDONYM: &str = "ringgate";

/// An exchange for this target panics, in tests.
#[cfg(test)]
pub(crate) const PANIC_TARGET: &[u8] = b"/panic";

#[cfg(test)]
pub(crate) use accept::Place;
#[cfg(test)]
pub(crate) use connection::{Arrival, serve};
