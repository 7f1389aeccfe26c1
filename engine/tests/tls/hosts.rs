//! Names: which certificate a client gets, and which hosts it may ask for over its connection.

use crate::support::service::ok;
use crate::support::tls::Version;
use crate::support::{Authority, Client, Gate, Plan, Service, on_both_drivers};
use crate::tls;
use ringgate_rt::driver::Choice;
use rustls::pki_types::CertificateDer;
use std::sync::Arc;

on_both_drivers!(
    a_client_gets_the_certificate_of_the_name_that_it_asks_for,
    a_client_without_a_name_gets_the_first,
    strict_names_must_be_known,
    a_request_for_a_host_of_another_certificate_gets_421,
    hosts_are_not_matched_where_that_is_off,
    keys_of_both_kinds_serve_who_can_use_them,
);

/// Three sites: two names on one certificate, a wildcard, and another.
struct Sites {
    gate: Gate,
    authority: Authority,
    ders: [CertificateDer<'static>; 3],
    _service: Service,
}

impl Sites {
    fn start(members: &str, driver: Choice) -> Sites {
        let service = Service::answering(|request| ok(request.fields.get("host").unwrap_or("")));
        let authority = Authority::new("all names");
        let names: [&[&str]; 3] = [&["one.example", "also-one.example"], &["*.wild.example"], &["two.example"]];
        let issued = names.map(|names| authority.issue(names));
        let members_of = ["one", "wild", "two"].iter().zip(&issued).map(|(name, issued)| {
            authority.save(name, issued);
            authority.member(name)
        });
        let certificates = members_of.collect::<Vec<_>>().join(", ");
        let listener = format!("tls: {{ certificates: [{certificates}], {members} }}");
        let gate = Plan::to(&service).listener(&listener).start(driver);
        Sites { gate, authority, ders: issued.map(|issued| issued.der), _service: service }
    }

    /// A client of any name: it believes the certificate whatever is in it.
    fn client(&self, name: &str, sni: bool) -> Client {
        let mut config = tls::client_config(&self.authority, Version::Any);
        config.enable_sni = sni;
        config.dangerous().set_certificate_verifier(Arc::new(Believing));
        tls::client(self.gate.address(), &Arc::new(config), name)
    }

    /// Which certificate a client gets.
    fn served(&self, client: &mut Client) -> Option<usize> {
        let shown = client.wire.stream.tls().tls.peer_certificates().expect("a certificate").first().cloned();
        self.ders.iter().position(|der| Some(der) == shown.as_ref())
    }
}

/// Believes every certificate: these tests look at it themselves.
#[derive(Debug)]
struct Believing;

impl rustls::client::danger::ServerCertVerifier for Believing {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// The status for a host on a connection.
#[track_caller]
fn asks(client: &mut Client, host: &str) -> u16 {
    client.exchange(format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n")).status
}

fn a_client_gets_the_certificate_of_the_name_that_it_asks_for(driver: Choice) {
    let sites = Sites::start("", driver);
    let cases = [
        ("one.example", 0),
        ("ALSO-ONE.example", 0),
        ("a.wild.example", 1),
        ("two.example", 2),
        // A wildcard is one label; an unknown name gets the first.
        ("b.a.wild.example", 0),
        ("wild.example", 0),
        ("three.example", 0),
    ];
    for (name, expected) in cases {
        let mut client = sites.client(name, true);
        assert_eq!(sites.served(&mut client), Some(expected), "{name}");
        assert_eq!(asks(&mut client, name), 200, "the host that it asked for: {name}");
    }
}

fn a_client_without_a_name_gets_the_first(driver: Choice) {
    let sites = Sites::start("", driver);
    for mut client in [sites.client("two.example", false), sites.client("127.0.0.1", true)] {
        assert_eq!(sites.served(&mut client), Some(0));
        assert_eq!(asks(&mut client, "one.example"), 200);
    }
}

fn strict_names_must_be_known(driver: Choice) {
    let sites = Sites::start("strict_sni: on", driver);
    for name in ["one.example", "a.wild.example"] {
        assert_eq!(asks(&mut sites.client(name, true), name), 200, "{name}");
    }
    for name in ["three.example", "b.a.wild.example"] {
        let config = Arc::new(tls::client_config(&sites.authority, Version::Any));
        let refused = tls::refused(sites.gate.address(), &config, name);
        assert!(refused.contains("alert"), "{name}: {refused}");
    }
}

fn a_request_for_a_host_of_another_certificate_gets_421(driver: Choice) {
    let sites = Sites::start("", driver);
    let mut client = sites.client("one.example", true);
    assert_eq!(asks(&mut client, "one.example"), 200);
    assert_eq!(asks(&mut client, "one.example:8443"), 200, "a port is no other host");
    assert_eq!(asks(&mut client, "also-one.example"), 200, "the same certificate is for it");
    for other in ["two.example", "a.wild.example", "three.example"] {
        let answer = client.exchange(format!("GET / HTTP/1.1\r\nhost: {other}\r\n\r\n"));
        assert_eq!((answer.status, answer.json()["error"].as_str()), (421, Some("misdirected")), "{other}");
    }
    assert_eq!(asks(&mut client, "one.example"), 200, "the connection goes on");
    let answer = client.exchange("GET http://two.example/ HTTP/1.1\r\nhost: one.example\r\n\r\n");
    assert_ne!(answer.status, 200, "the target's host counts");
    let mut wild = sites.client("a.wild.example", true);
    assert_eq!(asks(&mut wild, "b.wild.example"), 200, "the wildcard is for it as well");
    assert_eq!(asks(&mut wild, "one.example"), 421);
}

fn hosts_are_not_matched_where_that_is_off(driver: Choice) {
    let sites = Sites::start("match_host: off", driver);
    let mut client = sites.client("one.example", true);
    for host in ["one.example", "two.example", "three.example"] {
        assert_eq!(asks(&mut client, host), 200, "{host}");
    }
}

fn keys_of_both_kinds_serve_who_can_use_them(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let authority = Authority::new("both kinds");
    authority.save("rsa", &authority.issue_rsa(&["localhost"]));
    authority.save("ecdsa", &authority.issue(&["localhost"]));
    let listener = format!("tls: {{ certificates: [{}, {}] }}", authority.member("rsa"), authority.member("ecdsa"));
    let gate = Plan::to(&service).listener(&listener).start(driver);
    for (suite, cert) in [("ECDHE_ECDSA", "ecdsa.pem"), ("ECDHE_RSA", "rsa.pem")] {
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.cipher_suites.retain(|one| format!("{:?}", one.suite()).contains(suite));
        let mut roots = rustls::RootCertStore::empty();
        roots.add(authority.der.clone()).expect("a root");
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS12])
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut client = tls::client(gate.address(), &Arc::new(config), "localhost");
        assert_eq!(client.get("/").status, 200);
        let shown = client.wire.stream.tls().tls.peer_certificates().expect("a certificate").first().cloned();
        let pem = std::fs::read(authority.path(cert)).expect("a file");
        let expected = <CertificateDer<'_> as rustls::pki_types::pem::PemObject>::from_pem_slice(&pem);
        assert_eq!(shown, expected.ok(), "{suite}");
    }
}
