//! What each part of a document says, key by key, in texts that can be compared and shown.

mod secure;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;

use crate::document::{
    AccessLog, Action, Admin, Cores, Endpoint, Forward, Limits, Listener, LogFormat, LogPart, LogTarget, Match,
    Redirect, Reload, Respond, ResponseBody, Route, Runtime, Shutdown, Upstream,
};
use crate::pattern::{PathPattern, Segment};
use crate::units::{show_duration, show_size};
use crate::wording::shorten;

/// One thing that a part says. No Debug: it may hold a secret.
#[derive(PartialEq, Eq)]
pub(super) struct Fact<'c> {
    pub(super) field: Cow<'static, str>,
    /// Its value as a person is shown it.
    pub(super) shown: String,
    /// What the shown text leaves out, for comparing alone.
    hidden: Cow<'c, [u8]>,
    /// What stands behind the new value where the shown texts are alike.
    pub(super) alike: &'static str,
}

fn fact<'c>(field: impl Into<Cow<'static, str>>, value: impl Display) -> Fact<'c> {
    Fact { field: field.into(), shown: value.to_string(), hidden: Cow::Borrowed(&[]), alike: "another" }
}

fn time<'c>(field: &'static str, value: Duration) -> Fact<'c> {
    fact(field, show_duration(value))
}

fn switch(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn list<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    format!("[{}]", values.join(", "))
}

/// A list in which no order means anything.
fn set<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    list(values.into_iter().map(|value| value.to_string()).collect::<BTreeSet<String>>())
}

pub(super) fn runtime(runtime: &Runtime) -> Vec<Fact<'_>> {
    let Runtime { cores, ring_entries, per_core } = runtime;
    let mut facts = vec![match cores {
        Cores::Auto => fact("cores", "auto"),
        Cores::List(cores) => fact("cores", list(cores)),
    }];
    facts.extend(ring_entries.map(|entries| fact("ring_entries", entries)));
    for (core, own) in per_core {
        facts.extend(own.ring_entries.map(|entries| fact(format!("per_core.{core}.ring_entries"), entries)));
    }
    facts
}

pub(super) fn admin(admin: &Admin) -> Vec<Fact<'_>> {
    let Admin { address, token, at: _ } = admin;
    let mut facts = vec![fact("address", address)];
    facts.extend(
        token.as_ref().map(|token| Fact { hidden: token.reveal().as_bytes().into(), ..fact("token", "a secret") }),
    );
    facts
}

pub(super) fn state_dir(path: &Path) -> Vec<Fact<'_>> {
    vec![fact("path", path.display())]
}

pub(super) fn shutdown(shutdown: &Shutdown) -> Vec<Fact<'_>> {
    let Shutdown { delay, deadline } = shutdown;
    vec![time("delay", *delay), time("deadline", *deadline)]
}

pub(super) fn reload(reload: &Reload) -> Vec<Fact<'_>> {
    let Reload { drain } = reload;
    vec![time("drain", *drain)]
}

pub(super) fn trusted_proxies(networks: &[IpNet]) -> Vec<Fact<'_>> {
    networks.iter().collect::<BTreeSet<_>>().into_iter().map(|network| fact(network.to_string(), "trusted")).collect()
}

pub(super) fn limits(limits: &Limits) -> Vec<Fact<'_>> {
    let Limits {
        header_bytes,
        headers,
        target_bytes,
        body_bytes,
        header_timeout,
        handshake_timeout,
        handshakes,
        idle_timeout,
        min_rate,
        connections,
        max_hops,
    } = limits;
    let body_bytes = if *body_bytes == u64::MAX { "off".to_owned() } else { show_size(*body_bytes) };
    let min_rate = min_rate.map(|rate| {
        let (bytes, grace) = (show_size(rate.bytes), show_duration(rate.grace));
        format!("{{ bytes: {bytes}, grace: {grace} }}")
    });
    vec![
        fact("header_bytes", show_size(*header_bytes as u64)),
        fact("headers", headers),
        fact("target_bytes", show_size(*target_bytes as u64)),
        fact("body_bytes", body_bytes),
        time("header_timeout", *header_timeout),
        time("handshake_timeout", *handshake_timeout),
        fact("handshakes", handshakes),
        time("idle_timeout", *idle_timeout),
        fact("min_rate", min_rate.unwrap_or_else(|| "off".to_owned())),
        fact("connections", connections),
        fact("max_hops", max_hops),
    ]
}

/// Services by name, as in [`route`].
pub(super) fn listener<'c>(listener: &'c Listener, upstreams: &[Upstream]) -> Vec<Fact<'c>> {
    let Listener { name: _, address, proxy_protocol, tls, passthrough, tcp, https_redirect, at: _ } = listener;
    let mut facts = vec![fact("address", address)];
    facts.extend(proxy_protocol.as_ref().map(secure::senders));
    if let Some(tls) = tls {
        secure::listener(tls, &mut facts);
    }
    facts.extend(passthrough.iter().map(|entry| secure::passthrough(entry, upstreams)));
    if let Some(tcp) = tcp {
        secure::tcp(tcp, upstreams, &mut facts);
    }
    facts.extend(https_redirect.as_ref().map(secure::https_redirect));
    facts
}

