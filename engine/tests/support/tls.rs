//! TLS by rustls' own connections, on either side of the gateway: what its clients and services speak in these tests.

use super::certs::{Authority, Issued};
use super::client::{Client, Socket};
use super::gateway::Gate;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

/// A version of TLS, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Tls12,
    Tls13,
    Any,
}

impl Version {
    fn list(self) -> Vec<&'static rustls::SupportedProtocolVersion> {
        match self {
            Version::Tls12 => vec![&TLS12],
            Version::Tls13 => vec![&TLS13],
            Version::Any => vec![&TLS13, &TLS12],
        }
    }

    /// Whether this connection speaks it.
    pub(crate) fn is_of(self, connection: &Connection) -> bool {
        let version = connection.protocol_version();
        match self {
            Version::Tls12 => version == Some(rustls::ProtocolVersion::TLSv1_2),
            Version::Tls13 => version == Some(rustls::ProtocolVersion::TLSv1_3),
            Version::Any => version.is_some(),
        }
    }
}

/// What a client goes by that believes this authority.
pub(crate) fn client_config(authority: &Authority, version: Version) -> ClientConfig {
    client_config_with(authority, version, None)
}

/// The same, with a certificate to show.
pub(crate) fn client_config_with(authority: &Authority, version: Version, shown: Option<&Issued>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der.clone()).expect("a root");
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&version.list())
        .expect("versions")
        .with_root_certificates(roots);
    let mut config = match shown {
        Some(issued) => builder.with_client_auth_cert(vec![issued.der.clone()], issued.key()).expect("a pair"),
        None => builder.with_no_client_auth(),
    };
    config.enable_secret_extraction = true;
    config
}

/// What a service goes by that has this certificate.
pub(crate) fn server_config(issued: &Issued, version: Version) -> ServerConfig {
    server_config_with(issued, version, None)
}

/// The same; clients must have a certificate of this authority.
pub(crate) fn server_config_with(issued: &Issued, version: Version, clients: Option<&Authority>) -> ServerConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&version.list())
        .expect("versions");
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der.clone()).expect("a root");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("roots"))
        }
    };
    builder.with_single_cert(vec![issued.der.clone()], issued.key()).expect("a pair")
}

/// A TCP connection with rustls over it.
pub(crate) struct TlsSocket {
    pub(crate) tls: Connection,
    pub(crate) tcp: TcpStream,
    /// Bytes a send takes at most; all if not set.
    pub(crate) trickle: Option<usize>,
}

impl TlsSocket {
    fn flush_some(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.trickle {
                None => drop(self.tls.write_tls(&mut self.tcp)?),
                Some(most) => {
                    let mut out = Vec::new();
                    self.tls.write_tls(&mut out)?;
                    for piece in out.chunks(most) {
                        self.tcp.write_all(piece)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Shakes hands.
    pub(crate) fn shake(&mut self) -> io::Result<()> {
        while self.tls.is_handshaking() {
            self.flush_some()?;
            if self.tls.is_handshaking() {
                self.receive()?;
            }
        }
        self.flush_some()
    }

    fn receive(&mut self) -> io::Result<()> {
        if self.tls.read_tls(&mut self.tcp)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Err(error) = self.tls.process_new_packets() {
            // The alert.
            let _ = self.flush_some();
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        Ok(())
    }

    /// Says that nothing more is sent.
    pub(crate) fn close_notify(&mut self) -> io::Result<()> {
        self.tls.send_close_notify();
        self.flush_some()
    }

    /// What these bytes are when sealed, not sent.
    pub(crate) fn sealed(&mut self, data: &[u8]) -> Vec<u8> {
        self.tls.writer().write_all(data).expect("memory");
        let mut out = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut out).expect("memory");
        }
        out
    }
}

impl Read for TlsSocket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.shake()?;
        loop {
            match self.tls.reader().read(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.flush_some()?;
                    self.receive_or_end()?;
                }
                result => return result,
            }
        }
    }
}

impl TlsSocket {
    /// As [`receive`](Self::receive); an end without a word is the reader's to tell.
    fn receive_or_end(&mut self) -> io::Result<()> {
        self.tls.read_tls(&mut self.tcp)?;
        let processed = self.tls.process_new_packets();
        let _ = self.flush_some();
        processed.map(drop).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

impl Write for TlsSocket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.shake()?;
        let n = self.tls.writer().write(buf)?;
        self.flush_some()?;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flush_some()
    }
}

/// A connection to this address that asks for this name. Nothing is sent yet.
#[track_caller]
pub(crate) fn connect(address: SocketAddr, config: &Arc<ClientConfig>, name: &str) -> TlsSocket {
    let tcp = TcpStream::connect(address).expect("a connection to the gateway");
    tcp.set_nodelay(true).expect("TCP_NODELAY");
    tcp.set_read_timeout(Some(super::STUCK)).expect("a time limit");
    tcp.set_write_timeout(Some(super::STUCK)).expect("a time limit");
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let tls = ClientConnection::new(config.clone(), name).expect("a configuration");
    TlsSocket { tls: Connection::Client(tls), tcp, trickle: None }
}

/// A client that has shaken hands.
#[track_caller]
pub(crate) fn client(address: SocketAddr, config: &Arc<ClientConfig>, name: &str) -> Client {
    let mut socket = connect(address, config, name);
    socket.shake().expect("a handshake");
    Client::over(Socket::Tls(Box::new(socket)))
}

/// Why a handshake, or the first read behind it, fails: with TLS 1.3 a server refuses after the client's part is done.
#[track_caller]
pub(crate) fn refused(address: SocketAddr, config: &Arc<ClientConfig>, name: &str) -> String {
    let mut socket = connect(address, config, name);
    let shaken = socket.shake().and_then(|()| socket.read(&mut [0; 1]));
    shaken.expect_err("the gateway refuses").to_string()
}

/// The service's side of a connection.
pub(crate) fn accept(tcp: TcpStream, config: &Arc<ServerConfig>) -> io::Result<Socket> {
    tcp.set_nodelay(true)?;
    let tls = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
    Ok(Socket::Tls(Box::new(TlsSocket { tls: Connection::Server(tls), tcp, trickle: None })))
}

impl Socket {
    /// The TLS over it.
    #[track_caller]
    pub(crate) fn tls(&mut self) -> &mut TlsSocket {
        match self {
            Socket::Tls(tls) => tls,
            _ => panic!("clear text"),
        }
    }
}
