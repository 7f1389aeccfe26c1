//! A listener as the pipeline uses it: compiled, immutable, shared by all shards.

use super::snapshot::ActionPlan;
use super::tcp::To;
use super::tunnel::TUNNEL_IDLE_TIMEOUT;
use crate::model::RequestHead;
use crate::route::{Reading, read};
use crate::secure::{ServerTls, behind_label};
use ahash::AHashMap;
use ipnet::IpNet;
use ringgate_config::{Config, HostPattern, Hsts, HttpsRedirect, Listener, Passthrough, ProxySenders, Redirect};
use ringgate_protocols::wire::HeaderId;
use std::net::IpAddr;
use std::sync::Arc;

/// Where certificates are asked for by their issuers (RFC 8555 section 8.3): over clear text, and nowhere else.
const ACME: &[u8] = b"/.well-known/acme-challenge/";

/// How a listener treats its connections.
#[derive(Default)]
pub(crate) struct ListenerPlan {
    pub(crate) name: String,
    /// How they are secured; none: clear text.
    pub(crate) tls: Option<Arc<ServerTls>>,
    /// Requests must be for the host that their connection is for.
    pub(crate) match_host: bool,
    /// What browsers are told of later visits.
    pub(crate) hsts: Option<Box<[u8]>>,
    /// Whose connections begin with a PROXY protocol header; none: nobody's.
    proxies: Option<Vec<IpNet>>,
    /// Connections that are not ended here.
    pub(crate) passthrough: Names,
    /// All connections go to a service as plain bytes.
    pub(crate) tcp: Option<To>,
    /// Where all requests are sent.
    redirect: Option<ActionPlan>,
}

/// Server names, and where connections for them go.
#[derive(Default)]
pub(crate) struct Names {
    exact: AHashMap<String, To>,
    /// By what follows the one label that the star stands for.
    wildcards: AHashMap<String, To>,
    other: Option<To>,
}

impl ListenerPlan {
    /// Takes over what the listener of this name has `before`.
    ///
    /// # Errors
    /// Certificates that can't be used, and why.
    pub(super) fn compile(
        listener: &Listener,
        config: &Config,
        before: Option<&ListenerPlan>,
    ) -> Result<ListenerPlan, String> {
        let before = before.and_then(|before| before.tls.as_deref());
        let build = |tls| ServerTls::build(&listener.name, tls, before).map(Arc::new);
        let to = |upstream: usize, idle_timeout| {
            let name = config.upstreams.get(upstream).map_or("", |upstream| upstream.name.as_str());
            To { upstream: name.into(), idle_timeout }
        };
        let tls = listener.tls.as_ref();
        Ok(ListenerPlan {
            name: listener.name.clone(),
            tls: tls.map(build).transpose()?,
            match_host: tls.is_some_and(|tls| tls.match_host),
            hsts: tls.and_then(|tls| tls.hsts.as_ref()).map(hsts),
            proxies: listener.proxy_protocol.as_ref().map(|ProxySenders { from }| from.clone()),
            passthrough: Names::new(&listener.passthrough, |upstream| to(upstream, TUNNEL_IDLE_TIMEOUT)),
            tcp: listener.tcp.as_ref().map(|tcp| to(tcp.upstream, tcp.idle_timeout)),
            redirect: listener.https_redirect.as_ref().map(redirect),
        })
    }

    /// Whether there is something to be done before a connection's first request.
    pub(crate) fn begins_apart(&self) -> bool {
        self.tls.is_some() || self.proxies.is_some() || self.tcp.is_some() || !self.passthrough.is_empty()
    }

    /// Whether some of its connections go to a service as plain bytes.
    pub(crate) fn forwards(&self) -> bool {
        self.tcp.is_some() || !self.passthrough.is_empty()
    }

    /// Whether some of its connections carry requests, secured or in clear text.
    pub(crate) fn takes_http(&self, secured: bool) -> bool {
        match secured {
            true => self.tls.is_some() && self.tcp.is_none(),
            false => self.tls.is_none() && !self.forwards(),
        }
    }

    /// Whether this peer's connections begin with a PROXY protocol header. A Unix socket's peer has no address, and is
    /// believed only if every address is.
    pub(crate) fn believes(&self, peer: Option<IpAddr>) -> bool {
        let Some(proxies) = &self.proxies else { return false };
        match peer {
            Some(address) => proxies.iter().any(|net| net.contains(&address.to_canonical())),
            None => proxies.iter().any(|net| net.prefix_len() == 0),
        }
    }

    /// Where a request is sent whatever its route; none if nowhere. One of which a `trusted` sender says that it came
    /// over https is there already: sent on, it would come back for ever.
    pub(crate) fn redirect_for(&self, head: &RequestHead<'_>, trusted: bool) -> Option<&ActionPlan> {
        let came_secured = || trusted && head.value(HeaderId::XForwardedProto) == Some(b"https");
        // A path that a service could read as another one is not let past under that name.
        let challenge = |path: &[u8]| path.starts_with(ACME) && matches!(read(path), Reading::One(_));
        self.redirect.as_ref().filter(|_| !challenge(head.path()) && !came_secured())
    }
}

impl Names {
    fn new(all: &[Passthrough], to: impl Fn(usize) -> To) -> Names {
        let mut names = Names::default();
        for passthrough in all {
            let to = to(passthrough.upstream);
            if passthrough.hosts.is_empty() {
                names.other = Some(to.clone());
            }
            for host in &passthrough.hosts {
                match host {
                    HostPattern::Exact(host) => names.exact.insert(host.clone(), to.clone()),
                    HostPattern::Wildcard(suffix) => names.wildcards.insert(suffix.clone(), to.clone()),
                };
            }
        }
        names
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.wildcards.is_empty() && self.other.is_none()
    }

    /// Where a connection goes that asks for this name, which is in lower case: the exact name before the wildcard before
    /// none.
    pub(crate) fn find(&self, name: Option<&str>) -> Option<To> {
        let named = name.and_then(|name| {
            self.exact.get(name).or_else(|| behind_label(name).and_then(|suffix| self.wildcards.get(suffix)))
        });
        named.or(self.other.as_ref()).cloned()
    }
}

fn redirect(to: &HttpsRedirect) -> ActionPlan {
    let https_port = Some(to.port).filter(|port| *port != 443);
    ActionPlan::Redirect(Redirect { to: None, https: true, https_port, status: to.status })
}

/// The field's value (RFC 6797 section 6.1).
fn hsts(hsts: &Hsts) -> Box<[u8]> {
    let mut value = format!("max-age={}", hsts.max_age.as_secs());
    for (set, directive) in [(hsts.include_subdomains, "; includeSubDomains"), (hsts.preload, "; preload")] {
        if set {
            value.push_str(directive);
        }
    }
    value.into_bytes().into()
}
