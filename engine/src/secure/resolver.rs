//! Chooses the certificate of a handshake.

use super::names::Names;
use super::pair::Pair;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::sync::Arc;

/// The certificates of a listener.
pub(super) struct Resolver {
    pub(super) pairs: Vec<Arc<Pair>>,
    pub(super) names: Names,
    /// A client that names no host, or one that none is for, is refused.
    pub(super) strict: bool,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It has keys.
        f.debug_struct("Resolver").field("certificates", &self.pairs.len()).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let served = match hello.server_name() {
            name if self.strict => self.names.find(name?)?,
            name => self.names.served(name),
        };
        let mut keys = served.pairs.iter().map(|at| &self.pairs[*at].key);
        let first = keys.clone().next();
        let fitting = keys.find(|key| key.key.choose_scheme(hello.signature_schemes()).is_some());
        // With one that does not fit, the client is told why the handshake fails.
        fitting.or(first).cloned()
    }
}
