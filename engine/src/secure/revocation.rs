//! Whose certificates clients may show: the authorities, and the lists of what they have revoked.
//!
//! Every certificate between a client's and its authority must be on a list's books, and the list must not be past the
//! time at which the next one was due: who can't be looked up is refused. A list that somebody keeps from being renewed
//! would otherwise let in forever whom it does not name yet. (nginx and OpenSSL do the same.)

use super::pem::{self, flaw};
use super::provider::provider;
use ringgate_config::{ClientAuthMode, Flaw};
use ringgate_protocols::tls::certificate::next_update;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateRevocationListDer, Der, TrustAnchor};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use std::sync::Arc;

/// The authorities in a file.
///
/// # Errors
/// There are none, or one can't be read.
pub(super) fn roots(file: &[u8]) -> Result<RootCertStore, Flaw> {
    let mut roots = RootCertStore::empty();
    for (at, certificate) in pem::authorities(file)?.into_iter().enumerate() {
        roots.add(certificate).map_err(|error| {
            let hint = "leave it out, or have it made anew";
            flaw(format!("holds a certificate that can't be used, number {}: {error}", at + 1), hint)
        })?;
    }
    Ok(roots)
}

/// Who looks at clients' certificates.
///
/// # Errors
/// What is wrong with which of the two files.
pub(super) fn verifier(
    mode: ClientAuthMode,
    authorities: &[u8],
    revocations: Option<&[u8]>,
) -> Result<Verifier, (Which, Flaw)> {
    let roots = roots(authorities).map_err(|flaw| (Which::Authorities, flaw))?;
    let lists = match revocations {
        Some(file) => lists(file).map_err(|flaw| (Which::Revocations, flaw))?,
        None => Vec::new(),
    };
    let lists_until = lists.iter().filter_map(|list| next_update(list)).min();
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider().clone())
        .with_crls(lists)
        .enforce_revocation_expiration();
    let builder = match mode {
        ClientAuthMode::Optional => builder.allow_unauthenticated(),
        ClientAuthMode::Required => builder,
    };
    let hint = "have it made anew";
    match builder.build() {
        Ok(verifier) => Ok(Verifier { verifier, lists_until }),
        Err(error) => Err((Which::Authorities, flaw(format!("can't be used: {error}"), hint))),
    }
}

/// Who looks at clients' certificates.
#[derive(Clone)]
pub(super) struct Verifier {
    pub(super) verifier: Arc<dyn ClientCertVerifier>,
    /// When the first of the revocation lists is to be renewed, in Unix seconds.
    pub(super) lists_until: Option<i64>,
}

/// Which of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Authorities,
    Revocations,
}

/// The revocation lists in a file.
///
/// # Errors
/// There are none, or one can't be read.
pub(super) fn lists(file: &[u8]) -> Result<Vec<CertificateRevocationListDer<'static>>, Flaw> {
    let lists = pem::lists(file)?;
    for (at, list) in lists.iter().enumerate() {
        webpki_reads(list).map_err(|error| {
            let hint = "it must be of version 2 and complete: no delta, not for a part of what was issued";
            flaw(format!("holds a revocation list that can't be read, number {}: {error}", at + 1), hint)
        })?;
    }
    Ok(lists)
}

/// Whether the one who will look things up in it can.
fn webpki_reads(list: &CertificateRevocationListDer<'static>) -> Result<(), String> {
    // Its reader is only to be had by building a verifier, and that one wants some authority first.
    let nobody = TrustAnchor {
        subject: Der::from_slice(&[]),
        subject_public_key_info: Der::from_slice(&[]),
        name_constraints: None,
    };
    let roots = Arc::new(RootCertStore { roots: vec![nobody] });
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider().clone());
    builder.with_crls([list.clone()]).build().map(drop).map_err(|error| error.to_string())
}
