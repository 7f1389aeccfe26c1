use super::super::pem;
use super::super::tests::*;
use super::super::{Failed, unverified::Unverified};
use super::*;
use ringgate_config::{ClientAuthMode, TlsVersion};
use ringgate_protocols::tls::Handshake;
use rustls::ClientConnection;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, HandshakeKind, ProtocolVersion, SignatureScheme};

fn built(tls: &ListenerTls) -> ServerTls {
    ServerTls::build("https", tls, None).unwrap_or_else(|why| panic!("{why}"))
}

fn texts(changes: &[Change]) -> Vec<&str> {
    changes.iter().map(|change| change.what.as_str()).collect()
}

/// A client that knows no signatures but RSA's.
#[derive(Debug)]
struct RsaOnly(Unverified);

impl ServerCertVerifier for RsaOnly {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0.verify_server_cert(certificate, between, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::RSA_PSS_SHA256]
    }
}

#[test]
fn a_certificate_goes_by_the_name_that_is_asked_for() {
    let (directory, authority) = (Directory::new("names"), Authority::new("authority"));
    let first = authority.ecdsa(&["first.example"]);
    let exact = authority.ecdsa(&["A.wild.example", "192.0.2.7"]);
    let wild = authority.ecdsa(&["*.wild.example"]);
    let mut named = directory.pair("named", &authority.ecdsa(&["own.example"]));
    named.hosts = hosts(&["given.example", "*.given.example"]);
    let given = named.cert.bytes.clone();
    let mut tls = listener(vec![
        directory.pair("first", &first),
        directory.pair("wild", &wild),
        directory.pair("exact", &exact),
        named,
    ]);
    let server = built(&tls);
    let client = client();
    let given = pem::chain(&given).expect("a chain").remove(0);
    for (name, expected) in [
        ("first.example", &first.der),
        ("a.wild.example", &exact.der),
        ("A.WILD.example", &exact.der),
        ("b.wild.example", &wild.der),
        ("a.b.wild.example", &first.der),
        ("wild.example", &first.der),
        ("given.example", &given),
        ("any.given.example", &given),
        ("own.example", &first.der),
        ("elsewhere.example", &first.der),
        ("192.0.2.7", &first.der),
    ] {
        assert!(served(&client, name, &server).expect(name) == *expected, "{name}");
    }
    tls.strict_sni = true;
    let server = built(&tls);
    // A client that connects to an address names no host.
    for name in ["elsewhere.example", "wild.example", "a.b.wild.example", "own.example", "192.0.2.7"] {
        assert!(served(&client, name, &server).is_err(), "{name}");
    }
    for (name, expected) in [("first.example", &first.der), ("b.wild.example", &wild.der)] {
        assert!(served(&client, name, &server).expect(name) == *expected, "{name}");
    }
}

#[test]
fn a_client_for_whom_there_is_no_certificate_is_told_of_in_words() {
    let (directory, authority) = (Directory::new("strict"), Authority::new("authority"));
    let mut tls = listener(vec![directory.pair("one", &authority.ecdsa(&["a.example"]))]);
    tls.strict_sni = true;
    let name = ServerName::try_from("b.example").expect("a name");
    let mut hello = Vec::new();
    ClientConnection::new(client(), name).expect("a client").write_tls(&mut hello).expect("memory");
    let mut handshake = Handshake::server(built(&tls).config()).expect("fits");
    let failed = Failed::Tls(handshake.step(&mut hello, &mut Vec::new()).expect_err("nobody's name"));
    assert_eq!(failed.reason(), "nothing_in_common");
    assert!(failed.to_string().contains("strict_sni"), "{failed}");
}

#[test]
fn ecdsa_comes_before_rsa_for_clients_that_know_it() {
    let (directory, authority) = (Directory::new("keys"), Authority::new("authority"));
    let (rsa, ecdsa) = (authority.rsa(&["a.example"]), authority.ecdsa(&["a.example"]));
    let other = authority.ecdsa(&["b.example"]);
    let pairs = || [directory.pair("rsa", &rsa), directory.pair("ecdsa", &ecdsa), directory.pair("other", &other)];
    let old = client_with(Arc::new(RsaOnly(Unverified)), None);
    for order in [[0, 1, 2], [1, 0, 2]] {
        let server = built(&listener(order.map(|at| pairs()[at].clone()).to_vec()));
        for name in ["a.example", "elsewhere.example", "192.0.2.1"] {
            assert!(served(&client(), name, &server).expect(name) == ecdsa.der, "{name}");
            assert!(served(&old, name, &server).expect(name) == rsa.der, "{name}");
        }
        assert!(served(&client(), "b.example", &server).expect("b") == other.der);
        // There is no other for the name: the client is told that its signatures don't fit.
        assert!(served(&old, "b.example", &server).is_err());
    }
}

