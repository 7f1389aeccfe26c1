//! An authority, certificates of it in files, and clients that believe it.

use crate::support::process::scratch;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

/// The name that every certificate here is for.
pub(crate) const HOST: &str = "a.example";

/// A directory with `site.pem` and `site.key`, removed when it is dropped.
pub(crate) struct Site {
    directory: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    client: Arc<ClientConfig>,
}

/// A certificate and its key, in PEM.
pub(crate) struct Made {
    pub(crate) cert: String,
    pub(crate) key: String,
    pub(crate) der: CertificateDer<'static>,
}

/// A connection of a client.
pub(crate) type Secured = StreamOwned<ClientConnection, TcpStream>;

impl Site {
    /// With a first certificate in its files.
    pub(crate) fn new() -> (Site, Made) {
        let directory = scratch("site");
        std::fs::create_dir_all(&directory).expect("a directory");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let root = params.self_signed(&key).expect("signed");
        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone()).expect("a root");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let client = client.expect("versions").with_root_certificates(roots).with_no_client_auth();
        let site = Site { directory, issuer: Issuer::new(params, key), client: Arc::new(client) };
        let first = site.make();
        site.put(&first);
        (site, first)
    }

    pub(crate) fn make(&self) -> Made {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![HOST.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        Made { cert: certificate.pem(), key: key.serialize_pem(), der: certificate.der().clone() }
    }

    /// Exchanges both files, one after the other, as who renews certificates does.
    pub(crate) fn put(&self, made: &Made) {
        self.exchange("site.pem", &made.cert);
        self.exchange("site.key", &made.key);
    }

    /// Exchanges one file by a rename.
    pub(crate) fn exchange(&self, name: &str, held: &str) {
        let beside = self.directory.join("new");
        std::fs::write(&beside, held).expect("written");
        std::fs::rename(beside, self.directory.join(name)).expect("renamed");
    }

    /// A gateway's file with a TLS listener for the site, which answers everything itself.
    pub(crate) fn config(&self, other: &str) -> String {
        let core = ringgate_rt::cores::allowed()[0];
        let file = |name: &str| self.directory.join(name).display().to_string();
        format!(
            "runtime: {{ cores: [{core}] }}\nlimits: {{ connections: 200 }}\naccess_log: off\n\
             listeners: [{{ name: https, address: \"127.0.0.1:0\", tls: {{ certificates: [{{ cert: {:?}, key: {:?} }}] }} }}]\n\
             routes: [{{ name: all, match: {{ path: \"/*\" }}, respond: {{ body: served }} }}]\n{other}",
            file("site.pem"),
            file("site.key"),
        )
    }

    /// Connects, shakes hands and makes a request. Each connection makes a full handshake.
    ///
    /// # Errors
    /// The handshake or the request has failed.
    pub(crate) fn connect(&self, at: SocketAddr) -> std::io::Result<Secured> {
        // Nobody else's tickets.
        let mut client = ClientConfig::clone(&self.client);
        client.resumption = rustls::client::Resumption::disabled();
        let name = ServerName::try_from(HOST).expect("a name");
        let connection = ClientConnection::new(Arc::new(client), name).expect("a client");
        let mut secured = StreamOwned::new(connection, TcpStream::connect(at)?);
        request(&mut secured)?;
        Ok(secured)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// A request on a connection that stays open.
pub(crate) fn request(secured: &mut Secured) -> std::io::Result<()> {
    secured.write_all(format!("GET / HTTP/1.1\r\nhost: {HOST}\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"served") {
        let mut piece = [0; 4096];
        match secured.read(&mut piece)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => answer.extend_from_slice(&piece[..read]),
        }
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
    Ok(())
}

/// Whether this is the certificate that the client was shown.
pub(crate) fn shown(secured: &Secured, made: &Made) -> bool {
    secured.conn.peer_certificates().expect("certificates")[0] == made.der
}
