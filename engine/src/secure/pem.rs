//! Files of certificates, keys and revocation lists: what is in them, or what is wrong with them in words for whoever
//! has put them there.

use ringgate_config::Flaw;
use rustls::pki_types::pem::{self, PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

/// Certificates of a chain: longer ones are taken by no client.
const CHAIN_MAX: usize = 16;
/// Bytes of a chain's certificates together: it goes out whole in every full handshake.
const CHAIN_BYTES_MAX: usize = 64 * 1024;
/// Certificates of authorities in one file: several times those that a system comes with.
const AUTHORITIES_MAX: usize = 2000;
/// Revocation lists in one file.
const LISTS_MAX: usize = 256;

/// A flaw, and what to do.
pub(super) fn flaw(message: impl Into<String>, hint: impl Into<String>) -> Flaw {
    Flaw { message: message.into(), hint: hint.into() }
}

/// What is in a file.
type Sections = Vec<(SectionKind, Vec<u8>)>;

/// A certificate and those between it and its root.
///
/// # Errors
/// There is none, or too much of it.
pub(super) fn chain(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, Flaw> {
    let sections = sections(file)?;
    let certificates = of_kind(&sections, SectionKind::Certificate);
    if certificates.is_empty() {
        return Err(no_certificate(file, &sections));
    }
    let bytes: usize = certificates.iter().map(|der| der.len()).sum();
    if certificates.len() > CHAIN_MAX || bytes > CHAIN_BYTES_MAX {
        let message = format!(
            "holds {} certificates of {bytes} bytes; at most {CHAIN_MAX} of {CHAIN_BYTES_MAX} bytes are served",
            certificates.len()
        );
        return Err(flaw(
            message,
            "put the certificate and those between it and the root here, and no bundle of roots",
        ));
    }
    Ok(certificates.into_iter().map(CertificateDer::from).collect())
}

fn no_certificate(file: &[u8], sections: &Sections) -> Flaw {
    let has = |kind: &SectionKind| sections.iter().any(|(found, _)| found == kind);
    let keys = [SectionKind::PrivateKey, SectionKind::RsaPrivateKey, SectionKind::EcPrivateKey];
    if keys.iter().any(has) || contains(file, b"PRIVATE KEY-----") {
        return flaw("holds a private key, and no certificate", "are `cert` and `key` the wrong way round?");
    }
    if has(&SectionKind::Csr) {
        return flaw(
            "holds a request for a certificate, and no certificate",
            "name the file that the authority has sent back",
        );
    }
    if let Some(flaw) = der_instead(file, "x509") {
        return flaw;
    }
    flaw("holds no certificate", "it must be in PEM: a block that begins with -----BEGIN CERTIFICATE-----")
}

/// A private key.
///
/// # Errors
/// There is none, or one that can't be read.
pub(super) fn key(file: &[u8]) -> Result<PrivateKeyDer<'static>, Flaw> {
    let encrypted = contains(file, b"ENCRYPTED PRIVATE KEY-----") || contains(file, b"Proc-Type: 4,ENCRYPTED");
    if encrypted {
        let hint = "write it without a pass phrase: openssl pkey -in KEY -out KEY.plain, readable by the gateway alone";
        return Err(flaw("holds a key that is encrypted with a pass phrase", hint));
    }
    let sections = sections(file)?;
    if let Ok(key) = PrivateKeyDer::from_pem_slice(file) {
        return Ok(key);
    }
    if sections.iter().any(|(kind, _)| *kind == SectionKind::Certificate) {
        return Err(flaw("holds a certificate, and no private key", "are `cert` and `key` the wrong way round?"));
    }
    if let Some(flaw) = der_instead(file, "pkey") {
        return Err(flaw);
    }
    Err(flaw("holds no private key", "it must be in PEM: a block that begins with -----BEGIN PRIVATE KEY-----"))
}

/// The certificates of authorities.
///
/// # Errors
/// There are none, or too many.
pub(super) fn authorities(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, Flaw> {
    let sections = sections(file)?;
    let certificates = of_kind(&sections, SectionKind::Certificate);
    if certificates.is_empty() {
        return Err(no_certificate(file, &sections));
    }
    if certificates.len() > AUTHORITIES_MAX {
        let message =
            format!("holds {} certificates; at most {AUTHORITIES_MAX} authorities are taken", certificates.len());
        return Err(flaw(message, "name those alone that sign what is to be trusted"));
    }
    Ok(certificates.into_iter().map(CertificateDer::from).collect())
}

/// Revocation lists: any number in PEM, or one in DER.
///
/// # Errors
/// There are none, or too many.
pub(super) fn lists(file: &[u8]) -> Result<Vec<CertificateRevocationListDer<'static>>, Flaw> {
    if looks_like_der(file) {
        return Ok(vec![CertificateRevocationListDer::from(file.to_vec())]);
    }
    let lists = of_kind(&sections(file)?, SectionKind::Crl);
    if lists.is_empty() {
        let hint = "it must be in PEM, in blocks that begin with -----BEGIN X509 CRL-----, or one list in DER";
        return Err(flaw("holds no revocation list", hint));
    }
    if lists.len() > LISTS_MAX {
        let message = format!("holds {} revocation lists; at most {LISTS_MAX} are taken", lists.len());
        return Err(flaw(message, "leave out those of authorities that sign no clients"));
    }
    Ok(lists.into_iter().map(CertificateRevocationListDer::from).collect())
}

/// Whether a file holds a key beside its certificates.
pub(super) fn has_key(file: &[u8]) -> bool {
    contains(file, b"PRIVATE KEY-----")
}

fn sections(file: &[u8]) -> Result<Sections, Flaw> {
    <(SectionKind, Vec<u8>)>::pem_slice_iter(file).collect::<Result<_, _>>().map_err(|error| match error {
        pem::Error::MissingSectionEnd { end_marker } => {
            let end = String::from_utf8_lossy(&end_marker).trim().escape_debug().to_string();
            flaw(format!("breaks off: `{end}` is missing"), "was it copied, or written, to its end?")
        }
        pem::Error::Base64Decode(_) => {
            flaw("has a block that is no base64", "is there something between the lines of a block?")
        }
        pem::Error::IllegalSectionStart { .. } => flaw(
            "has a line that begins a block and has no end",
            "a block begins with a line like -----BEGIN CERTIFICATE-----",
        ),
        error => flaw(format!("is no PEM: {error:?}"), "make it anew"),
    })
}

fn of_kind(sections: &Sections, wanted: SectionKind) -> Vec<Vec<u8>> {
    sections.iter().filter(|(kind, _)| *kind == wanted).map(|(_, der)| der.clone()).collect()
}

fn der_instead(file: &[u8], command: &str) -> Option<Flaw> {
    let hint = format!("turn it into PEM: openssl {command} -inform der -in FILE -out FILE.pem");
    looks_like_der(file).then(|| flaw("is in DER, not in PEM", hint))
}

/// A sequence with a length of two or more bytes: what every certificate, key and list in DER begins with.
fn looks_like_der(file: &[u8]) -> bool {
    matches!(file, [0x30, 0x81..=0x84, ..])
}

fn contains(file: &[u8], text: &[u8]) -> bool {
    memchr::memmem::find(file, text).is_some()
}
