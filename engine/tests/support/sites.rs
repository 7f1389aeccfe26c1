//! Sites with certificates of their own, the folder in which a gateway finds them, and both ends of TLS by rustls.

// Each test binary uses a part of this.
#![allow(dead_code, clippy::expect_used, clippy::unwrap_used)]

use crate::support::Gate;
use crate::support::process::scratch;
use crate::support::service::{Connection, Service};
use crate::support::wire::{Answer, Wire};
use crate::support::{STUCK, client::Socket};
use ringgate_rt::driver::Choice;
use rustls::client::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

/// A certificate that has signed itself, and its key.
pub(crate) struct Site {
    pub(crate) der: CertificateDer<'static>,
    key_der: Vec<u8>,
    pem: String,
    key_pem: String,
}

impl Site {
    pub(crate) fn new(names: &[&str]) -> Site {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        Site {
            der: made.cert.der().clone(),
            key_der: made.signing_key.serialize_der(),
            pem: made.cert.pem(),
            key_pem: made.signing_key.serialize_pem(),
        }
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key_der.clone()))
    }

    /// What a service with this certificate shakes hands by.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], self.key())
            .expect("a certificate with its key");
        Arc::new(config)
    }

    /// A service that runs `script` over TLS on each connection, once the handshake has succeeded.
    pub(crate) fn service(
        &self,
        script: impl Fn(&mut rustls::Stream<'_, ServerConnection, Socket>) + Send + Sync + 'static,
    ) -> Service {
        let config = self.server();
        Service::start(move |connection: &mut Connection| {
            let mut tls = ServerConnection::new(config.clone()).expect("a connection");
            while tls.is_handshaking() {
                if tls.complete_io(&mut connection.wire.stream).is_err() {
                    return;
                }
            }
            script(&mut rustls::Stream::new(&mut tls, &mut connection.wire.stream));
        })
    }
}

/// What a client shakes hands by that trusts these certificates alone.
pub(crate) fn trusting(sites: &[&Site]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    sites.iter().for_each(|site| roots.add(site.der.clone()).expect("a root"));
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// A client over TLS.
pub(crate) struct Secure {
    pub(crate) wire: Wire<StreamOwned<ClientConnection, TcpStream>>,
}

impl Secure {
    /// Shakes hands with whoever is there.
    pub(crate) fn connect(address: SocketAddr, name: &str, config: ClientConfig) -> io::Result<Secure> {
        Secure::over(TcpStream::connect(address).expect("a connection"), name, config)
    }

    /// Shakes hands over this connection, on which something may have been said already.
    pub(crate) fn over(stream: TcpStream, name: &str, config: ClientConfig) -> io::Result<Secure> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(STUCK))?;
        stream.set_write_timeout(Some(STUCK))?;
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let tls = ClientConnection::new(Arc::new(config), name).expect("a connection");
        let mut stream = StreamOwned::new(tls, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Secure { wire: Wire::new(stream) })
    }

    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.wire.stream.write_all(bytes.as_ref()).expect("the peer takes what is sent");
        self.wire.stream.flush().expect("the peer takes what is sent");
    }

    #[track_caller]
    pub(crate) fn exchange(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request);
        self.wire.answer("GET").expect("a whole answer")
    }

    #[track_caller]
    pub(crate) fn get(&mut self, host: &str, path: &str) -> Answer {
        self.exchange(format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n"))
    }
}

/// A directory with certificates and a configuration that names them; removed when this is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// One that holds these sites as `NAME.pem` and `NAME.key`.
    pub(crate) fn with(sites: &[(&str, &Site)]) -> Folder {
        let path = scratch("sites");
        std::fs::create_dir_all(&path).expect("a directory");
        for (name, site) in sites {
            std::fs::write(path.join(format!("{name}.pem")), &site.pem).expect("a file");
            std::fs::write(path.join(format!("{name}.key")), &site.key_pem).expect("a file");
        }
        Folder(path)
    }

    /// The file of this configuration.
    pub(crate) fn file(&self, text: &str) -> PathBuf {
        let path = self.0.join("gateway.yaml");
        std::fs::write(&path, text).expect("a file");
        path
    }

    #[track_caller]
    pub(crate) fn gate(&self, text: &str, driver: Choice) -> Gate {
        Gate::load(&self.file(text), driver)
    }

    #[track_caller]
    pub(crate) fn reload(&self, gate: &mut Gate, text: &str) {
        let config = ringgate_config::load(&self.file(text), &ringgate_config::Unchecked)
            .unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
        gate.gateway.as_mut().expect("it was not stopped").reload(&config).expect("a good reload");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// `tls` of a listener with one of the folder's sites, and further members.
pub(crate) fn tls(site: &str, more: &str) -> String {
    format!("tls: {{ certificates: [{{ cert: {site}.pem, key: {site}.key }}]{more} }}")
}
