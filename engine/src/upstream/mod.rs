//! Services: their endpoints, which one gets the next request, and connections that wait to be used again.
//!
//! Each shard has its own state for each cluster: no lock, no sharing. Keyed by name, so that it outlives a reload.

mod balance;
mod cluster;
mod connect;
mod pool;
mod shares;

pub(crate) use cluster::{Cluster, Connected, Endpoint};
pub(crate) use connect::Need;
pub(crate) use shares::Shares;

#[cfg(test)]
mod tests;
