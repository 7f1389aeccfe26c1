//! What a loaded file says, as typed values: the defaults are filled in, every value is within its limits, every
//! reference between parts of the document is resolved.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::secure::{HttpsRedirect, ListenerTls, Passthrough, ProxySenders, ProxyVersion, TcpForward, UpstreamTls};
use crate::{Address, Diagnostic, EndpointAddress, HostPattern, PathPattern, Position, Template, ValuePattern};

/// One configuration file, checked as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Cores and rings.
    pub runtime: Runtime,
    /// The admin listener, if there is one.
    pub admin: Option<Admin>,
    /// The directory of what must survive a restart, if there is any.
    pub state_dir: Option<PathBuf>,
    /// How the process stops.
    pub shutdown: Shutdown,
    /// How another configuration takes over.
    pub reload: Reload,
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
    /// What is written about each request; `None`: nothing.
    pub access_log: Option<AccessLog>,
    /// Every file that was read for it, each once: the main file first, then those that it and they name.
    pub files: Vec<PathBuf>,
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
    /// What is different on single cores, by their number.
    pub per_core: BTreeMap<usize, PerCore>,
}

/// What is different on one core.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PerCore {
    /// As [`Runtime::ring_entries`]; `None`: as on the other cores.
    pub ring_entries: Option<u32>,
}

/// The admin listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// What it binds: a loopback address or a Unix socket.
    pub address: Address,
    /// What changing calls over TCP must bear; without it only calls over a Unix socket may change anything.
    pub token: Option<Secret>,
    /// Where the file says so.
    pub at: Position,
}

/// A text that no log and no answer may show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: String) -> Secret {
        Secret(text)
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
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
    /// How long the process goes on accepting after it has begun to say that it is not ready.
    pub delay: Duration,
    /// How long a graceful stop waits for exchanges in flight.
    pub deadline: Duration,
}

impl Default for Shutdown {
    fn default() -> Self {
        Shutdown { delay: Duration::ZERO, deadline: Duration::from_secs(30) }
    }
}

/// How another configuration takes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reload {
    /// How long tunnels of a route that is removed may go on.
    pub drain: Duration,
}

impl Default for Reload {
    fn default() -> Self {
        Reload { drain: Duration::from_secs(30) }
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
    /// From the first byte of a connection's security to the last: the PROXY protocol's header, the TLS handshake.
    pub handshake_timeout: Duration,
    /// Handshakes that each shard has in progress; one more ends the one that has waited for its client for longest.
    pub handshakes: usize,
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
            handshake_timeout: Duration::from_secs(10),
            handshakes: 2000,
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
    /// Whose connections begin with a header that tells where they come from.
    pub proxy_protocol: Option<ProxySenders>,
    /// How connections are secured; `None`: clear text.
    pub tls: Option<ListenerTls>,
    /// TLS connections that are not ended here, by name.
    pub passthrough: Vec<Passthrough>,
    /// Connections are forwarded as plain bytes, without HTTP.
    pub tcp: Option<TcpForward>,
    /// Every request is sent to https.
    pub https_redirect: Option<HttpsRedirect>,
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
    /// How long connecting to an endpoint may take, and the TLS handshake as long again.
    pub connect_timeout: Duration,
    /// How connections are secured; `None`: clear text.
    pub tls: Option<UpstreamTls>,
    /// What each connection begins with: a header that tells where the client comes from.
    pub proxy_protocol: Option<ProxyVersion>,
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
    /// What is done with them.
    pub action: Action,
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

/// What is done with a route's requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A service answers them.
    Forward(Forward),
    /// The client is sent elsewhere.
    Redirect(Redirect),
    /// The gateway answers them itself.
    Respond(Respond),
}

/// The services that a route's requests go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// At least one, with its share of the requests; no upstream twice, not all weights 0.
    pub to: Vec<Share>,
    /// From the last byte of the request that was sent on to the answer's head.
    pub timeout: Duration,
    /// What the service gets as `Host`; `None`: as received.
    pub host: Option<String>,
}

/// One service's share of a route's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Index into [`Config::upstreams`].
    pub upstream: usize,
    /// Out of the sum of the route's weights, 0 to 1000; 1 for `upstream:`.
    pub weight: u32,
}

