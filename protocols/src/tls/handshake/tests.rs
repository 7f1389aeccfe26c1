//! Messages over several records, and failures: rustls must never miss bytes that it has been given.

use super::*;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConnection, RootCertStore, ServerConnection};

fn site() -> (Arc<ServerConfig>, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["web.test".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a certificate with its key");
    config.enable_secret_extraction = true;
    (Arc::new(config), made.cert.der().clone())
}

fn trusting(certificate: Option<&CertificateDer<'static>>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    certificate.into_iter().for_each(|der| roots.add(der.clone()).expect("a root"));
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.enable_secret_extraction = true;
    Arc::new(config)
}

fn name() -> ServerName<'static> {
    ServerName::try_from("web.test").expect("a name")
}

/// The one record of these bytes as records of at most `len` bytes.
fn in_records(bytes: &[u8], len: usize) -> Vec<Vec<u8>> {
    bytes[5..].chunks(len).map(|piece| [&[22, 3, 1, 0, piece.len() as u8][..], piece].concat()).collect()
}

#[test]
fn a_hello_in_records_that_come_one_by_one_is_understood() {
    let (server, certificate) = site();
    for len in [1, 3, 4, 5, 50, 200] {
        let mut client = ClientConnection::new(trusting(Some(&certificate)), name()).expect("a connection");
        let mut hello = Vec::new();
        client.write_tls(&mut hello).expect("a hello");
        let mut ours = Handshake::server(server.clone()).expect("a handshake");
        let (mut waiting, mut out) = (Vec::new(), Vec::new());
        for record in in_records(&hello, len) {
            // The record's header alone, then all of it.
            waiting.extend_from_slice(&record[..5]);
            let step = ours.step(&mut waiting, &mut out).expect("a good beginning");
            waiting.drain(..step.consumed);
            waiting.extend_from_slice(&record[5..]);
            let step = ours.step(&mut waiting, &mut out).expect("a good record");
            waiting.drain(..step.consumed);
        }
        assert!(waiting.is_empty(), "{len}");
        client.read_tls(&mut &out[..]).expect("memory");
        client.process_new_packets().expect("the server's answer");
        assert!(!client.is_handshaking(), "{len}");
    }
}

#[test]
fn a_service_that_is_not_believed_is_told_so() {
    let (server, certificate) = site();
    // Signed by itself, and unknown; and for another name.
    let other = ServerName::try_from("other.test").expect("a name");
    for (config, name) in [(trusting(None), name()), (trusting(Some(&certificate)), other)] {
        let mut service = ServerConnection::new(server.clone()).expect("a connection");
        let mut ours = Handshake::client(config, name).expect("a handshake");
        let mut out = Vec::new();
        ours.step(&mut [], &mut out).expect("a hello");
        service.read_tls(&mut &out[..]).expect("memory");
        service.process_new_packets().expect("a good hello");
        let mut answer = Vec::new();
        while service.wants_write() {
            service.write_tls(&mut answer).expect("memory");
        }
        out.clear();
        let error = ours.step(&mut answer, &mut out).expect_err("a certificate that is not believed");
        assert!(matches!(error, HandshakeError::Tls(Error::InvalidCertificate(_))), "{error}");
        service.read_tls(&mut &out[..]).expect("memory");
        let told = service.process_new_packets().expect_err("an alert");
        assert!(matches!(told, Error::AlertReceived(_)), "{told}");
    }
}
