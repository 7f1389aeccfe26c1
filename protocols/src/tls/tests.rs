//! Both roles against rustls' own buffered connections, in memory.

use super::*;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ResolvesServerCertUsingSni;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, SupportedCipherSuite};
use std::io::{Read, Write};
use std::sync::Arc;

mod afterwards;

fn provider(suites: &[SupportedCipherSuite]) -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { cipher_suites: suites.to_vec(), ..aws_lc_rs::default_provider() })
}

/// A certificate for `example.com` that signs itself, with an elliptic or an RSA key, and all that a server needs.
fn certified(rsa: bool) -> CertifiedKey {
    let key = match rsa {
        true => rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("a key"),
        false => rcgen::KeyPair::generate().expect("a key"),
    };
    let params = rcgen::CertificateParams::new(vec!["example.com".to_owned()]).expect("a name");
    let cert = params.self_signed(&key).expect("a certificate");
    let der = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let signing = aws_lc_rs::sign::any_supported_type(&der).expect("a key");
    CertifiedKey::new(vec![cert.der().clone()], signing)
}

fn server_config(suites: &[SupportedCipherSuite], rsa: bool) -> Arc<ServerConfig> {
    let mut resolver = ResolvesServerCertUsingSni::new();
    resolver.add("example.com", certified(rsa)).expect("the name is in it");
    let builder = ServerConfig::builder_with_provider(provider(suites)).with_safe_default_protocol_versions();
    let mut config =
        builder.expect("versions").with_no_client_auth().with_cert_resolver(Arc::new(NotesName(Arc::new(resolver))));
    config.enable_secret_extraction = true;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// Takes every certificate: what is in it is not what is tested here.
#[derive(Debug)]
struct Any;

impl ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn client_config(suites: &[SupportedCipherSuite]) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider(suites)).with_safe_default_protocol_versions();
    let mut config =
        builder.expect("versions").dangerous().with_custom_certificate_verifier(Arc::new(Any)).with_no_client_auth();
    config.enable_secret_extraction = true;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// A peer, as rustls has it.
trait Peer {
    fn give(&mut self, bytes: &[u8]) -> Result<(), rustls::Error>;
    fn take(&mut self) -> Vec<u8>;
    fn write(&mut self, bytes: &[u8]);
    fn read(&mut self) -> Vec<u8>;
    fn close(&mut self);
    fn update(&mut self);
}

macro_rules! peer {
    ($connection:ty) => {
        impl Peer for $connection {
            fn give(&mut self, mut bytes: &[u8]) -> Result<(), rustls::Error> {
                while !bytes.is_empty() {
                    self.read_tls(&mut bytes).expect("room");
                    self.process_new_packets()?;
                }
                Ok(())
            }
            fn take(&mut self) -> Vec<u8> {
                let mut out = Vec::new();
                while self.wants_write() {
                    self.write_tls(&mut out).expect("memory");
                }
                out
            }
            fn write(&mut self, bytes: &[u8]) {
                self.set_buffer_limit(None);
                self.writer().write_all(bytes).expect("memory");
            }
            fn read(&mut self) -> Vec<u8> {
                let mut out = Vec::new();
                let mut piece = [0; 4096];
                while let Ok(n) = self.reader().read(&mut piece)
                    && n > 0
                {
                    out.extend_from_slice(&piece[..n]);
                }
                out
            }
            fn close(&mut self) {
                self.send_close_notify();
            }
            fn update(&mut self) {
                self.refresh_traffic_keys().expect("TLS 1.3");
            }
        }
    };
}
peer!(ClientConnection);
peer!(ServerConnection);

/// Our side, with the bytes that have come and not been dealt with.
struct Ours {
    session: Session,
    agreed: Agreed,
    waiting: Vec<u8>,
}

impl Ours {
    /// Shakes hands with `peer`; its bytes come in pieces of `piece`.
    fn shake(mut handshake: Handshake, peer: &mut dyn Peer, piece: usize) -> Result<Ours, HandshakeError> {
        let (mut waiting, mut out) = (Vec::new(), Vec::new());
        handshake.step(&mut waiting, &mut out)?;
        loop {
            let given = peer.give(&std::mem::take(&mut out));
            let sent = peer.take();
            given.map_err(HandshakeError::Tls)?;
            assert!(!sent.is_empty(), "both wait");
            let mut pieces = sent.chunks(piece);
            while let Some(bytes) = pieces.next() {
                waiting.extend_from_slice(bytes);
                let step = handshake.step(&mut waiting, &mut out)?;
                waiting.drain(..step.consumed);
                if step.done {
                    pieces.for_each(|bytes| waiting.extend_from_slice(bytes));
                    peer.give(&out).map_err(HandshakeError::Tls)?;
                    let (session, agreed) = handshake.finish()?;
                    return Ok(Ours { session, agreed, waiting });
                }
            }
        }
    }

