//! The cryptography: aws-lc-rs, its cipher suites by name, the versions that they belong to.

use ringgate_config::TlsVersion;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, SupportedCipherSuite, SupportedProtocolVersion};
use std::sync::{Arc, LazyLock};

/// Suites in the order in which they are taken where a configuration names none: AES with the shorter key first, as
/// every processor that this runs on computes AES, and nobody is known to come near to 128 bits.
const PREFERRED: &[SupportedCipherSuite] = &[
    aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256,
    aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384,
    aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    aws_lc_rs::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    aws_lc_rs::cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    aws_lc_rs::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    aws_lc_rs::cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    aws_lc_rs::cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    aws_lc_rs::cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(CryptoProvider { cipher_suites: PREFERRED.to_vec(), ..aws_lc_rs::default_provider() }));

/// The provider with every suite.
pub(super) fn provider() -> &'static Arc<CryptoProvider> {
    &PROVIDER
}

/// The provider with these suites, in this order; with every suite for none.
///
/// # Errors
/// A name that no suite has.
pub(super) fn provider_with(suites: &[String]) -> Result<Arc<CryptoProvider>, String> {
    if suites.is_empty() {
        return Ok(PROVIDER.clone());
    }
    let named = |name: &String| {
        let found = PREFERRED.iter().find(|suite| names(suite.suite()).contains(&Some(name.as_str())));
        found.copied().ok_or_else(|| format!("there is no cipher suite {name}"))
    };
    let cipher_suites = suites.iter().map(named).collect::<Result<Vec<_>, String>>()?;
    Ok(Arc::new(CryptoProvider { cipher_suites, ..CryptoProvider::clone(&PROVIDER) }))
}

/// Every suite by each of its names, with its version.
pub(super) fn suites() -> Vec<(&'static str, TlsVersion)> {
    let named = |suite: &SupportedCipherSuite| {
        let version = if suite.tls13().is_some() { TlsVersion::Tls13 } else { TlsVersion::Tls12 };
        names(suite.suite()).into_iter().flatten().map(move |name| (name, version))
    };
    PREFERRED.iter().flat_map(named).collect()
}

/// rustls' own name of a suite, and the registered one where that is another.
fn names(suite: CipherSuite) -> [Option<&'static str>; 2] {
    let registered = match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => Some("TLS_AES_128_GCM_SHA256"),
        CipherSuite::TLS13_AES_256_GCM_SHA384 => Some("TLS_AES_256_GCM_SHA384"),
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => Some("TLS_CHACHA20_POLY1305_SHA256"),
        _ => None,
    };
    [suite.as_str(), registered]
}

/// The versions from this one on that the provider has a suite for.
///
/// # Errors
/// There is none.
pub(super) fn versions(
    oldest: TlsVersion,
    provider: &CryptoProvider,
) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let of = |version: &'static SupportedProtocolVersion| {
        provider.cipher_suites.iter().any(|suite| suite.version() == version).then_some(version)
    };
    let twelve = if oldest == TlsVersion::Tls12 { of(&TLS12) } else { None };
    let versions: Vec<_> = of(&TLS13).into_iter().chain(twelve).collect();
    match versions.is_empty() {
        true => Err("no cipher suite is for a version that min_version allows".to_owned()),
        false => Ok(versions),
    }
}
