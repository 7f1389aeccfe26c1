//! The configuration as the pipeline uses it: compiled, immutable, shared by all shards.

use super::listener_plan::ListenerPlan;
use crate::observe::{LogPlan, SeriesSet};
use crate::route::RouteTable;
use crate::secure::{ClientTls, Holdings};
use ahash::AHashMap;
use ringgate_config::{Action, Config, Limits, Redirect, Respond, Upstream};
use ringgate_protocols::h1::HeadLimits;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// One configuration, compiled.
pub(crate) struct Snapshot {
    pub(crate) table: RouteTable,
    /// Each in an `Arc` of its own: an exchange that lasts keeps its route, not the whole snapshot.
    pub(crate) routes: Vec<Arc<RoutePlan>>,
    pub(crate) upstreams: Vec<Upstream>,
    /// In the order of the file.
    pub(crate) listeners: Vec<Arc<ListenerPlan>>,
    /// By the index of an upstream: how connections to it are secured; none: clear text.
    pub(crate) upstream_tls: Vec<Option<Arc<ClientTls>>>,
    pub(crate) common: Common,
    /// What a line of the access log looks like, if there are any.
    pub(crate) access_log: Option<LogPlan>,
    /// What is counted of it, for each shard. Here, so that it is freed where the snapshot is.
    series: Vec<SeriesSet>,
    by_name: AHashMap<String, usize>,
}

/// What holds for every request: small, and kept by a connection for as long as it is busy.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) limits: Limits,
    pub(crate) head_limits: HeadLimits,
    /// How long tunnels of a removed route, and connections of a removed listener, may go on.
    pub(crate) drain: Duration,
    trusted: Vec<ipnet::IpNet>,
}

/// A route and what is done with its requests.
pub(crate) struct RoutePlan {
    pub(crate) name: String,
    pub(crate) action: ActionPlan,
}

/// What is done with the requests of a route.
pub(crate) enum ActionPlan {
    Forward(ForwardPlan),
    Redirect(Redirect),
    Respond(Respond),
}

/// How requests are forwarded.
pub(crate) struct ForwardPlan {
    /// Indices into the snapshot's upstreams, with their weights.
    pub(crate) to: Vec<(usize, u32)>,
    pub(crate) timeout: Duration,
    pub(crate) host: Option<String>,
}

impl Snapshot {
    /// Compiles a configuration that has been checked. What secures connections takes over from the one `before` it what
    /// may go on: sessions and tickets.
    ///
    /// # Errors
    /// A regex too large to compile, a certificate that can't be used: the loader refuses those.
    pub(crate) fn compile(config: &Config, before: Option<&Snapshot>) -> Result<Snapshot, String> {
        let routes = config.routes.iter();
        let listeners = config.listeners.iter().map(|listener| {
            let mut known = before.iter().flat_map(|before| &before.listeners);
            let known = known.find(|known| known.name == listener.name);
            ListenerPlan::compile(listener, config, known.map(|known| &**known)).map(Arc::new)
        });
        let known = before.map(Snapshot::client_tls).unwrap_or_default();
        let secured = config.upstreams.iter().map(|upstream| {
            ClientTls::build(upstream, known.get(upstream.name.as_str()).copied()).map(|tls| tls.map(Arc::new))
        });
        Ok(Snapshot {
            table: RouteTable::compile(config).map_err(|error| error.to_string())?,
            listeners: listeners.collect::<Result<_, String>>()?,
            upstream_tls: secured.collect::<Result<_, String>>()?,
            routes: routes.clone().map(|route| Arc::new(RoutePlan::compile(route))).collect(),
            upstreams: config.upstreams.clone(),
            common: Common::of(config),
            access_log: config.access_log.as_ref().map(LogPlan::compile),
            series: Vec::new(),
            by_name: routes.enumerate().map(|(index, route)| (route.name.clone(), index)).collect(),
        })
    }

    /// The listener of this name.
    pub(crate) fn listener(&self, name: &str) -> Option<&Arc<ListenerPlan>> {
        self.listeners.iter().find(|listener| listener.name == name)
    }

    /// What secures connections to upstreams, by their names.
    fn client_tls(&self) -> AHashMap<&str, &ClientTls> {
        let named = self.upstreams.iter().zip(&self.upstream_tls);
        named.filter_map(|(upstream, tls)| Some((upstream.name.as_str(), tls.as_deref()?))).collect()
    }

    /// Everything that secures connections.
    pub(crate) fn secured(&self) -> Holdings {
        Holdings {
            listeners: self.listeners.iter().filter_map(|listener| listener.tls.clone()).collect(),
            services: self.upstream_tls.iter().flatten().cloned().collect(),
        }
    }

    /// Has what goes by this snapshot counted in these series, a set for each shard.
    pub(crate) fn count_in(&mut self, series: Vec<SeriesSet>) {
        self.series = series;
    }

    /// The series of one shard.
    pub(crate) fn series(&self, shard: usize) -> Option<&SeriesSet> {
        self.series.get(shard)
    }

    /// The route of this name.
    pub(crate) fn route(&self, name: &str) -> Option<&Arc<RoutePlan>> {
        self.by_name.get(name).map(|index| &self.routes[*index])
    }
}

impl Common {
    fn of(config: &Config) -> Common {
        let limits = config.limits.clone();
        Common {
            head_limits: HeadLimits {
                header_bytes: limits.header_bytes,
                headers: limits.headers,
                target_bytes: limits.target_bytes,
            },
            limits,
            drain: config.reload.drain,
            trusted: config.trusted_proxies.clone(),
        }
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
    fn compile(route: &ringgate_config::Route) -> RoutePlan {
        let action = match &route.action {
            Action::Forward(forward) => ActionPlan::Forward(ForwardPlan {
                to: forward.to.iter().map(|share| (share.upstream, share.weight)).collect(),
                timeout: forward.timeout,
                host: forward.host.clone(),
            }),
            Action::Redirect(redirect) => ActionPlan::Redirect(redirect.clone()),
            Action::Respond(respond) => ActionPlan::Respond(respond.clone()),
        };
        RoutePlan { name: route.name.clone(), action }
    }

    /// Whether requests of this route go to a service.
    pub(crate) fn forwards(&self) -> bool {
        matches!(self.action, ActionPlan::Forward(_))
    }
}