    fn sealed(&mut self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if self.session.is_due() {
            self.session.due(&mut out).expect("a key");
        }
        for payload in data.chunks(PAYLOAD_MAX) {
            let mut record = vec![0; self.session.front()];
            record.extend_from_slice(payload);
            record.resize(record.len() + self.session.back(), 0);
            self.session.seal(&mut record).expect("a key");
            out.extend_from_slice(&record);
        }
        out
    }

    /// Takes bytes, and returns what was in them.
    fn opened(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        self.waiting.extend_from_slice(bytes);
        let opened = self.session.open(&mut self.waiting, 0)?;
        let plain = self.waiting[opened.plain].to_vec();
        self.waiting.drain(..opened.rest);
        Ok(plain)
    }
}

fn pseudo_random(len: usize) -> Vec<u8> {
    let mut state = len as u32 | 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

fn suites() -> Vec<SupportedCipherSuite> {
    aws_lc_rs::ALL_CIPHER_SUITES.to_vec()
}

fn is_rsa(suite: SupportedCipherSuite) -> bool {
    suite.suite().as_str().is_some_and(|name| name.contains("_RSA_"))
}

fn new_client(suites: &[SupportedCipherSuite]) -> ClientConnection {
    ClientConnection::new(client_config(suites), ServerName::try_from("example.com").expect("a name")).expect("fits")
}

fn as_server(suite: SupportedCipherSuite, piece: usize) -> (Ours, ClientConnection) {
    let mut peer = new_client(&[suite]);
    let handshake = Handshake::server(server_config(&suites(), is_rsa(suite))).expect("fits");
    (Ours::shake(handshake, &mut peer, piece).unwrap_or_else(|error| panic!("{suite:?}: {error}")), peer)
}

fn as_client(suite: SupportedCipherSuite, piece: usize) -> (Ours, ServerConnection) {
    let mut peer = ServerConnection::new(server_config(&[suite], is_rsa(suite))).expect("fits");
    let name = ServerName::try_from("example.com").expect("a name");
    let handshake = Handshake::client(client_config(&suites()), name).expect("fits");
    (Ours::shake(handshake, &mut peer, piece).unwrap_or_else(|error| panic!("{suite:?}: {error}")), peer)
}

fn exchange(ours: &mut Ours, peer: &mut dyn Peer, what: &str) {
    for len in [1, 2, 100, PAYLOAD_MAX - 1, PAYLOAD_MAX, PAYLOAD_MAX + 1, 100_000] {
        let data = pseudo_random(len);
        let mut read = Vec::new();
        for bytes in ours.sealed(&data).chunks(10_000) {
            peer.give(bytes).unwrap_or_else(|error| panic!("{what}, {len}: {error}"));
            read.extend(peer.read());
        }
        assert!(read == data, "{what}, {len} bytes to the peer");
        peer.write(&data);
        let plain = ours.opened(&peer.take()).unwrap_or_else(|failure| panic!("{what}, {len}: {failure}"));
        assert!(plain == data, "{what}, {len} bytes from the peer");
    }
}

#[test]
fn every_suite_carries_bytes_both_ways_in_both_roles() {
    for suite in suites() {
        for piece in [usize::MAX, 1] {
            let (mut ours, mut peer) = as_server(suite, piece);
            assert_eq!(ours.agreed.server_name.as_deref(), Some("example.com"));
            assert_eq!(ours.agreed.alpn.as_deref(), Some(&b"http/1.1"[..]));
            assert_eq!(ours.agreed.suite, suite.suite().as_str().map_or("", iana));
            exchange(&mut ours, &mut peer, &format!("{suite:?} as a server"));
            let (mut ours, mut peer) = as_client(suite, piece);
            assert!(ours.agreed.peer.is_some());
            exchange(&mut ours, &mut peer, &format!("{suite:?} as a client"));
        }
    }
}

#[test]
fn data_that_comes_with_the_end_of_the_handshake_is_the_sessions() {
    let suite = aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let mut peer = new_client(&[suite]);
    let mut handshake = Handshake::server(server_config(&suites(), false)).expect("fits");
    let (mut waiting, mut out) = (peer.take(), Vec::new());
    let step = handshake.step(&mut waiting, &mut out).expect("a hello");
    waiting.drain(..step.consumed);
    peer.give(&out).expect("a server's flight");
    peer.write(b"at once");
    waiting.extend(peer.take());
    out.clear();
    let step = handshake.step(&mut waiting, &mut out).expect("an end");
    assert!(step.done && step.consumed < waiting.len());
    waiting.drain(..step.consumed);
    let (session, agreed) = handshake.finish().expect("it is over");
    let mut ours = Ours { session, agreed, waiting };
    assert_eq!(ours.opened(b"").expect("records"), b"at once");
}

#[test]
fn records_in_pieces_of_every_size_are_opened() {
    let (mut ours, mut peer) = as_server(suites()[0], usize::MAX);
    for piece in [1, 2, 5, 6, 17, 1000] {
        let data = pseudo_random(3000);
        peer.write(&data[..1000]);
        let mut sealed = peer.take();
        peer.write(&data[1000..]);
        sealed.extend(peer.take());
        let mut plain = Vec::new();
        for bytes in sealed.chunks(piece) {
            plain.extend(ours.opened(bytes).expect("records"));
        }
        assert!(plain == data, "in pieces of {piece}");
    }
}

#[test]
fn payloads_are_moved_behind_what_was_there() {
    let (mut ours, mut peer) = as_server(suites()[0], usize::MAX);
    peer.write(b"one");
    let mut bytes = b"before".to_vec();
    bytes.extend(peer.take());
    peer.write(b"two");
    bytes.extend(peer.take());
    bytes.extend_from_slice(&[23, 3]);
    let opened = ours.session.open(&mut bytes, 6).expect("records");
    assert_eq!(&bytes[..opened.plain.end], b"beforeonetwo");
    assert_eq!((opened.plain.start, &bytes[opened.rest..]), (6, &[23, 3][..]));
}

#[test]
fn keys_are_updated_when_either_side_asks() {
    for role in ["server", "client"] {
        let suite = aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256;
        let (mut ours, mut peer): (Ours, Box<dyn Peer>) = match role {
            "server" => as_server(suite, usize::MAX).map_peer(),
            _ => as_client(suite, usize::MAX).map_peer(),
        };
        for round in 0..3 {
            peer.update();
            assert_eq!(ours.opened(&peer.take()).expect("an update"), b"");
            exchange(&mut ours, &mut *peer, &format!("{role}, update {round} of the peer"));
            ours.session.update_due = true;
            exchange(&mut ours, &mut *peer, &format!("{role}, update {round} of ours"));
        }
    }
}

trait MapPeer {
    fn map_peer(self) -> (Ours, Box<dyn Peer>);
}

impl<P: Peer + 'static> MapPeer for (Ours, P) {
    fn map_peer(self) -> (Ours, Box<dyn Peer>) {
        (self.0, Box::new(self.1))
    }
}

