//! Everything of one configuration that secures connections, for those who look after it.

use super::{CertificateStatus, Change, ClientTls, ServerTls};
use std::sync::Arc;

/// What secures the connections of listeners and to services.
#[derive(Clone, Default)]
pub(crate) struct Holdings {
    pub(crate) listeners: Vec<Arc<ServerTls>>,
    pub(crate) services: Vec<Arc<ClientTls>>,
}

impl Holdings {
    /// Whether there are any files that may change.
    pub(crate) fn has_files(&self) -> bool {
        !self.listeners.is_empty() || self.services.iter().any(|service| service.has_files())
    }

    /// Reads the files that have changed: see [`ServerTls::refresh`]. Waits for the disk.
    pub(crate) fn refresh(&self) -> Vec<Change> {
        let listeners = self.listeners.iter().flat_map(|listener| listener.refresh());
        listeners.chain(self.services.iter().flat_map(|service| service.refresh())).collect()
    }

    /// The certificates that are served, then those that are shown to services, in the order of the file.
    pub(crate) fn certificates(&self) -> Vec<CertificateStatus> {
        let served = self.listeners.iter().flat_map(|listener| listener.certificates());
        served.chain(self.services.iter().filter_map(|service| service.certificate())).collect()
    }
}
