//! Which certificate is for which name: exact names, then wildcards of one label, then the first certificate.

use super::pair::{Pair, unbracketed};
use ahash::AHashMap;
use rustls::SignatureAlgorithm;
use std::sync::Arc;

/// Bytes of the longest name of a host (RFC 1035 section 2.3.4).
const NAME_BYTES_MAX: usize = 253;

/// What is served to clients that ask for one name.
#[derive(Debug)]
pub(crate) struct Served {
    /// Indices of the certificates, those with the cheaper signatures first.
    pub(super) pairs: Vec<usize>,
    /// Every name of them, in lower case; of a wildcard, what follows the star.
    exact: ahash::AHashSet<Box<str>>,
    wildcards: ahash::AHashSet<Box<str>>,
}

/// The names of a listener's certificates.
pub(super) struct Names {
    exact: AHashMap<Box<str>, Arc<Served>>,
    /// By what follows the star: `.example.com`.
    wildcards: AHashMap<Box<str>, Arc<Served>>,
    first: Arc<Served>,
}

impl Served {
    /// Whether a request for this host may come over a connection that asked for the name: a certificate that it gets is
    /// for the host too. The host is as a request has it, without its port. That a connection may be used for the very
    /// name that it asked for is for the caller to know: clients that ask for an unknown one get the first certificate.
    pub(crate) fn covers(&self, host: &[u8]) -> bool {
        lowered(host, |name| {
            self.exact.contains(name) || behind_label(name).is_some_and(|suffix| self.wildcards.contains(suffix))
        })
        .unwrap_or(false)
    }
}

impl Names {
    /// The names of these certificates; there is at least one.
    pub(super) fn of(pairs: &[Arc<Pair>]) -> Names {
        let mut exact: AHashMap<Box<str>, Vec<usize>> = AHashMap::new();
        let mut wildcards: AHashMap<Box<str>, Vec<usize>> = AHashMap::new();
        for (at, pair) in pairs.iter().enumerate() {
            for name in &pair.names {
                let places = match name.strip_prefix('*') {
                    Some(suffix) => wildcards.entry(suffix.into()).or_default(),
                    None => exact.entry(name.clone()).or_default(),
                };
                // A certificate may hold a name twice.
                if places.last() != Some(&at) {
                    places.push(at);
                }
            }
        }
        // Those that are for the same name as the first one are its alternatives for clients that can't use its key.
        let beside_first = pairs
            .first()
            .and_then(|first| first.names.first())
            .and_then(|name| name.strip_prefix('*').map_or_else(|| exact.get(name), |suffix| wildcards.get(suffix)));
        let first = Arc::new(served(beside_first.map_or(&[0], Vec::as_slice), pairs));
        // Many names have the same certificates: one value for all of them.
        let mut known: AHashMap<Vec<usize>, Arc<Served>> = AHashMap::new();
        let mut shared = |places: Vec<usize>| {
            let fresh = || Arc::new(served(&places, pairs));
            known.entry(places.clone()).or_insert_with(fresh).clone()
        };
        let mut finished = |names: AHashMap<Box<str>, Vec<usize>>| -> AHashMap<Box<str>, Arc<Served>> {
            names.into_iter().map(|(name, places)| (name, shared(places))).collect()
        };
        Names { exact: finished(exact), wildcards: finished(wildcards), first }
    }

    /// What is served to a client that asks for this name, or for none.
    pub(super) fn served(&self, name: Option<&str>) -> &Arc<Served> {
        name.and_then(|name| self.find(name)).unwrap_or(&self.first)
    }

    /// What is for this name; none if no certificate is.
    pub(super) fn find(&self, name: &str) -> Option<&Arc<Served>> {
        lowered(name.as_bytes(), |name| {
            self.exact.get(name).or_else(|| behind_label(name).and_then(|suffix| self.wildcards.get(suffix)))
        })
        .flatten()
    }
}

fn served(places: &[usize], pairs: &[Arc<Pair>]) -> Served {
    let mut places = places.to_vec();
    places.sort_by_key(|at| pairs[*at].key.key.algorithm() == SignatureAlgorithm::RSA);
    let names = || places.iter().flat_map(|at| pairs[*at].names.iter());
    Served {
        exact: names().filter(|name| !name.starts_with('*')).cloned().collect(),
        wildcards: names().filter_map(|name| name.strip_prefix('*')).map(Into::into).collect(),
        pairs: places,
    }
}

/// What follows the first label, its dot included: what a wildcard stands in front of, for certificates as for all names
/// that clients give in handshakes. An address has no labels.
pub(crate) fn behind_label(name: &str) -> Option<&str> {
    let dot = name.find('.').filter(|dot| *dot > 0)?;
    name.parse::<std::net::IpAddr>().is_err().then(|| &name[dot..])
}

/// Does something with a host's name in lower case, without the dot of the root and an address's brackets. None if it is
/// too long for one, or no text.
fn lowered<R>(host: &[u8], work: impl FnOnce(&str) -> R) -> Option<R> {
    let host = unbracketed(std::str::from_utf8(host).ok()?);
    let host = host.strip_suffix('.').unwrap_or(host).as_bytes();
    let mut place = [0; NAME_BYTES_MAX];
    let lower = place.get_mut(..host.len())?;
    lower.copy_from_slice(host);
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).ok().map(work)
}