#[test]
fn a_key_is_updated_before_it_is_used_up() {
    let (mut ours, mut peer) = as_server(aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384, usize::MAX);
    assert!(!ours.session.is_due());
    ours.session.seal.spend_to(UPDATE_AT_LEFT_FOR_TESTS);
    assert!(ours.session.is_due());
    // The peer counts records too, so these can't be opened; what counts is that another key is there.
    ours.sealed(b"x");
    assert!(!ours.session.is_due());
    let (mut ours, _peer) = as_server(aws_lc_rs::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, usize::MAX);
    ours.session.seal.spend_to(1);
    let mut record = vec![0; ours.session.front() + 1 + ours.session.back()];
    assert_eq!(ours.session.seal(&mut record), Ok(()));
    assert_eq!(ours.session.seal(&mut record), Err(Failure::Exhausted));
    peer.close();
}

const UPDATE_AT_LEFT_FOR_TESTS: u64 = 1 << 10;

#[test]
fn the_end_is_told_and_heard() {
    for suite in suites() {
        let (mut ours, mut peer) = as_server(suite, usize::MAX);
        peer.write(b"last");
        peer.close();
        let mut bytes = peer.take();
        // What comes behind the end is none of ours.
        bytes.extend_from_slice(b"garbage");
        let opened = ours.session.open(&mut bytes, 0).expect("an end");
        assert!(opened.closed && ours.session.is_closed_by_peer());
        assert_eq!(&bytes[opened.plain], b"last");
        let mut out = ours.sealed(b"still");
        ours.session.close(&mut out);
        ours.session.close(&mut out);
        peer.give(&out).expect("an end");
        assert_eq!(peer.read(), b"still");
        let mut record = vec![0; ours.session.front() + 1 + ours.session.back()];
        assert!(ours.session.seal(&mut record).is_err(), "nothing follows the end");
    }
}

