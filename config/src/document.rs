//! What a loaded file says, as typed values: the defaults are filled in, every value is within its limits, every
//! reference between parts of the document is resolved.

use std::time::Duration;

use ipnet::IpNet;

use crate::{Address, Diagnostic, EndpointAddress, HostPattern, PathPattern, Position, ValuePattern};

/// One configuration file, checked as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Cores and rings.
    pub runtime: Runtime,
    /// How the process stops.
    pub shutdown: Shutdown,
    /// Senders whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Every limit on what a peer may send.
    pub limits: Limits,
    /// Where clients connect; at least one, names and addresses unique.
    pub listeners: Vec<Listener>,
    /// The services behind the gateway, in file order; names unique.
    pub upstreams: Vec<Upstream>,
    /// The routes, in file order; names unique.
    pub routes: Vec<Route>,
    /// What is written about each request.
    pub access_log: AccessLog,
    /// What is allowed but probably not meant, in file order.
    pub warnings: Vec<Diagnostic>,
}

impl Config {
    /// `N routes, N upstreams, N listeners`: the words in which `ringgate check` describes a good file. Always in the
    /// plural, so that scripts have one form to read.
    pub fn summary(&self) -> String {
        let (routes, upstreams, listeners) = (self.routes.len(), self.upstreams.len(), self.listeners.len());
        format!("{routes} routes, {upstreams} upstreams, {listeners} listeners")
    }
}

/// Cores and rings: read once at the start, a reload can't change them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Runtime {
    /// The cores that run a shard each.
    pub cores: Cores,
    /// Entries of each shard's submission ring: a power of two from 64 to 32768. `None`: the engine's own default.
    pub ring_entries: Option<u32>,
}

/// The cores that run a shard each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cores {
    /// Every core that the process may run on.
    #[default]
    Auto,
    /// These cores, in this order; not empty, no core twice.
    List(Vec<usize>),
}

/// How the process stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shutdown {
    /// How long a graceful stop waits for exchanges in flight.
    pub deadline: Duration,
}

impl Default for Shutdown {
    fn default() -> Self {
        Shutdown { deadline: Duration::from_secs(30) }
    }
}

/// Every limit on what a peer may send. `docs/configuration.md` says what exceeding each one gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's or an answer's head.
    pub header_bytes: usize,
    /// Header fields of a head.
    pub headers: usize,
    /// Bytes of a request's target; never more than `header_bytes`.
    pub target_bytes: usize,
    /// Bytes of a request's body; `u64::MAX` when the file says `off`.
    pub body_bytes: u64,
    /// From the first byte of a head to its last.
    pub header_timeout: Duration,
    /// How long a client's connection may wait for its next request.
    pub idle_timeout: Duration,
    /// The slowest a body may come or an answer be taken; `None` when the file says `off`.
    pub min_rate: Option<MinRate>,
    /// Client connections at a time, over all shards.
    pub connections: usize,
    /// How often a request may have passed this gateway, counted in Via.
    pub max_hops: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            header_bytes: 32 * 1024,
            headers: 100,
            target_bytes: 16 * 1024,
            body_bytes: 10 * 1024 * 1024,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            min_rate: Some(MinRate::default()),
            connections: 20_000,
            max_hops: 5,
        }
    }
}

/// The slowest a body may come or an answer be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinRate {
    /// Bytes per second.
    pub bytes: u64,
    /// How long a transfer may be slower than that.
    pub grace: Duration,
}

impl Default for MinRate {
    fn default() -> Self {
        MinRate { bytes: 240, grace: Duration::from_secs(5) }
    }
}

/// Where clients connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its name in logs, metrics and the start report.
    pub name: String,
    /// What it binds.
    pub address: Address,
    /// Where the file says so.
    pub at: Position,
}

/// One service: a set of endpoints that answer alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Its name in routes, logs and metrics.
    pub name: String,
    /// At least one.
    pub endpoints: Vec<Endpoint>,
    /// How long connecting to an endpoint may take.
    pub connect_timeout: Duration,
    /// Where the file says so.
    pub at: Position,
}

/// One address of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// What is connected to.
    pub address: EndpointAddress,
    /// Its share of the requests, from 1 to 1000.
    pub weight: u32,
}

/// Which requests go where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its name in logs and metrics.
    pub name: String,
    /// The requests it takes.
    pub matches: Match,
    /// Where they go.
    pub forward: Forward,
    /// Where the file says so.
    pub at: Position,
}

/// The requests that a route takes: those for which every predicate holds. An empty list holds for all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Match {
    /// One of these hosts.
    pub hosts: Vec<HostPattern>,
    /// This path.
    pub path: Option<PathPattern>,
    /// One of these methods, in capitals as on the wire.
    pub methods: Vec<String>,
    /// Every one of these headers: names in lower case.
    pub headers: Vec<(String, ValuePattern)>,
    /// Every one of these query parameters: exact values.
    pub query: Vec<(String, ValuePattern)>,
}

/// Where a route's requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// Index into [`Config::upstreams`].
    pub upstream: usize,
    /// From the last byte of the request that was sent on to the answer's head.
    pub timeout: Duration,
    /// What the service gets as `Host`; `None`: as received.
    pub host: Option<String>,
}

/// What is written about each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccessLog {
    /// Nothing.
    Off,
    /// One JSON object a line, to standard output.
    #[default]
    Json,
}
