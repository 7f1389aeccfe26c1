//! What is counted, for each shard and name: plain counters that the shard alone writes and any thread reads.
//!
//! Below whatever counts; `observe` adds them up and shows them. Nothing here takes a lock or a locked instruction, and
//! nothing here knows where a series came from.

mod counts;
pub(crate) mod scales;
pub(crate) mod status;

pub(crate) use counts::{
    Active, EndpointSeries, FAULTS, HANDSHAKE_FAILURES, ListenerSeries, Measured, RouteCounts, RouteSeries, STATES,
    ShardSeries,
};
