//! What routes do besides forwarding: redirects, fixed answers, and shares of several services.

#![allow(clippy::expect_used)]

mod redirects;
mod responses;
mod split;
#[path = "../support/mod.rs"]
mod support;

use support::Gate;

/// A gateway with these routes, one a line, and these upstreams.
#[track_caller]
fn gate(driver: ringgate_rt::driver::Choice, routes: &[&str], upstreams: &str) -> Gate {
    Gate::start(&text(routes, upstreams), driver)
}

fn text(routes: &[&str], upstreams: &str) -> String {
    let routes: String = routes.iter().map(|route| format!("  - {{ {route} }}\n")).collect();
    format!(
        "runtime: {{ cores: [{}] }}\nlimits: {{ connections: 2000 }}\n\
         listeners: [{{ name: plain, address: \"127.0.0.1:0\" }}]\nupstreams: {{ {upstreams} }}\nroutes:\n{routes}",
        ringgate_rt::cores::allowed()[0]
    )
}
