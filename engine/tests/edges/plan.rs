//! Files for these tests: any listeners and services, one shard.

use crate::exposition::Exposition;
use crate::support::{Gate, wait_for};
use std::fmt::Write;

/// A configuration with these listeners and upstreams, and further lines. A route `/*` leads to the first upstream.
pub(crate) fn text(listeners: &[&str], upstreams: &[(&str, &str)], more: &str) -> String {
    let cores: Vec<usize> = ringgate_rt::cores::allowed().into_iter().take(1).collect();
    let mut text = format!("runtime: {{ cores: {cores:?} }}\n");
    if !more.contains("limits:") {
        text.push_str("limits: { connections: 2000 }\n");
    }
    text.push_str("listeners:\n");
    for (at, listener) in listeners.iter().enumerate() {
        let comma = if listener.is_empty() { "" } else { ", " };
        writeln!(text, "  - {{ name: l{at}, address: \"127.0.0.1:0\"{comma}{listener} }}").unwrap();
    }
    text.push_str("upstreams:\n");
    for (name, members) in upstreams {
        writeln!(text, "  {name}: {{ {members} }}").unwrap();
    }
    if !more.contains("routes:") {
        let first = upstreams.first().map_or("", |(name, _)| name);
        writeln!(text, "routes: [{{ name: all, match: {{ path: \"/*\" }}, forward: {{ upstream: {first} }} }}]")
            .unwrap();
    }
    text + more + "\n"
}

/// `endpoints` of an upstream.
pub(crate) fn at(endpoints: &[&str]) -> String {
    format!("endpoints: {endpoints:?}")
}

pub(crate) fn page(gate: &Gate) -> Exposition {
    Exposition::read(&gate.running().metrics())
}

/// Waits until this many were counted of listener `l0` under a name and a further label.
#[track_caller]
pub(crate) fn wait_for_count(gate: &Gate, name: &str, label: &str, count: f64) {
    let mut last = 0.0;
    wait_for(&format!("{count} of {name} {label}"), || {
        last = page(gate).sum(name, &["listener=\"l0\"", label]);
        (last == count).then_some(())
    });
}

/// An address where nobody listens, held so that nobody else gets it: other tests ask for ports meanwhile.
pub(crate) struct Nobody(socket2::Socket);

impl Nobody {
    pub(crate) fn new() -> Nobody {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        let any: std::net::SocketAddr = "127.0.0.1:0".parse().expect("an address");
        socket.bind(&any.into()).expect("a port");
        Nobody(socket)
    }

    pub(crate) fn endpoint(&self) -> String {
        self.0.local_addr().expect("an address").as_socket().expect("an IP address").to_string()
    }
}
