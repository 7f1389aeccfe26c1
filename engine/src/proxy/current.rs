//! The snapshot as one shard uses it, beside the shard's own state of each service and route.
//!
//! A reload makes a new one. What has a name keeps its state: an endpoint that stays keeps its connections. An exchange
//! keeps the route it began with and what is common to all, never the whole snapshot.

use super::snapshot::{ActionPlan, Common, RoutePlan, Snapshot};
use crate::observe::LogBatch;
use crate::series::RouteSeries;
use crate::upstream::{Cluster, Shares};
use ahash::AHashMap;
use ringgate_rt::Network;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// A snapshot on a shard.
pub(crate) struct Current<N: Network> {
    pub(crate) snapshot: Arc<Snapshot>,
    /// The shard's index.
    shard: usize,
    /// A copy of the shard's own, so that holding it touches no other core's memory.
    pub(crate) common: Rc<Common>,
    pub(crate) log: LogBatch,
    pub(crate) clusters: Vec<Rc<Cluster<N::Stream>>>,
    /// Made when a route is first used: a reload of many routes must not stop the shard.
    routes: RefCell<Vec<Option<Rc<RouteHere<N>>>>>,
}

/// A route on a shard.
pub(crate) struct RouteHere<N: Network> {
    pub(crate) plan: Arc<RoutePlan>,
    pub(crate) series: Arc<RouteSeries>,
    services: Shares<N::Stream>,
}

impl<N: Network> Current<N> {
    /// The snapshot, taking over what the one `before` it knows by name.
    pub(crate) fn new(snapshot: Arc<Snapshot>, shard: usize, log: LogBatch, before: Option<&Current<N>>) -> Current<N> {
        let known: AHashMap<&str, &Rc<Cluster<N::Stream>>> = before
            .map(|before| before.clusters.iter().map(|cluster| (cluster.name.as_str(), cluster)).collect())
            .unwrap_or_default();
        let series = snapshot.series(shard).map_or(&[][..], |series| series.endpoints.as_slice());
        let clusters = snapshot.upstreams.iter().enumerate().map(|(at, upstream)| {
            let before = known.get(upstream.name.as_str()).map(|cluster| &***cluster);
            Rc::new(Cluster::new(
                upstream,
                snapshot.upstream_tls[at].clone(),
                before,
                series.get(at).map_or(&[], Vec::as_slice),
            ))
        });
        Current {
            common: Rc::new(snapshot.common.clone()),
            log,
            clusters: clusters.collect(),
            routes: RefCell::new(vec![None; snapshot.routes.len()]),
            shard,
            snapshot,
        }
    }

    /// The service of this name.
    pub(crate) fn cluster(&self, name: &str) -> Option<Rc<Cluster<N::Stream>>> {
        self.clusters.iter().find(|cluster| cluster.name == name).cloned()
    }

    /// The route with this index.
    pub(crate) fn route(&self, index: usize) -> Rc<RouteHere<N>> {
        let mut routes = self.routes.borrow_mut();
        routes[index].get_or_insert_with(|| Rc::new(self.open(index))).clone()
    }

    fn open(&self, index: usize) -> RouteHere<N> {
        let plan = self.snapshot.routes[index].clone();
        let to = match &plan.action {
            ActionPlan::Forward(forward) => forward.to.as_slice(),
            ActionPlan::Redirect(_) | ActionPlan::Respond(_) => &[],
        };
        let services = Shares::new(to.iter().map(|(index, weight)| (self.clusters[*index].clone(), *weight)));
        let series = self.snapshot.series(self.shard).map(|series| series.routes.get(index).clone());
        RouteHere { plan, series: series.unwrap_or_default(), services }
    }
}

impl<N: Network> RouteHere<N> {
    /// The service whose turn it is; none for a route that does not forward.
    pub(crate) fn next_service(&self) -> Option<Rc<Cluster<N::Stream>>> {
        self.services.next()
    }
}
