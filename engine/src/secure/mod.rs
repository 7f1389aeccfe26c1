//! How connections are secured, on both sides: certificates, handshakes, and TLS as a layer over a byte stream.
//!
//! There is one [`ServerTls`] for each listener and one [`ClientTls`] for each service. Both are shared by all shards, and
//! read their files again when those change. A [`Link`] is a connection of a shard, secured or not.

mod ahead;
mod client;
mod failed;
mod files;
pub(crate) mod gate;
pub(crate) mod handshake;
mod holdings;
mod inspector;
mod layer;
mod link;
mod names;
mod pair;
mod pem;
mod provider;
mod resolver;
mod revocation;
mod server;
mod tickets;
mod unverified;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use client::ClientTls;
pub(crate) use failed::Failed;
pub(crate) use files::Change;
pub(crate) use holdings::Holdings;
pub use inspector::Inspector;
pub(crate) use link::Link;
pub(crate) use names::{Served, behind_label};
pub(crate) use pair::{CertificateStatus, Whose};
pub(crate) use server::ServerTls;

use crate::model::Secured;
use std::sync::Arc;

/// What a connection's handshake has come to.
#[derive(Debug, Default)]
pub(crate) struct Security {
    /// For policies, templates and logs.
    pub(crate) info: Secured,
    /// What the certificate is for that was served.
    pub(crate) served: Option<Arc<Served>>,
}

impl Security {
    /// Whether the certificate that was served is for this host.
    pub(crate) fn covers(&self, host: &[u8]) -> bool {
        self.served.as_ref().is_some_and(|served| served.covers(host))
    }
}
