//! A certificate with its key, ready to be served.

use super::pem::{self, flaw};
use super::provider::provider;
use ringgate_config::{Flaw, HostPattern, Part};
use ringgate_protocols::tls::certificate::{Facts, KeyKind, fingerprint};
use rustls::Error;
use rustls::sign::CertifiedKey;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// A certificate as it is served.
pub(super) struct Pair {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) facts: Facts,
    /// The names that it is served for, in lower case; a wildcard begins with `*.`, and an address has no brackets.
    pub(super) names: Vec<Box<str>>,
    pub(super) file: PathBuf,
    /// Of its two files.
    pub(super) digests: [[u8; 32]; 2],
    pub(super) loaded_at: SystemTime,
}

/// What is known of a certificate that is served, or shown to a service.
#[derive(Clone, Debug)]
pub(crate) struct CertificateStatus {
    pub(crate) whose: Whose,
    /// The names that it is served for.
    pub(crate) names: Vec<String>,
    /// The file that it is in.
    pub(crate) file: PathBuf,
    pub(crate) not_before: i64,
    /// Until when it is valid, in Unix seconds.
    pub(crate) not_after: i64,
    pub(crate) key: KeyKind,
    pub(crate) serial: String,
    pub(crate) fingerprint: [u8; 32],
    pub(crate) loaded_at: SystemTime,
}

/// Who has a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// It is served by the listener of this name.
    Listener(String),
    /// It is shown to the service of this name.
    Upstream(String),
}

impl Pair {
    /// A certificate and its key, both in PEM, that is served for these hosts, or for the names that it holds.
    ///
    /// # Errors
    /// What is wrong with which of the two files.
    pub(super) fn read(chain: &[u8], key: &[u8], hosts: &[HostPattern], file: PathBuf) -> Result<Pair, (Part, Flaw)> {
        let (certified, facts) = certified(chain, key)?;
        let names = match hosts {
            [] => own_names(&facts),
            hosts => hosts.iter().map(|host| unbracketed(&host.to_string()).into()).collect(),
        };
        Ok(Pair {
            key: Arc::new(certified),
            facts,
            names,
            file,
            digests: [fingerprint(chain), fingerprint(key)],
            loaded_at: SystemTime::now(),
        })
    }

    /// Whether this is the same certificate, from the same file, for the same names.
    pub(super) fn is(&self, other: &Pair) -> bool {
        self.digests == other.digests && self.names == other.names && self.file == other.file
    }

    pub(super) fn status(&self, whose: Whose) -> CertificateStatus {
        CertificateStatus {
            whose,
            names: self.names.iter().map(ToString::to_string).collect(),
            file: self.file.clone(),
            not_before: self.facts.not_before,
            not_after: self.facts.not_after,
            key: self.facts.key,
            serial: self.facts.serial.clone(),
            fingerprint: self.facts.fingerprint,
            loaded_at: self.loaded_at,
        }
    }
}

/// The chain with its key, and what the certificate says.
pub(super) fn certified(chain: &[u8], key: &[u8]) -> Result<(CertifiedKey, Facts), (Part, Flaw)> {
    let certificates = pem::chain(chain).map_err(|flaw| (Part::Chain, flaw))?;
    let Some(first) = certificates.first() else {
        return Err((Part::Chain, flaw("holds no certificate", "name the file of one")));
    };
    let facts = Facts::read(first).map_err(|what| {
        (Part::Chain, flaw(format!("begins with a certificate that {what}"), "make it, or have it made, anew"))
    })?;
    let der = pem::key(key).map_err(|flaw| (Part::Key, flaw))?;
    let signing = provider().key_provider.load_private_key(der).map_err(|_| {
        let hint = "keys are ECDSA on P-256, P-384 or P-521, RSA of 2048 to 8192 bits, or Ed25519";
        (Part::Key, flaw("holds a key that can't be used", hint))
    })?;
    let certified = CertifiedKey::new(certificates, signing);
    match certified.keys_match() {
        Ok(()) => Ok((certified, facts)),
        Err(Error::InconsistentKeys(_)) => {
            let hint = "the first certificate of the other file must be the one of this key";
            Err((Part::Key, flaw("holds a key that is not the certificate's", hint)))
        }
        Err(error) => {
            let message = format!("begins with a certificate that clients can't read: {error}");
            Err((Part::Chain, flaw(message, "it must be of version 3: have it made anew")))
        }
    }
}

/// The names of hosts and the addresses that a certificate is for.
fn own_names(facts: &Facts) -> Vec<Box<str>> {
    let addresses = facts.sans.iter().filter_map(|san| san.strip_prefix("IP:"));
    facts.names.iter().map(String::as_str).chain(addresses).map(Into::into).collect()
}

/// An address of version 6 without the brackets that it has in a URL.
pub(super) fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}
