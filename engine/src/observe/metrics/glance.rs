//! What the series say of single endpoints, listeners and shards now: numbers for the admin API.

use super::registry::Registry;
use crate::series::{EndpointSeries, ListenerSeries, STATES};
use ringgate_rt::clock;
use ringgate_rt::counters::Counter;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An endpoint, over all shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EndpointGlance {
    /// Connections with an exchange on them.
    pub(crate) active: u64,
    /// Connections that wait in the pools.
    pub(crate) idle: u64,
    /// Requests that it has answered or failed.
    pub(crate) requests: u64,
    /// Connections that were refused, failed, or took too long to make.
    pub(crate) connects_failed: u64,
    /// Shards that pass it over at the moment.
    pub(crate) skipped_on: u64,
}

/// A listener, over all shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListenerGlance {
    /// Connections that are open.
    pub(crate) open: u64,
    pub(crate) accepted: u64,
    /// Connections that had to wait for a place.
    pub(crate) limited: u64,
}

impl Registry {
    /// Every endpoint with series of its own, by the name of its upstream and its address.
    pub(crate) fn endpoints(&self) -> BTreeMap<(String, String), EndpointGlance> {
        let now = clock::read();
        let all = self.names().endpoints.all();
        let glance = |shards: Vec<Arc<EndpointSeries>>| {
            let mut sum = EndpointGlance::default();
            for series in shards {
                sum.active += series.active.get();
                sum.idle += series.idle.get();
                sum.requests += series.classes.iter().map(Counter::get).sum::<u64>();
                sum.connects_failed += series.refused.get() + series.timed_out.get() + series.insecure.get();
                sum.skipped_on += u64::from(STATES[series.state(now)] == "skipped");
            }
            sum
        };
        all.into_iter().map(|(name, shards)| (name, glance(shards))).collect()
    }

    /// Every listener with series of its own, by its name.
    pub(crate) fn listeners(&self) -> BTreeMap<String, ListenerGlance> {
        let all = self.names().listeners.all();
        let glance = |shards: Vec<Arc<ListenerSeries>>| {
            let mut sum = ListenerGlance::default();
            for series in shards {
                sum.open += series.active.get();
                sum.accepted += series.accepted.get();
                sum.limited += series.limited.get();
            }
            sum
        };
        all.into_iter().map(|(name, shards)| (name, glance(shards))).collect()
    }

    /// Exchanges that each shard has under way.
    pub(crate) fn exchanges(&self) -> Vec<u64> {
        self.shards().iter().map(|shard| shard.active.get()).collect()
    }
}
