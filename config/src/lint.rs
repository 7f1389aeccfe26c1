//! What a whole document says that is allowed but hardly meant: routes that no request reaches, timeouts that
//! contradict each other, addresses that lead back. Only warnings, and only for documents without errors.

mod implies;
mod shadow;

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use crate::address::{Address, EndpointAddress};
use crate::decode::Known;
use crate::document::{Action, Listener, Route};
use crate::node::Span;
use crate::reader::Reader;
use crate::rights::Rights;
use crate::units::show_duration;

/// Routes that no request reaches, because one that is asked before takes everything that they take. `names` says
/// where each route's name stands.
pub(crate) fn routes(reader: &mut Reader<'_>, routes: &[Route], names: &[Span]) {
    for (index, by) in shadow::shadowed(routes) {
        let (Some(route), Some(&span)) = (routes.get(index), names.get(index)) else {
            continue;
        };
        let by: Vec<(&Route, Span)> =
            by.into_iter().filter_map(|by| Some((routes.get(by)?, *names.get(by)?))).collect();
        let Some(&(first, at)) = by.first() else {
            continue;
        };
        let others = by.len() - 1;
        let and = if others == 0 { String::new() } else { format!(" and {others} more") };
        let message =
            format!("no request reaches the route `{}`: `{}`{and} takes all of them before", route.name, first.name);
        let place = reader.place_of(at, span);
        reader.warning(span, message, format!("`{}` is {place}: {}", first.name, why(first, route)));
    }
}

/// Requests without routes, and routes without requests: `root` is the first sign of the file.
pub(crate) fn answers(reader: &mut Reader<'_>, listeners: &[(Listener, Span)], routes: &[Route], root: Span) {
    let takes_requests = |listener: &Listener| {
        let bytes = listener.tcp.is_some() || !listener.passthrough.is_empty() && listener.tls.is_none();
        !bytes
    };
    match (listeners.iter().any(|(listener, _)| takes_requests(listener)), routes.first()) {
        (true, None) => reader.warning(root, "no routes: every request gets 404", "add a route under `routes`"),
        (false, Some(route)) => {
            let message = format!("no request reaches the route `{}`: every listener forwards plain bytes", route.name);
            let span = Span { at: route.at, width: 1 };
            reader.warning(span, message, "remove the routes, or add a listener for HTTP");
        }
        (true, Some(_)) | (false, None) => {}
    }
}

/// Why the one is asked before the other.
fn why(first: &Route, second: &Route) -> String {
    use crate::pattern::PathPattern::{Captured, Exact, Prefix, Regex};
    let kind = |route: &Route| match &route.matches.path {
        Some(Exact(_)) => "an exact path",
        Some(Captured { .. }) => "a path with captures",
        Some(Prefix(_)) => "a prefix",
        Some(Regex(_)) => "a regular expression",
        None => "a route without a path",
    };
    let (first, second) = (kind(first), kind(second));
    if first == second {
        return "of two that are alike, the first in the file wins; remove one, or tell them apart".to_owned();
    }
    format!("{first} comes before {second}, wherever it stands in the file")
}

/// Upstreams that may take longer to connect to than a route waits for the whole answer.
pub(crate) fn timeouts(reader: &mut Reader<'_>, known: &Known, routes: &[Route]) {
    let mut told = HashSet::new();
    for route in routes {
        let Action::Forward(forward) = &route.action else {
            continue;
        };
        for share in &forward.to {
            let (Some(upstream), Some(&span)) =
                (known.upstreams().get(share.upstream), known.patience.get(&share.upstream))
            else {
                continue;
            };
            if upstream.connect_timeout > forward.timeout && told.insert(share.upstream) {
                let (longer, shorter) = (show_duration(upstream.connect_timeout), show_duration(forward.timeout));
                let message =
                    format!("`connect_timeout` is {longer}, longer than the `timeout` of the route `{}`", route.name);
                reader.warning(span, message, format!("the route waits {shorter} for an answer: connect within that"));
            }
        }
    }
}

/// Endpoints that are the gateway itself, and ports that the process may not bind.
pub(crate) fn addresses(
    reader: &mut Reader<'_>,
    listeners: &[(Listener, Span)],
    admin: Option<(&Address, Span)>,
    endpoints: &[(EndpointAddress, Span)],
    rights: Option<Rights>,
) {
    let own = Own::new(listeners, admin.map(|(address, _)| address));
    for (endpoint, span) in endpoints {
        if let Some(what) = own.find(endpoint) {
            let message = format!("the endpoint `{endpoint}` is {what} of this gateway");
            reader.warning(*span, message, "name the address on which the service listens");
        }
    }
    let bound = listeners.iter().map(|(listener, span)| (&listener.address, *span)).chain(admin);
    for (address, span) in bound {
        if let (Address::Tcp(tcp), Some(rights)) = (address, rights)
            && !rights.allow(tcp.port())
        {
            let message = format!("this process has no right to bind port {}", tcp.port());
            let hint =
                "give it CAP_NET_BIND_SERVICE, lower net.ipv4.ip_unprivileged_port_start, or use a port from 1024";
            reader.warning(span, message, hint);
        }
    }
}

/// The addresses that the gateway binds.
struct Own<'l> {
    by_port: HashMap<u16, Vec<(IpAddr, String)>>,
    by_path: HashMap<&'l Path, String>,
}

impl<'l> Own<'l> {
    fn new(listeners: &'l [(Listener, Span)], admin: Option<&'l Address>) -> Own<'l> {
        let mut own = Own { by_port: HashMap::new(), by_path: HashMap::new() };
        let listeners =
            listeners.iter().map(|(listener, _)| (&listener.address, format!("the listener `{}`", listener.name)));
        for (address, what) in listeners.chain(admin.map(|address| (address, "the admin address".to_owned()))) {
            match address {
                Address::Tcp(tcp) => own.by_port.entry(tcp.port()).or_default().push((tcp.ip(), what)),
                Address::Unix(path) => drop(own.by_path.insert(path, what)),
            }
        }
        own
    }

    /// What an endpoint leads to, if it is one of these.
    fn find(&self, endpoint: &EndpointAddress) -> Option<&str> {
        match endpoint {
            EndpointAddress::Unix(path) => self.by_path.get(path.as_path()).map(String::as_str),
            EndpointAddress::Tcp(tcp) => {
                let bound = self.by_port.get(&tcp.port())?;
                bound.iter().find(|(ip, _)| reaches(*tcp, *ip)).map(|(_, what)| what.as_str())
            }
        }
    }
}

/// Whether connecting to `to` leads to what is bound to `bound` on the same port: the same address, or a loopback
/// address where every address is bound. Addresses of this machine's interfaces are not known here.
fn reaches(to: SocketAddr, bound: IpAddr) -> bool {
    let (to, bound) = (to.ip().to_canonical(), bound.to_canonical());
    // Connecting to 0.0.0.0 leads to this machine.
    let here = to.is_loopback() || to.is_unspecified();
    let everywhere = bound.is_unspecified() && (bound.is_ipv6() || to.is_ipv4());
    to == bound || here && everywhere || to.is_unspecified() && bound.is_loopback()
}
