//! Certificates to test with, in real files, and handshakes in memory.

use super::{ServerTls, provider::provider};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RevokedCertParams,
    SerialNumber, date_time_ymd,
};
use ringgate_config::{Certificate, ClientAuth, ClientAuthMode, HostPattern, ListenerTls, Pem, TlsVersion};
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of its own, removed when it is dropped.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Directory {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ringgate-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        Directory(path)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file that was last changed so long ago that its times tell whether it changes again.
    pub(super) fn write(&self, name: &str, held: impl AsRef<[u8]>) -> Pem {
        let path = self.path(name);
        // In place: the inode stays, as with an editor, and the size may too.
        std::fs::write(&path, &held).expect("written");
        Pem { path, bytes: held.as_ref().to_vec() }
    }

    /// A certificate and its key in `NAME.pem` and `NAME.key`.
    pub(super) fn pair(&self, name: &str, made: &Made) -> Certificate {
        let cert = self.write(&format!("{name}.pem"), &made.cert);
        let key = self.write(&format!("{name}.key"), &made.key);
        Certificate { hosts: Vec::new(), cert, key }
    }

    /// A listener with one certificate for these names.
    pub(crate) fn listener(&self, name: &str, names: &[&str]) -> Arc<ServerTls> {
        let pair = self.pair(name, &Authority::new("authority").ecdsa(names));
        Arc::new(ServerTls::build(name, &listener(vec![pair]), None).expect("built"))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whoever signs certificates.
pub(super) struct Authority {
    pub(super) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
pub(super) struct Made {
    pub(super) cert: String,
    pub(super) key: String,
    pub(super) der: CertificateDer<'static>,
    serial: SerialNumber,
}

impl Authority {
    pub(super) fn new(name: &str) -> Authority {
        let mut params = params(&[]);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("signed");
        Authority { pem: certificate.pem(), issuer: Issuer::new(params, key) }
    }

    pub(super) fn ecdsa(&self, names: &[&str]) -> Made {
        self.sign(params(names), KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key"))
    }

    pub(super) fn rsa(&self, names: &[&str]) -> Made {
        self.sign(params(names), KeyPair::generate_for(&PKCS_RSA_SHA256).expect("a key"))
    }

    pub(super) fn sign(&self, mut params: CertificateParams, key: KeyPair) -> Made {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let serial = SerialNumber::from(u64::from(NEXT.fetch_add(1, Ordering::Relaxed)));
        params.serial_number = Some(serial.clone());
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        Made { cert: certificate.pem(), key: key.serialize_pem(), der: certificate.der().clone(), serial }
    }

    /// A list of what it has revoked, to be renewed in that year.
    pub(super) fn revokes(&self, revoked: &[&Made], until: i32) -> String {
        let entry = |made: &&Made| RevokedCertParams {
            serial_number: made.serial.clone(),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 2),
            next_update: date_time_ymd(until, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).expect("signed").pem().expect("PEM")
    }
}

/// Of a certificate that servers and clients may use.
pub(super) fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// A listener as the file may ask for it.
pub(super) fn listener(certificates: Vec<Certificate>) -> ListenerTls {
    ListenerTls {
        certificates,
        strict_sni: false,
        client_auth: None,
        min_version: TlsVersion::Tls12,
        suites: Vec::new(),
        alpn: vec!["http/1.1".to_owned()],
        tickets: true,
        match_host: true,
        hsts: None,
    }
}

pub(super) fn client_auth(mode: ClientAuthMode, ca: Pem, crl: Option<Pem>) -> Option<ClientAuth> {
    Some(ClientAuth { ca, mode, crl })
}

pub(super) fn hosts(names: &[&str]) -> Vec<HostPattern> {
    let host = |name: &&str| match name.strip_prefix('*') {
        Some(suffix) => HostPattern::Wildcard(suffix.to_owned()),
        None => HostPattern::Exact((*name).to_owned()),
    };
    names.iter().map(host).collect()
}

/// A client that believes `verifier`, and shows that certificate.
pub(super) fn client_with(verifier: Arc<dyn ServerCertVerifier>, shows: Option<&Made>) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider().clone())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match shows {
        Some(made) => {
            let key = super::pem::key(made.key.as_bytes()).expect("a key");
            builder.with_client_auth_cert(vec![made.der.clone()], key).expect("a certificate")
        }
        None => builder.with_no_client_auth(),
    };
    Arc::new(config)
}

/// A client that believes anybody.
pub(super) fn client() -> Arc<ClientConfig> {
    client_with(Arc::new(super::unverified::Unverified), None)
}

/// Shakes hands, and goes on until neither has anything more to say. The error is that of the one who has it first, with
/// its name.
pub(super) fn shake(
    client: &Arc<ClientConfig>,
    name: &str,
    server: Arc<ServerConfig>,
) -> Result<(ClientConnection, ServerConnection), String> {
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let mut client = ClientConnection::new(client.clone(), name).expect("a client");
    let mut server = ServerConnection::new(server).expect("a server");
    loop {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).expect("memory");
        }
        let asked = wire.len();
        let mut left = wire.as_slice();
        while !left.is_empty() {
            server.read_tls(&mut left).expect("memory");
            server.process_new_packets().map_err(|error| format!("server: {error}"))?;
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).expect("memory");
        }
        if asked + wire.len() == 0 {
            return Ok((client, server));
        }
        let mut left = wire.as_slice();
        while !left.is_empty() {
            client.read_tls(&mut left).expect("memory");
            client.process_new_packets().map_err(|error| format!("client: {error}"))?;
        }
    }
}

/// The certificate that is served for a name.
pub(super) fn served(
    client: &Arc<ClientConfig>,
    name: &str,
    server: &ServerTls,
) -> Result<CertificateDer<'static>, String> {
    let (client, _) = shake(client, name, server.config())?;
    Ok(client.peer_certificates().expect("certificates")[0].clone())
}

/// Replaces what a file holds by what another one of the same name gets: with a rename, as careful tools do.
pub(super) fn exchange(path: &Path, held: impl AsRef<[u8]>) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, held).expect("written");
    std::fs::rename(&beside, path).expect("renamed");
}