#[test]
fn a_connection_covers_the_names_of_the_certificates_that_it_may_have() {
    let (directory, authority) = (Directory::new("covers"), Authority::new("authority"));
    let server = built(&listener(vec![
        directory.pair("one", &authority.ecdsa(&["a.example", "*.b.example", "192.0.2.1", "2001:db8::1"])),
        directory.pair("two", &authority.ecdsa(&["a.example", "c.example"])),
        directory.pair("three", &authority.ecdsa(&["d.example"])),
    ]));
    let a = server.served(Some("A.example"));
    for host in ["a.example", "A.EXAMPLE", "a.example.", "x.b.example", "c.example", "192.0.2.1", "[2001:db8::1]"] {
        assert!(a.covers(host.as_bytes()), "{host}");
    }
    let long = "x".repeat(300);
    for host in ["d.example", "b.example", "x.y.b.example", ".b.example", "192.0.2.2", "", "[", "*.b.example.x", &long]
    {
        assert!(!a.covers(host.as_bytes()), "{host}");
    }
    assert!(!a.covers(b"\xff.b.example"));
    let d = server.served(Some("d.example"));
    assert!(d.covers(b"d.example") && !d.covers(b"a.example"));
    for nobody in [None, Some("elsewhere.example")] {
        assert!(server.served(nobody).covers(b"a.example"));
        assert!(!server.served(nobody).covers(b"d.example"));
    }
}

#[test]
fn versions_suites_and_protocols_are_those_of_the_file() {
    let (directory, authority) = (Directory::new("versions"), Authority::new("authority"));
    let mut tls = listener(vec![directory.pair("one", &authority.ecdsa(&["a.example"]))]);
    tls.suites = ["TLS_CHACHA20_POLY1305_SHA256", "TLS13_AES_128_GCM_SHA256"].map(str::to_owned).to_vec();
    let config = built(&tls).config();
    let (_, server) = shake(&client(), "a.example", config.clone()).expect("hands are shaken");
    let suite = server.negotiated_cipher_suite().expect("a suite").suite();
    assert_eq!(suite, rustls::CipherSuite::TLS13_CHACHA20_POLY1305_SHA256, "the file's order, not the client's");
    assert!(config.enable_secret_extraction && config.max_early_data_size == 0);
    assert_eq!(config.alpn_protocols, [b"http/1.1".to_vec()]);
    tls.suites = vec!["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".to_owned()];
    let (_, server) = shake(&client(), "a.example", built(&tls).config()).expect("hands are shaken");
    assert_eq!(server.protocol_version(), Some(ProtocolVersion::TLSv1_2), "there is no suite for another one");
    tls.min_version = TlsVersion::Tls13;
    assert!(ServerTls::build("https", &tls, None).is_err_and(|why| why.contains("listener https: no cipher suite")));
}

#[test]
fn clients_show_certificates_of_the_authorities_and_no_revoked_ones() {
    let (directory, authority) = (Directory::new("clients"), Authority::new("servers"));
    let (clients, strangers) = (Authority::new("clients"), Authority::new("strangers"));
    let (good, revoked, strange) = (clients.ecdsa(&[]), clients.ecdsa(&[]), strangers.ecdsa(&[]));
    let ca = directory.write("ca.pem", &clients.pem);
    let list = directory.write("list.pem", clients.revokes(&[&revoked], 2999));
    let mut tls = listener(vec![directory.pair("one", &authority.ecdsa(&["a.example"]))]);
    let may = |tls: &ListenerTls, shown: Option<&Made>| {
        shake(&client_with(Arc::new(Unverified), shown), "a.example", built(tls).config()).map(drop)
    };
    #[track_caller]
    fn refused(result: Result<(), String>, words: &str) {
        let why = result.expect_err(words);
        assert!(why.contains(words), "{why}");
    }
    tls.client_auth = client_auth(ClientAuthMode::Required, ca.clone(), None);
    refused(may(&tls, None), "no certificates");
    assert_eq!((may(&tls, Some(&good)), may(&tls, Some(&revoked))), (Ok(()), Ok(())));
    refused(may(&tls, Some(&strange)), "UnknownIssuer");
    tls.client_auth = client_auth(ClientAuthMode::Optional, ca.clone(), Some(list));
    assert_eq!((may(&tls, None), may(&tls, Some(&good))), (Ok(()), Ok(())));
    refused(may(&tls, Some(&revoked)), "Revoked");
    assert!(may(&tls, Some(&strange)).is_err());
    // A list that was to be renewed says nothing about those who were revoked since.
    let stale = directory.write("stale.pem", clients.revokes(&[], 2021));
    tls.client_auth = client_auth(ClientAuthMode::Optional, ca.clone(), Some(stale));
    refused(may(&tls, Some(&good)), "revocation list expired");
    let server = built(&tls);
    let said = server.refresh();
    assert!(texts(&said)[0].contains("stale.pem has a revocation list that was to be renewed by"), "{said:?}");
    assert_eq!(server.refresh(), [], "once");
    // A list of somebody else says nothing about these clients.
    let foreign = directory.write("foreign.pem", strangers.revokes(&[], 2999));
    tls.client_auth = client_auth(ClientAuthMode::Optional, ca, Some(foreign));
    refused(may(&tls, Some(&good)), "UnknownRevocationStatus");
}

