//! The listeners that a request may come in by, as far as they do something to it before or behind its route.

use super::super::printable::printable;
use crate::model::{Fault, RequestHead};
use crate::proxy::{ListenerPlan, Sender, Snapshot, redirected};
use ringgate_config::Config;

/// Which listeners matter for a request, and what they do.
pub(super) struct Entries {
    /// Whether any listener takes requests over this scheme.
    pub(super) any: bool,
    /// Those of the scheme that do more than to hand requests to their routes.
    pub(super) listeners: Vec<Entry>,
}

/// What a listener does.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) does: Does,
}

pub(super) enum Does {
    /// It sends every request to https; with this status to this place, unless that fails.
    Redirects(Result<(u16, String), Fault>),
    /// Connections for the request's host are not ended here: they go to this service.
    Passes(String),
    /// Its answers tell browsers of later visits.
    Tells(String),
}

/// Whether requests come over TLS where the URL does not say: only if no listener takes them over clear text.
pub(super) fn secure_alone(config: &Config) -> bool {
    let http = || config.listeners.iter().filter(|listener| listener.tcp.is_none());
    let clear = http().any(|listener| listener.tls.is_none() && listener.passthrough.is_empty());
    !clear && http().any(|listener| listener.tls.is_some())
}

impl Entries {
    pub(super) fn of(snapshot: &Snapshot, head: &RequestHead<'_>, sender: Sender) -> Entries {
        let taking = |plan: &&ListenerPlan| plan.takes_http(sender.secured);
        let plans: Vec<&ListenerPlan> = snapshot.listeners.iter().map(|plan| &**plan).filter(taking).collect();
        let entries = plans.iter().filter_map(|plan| {
            let does = does(plan, snapshot, head, sender)?;
            Some(Entry { name: plan.name.clone(), does })
        });
        Entries { any: !plans.is_empty(), listeners: entries.collect() }
    }
}

fn does(plan: &ListenerPlan, snapshot: &Snapshot, head: &RequestHead<'_>, sender: Sender) -> Option<Does> {
    if let Some(own) = redirected(plan, &snapshot.common, *head, sender) {
        let to = own.map(|own| {
            let location = own.fields.iter().find(|(name, _)| name == "location");
            (own.status, location.map_or_else(String::new, |(_, value)| printable(value)))
        });
        return Some(Does::Redirects(to));
    }
    let host = head.host_name().map(|host| String::from_utf8_lossy(host).to_ascii_lowercase());
    if let Some(to) = plan.passthrough.find(host.as_deref()) {
        return Some(Does::Passes(to.upstream.to_string()));
    }
    plan.hsts.as_deref().map(|value| Does::Tells(printable(value)))
}
