//! Certificates that say in plain words what is in them, and whoever reads these words: what the decoders make of
//! a certificate is tested here, what it holds elsewhere.

use ringgate_config::{CertificateFacts, Flaw, Materials, Part, TlsVersion};

/// Reads files of lines: `names a.example *.b.example`, `kind ECDSA`, `warning WORDS`, `goes with NAME`, `flaw WORDS`.
pub(crate) struct Told {
    /// Whether this system trusts anybody.
    pub(crate) system: bool,
}

/// What stands behind a word at the beginning of a line.
fn said<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '))
}

fn flaw(bytes: &[u8]) -> Result<String, Flaw> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    match said(&text, "flaw") {
        Some(message) => Err(Flaw { message: message.to_owned(), hint: "name another file".to_owned() }),
        None => Ok(text),
    }
}

impl Materials for Told {
    fn certificate(&self, chain: &[u8], key: &[u8]) -> Result<CertificateFacts, (Part, Flaw)> {
        let chain = flaw(chain).map_err(|flaw| (Part::Chain, flaw))?;
        let key = flaw(key).map_err(|flaw| (Part::Key, flaw))?;
        if said(&chain, "goes with") != said(&key, "goes with") {
            let message = "holds the key of another certificate".to_owned();
            return Err((
                Part::Key,
                Flaw { message, hint: "name the key that the certificate was made with".to_owned() },
            ));
        }
        let key_kind = match said(&chain, "kind") {
            Some("ECDSA") => "ECDSA",
            Some("RSA") => "RSA",
            _ => "",
        };
        let names = said(&chain, "names").unwrap_or_default();
        let names = names.split_ascii_whitespace().map(str::to_owned).collect();
        let warnings = said(&chain, "warning").map(str::to_owned).into_iter().collect();
        Ok(CertificateFacts { names, key_kind, warnings })
    }

    fn authorities(&self, pem: Option<&[u8]>) -> Result<(), Flaw> {
        match pem {
            Some(pem) => flaw(pem).map(drop),
            None if self.system => Ok(()),
            None => Err(Flaw { message: "can't be found".to_owned(), hint: "install `ca-certificates`".to_owned() }),
        }
    }

    fn revocations(&self, lists: &[u8]) -> Result<(), Flaw> {
        flaw(lists).map(drop)
    }

    fn suites(&self) -> Vec<(&'static str, TlsVersion)> {
        vec![
            ("TLS13_AES_256_GCM_SHA384", TlsVersion::Tls13),
            ("TLS13_AES_128_GCM_SHA256", TlsVersion::Tls13),
            ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", TlsVersion::Tls12),
            ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", TlsVersion::Tls12),
            ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", TlsVersion::Tls12),
        ]
    }
}
