use super::super::tests::*;
use super::*;
use ringgate_config::{Endpoint, Pem, Position, TlsVersion};
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{HandshakeKind, ServerConfig};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

fn tls(ca: Option<Pem>) -> UpstreamTls {
    UpstreamTls {
        ca,
        server_name: None,
        certificate: None,
        verify: true,
        min_version: TlsVersion::Tls12,
        suites: Vec::new(),
        alpn: vec!["http/1.1".to_owned()],
        resumption: true,
    }
}

fn upstream(tls: UpstreamTls, endpoints: &[EndpointAddress]) -> Upstream {
    Upstream {
        name: "orders".to_owned(),
        endpoints: endpoints.iter().map(|address| Endpoint { address: address.clone(), weight: 1 }).collect(),
        connect_timeout: Duration::from_secs(2),
        tls: Some(tls),
        proxy_protocol: None,
        at: Position::START,
    }
}

fn at(address: &str) -> EndpointAddress {
    EndpointAddress::Tcp(address.parse::<SocketAddr>().expect("an address"))
}

fn built(tls: &UpstreamTls, before: Option<&ClientTls>) -> ClientTls {
    let built = ClientTls::build(&upstream(tls.clone(), &[at("127.0.0.1:1")]), before);
    built.unwrap_or_else(|why| panic!("{why}")).expect("TLS")
}

/// A service with this certificate; it wants its clients' if there is an authority for them.
fn service(made: &Made, clients: Option<&Authority>) -> Arc<ServerConfig> {
    let verifier = match clients {
        Some(authority) => {
            let roots = revocation::roots(authority.pem.as_bytes()).expect("roots");
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider().clone())
                .build()
                .expect("a verifier")
        }
        None => Arc::new(NoClientAuth),
    };
    let key = super::super::pem::key(made.key.as_bytes()).expect("a key");
    let config = ServerConfig::builder_with_provider(provider().clone())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![made.der.clone()], key);
    Arc::new(config.expect("a certificate"))
}

#[test]
fn an_endpoint_is_asked_for_by_its_name_or_address() {
    let (directory, authority) = (Directory::new("upstream-names"), Authority::new("authority"));
    let mut asked = tls(Some(directory.write("ca.pem", &authority.pem)));
    let unix = EndpointAddress::Unix(PathBuf::from("/run/orders.sock"));
    let why = ClientTls::build(&upstream(asked.clone(), std::slice::from_ref(&unix)), None).err().expect("no name");
    assert!(why.contains("upstream orders: the endpoint unix:/run/orders.sock has no name"), "{why}");
    let client = built(&asked, None);
    assert_eq!(client.name_for(&at("127.0.0.1:1")).expect("a name").to_str(), "127.0.0.1");
    assert_eq!(client.name_for(&at("127.0.0.1:2")), None);
    asked.server_name = Some("orders.internal".to_owned());
    let client = ClientTls::build(&upstream(asked.clone(), &[unix.clone(), at("[::1]:2")]), None).expect("built");
    let client = client.expect("TLS");
    for address in [unix, at("[::1]:2")] {
        assert_eq!(client.name_for(&address).expect("a name").to_str(), "orders.internal");
    }
    asked.server_name = Some("no name".to_owned());
    assert!(ClientTls::build(&upstream(asked.clone(), &[]), None).is_err());
    let mut clear = upstream(asked, &[]);
    clear.tls = None;
    assert!(ClientTls::build(&clear, None).expect("built").is_none());
}

#[test]
fn a_service_is_believed_by_its_authority_and_name_alone() {
    let (directory, authority) = (Directory::new("upstream-trust"), Authority::new("authority"));
    let other = Authority::new("other");
    let mut asked = tls(Some(directory.write("ca.pem", &authority.pem)));
    let good = service(&authority.ecdsa(&["a.example", "127.0.0.1"]), None);
    let strange = service(&other.ecdsa(&["a.example"]), None);
    let client = built(&asked, None).config();
    assert!(client.enable_secret_extraction && !client.enable_early_data);
    assert!(shake(&client, "a.example", good.clone()).is_ok() && shake(&client, "127.0.0.1", good.clone()).is_ok());
    assert!(shake(&client, "b.example", good).is_err_and(|why| why.contains("not valid for name")));
    assert!(shake(&client, "a.example", strange.clone()).is_err_and(|why| why.contains("UnknownIssuer")));
    asked.verify = false;
    let client = built(&asked, None).config();
    assert!(shake(&client, "b.example", strange).is_ok());
    // Whoever shows a certificate must have its key all the same.
    let (shown, own) = (authority.ecdsa(&["a.example"]), other.ecdsa(&["a.example"]));
    let key = super::super::pem::key(own.key.as_bytes()).expect("a key");
    let key = provider().key_provider.load_private_key(key).expect("a key");
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let thief = ServerConfig::builder_with_provider(provider().clone())
            .with_protocol_versions(&[version])
            .expect("a version")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(
                vec![shown.der.clone()],
                key.clone(),
            ))));
        assert!(shake(&client, "a.example", Arc::new(thief)).is_err_and(|why| why.contains("BadSignature")));
    }
}

