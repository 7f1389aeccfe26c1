//! Metrics: plain counters for each shard, which it alone writes, added up when somebody asks for them.
//!
//! They are keyed by the names of routes, endpoints and listeners, so that they outlive a reload; their number is bounded.
//! Nothing here takes a lock on the way of a request: a shard finds its series by index in its snapshot.

mod certificates;
mod exposition;
mod glance;
mod page;
mod process;
mod registry;
mod table;

pub(crate) use certificates::Certificate;
pub(crate) use glance::EndpointGlance;
pub(crate) use registry::{Registry, SeriesSet};

#[cfg(test)]
mod tests;
