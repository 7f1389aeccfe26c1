//! Looks at the certificates, keys and lists that a configuration names, before anything is built of them.

use super::pair::certified;
use super::pem::{self, flaw};
use super::{provider, revocation};
use ringgate_config::{CertificateFacts, Flaw, Materials, Part, TlsVersion};
use ringgate_protocols::tls::certificate::{Facts, KeyKind, names_as_issuer};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Certificates that expire sooner are warned of: whoever renews them does so a month before.
const EXPIRES_SOON_DAYS: i64 = 30;
/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// Answers for what is in files of certificates and keys.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inspector;

impl Materials for Inspector {
    fn certificate(&self, chain: &[u8], key: &[u8]) -> Result<CertificateFacts, (Part, Flaw)> {
        let (certified, facts) = certified(chain, key)?;
        let mut warnings = validity(&facts, unix_seconds());
        warnings.extend(order(&certified.cert));
        if facts.names.is_empty() && !facts.sans.iter().any(|san| san.starts_with("IP:")) {
            warnings.push("holds no name of a host: clients believe it for none".to_owned());
        }
        if pem::has_key(chain) {
            warnings
                .push("has a private key beside it in its file: whoever may read the one reads the other".to_owned());
        }
        let key_kind = match facts.key {
            KeyKind::Ecdsa(_) => "ECDSA",
            KeyKind::Rsa(_) => "RSA",
            KeyKind::Ed25519 => "Ed25519",
            KeyKind::Other => "another",
        };
        Ok(CertificateFacts { names: facts.names, key_kind, warnings })
    }

    fn authorities(&self, pem: Option<&[u8]>) -> Result<(), Flaw> {
        match pem {
            Some(file) => revocation::roots(file).map(drop),
            None => system_roots().map(drop),
        }
    }

    fn revocations(&self, lists: &[u8]) -> Result<(), Flaw> {
        revocation::lists(lists).map(drop)
    }

    fn suites(&self) -> Vec<(&'static str, TlsVersion)> {
        provider::suites()
    }
}

/// What is to be said of a certificate's time.
pub(super) fn validity(facts: &Facts, now: i64) -> Vec<String> {
    let days = |seconds: i64| match seconds / DAY {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let (begins, ends) = (facts.not_before - now, facts.not_after - now);
    let warning = if ends < 0 {
        Some(format!("expired {} ago: clients refuse it", days(-ends)))
    } else if begins > 0 {
        Some(format!("is not valid yet: it will be in {}", days(begins)))
    } else {
        (ends < EXPIRES_SOON_DAYS * DAY).then(|| format!("expires in {}", days(ends)))
    };
    warning.into_iter().collect()
}

/// Each certificate of a chain is to be that of the one who has signed the one before.
fn order(chain: &[CertificateDer<'_>]) -> Option<String> {
    let broken = chain.windows(2).position(|pair| !names_as_issuer(&pair[0], &pair[1]))?;
    Some(format!(
        "is followed by certificates in the wrong order: number {} has not signed number {}",
        broken + 2,
        broken + 1
    ))
}

pub(super) fn unix_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64
}

/// Whom this system trusts: read once, and then kept until the end of the process.
static SYSTEM_ROOTS: Mutex<Option<Arc<RootCertStore>>> = Mutex::new(None);

/// The authorities that this system trusts.
///
/// # Errors
/// It names none.
pub(super) fn system_roots() -> Result<Arc<RootCertStore>, Flaw> {
    let mut kept = SYSTEM_ROOTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(roots) = &*kept {
        return Ok(roots.clone());
    }
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map_or_else(String::new, |error| format!(": {error}"));
        let hint = "install ca-certificates, or name the authorities with `ca`";
        return Err(flaw(format!("names no authorities that it trusts{why}"), hint));
    }
    let roots = Arc::new(roots);
    *kept = Some(roots.clone());
    Ok(roots)
}

#[cfg(test)]
mod tests;