#[test]
fn what_changes_is_served_and_what_breaks_is_said() {
    let (directory, authority) = (Directory::new("swap"), Authority::new("authority"));
    let old = [authority.ecdsa(&["a.example"]), authority.ecdsa(&["b.example"])];
    let new = [authority.ecdsa(&["a.example"]), authority.ecdsa(&["b.example"])];
    let pairs = vec![directory.pair("a", &old[0]), directory.pair("b", &old[1])];
    let server = built(&listener(pairs));
    let now = |name: &str| served(&client(), name, &server).expect(name);
    assert_eq!(server.refresh(), []);
    let kept = server.config();
    // One is broken, the other one is renewed all the same.
    exchange(&directory.path("a.pem"), "-----BEGIN CERTIFICATE-----\nAAAA");
    exchange(&directory.path("b.pem"), &new[1].cert);
    exchange(&directory.path("b.key"), &new[1].key);
    let changes = server.refresh();
    let said = texts(&changes);
    assert!(
        changes.len() == 1 && changes[0].good && said[0].starts_with("listener https: the certificate in "),
        "{said:?}"
    );
    assert!(said[0].contains("b.pem was read anew; it is valid until "), "{said:?}");
    assert!(now("a.example") == old[0].der && now("b.example") == new[1].der);
    let (begun, _) = shake(&client(), "b.example", kept).expect("a handshake that had begun goes on");
    assert!(begun.peer_certificates().expect("certificates")[0] == old[1].der);
    // It was looked at once more before it is complained of, and that is done once.
    let changes = server.refresh();
    let said = texts(&changes);
    assert!(changes.len() == 1 && !changes[0].good && said[0].contains("a.pem breaks off"), "{said:?}");
    assert!(said[0].ends_with("the certificate that it had before is still served"), "{said:?}");
    assert_eq!(server.refresh(), []);
    // A key that is not the certificate's.
    exchange(&directory.path("a.pem"), &new[0].cert);
    assert_eq!(server.refresh(), [], "perhaps the key follows");
    let changes = server.refresh();
    assert!(texts(&changes)[0].contains("a.key holds a key that is not the certificate's"), "{changes:?}");
    assert!(now("a.example") == old[0].der);
    // It does.
    exchange(&directory.path("a.key"), &new[0].key);
    assert!(server.refresh()[0].good);
    assert!(now("a.example") == new[0].der);
    std::fs::remove_file(directory.path("b.key")).expect("removed");
    assert_eq!(server.refresh(), []);
    assert!(texts(&server.refresh())[0].contains("b.key can't be opened"));
    assert!(now("b.example") == new[1].der);
    let statuses = server.certificates();
    assert_eq!(statuses.iter().map(|status| status.names.join(" ")).collect::<Vec<_>>(), ["a.example", "b.example"]);
    assert!(
        statuses.iter().all(|status| status.whose == Whose::Listener("https".into()) && status.not_after > 1 << 32)
    );
}

#[test]
fn a_file_that_is_changed_in_place_is_seen() {
    let (directory, authority) = (Directory::new("place"), Authority::new("authority"));
    let server = built(&listener(vec![directory.pair("a", &authority.ecdsa(&["a.example"]))]));
    assert_eq!(server.refresh(), []);
    for _ in 0..3 {
        // As fast as it goes: the times of the files may well be the same.
        let new = authority.ecdsa(&["a.example"]);
        directory.pair("a", &new);
        assert!(server.refresh()[0].good);
        assert!(served(&client(), "a.example", &server).expect("served") == new.der);
    }
}