#[test]
fn a_changed_record_ends_the_connection_with_an_alert() {
    for suite in suites() {
        let (mut ours, mut peer) = as_server(suite, usize::MAX);
        peer.write(b"data");
        let mut sealed = peer.take();
        let last = sealed.len() - 1;
        sealed[last] ^= 1;
        let failure = ours.opened(&sealed).expect_err("it was changed");
        assert_eq!(failure, Failure::BadRecord);
        let mut words = Vec::new();
        ours.session.last_words(failure, &mut words);
        assert_eq!(
            peer.give(&words),
            Err(rustls::Error::AlertReceived(rustls::AlertDescription::BadRecordMac)),
            "{suite:?}"
        );
    }
}

#[test]
fn records_that_have_no_place_are_refused() {
    for (record, expected) in [
        (&[20, 3, 3, 0, 1, 1][..], [Failure::UnexpectedMessage, Failure::BadRecord]),
        (&[22, 3, 3, 0, 4, 0, 0, 0, 0], [Failure::UnexpectedMessage, Failure::BadRecord]),
        (&[23, 3, 3, 0x48, 1], [Failure::RecordOverflow, Failure::RecordOverflow]),
        (b"GET / HTTP/1.1\r\n\r\n", [Failure::NotTls, Failure::NotTls]),
        (&[23, 3, 3, 0, 0], [Failure::BadRecord, Failure::BadRecord]),
    ] {
        let (mut ours, _) = as_server(aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256, usize::MAX);
        assert_eq!(ours.opened(record), Err(expected[0]), "{record:?} in TLS 1.3");
        let (mut ours, _) = as_server(aws_lc_rs::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, usize::MAX);
        assert_eq!(ours.opened(record), Err(expected[1]), "{record:?} in TLS 1.2");
    }
}

#[test]
fn empty_records_are_bounded_at_the_limit_and_one_past_it() {
    let (mut ours, mut peer) = as_server(aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256, usize::MAX);
    for _ in 0..EMPTY_RECORDS_MAX {
        peer.update();
        assert_eq!(ours.opened(&peer.take()), Ok(Vec::new()));
    }
    peer.write(b"data takes it back");
    ours.opened(&peer.take()).expect("data");
    for _ in 0..EMPTY_RECORDS_MAX {
        peer.update();
        assert_eq!(ours.opened(&peer.take()), Ok(Vec::new()));
    }
    peer.update();
    assert_eq!(ours.opened(&peer.take()), Err(Failure::TooManyEmpty));
}

#[test]
fn tickets_of_a_service_are_used_the_next_time() {
    for suite in [suites()[0], aws_lc_rs::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256] {
        let server = {
            let mut config = (*server_config(&[suite], false)).clone();
            config.ticketer = aws_lc_rs::Ticketer::new().expect("a ticketer");
            Arc::new(config)
        };
        let client = client_config(&[suite]);
        for resumed in [false, true] {
            let mut peer = ServerConnection::new(server.clone()).expect("fits");
            let name = ServerName::try_from("example.com").expect("a name");
            let handshake = Handshake::client(client.clone(), name).expect("fits");
            let mut ours = Ours::shake(handshake, &mut peer, usize::MAX).expect("a handshake");
            assert_eq!(ours.agreed.resumed, resumed, "{suite:?}");
            ours.opened(&peer.take()).expect("tickets");
            exchange(&mut ours, &mut peer, "with tickets");
        }
    }
}

#[test]
fn what_is_no_tls_fails_at_once_and_says_so() {
    let mut handshake = Handshake::server(server_config(&suites(), false)).expect("fits");
    let mut out = Vec::new();
    let error = handshake.step(&mut b"GET / HTTP/1.1\r\n".to_vec(), &mut out).expect_err("it is no TLS");
    assert!(matches!(error, HandshakeError::NotTls) && out.is_empty());
}

#[test]
fn a_client_without_a_common_suite_is_told() {
    let mut peer = new_client(&[aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256]);
    let config = server_config(&[aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256], false);
    let mut handshake = Handshake::server(config).expect("fits");
    let mut out = Vec::new();
    let error = handshake.step(&mut peer.take(), &mut out).expect_err("nothing in common");
    assert!(matches!(error, HandshakeError::Tls(_)), "{error}");
    assert_eq!(peer.give(&out), Err(rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure)));
}

proptest::proptest! {
    #[test]
    fn nothing_that_comes_makes_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..2000), server: bool) {
        let config = server_config(&suites(), false);
        let mut out = Vec::new();
        let _ = Handshake::server(config).expect("fits").step(&mut bytes.clone(), &mut out);
        let (mut ours, _) = as_server(suites()[usize::from(server) * 3], usize::MAX);
        let _ = ours.opened(&bytes);
    }
}
