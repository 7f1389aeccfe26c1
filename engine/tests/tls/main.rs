//! TLS on both sides of the gateway, with peers that other people wrote: rustls, OpenSSL, curl, reqwest, tungstenite.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod bodies;
mod certificates;
mod clients;
mod damaged;
mod floods;
mod handshakes;
mod hosts;
mod life;
mod peers;
mod records;
mod sealed;
mod services;
#[path = "../support/mod.rs"]
mod support;
mod tunnels;

use ringgate_rt::driver::Choice;
use rustls::ClientConfig;
use std::sync::Arc;
use support::tls::{self, Version};
use support::{Authority, Client, Gate, Plan, Service};

const BINARY: &str = env!("CARGO_BIN_EXE_ringgate");

/// What a plan's listener has for TLS: one certificate of the authority, for `localhost` and 127.0.0.1.
fn secured(authority: &Authority, members: &str) -> String {
    let certificate = authority.certificate("site", &["localhost", "127.0.0.1"]);
    format!("tls: {{ certificates: [{certificate}], {members} }}")
}

/// A gateway with TLS on its listener, in front of a service.
struct Site {
    gate: Gate,
    config: Arc<ClientConfig>,
    authority: Authority,
}

impl Site {
    #[track_caller]
    fn start(plan: Plan, driver: Choice) -> Site {
        Site::start_with(plan, "", driver)
    }

    /// With further members of the listener's `tls`.
    #[track_caller]
    fn start_with(plan: Plan, members: &str, driver: Choice) -> Site {
        let authority = Authority::new("clients believe it");
        let gate = plan.listener(&secured(&authority, members)).start(driver);
        let config = Arc::new(tls::client_config(&authority, Version::Any));
        Site { gate, config, authority }
    }

    /// A client that speaks this version.
    #[track_caller]
    fn client_of(&self, version: Version) -> Client {
        let config = Arc::new(tls::client_config(&self.authority, version));
        tls::client(self.gate.address(), &config, "localhost")
    }

    #[track_caller]
    fn client(&self) -> Client {
        tls::client(self.gate.address(), &self.config, "localhost")
    }

    /// Other clients are served as ever.
    #[track_caller]
    fn serves(&self) {
        assert_eq!(self.client().get("/alive").status, 200);
    }
}

/// What an upstream has for TLS to a service with a certificate of the authority.
fn believing(authority: &Authority, members: &str) -> String {
    format!("tls: {{ ca: \"{}\", server_name: service.internal, {members} }}", authority.ca())
}

/// A service with a certificate of the authority.
fn secured_service(
    authority: &Authority,
    version: Version,
    script: impl Fn(&mut support::service::Connection) + Send + Sync + 'static,
) -> Service {
    Service::start_tls(tls::server_config(&authority.issue(&["service.internal"]), version), script)
}