fn resumed(first: &ClientTls, then: &ClientTls, service: &Arc<ServerConfig>) -> bool {
    shake(&first.config(), "a.example", service.clone()).expect("hands are shaken");
    let (client, _) = shake(&then.config(), "a.example", service.clone()).expect("hands are shaken");
    client.handshake_kind() == Some(HandshakeKind::Resumed)
}

#[test]
fn sessions_outlive_a_reload_unless_the_service_may_be_another() {
    let (directory, authority) = (Directory::new("upstream-sessions"), Authority::new("authority"));
    let clients = Authority::new("clients");
    let service = service(&authority.ecdsa(&["a.example"]), Some(&clients));
    let shown = |name: &str| {
        let pair = directory.pair(name, &clients.ecdsa(&[]));
        Some((pair.cert, pair.key))
    };
    let mut asked = tls(Some(directory.write("ca.pem", &authority.pem)));
    asked.certificate = shown("one");
    let before = built(&asked, None);
    assert!(resumed(&before, &before, &service));
    let mut same = asked.clone();
    same.alpn.push("other".to_owned());
    same.suites = vec!["TLS_AES_128_GCM_SHA256".to_owned()];
    assert!(resumed(&before, &built(&same, Some(&before)), &service));
    let two = directory.write("ca.pem", format!("{}{}", authority.pem, clients.pem));
    let other_certificate = shown("two");
    let changes: [&dyn Fn(&mut UpstreamTls); 5] = [
        &|tls| tls.ca = Some(two.clone()),
        &|tls| tls.verify = false,
        &|tls| tls.server_name = Some("a.example".to_owned()),
        &|tls| tls.certificate = other_certificate.clone(),
        &|tls| tls.resumption = false,
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut other = asked.clone();
        change(&mut other);
        assert!(!resumed(&before, &built(&other, Some(&before)), &service), "{at}");
    }
    let plain = ClientTls::build(&upstream(tls(asked.ca.clone()), &[at("127.0.0.1:1")]), None);
    let plain = plain.expect("built").expect("TLS");
    let anybody = super::tests::service(&authority.ecdsa(&["a.example"]), None);
    assert!(resumed(&plain, &built(&tls(asked.ca.clone()), Some(&plain)), &anybody), "without a certificate too");
}

#[test]
fn files_that_change_are_used_and_broken_ones_are_not() {
    let (directory, authority) = (Directory::new("upstream-files"), Authority::new("authority"));
    let (clients, next) = (Authority::new("clients"), Authority::new("next"));
    let mut asked = tls(Some(directory.write("ca.pem", &authority.pem)));
    let pair = directory.pair("own", &clients.ecdsa(&[]));
    asked.certificate = Some((pair.cert, pair.key));
    let client = built(&asked, None);
    assert!(client.has_files());
    assert_eq!(client.refresh(), []);
    let strict = service(&authority.ecdsa(&["a.example"]), Some(&next));
    assert!(shake(&client.config(), "a.example", strict.clone()).is_err());
    let renewed = next.ecdsa(&[]);
    exchange(&directory.path("own.pem"), &renewed.cert);
    exchange(&directory.path("ca.pem"), "broken");
    assert_eq!(client.refresh(), [], "the key may follow");
    exchange(&directory.path("own.key"), &renewed.key);
    let changes = client.refresh();
    assert_eq!(changes.iter().filter(|change| change.good).count(), 1, "{changes:?}");
    assert!(changes.iter().any(|change| !change.good && change.what.contains("ca.pem holds no certificate")));
    assert!(shake(&client.config(), "a.example", strict).is_ok(), "with the authorities of before");
    let status = client.certificate().expect("a certificate");
    assert_eq!((status.whose, status.file), (Whose::Upstream("orders".into()), directory.path("own.pem")));
    exchange(&directory.path("ca.pem"), &next.pem);
    assert!(client.refresh()[0].good);
    let of_next = service(&next.ecdsa(&["a.example"]), None);
    assert!(shake(&client.config(), "a.example", of_next).is_ok());
    asked.certificate = None;
    asked.verify = false;
    assert!(!built(&asked, None).has_files());
}
