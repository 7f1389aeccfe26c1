//! Hellos of real clients, rustls and OpenSSL; and rustls as an independent reader: where both accept a hello, both
//! find the same name.

// Clippy takes only functions marked as tests for tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use ringgate_protocols::tls::hello::{Hello, Sniff, sniff};
use rustls::client::{ClientConfig, ClientConnection};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::server::Acceptor;
use rustls::{RootCertStore, SupportedProtocolVersion, version};
use std::io::Read;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// How long OpenSSL may take to send a hello.
const OPENSSL_PATIENCE: Duration = Duration::from_secs(20);

/// What a client of rustls sends first.
fn rustls_hello(to: &str, alpn: &[&[u8]], sni: bool, versions: &[&'static SupportedProtocolVersion]) -> Vec<u8> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    config.enable_sni = sni;
    let name = ServerName::try_from(to.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut bytes).unwrap();
    }
    bytes
}

/// What rustls, as a server, finds in the same bytes: nothing where it refuses them or wants more.
fn rustls_reads(mut bytes: &[u8]) -> Option<(Option<String>, Vec<Vec<u8>>)> {
    let mut acceptor = Acceptor::default();
    while !bytes.is_empty() {
        acceptor.read_tls(&mut bytes).ok()?;
        if let Some(accepted) = acceptor.accept().ok()? {
            let hello = accepted.client_hello();
            // A name's last dot is no part of it, and its case neither.
            let name = hello.server_name().map(|name| name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase());
            let alpn = hello.alpn().map(|protocols| protocols.map(<[u8]>::to_vec).collect());
            return Some((name, alpn.unwrap_or_default()));
        }
    }
    None
}

/// The message's bytes in records of `len`; `bytes` is one record.
fn in_records(bytes: &[u8], len: usize) -> Vec<u8> {
    let (header, message) = bytes.split_at(5);
    assert_eq!(message.len(), usize::from(u16::from_be_bytes([header[3], header[4]])), "more than one record");
    let part = |part: &[u8]| [&header[..3], &u16::try_from(part.len()).unwrap().to_be_bytes(), part].concat();
    message.chunks(len).flat_map(part).collect()
}

/// The hello is found whole, cut anywhere, and in records of one byte.
fn is(bytes: &[u8], name: Option<&str>, alpn: &[&[u8]]) {
    let alpn = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let expected = Sniff::Hello(Hello { server_name: name.map(str::to_owned), alpn });
    for bytes in [bytes, &in_records(bytes, 1), &in_records(bytes, 100)] {
        for cut in 0..bytes.len() {
            assert_eq!(sniff(&bytes[..cut]), Sniff::NeedMore, "{cut}");
        }
        assert_eq!(sniff(bytes), expected);
        assert_eq!(sniff(&[bytes, bytes].concat()), expected);
    }
}

#[test]
fn hellos_of_rustls() {
    let all: &[_] = &[&version::TLS13, &version::TLS12];
    for versions in [all, &[&version::TLS13], &[&version::TLS12]] {
        let both: [&[u8]; 2] = [b"h2", b"http/1.1"];
        is(&rustls_hello("Api.Example.com", &both, true, versions), Some("api.example.com"), &both);
        is(&rustls_hello("example.com.", &[], true, versions), Some("example.com"), &[]);
        is(&rustls_hello("example.com", &both, false, versions), None, &both);
        is(&rustls_hello("127.0.0.1", &[], true, versions), None, &[]);
        is(&rustls_hello("::1", &[], true, versions), None, &[]);
    }
}

/// A process that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What `openssl s_client` sends first; nothing where it does not know the options.
fn openssl_hello(arguments: &[&str]) -> Option<Vec<u8>> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap().to_string();
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &to]).args(arguments);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut running = Running(child);
    listener.set_nonblocking(true).unwrap();
    let began = std::time::Instant::now();
    let mut stream = loop {
        match listener.accept() {
            Ok((stream, _)) => break stream,
            Err(_) if running.0.try_wait().unwrap().is_some() => return None,
            Err(_) => assert!(began.elapsed() < OPENSSL_PATIENCE, "openssl does not connect"),
        }
        std::thread::yield_now();
    };
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(OPENSSL_PATIENCE)).unwrap();
    let mut header = [0; 5];
    stream.read_exact(&mut header).ok()?;
    let mut bytes = header.to_vec();
    bytes.resize(5 + usize::from(u16::from_be_bytes([header[3], header[4]])), 0);
    stream.read_exact(&mut bytes[5..]).unwrap();
    Some(bytes)
}

#[test]
fn hellos_of_openssl() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("SKIPPED: hellos_of_openssl: there is no openssl here");
        return;
    }
    // Old versions need the lowest security level; what the build does not know at all gives no hello.
    let versions: [&[&str]; 5] = [
        &[],
        &["-tls1_3"],
        &["-tls1_2"],
        &["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
        &["-tls1", "-cipher", "DEFAULT@SECLEVEL=0"],
    ];
    for (index, version) in versions.into_iter().enumerate() {
        let hello = |arguments: &[&str]| openssl_hello(&[version, arguments].concat());
        let Some(named) = hello(&["-servername", "Api.Example.com", "-alpn", "h2,http/1.1"]) else {
            assert!(index > 2, "openssl sends no hello");
            eprintln!("SKIPPED: hellos_of_openssl: {version:?}: not known to it");
            continue;
        };
        is(&named, Some("api.example.com"), &[b"h2", b"http/1.1"]);
        is(&hello(&["-noservername"]).unwrap(), None, &[]);
        is(&hello(&["-servername", "127.0.0.1"]).unwrap(), None, &[]);
    }
}

/// Where both accept, both have found the same.
fn agree(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let (Sniff::Hello(hello), Some((name, alpn))) = (sniff(bytes), rustls_reads(bytes)) {
        prop_assert_eq!(hello.server_name, name);
        prop_assert_eq!(hello.alpn, alpn);
    }
    Ok(())
}

#[test]
fn rustls_reads_what_is_not_damaged() {
    let bytes = rustls_hello("example.com.", &[b"h2"], true, &[&version::TLS13]);
    let expected = Some((Some("example.com".to_owned()), vec![b"h2".to_vec()]));
    assert_eq!(rustls_reads(&bytes), expected);
    assert_eq!(rustls_reads(&in_records(&bytes, 50)), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_hellos(
        name in "[a-zA-Z0-9]{1,8}(\\.[a-z][a-z0-9-]{0,6}[a-z]){0,3}\\.?",
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        len in 50_usize..2000,
    ) {
        prop_assume!(ServerName::try_from(name.as_str()).is_ok());
        let mut bytes = rustls_hello(&name, &[b"h2", b"http/1.1"], true, &[&version::TLS13, &version::TLS12]);
        for (at, byte) in changes {
            let at = at.index(bytes.len() - 5) + 5;
            bytes[at] = byte;
        }
        agree(&in_records(&bytes, len))?;
    }

    /// In the extension for the name alone, where a change is most likely to matter.
    #[test]
    fn damaged_names(at in 0_usize..24, byte in prop_oneof![any::<u8>(), Just(b'.'), Just(b'-'), Just(b'0'), Just(b'X')]) {
        let mut bytes = rustls_hello("ab0.example.com", &[b"h2"], true, &[&version::TLS13]);
        let name = bytes.windows(15).position(|window| window == b"ab0.example.com").unwrap();
        bytes[name - 9 + at] = byte;
        agree(&bytes)?;
    }
}
