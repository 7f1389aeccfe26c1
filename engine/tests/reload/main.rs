//! Another configuration takes over while the gateway serves: what changes, and what must not notice.

#![allow(clippy::expect_used)]

mod connections;
mod listeners;
#[path = "../support/mod.rs"]
mod support;
mod tunnels;

use std::fmt::Write;

/// A configuration file in the making: listeners, services and routes by their names.
#[derive(Clone)]
struct File {
    listeners: Vec<(&'static str, String)>,
    services: Vec<(&'static str, Vec<String>)>,
    /// Name, path, service.
    routes: Vec<(&'static str, &'static str, &'static str)>,
    other: String,
}

impl File {
    /// One listener `plain`, one service `one`, one route `all`.
    fn new(endpoint: String) -> File {
        File {
            listeners: vec![("plain", "127.0.0.1:0".into())],
            services: vec![("one", vec![endpoint])],
            routes: vec![("all", "/*", "one")],
            other: String::new(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("runtime: {{ cores: [{}] }}\n", ringgate_rt::cores::allowed()[0]);
        text.push_str("limits: { connections: 2000 }\nlisteners:\n");
        let mut line = |line: String| writeln!(text, "{line}").expect("a string");
        for (name, address) in &self.listeners {
            line(format!("  - {{ name: {name}, address: \"{address}\" }}"));
        }
        line("upstreams:".into());
        for (name, endpoints) in &self.services {
            line(format!("  {name}: {{ endpoints: {endpoints:?} }}"));
        }
        line("routes:".into());
        for (name, path, service) in &self.routes {
            line(format!("  - {{ name: {name}, match: {{ path: \"{path}\" }}, forward: {{ upstream: {service} }} }}"));
        }
        text.push_str(&self.other);
        text
    }
}