/// Where a client is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// A path, or a URL with scheme and host; `None`: the path as it came. The query is kept unless this has its own.
    pub to: Option<Template>,
    /// Change the scheme to https, keeping the host without its port where `to` names none.
    pub https: bool,
    /// The port that the host gets then, where it is another than 443.
    pub https_port: Option<u16>,
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
}

/// An answer of the gateway itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Respond {
    /// 200 to 599; with `ready`, what is answered while the gateway is ready.
    pub status: u16,
    /// Names in lower case. None that frame a message: the gateway sets those.
    pub headers: Vec<(String, Template)>,
    /// What the body is.
    pub body: ResponseBody,
    /// `health: ready`: 503 instead while the gateway is not ready (it is stopping, or an upstream that all need is down).
    pub ready: bool,
}

/// The body of an answer of the gateway itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseBody {
    /// This text, references filled in; empty for none.
    Text(Template),
    /// What the file held when the configuration was read.
    File {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// What is written about each request; `None` in its place: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessLog {
    /// What a line looks like.
    pub format: LogFormat,
    /// Where it goes.
    pub to: LogTarget,
    /// Request header fields that a JSON line holds besides, in lower case.
    pub headers: Vec<String>,
    /// Whether a JSON line holds the values of [`LogValue::TLS`] besides.
    pub tls: bool,
}

/// What a line of the access log looks like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// One JSON object.
    #[default]
    Json,
    /// The combined log format of Apache and nginx.
    Combined,
    /// These parts, one behind the other.
    Template(Vec<LogPart>),
}

/// A part of a templated line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogPart {
    /// This text.
    Literal(String),
    /// A value by the name of its JSON key: `status`, `duration_ms`.
    Value(LogValue),
    /// `header:NAME`: a request header field, in lower case.
    Header(String),
}

/// A value of the access log, named as the key of its JSON member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the key in docs/operations.md")]
pub enum LogValue {
    Time,
    RequestId,
    Client,
    Listener,
    Protocol,
    Method,
    Host,
    Target,
    Route,
    Upstream,
    Endpoint,
    Status,
    BytesIn,
    BytesOut,
    DurationMs,
    UpstreamMs,
    Fault,
    TlsVersion,
    TlsCipher,
    ServerName,
    ClientSubject,
    ClientSans,
}

impl LogValue {
    /// Every value that each JSON line holds, under its name.
    pub const ALL: [(&'static str, LogValue); 17] = [
        ("time", LogValue::Time),
        ("request_id", LogValue::RequestId),
        ("client", LogValue::Client),
        ("listener", LogValue::Listener),
        ("protocol", LogValue::Protocol),
        ("method", LogValue::Method),
        ("host", LogValue::Host),
        ("target", LogValue::Target),
        ("route", LogValue::Route),
        ("upstream", LogValue::Upstream),
        ("endpoint", LogValue::Endpoint),
        ("status", LogValue::Status),
        ("bytes_in", LogValue::BytesIn),
        ("bytes_out", LogValue::BytesOut),
        ("duration_ms", LogValue::DurationMs),
        ("upstream_ms", LogValue::UpstreamMs),
        ("fault", LogValue::Fault),
    ];

    /// What a line may say of the connection's security, under its name: in JSON only where the file asks for it.
    pub const TLS: [(&'static str, LogValue); 5] = [
        ("tls_version", LogValue::TlsVersion),
        ("tls_cipher", LogValue::TlsCipher),
        ("server_name", LogValue::ServerName),
        ("client_subject", LogValue::ClientSubject),
        ("client_sans", LogValue::ClientSans),
    ];

    /// Every value under its name.
    pub fn every() -> impl Iterator<Item = (&'static str, LogValue)> {
        LogValue::ALL.into_iter().chain(LogValue::TLS)
    }

    /// The name of this value.
    pub fn name(self) -> &'static str {
        LogValue::every().find(|(_, value)| *value == self).map_or("", |(name, _)| name)
    }
}

/// Where the lines of the access log go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LogTarget {
    /// Standard output.
    #[default]
    Stdout,
    /// This file, appended to; opened again on USR1.
    File(PathBuf),
}