/// The kinds of two handshakes of one client, with one server and then with another.
fn resumed(client: &Arc<rustls::ClientConfig>, first: &ServerTls, then: &ServerTls) -> bool {
    shake(client, "a.example", first.config()).expect("hands are shaken");
    let (client, _) = shake(client, "a.example", then.config()).expect("hands are shaken");
    client.handshake_kind() == Some(HandshakeKind::Resumed)
}

#[test]
fn sessions_outlive_a_reload_unless_other_clients_are_let_in() {
    let (directory, authority) = (Directory::new("tickets"), Authority::new("authority"));
    let (clients, others) = (Authority::new("clients"), Authority::new("others"));
    let shown = clients.ecdsa(&[]);
    let mut tls = listener(vec![directory.pair("one", &authority.ecdsa(&["a.example"]))]);
    let both = directory.write("ca.pem", format!("{}{}", clients.pem, others.pem));
    tls.client_auth = client_auth(ClientAuthMode::Required, both, None);
    let client = || client_with(Arc::new(Unverified), Some(&shown));
    let before = built(&tls);
    let after = |tls: &ListenerTls| ServerTls::build("https", tls, Some(&before)).expect("built");
    assert!(resumed(&client(), &before, &before));
    tls.certificates = vec![directory.pair("two", &authority.ecdsa(&["a.example"]))];
    tls.alpn.push("other".to_owned());
    assert!(resumed(&client(), &before, &after(&tls)), "with another certificate");
    let reordered = directory.write("ca.pem", format!("{}{}", others.pem, clients.pem));
    for change in [
        |tls: &mut ListenerTls, _: &Pem| tls.min_version = TlsVersion::Tls13,
        |tls: &mut ListenerTls, ca: &Pem| tls.client_auth = client_auth(ClientAuthMode::Required, ca.clone(), None),
        |tls: &mut ListenerTls, ca: &Pem| tls.client_auth = client_auth(ClientAuthMode::Optional, ca.clone(), None),
        |tls: &mut ListenerTls, _: &Pem| tls.client_auth = None,
        |tls: &mut ListenerTls, _: &Pem| tls.tickets = false,
    ] {
        let mut other = tls.clone();
        change(&mut other, &reordered);
        assert!(!resumed(&client(), &before, &after(&other)));
    }
    // The same by a file that changes.
    let server = after(&tls);
    exchange(&directory.path("ca.pem"), &clients.pem);
    let client = client();
    shake(&client, "a.example", server.config()).expect("hands are shaken");
    assert!(texts(&server.refresh())[0].ends_with("whom clients are believed by was read anew"));
    let (ended, _) = shake(&client, "a.example", server.config()).expect("hands are shaken");
    assert_eq!(ended.handshake_kind(), Some(HandshakeKind::Full));
    assert!(resumed(&client, &server, &server), "with the new keys");
}

#[test]
fn without_tickets_nothing_is_resumed() {
    let (directory, authority) = (Directory::new("off"), Authority::new("authority"));
    let mut tls = listener(vec![directory.pair("one", &authority.ecdsa(&["a.example"]))]);
    for suites in [vec![], vec!["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".to_owned()]] {
        for tickets in [true, false] {
            (tls.suites, tls.tickets) = (suites.clone(), tickets);
            let server = built(&tls);
            assert_eq!(resumed(&client(), &server, &server), tickets, "{suites:?}");
        }
    }
}

#[test]
fn what_can_not_be_built_says_which_file_and_why() {
    let (directory, authority) = (Directory::new("bad"), Authority::new("authority"));
    let (one, two) = (authority.ecdsa(&["a.example"]), authority.ecdsa(&["b.example"]));
    let mut pair = directory.pair("one", &one);
    pair.key = directory.write("two.key", &two.key);
    let why = ServerTls::build("https", &listener(vec![pair]), None).err().expect("a mismatch");
    assert!(why.starts_with("listener https: the file ") && why.contains("two.key holds a key that is not"), "{why}");
    let mut tls = listener(vec![directory.pair("one", &one)]);
    tls.client_auth = client_auth(ClientAuthMode::Required, directory.write("ca.pem", "nothing"), None);
    let why = ServerTls::build("https", &tls, None).err().expect("no authorities");
    assert!(why.contains("ca.pem holds no certificate"), "{why}");
    tls.suites = vec!["TLS_NULL".to_owned()];
    tls.client_auth = None;
    assert!(ServerTls::build("https", &tls, None).is_err_and(|why| why.ends_with("there is no cipher suite TLS_NULL")));
}