pub(super) fn upstream(upstream: &Upstream) -> Vec<Fact<'_>> {
    let Upstream { name: _, endpoints, connect_timeout, tls, proxy_protocol, at: _ } = upstream;
    let mut facts = vec![time("connect_timeout", *connect_timeout)];
    if let Some(tls) = tls {
        secure::upstream(tls, &mut facts);
    }
    facts.extend(proxy_protocol.map(|version| fact("proxy_protocol", secure::written(version))));
    facts.extend(endpoints.iter().map(|Endpoint { address, weight }| {
        let field = format!("endpoint {address}");
        fact(field, format_args!("weight {weight}"))
    }));
    facts
}

/// Services by name: the same index may mean another one in another document.
pub(super) fn route<'c>(route: &'c Route, upstreams: &[Upstream]) -> Vec<Fact<'c>> {
    let Route { name: _, matches, action, at: _ } = route;
    let mut facts = Vec::with_capacity(8);
    predicates(matches, &mut facts);
    match action {
        Action::Forward(action) => forward(action, upstreams, &mut facts),
        Action::Redirect(action) => redirect(action, &mut facts),
        Action::Respond(action) => respond(action, &mut facts),
    }
    facts
}

fn predicates(matches: &Match, facts: &mut Vec<Fact<'_>>) {
    let Match { hosts, path, methods, headers, query } = matches;
    if !hosts.is_empty() {
        facts.push(fact("match.hosts", set(hosts)));
    }
    facts.extend(path.as_ref().map(|path| fact("match.path", written(path))));
    if !methods.is_empty() {
        facts.push(fact("match.methods", set(methods)));
    }
    facts.extend(headers.iter().map(|(name, value)| fact(format!("match.headers.{name}"), value)));
    facts.extend(query.iter().map(|(name, value)| fact(format!("match.query.{name}"), value)));
}

/// A path as the file would write it, but for percent-encoding.
fn written(path: &PathPattern) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Capture(name) => format!("/{{{name}}}"),
    };
    match path {
        PathPattern::Exact(path) => path.clone(),
        PathPattern::Captured { segments, rest } => {
            let path: String = segments.iter().map(segment).collect();
            format!("{path}{}", if *rest { "/*" } else { "" })
        }
        PathPattern::Prefix(prefix) => format!("{prefix}/*"),
        PathPattern::Regex(source) => format!("{{ regex: {source} }}"),
    }
}

fn name_of(index: usize, upstreams: &[Upstream]) -> &str {
    upstreams.get(index).map_or("", |upstream| upstream.name.as_str())
}

fn forward(forward: &Forward, upstreams: &[Upstream], facts: &mut Vec<Fact<'_>>) {
    let Forward { to, timeout, host } = forward;
    facts.push(fact("action", "forward"));
    match to.as_slice() {
        [only] => facts.push(fact("forward.upstream", name_of(only.upstream, upstreams))),
        several => {
            let shares = several.iter().map(|share| format!("{} {}", name_of(share.upstream, upstreams), share.weight));
            facts.push(fact("forward.split", set(shares)));
        }
    }
    facts.push(time("forward.timeout", *timeout));
    facts.extend(host.as_ref().map(|host| fact("forward.host", host)));
}

fn redirect(redirect: &Redirect, facts: &mut Vec<Fact<'_>>) {
    let Redirect { to, https, https_port: _, status } = redirect;
    facts.push(fact("action", "redirect"));
    facts.extend(to.as_ref().map(|to| fact("redirect.to", to)));
    facts.push(fact("redirect.https", switch(*https)));
    facts.push(fact("redirect.status", status));
}

fn respond<'c>(respond: &'c Respond, facts: &mut Vec<Fact<'c>>) {
    let Respond { status, headers, body, ready } = respond;
    facts.push(fact("action", "respond"));
    facts.push(fact("respond.status", status));
    facts.extend(headers.iter().map(|(name, value)| fact(format!("respond.headers.{name}"), value)));
    facts.push(match body {
        ResponseBody::Text(text) => {
            let text = text.to_string();
            Fact { hidden: text.as_bytes().to_vec().into(), ..fact("respond.body", shorten(&text)) }
        }
        ResponseBody::File { path, bytes } => {
            let shown = format_args!("file {}, {} bytes", path.display(), bytes.len());
            Fact { hidden: bytes.into(), ..fact("respond.body", shown) }
        }
    });
    if *ready {
        facts.push(fact("respond.health", "ready"));
    }
}

pub(super) fn access_log(log: &AccessLog) -> Vec<Fact<'_>> {
    let AccessLog { format, to, headers, tls } = log;
    let mut facts = vec![match format {
        LogFormat::Json => fact("format", "json"),
        LogFormat::Combined => fact("format", "combined"),
        LogFormat::Template(parts) => fact("format", parts.iter().map(part).collect::<String>()),
    }];
    facts.push(match to {
        LogTarget::Stdout => fact("to", "stdout"),
        LogTarget::File(path) => fact("to", format_args!("file {}", path.display())),
    });
    if !headers.is_empty() {
        facts.push(fact("headers", set(headers)));
    }
    if *tls {
        facts.push(fact("tls", switch(*tls)));
    }
    facts
}

fn part(part: &LogPart) -> String {
    match part {
        LogPart::Literal(text) => text.clone(),
        LogPart::Value(value) => format!("{{{}}}", value.name()),
        LogPart::Header(name) => format!("{{header:{name}}}"),
    }
}
