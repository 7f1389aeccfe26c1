//! The configuration as the pipeline uses it: compiled, immutable, shared by all shards.

use crate::route::RouteTable;
use ringgate_config::{Action, Config, Limits, Upstream};
use ringgate_protocols::h1::HeadLimits;
use std::net::IpAddr;
use std::time::Duration;

/// One configuration, compiled.
pub(crate) struct Snapshot {
    pub(crate) table: RouteTable,
    pub(crate) routes: Vec<RoutePlan>,
    pub(crate) upstreams: Vec<Upstream>,
    pub(crate) limits: Limits,
    pub(crate) head_limits: HeadLimits,
    pub(crate) listeners: Vec<String>,
    pub(crate) access_log: bool,
    trusted: Vec<ipnet::IpNet>,
}

/// What is done with the requests of a route.
pub(crate) struct RoutePlan {
    pub(crate) name: String,
    /// Index into `upstreams`.
    pub(crate) upstream: usize,
    pub(crate) timeout: Duration,
    pub(crate) host: Option<String>,
}

impl Snapshot {
    /// Compiles a configuration that has been checked.
    ///
    /// # Errors
    /// A regex too large to compile; the loader refuses those.
    pub(crate) fn compile(config: &Config) -> Result<Snapshot, regex::Error> {
        let limits = config.limits.clone();
        Ok(Snapshot {
            table: RouteTable::compile(config)?,
            routes: config.routes.iter().filter_map(RoutePlan::compile).collect(),
            upstreams: config.upstreams.clone(),
            head_limits: HeadLimits {
                header_bytes: limits.header_bytes,
                headers: limits.headers,
                target_bytes: limits.target_bytes,
            },
            limits,
            listeners: config.listeners.iter().map(|listener| listener.name.clone()).collect(),
            access_log: config.access_log.is_some(),
            trusted: config.trusted_proxies.clone(),
        })
    }

    /// Whether what this sender says of the client before it is believed. A Unix socket has no address, and its peer
    /// is trusted only if every address is.
    pub(crate) fn trusts(&self, sender: Option<IpAddr>) -> bool {
        match sender {
            Some(address) => self.trusted.iter().any(|net| net.contains(&address.to_canonical())),
            None => self.trusted.iter().any(|net| net.prefix_len() == 0),
        }
    }
}

impl RoutePlan {
    fn compile(route: &ringgate_config::Route) -> Option<RoutePlan> {
        // The loader lets nothing else through yet.
        let Action::Forward(forward) = &route.action else { return None };
        Some(RoutePlan {
            name: route.name.clone(),
            upstream: forward.to.first()?.upstream,
            timeout: forward.timeout,
            host: forward.host.clone(),
        })
    }
}
