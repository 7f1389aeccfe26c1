//! Exchanges over TLS: the client seals and opens with the gateway's own record layer, which allocates nothing.

use crate::scenario::{LogLines, Scenario, plain};
use ringgate::harness::Harness;
use ringgate_config::{Disk, Unchecked, parse_with};
use ringgate_protocols::tls::{Handshake, PAYLOAD_MAX, Session};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// A gateway in the middle of exchanges of one kind, with a client on TLS.
pub struct SecuredExchange {
    harness: Harness,
    session: Session,
    request: Vec<u8>,
    sealed: Vec<u8>,
    received: Vec<u8>,
}

impl Scenario {
    /// As [`start`](Scenario::start), with this version of TLS.
    ///
    /// # Errors
    /// Likewise; and a handshake that fails.
    pub fn start_secured(self, version: &'static SupportedProtocolVersion) -> io::Result<SecuredExchange> {
        let files = Files::new()?;
        let listener = "address: \"127.0.0.1:8080\"";
        let pair = format!("{{ cert: {}, key: {} }}", files.path("cert").display(), files.path("key").display());
        let tls = format!("{listener}, tls: {{ match_host: off, certificates: [{pair}] }}");
        let text = plain(LogLines::Off).replace(listener, &tls);
        let config = parse_with("bench.yaml", &text, &|_| None, &Disk, &Unchecked)
            .map_err(|errors| io::Error::other(errors.to_string()))?;
        let mut harness = Harness::new(&config, self.service())?;
        let (session, received) = shake(&mut harness, client(&files.certificate, version)?)?;
        let mut exchange = SecuredExchange { harness, session, request: self.request(), sealed: Vec::new(), received };
        for _ in 0..100 {
            if exchange.run()? < self.answer_bytes {
                return Err(io::Error::other("an answer that is not whole"));
            }
        }
        Ok(exchange)
    }
}

impl SecuredExchange {
    /// One exchange. Returns the bytes of the answer, head and body.
    ///
    /// # Errors
    /// Records that can't be sealed or opened.
    pub fn run(&mut self) -> io::Result<usize> {
        self.sealed.clear();
        for payload in self.request.chunks(PAYLOAD_MAX) {
            let at = self.sealed.len();
            self.sealed.resize(at + self.session.front(), 0);
            self.sealed.extend_from_slice(payload);
            self.sealed.resize(self.sealed.len() + self.session.back(), 0);
            self.session.seal(&mut self.sealed[at..]).map_err(io::Error::other)?;
        }
        let received = &mut self.received;
        self.harness.exchange(&self.sealed, |piece| received.extend_from_slice(piece));
        let opened = self.session.open(&mut self.received, 0).map_err(io::Error::other)?;
        let bytes = opened.plain.len();
        self.received.drain(..opened.rest);
        Ok(bytes)
    }

    /// Connections that were made to the service.
    pub fn connections(&self) -> usize {
        self.harness.connections()
    }
}

/// Shakes hands through the gateway's pipeline. Returns the session, and what has come behind the handshake.
fn shake(harness: &mut Harness, config: ClientConfig) -> io::Result<(Session, Vec<u8>)> {
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let mut handshake = Handshake::client(Arc::new(config), name).map_err(io::Error::other)?;
    let (mut incoming, mut out) = (Vec::new(), Vec::new());
    loop {
        let step = handshake.step(&mut incoming, &mut out).map_err(io::Error::other)?;
        incoming.drain(..step.consumed);
        let came = harness.exchange(&out, |piece| incoming.extend_from_slice(piece));
        out.clear();
        if step.done {
            let (session, _) = handshake.finish().map_err(io::Error::other)?;
            return Ok((session, incoming));
        }
        if came == 0 {
            return Err(io::Error::other("the gateway does not go on with the handshake"));
        }
    }
}

fn client(
    certificate: &CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).map_err(io::Error::other)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.enable_secret_extraction = true;
    Ok(config)
}

/// A certificate with its key, in files that go with this.
struct Files {
    directory: PathBuf,
    certificate: CertificateDer<'static>,
}

impl Files {
    fn new() -> io::Result<Files> {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("ringgate-bench-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).map_err(io::Error::other)?;
        let files = Files { directory: std::env::temp_dir().join(name), certificate: made.cert.der().clone() };
        std::fs::create_dir(&files.directory)?;
        std::fs::write(files.path("cert"), made.cert.pem())?;
        std::fs::write(files.path("key"), made.signing_key.serialize_pem())?;
        Ok(files)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What stays in the directory for such is nobody's loss.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
