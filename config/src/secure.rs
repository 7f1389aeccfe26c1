//! What a file says of TLS, the PROXY protocol and plain TCP, as typed values; and whom the decoders ask whether
//! certificates and keys are what they should be.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::HostPattern;

/// A file of certificates, of a key or of revocations, as it was when the configuration was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem {
    /// The file: read again when it changes.
    pub path: PathBuf,
    /// What it held.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may be a key.
        f.debug_struct("Pem").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A certificate with its chain, and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The names that it is served for; empty: those that it holds itself.
    pub hosts: Vec<HostPattern>,
    /// The certificate, then those between it and the root.
    pub cert: Pem,
    /// Its private key.
    pub key: Pem,
}

/// How a listener secures connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerTls {
    /// At least one. The first is served to clients that name no host, or one that none is for.
    pub certificates: Vec<Certificate>,
    /// Clients that name a host that no certificate is for are refused.
    pub strict_sni: bool,
    /// Whether, and how, clients show certificates of their own.
    pub client_auth: Option<ClientAuth>,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
    /// Cipher suites by their names, in order of preference; empty: all that there are.
    pub suites: Vec<String>,
    /// Protocols on top, in order of preference (ALPN); empty on a listener that forwards plain bytes, where none is
    /// agreed on.
    pub alpn: Vec<String>,
    /// Whether sessions can be resumed.
    pub tickets: bool,
    /// Whether requests for a host that the connection is not for are refused with 421.
    pub match_host: bool,
    /// What browsers are told of later visits.
    pub hsts: Option<Hsts>,
}

/// How clients show certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAuth {
    /// Those who may have signed them.
    pub ca: Pem,
    /// Whether a client may have none.
    pub mode: ClientAuthMode,
    /// Certificates that are no longer valid: lists in PEM or one in DER.
    pub crl: Option<Pem>,
}

/// Whether a client may have no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthMode {
    /// It may.
    Optional,
    /// It may not: its handshake fails.
    Required,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[default]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// HTTP Strict Transport Security (RFC 6797).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hsts {
    /// For how long browsers use https alone; in whole seconds.
    pub max_age: Duration,
    /// Its subdomains too.
    pub include_subdomains: bool,
    /// The site asks to be in the lists that browsers are shipped with.
    pub preload: bool,
}

/// Requests over clear text are sent to https.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpsRedirect {
    /// The port of the https listener as clients see it.
    pub port: u16,
    /// 301, 302, 307 or 308.
    pub status: u16,
}

/// TLS connections that go on as they are to a service, by the name that the client gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passthrough {
    /// These names; empty: every other, and none.
    pub hosts: Vec<HostPattern>,
    /// Index into [`Config::upstreams`](crate::Config::upstreams).
    pub upstream: usize,
}

/// A listener whose connections go to a service as plain bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpForward {
    /// Index into [`Config::upstreams`](crate::Config::upstreams).
    pub upstream: usize,
    /// How long a connection may be silent in both directions.
    pub idle_timeout: Duration,
}

/// Whose PROXY protocol headers are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxySenders {
    /// Connections from these begin with one; others are taken as they are.
    pub from: Vec<IpNet>,
}

/// A version of the PROXY protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyVersion {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

/// How connections to a service are secured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamTls {
    /// Those who may have signed its certificate; `None`: whom this system trusts.
    pub ca: Option<Pem>,
    /// The name that is asked for and must be in the certificate, in lower case; an IP address without brackets is not
    /// asked for but must be in it. `None`: the endpoint's address.
    pub server_name: Option<String>,
    /// What the gateway shows of itself: certificate and key.
    pub certificate: Option<(Pem, Pem)>,
    /// Whether the certificate is checked.
    pub verify: bool,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
    /// As [`ListenerTls::suites`].
    pub suites: Vec<String>,
    /// Protocols on top, in order of preference (ALPN); at least one. Not offered on connections of plain bytes.
    pub alpn: Vec<String>,
    /// Whether sessions are resumed.
    pub resumption: bool,
}

/// Whoever knows certificates: this crate reads files, and asks whether they hold what they should.
pub trait Materials {
    /// Looks at a certificate chain and its key, both PEM.
    ///
    /// # Errors
    /// What is wrong, and with which of the two.
    fn certificate(&self, chain: &[u8], key: &[u8]) -> Result<CertificateFacts, (Part, Flaw)>;

    /// Looks at certificates of authorities (PEM), or at those of this system for `None`.
    ///
    /// # Errors
    /// What is wrong with them: for `None` in the words behind "what this system trusts ".
    fn authorities(&self, pem: Option<&[u8]>) -> Result<(), Flaw>;

    /// Looks at revocation lists: any number in PEM, or one in DER.
    ///
    /// # Errors
    /// What is wrong with them.
    fn revocations(&self, lists: &[u8]) -> Result<(), Flaw>;

    /// The names of all cipher suites, with the version that each belongs to; several names may mean one. Empty: not
    /// known, and every name is taken.
    fn suites(&self) -> Vec<(&'static str, TlsVersion)>;
}

/// Which of two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The certificate's.
    Chain,
    /// The key's.
    Key,
}

/// What is wrong with a file, in the words behind "the file `PATH` ": "holds no certificate".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// What it is.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CertificateFacts {
    /// The DNS names that it is for, wildcards included, in lower case.
    pub names: Vec<String>,
    /// What its key is, in the words of a person: `ECDSA`, `RSA`, `Ed25519`. Empty: nobody has looked, and nothing is
    /// concluded from the names either.
    pub key_kind: &'static str,
    /// What is allowed but probably not meant, in the words behind "the certificate in `PATH` ": "expires in 3 days".
    pub warnings: Vec<String>,
}

/// Takes every file for what it should be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unchecked;

impl Materials for Unchecked {
    fn certificate(&self, _: &[u8], _: &[u8]) -> Result<CertificateFacts, (Part, Flaw)> {
        Ok(CertificateFacts::default())
    }

    fn authorities(&self, _: Option<&[u8]>) -> Result<(), Flaw> {
        Ok(())
    }

    fn revocations(&self, _: &[u8]) -> Result<(), Flaw> {
        Ok(())
    }

    fn suites(&self) -> Vec<(&'static str, TlsVersion)> {
        Vec::new()
    }
}
