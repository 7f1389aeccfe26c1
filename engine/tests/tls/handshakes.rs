//! Handshakes that stop, crawl, ask for what there is not, or are none.

use crate::support::service::ok;
use crate::support::tls::{Version, connect};
use crate::support::{Client, Plan, STUCK, Service, on_both_drivers};
use crate::{Site, tls};
use ringgate_rt::driver::Choice;
use rustls::ClientConfig;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

on_both_drivers!(
    a_hello_may_come_a_byte_at_a_time,
    a_hello_may_be_spread_over_records,
    a_request_may_come_with_the_end_of_the_handshake,
    a_handshake_has_its_time_and_no_more,
    whoever_leaves_a_handshake_is_forgotten,
    old_versions_are_refused_with_an_alert,
    what_is_no_tls_is_refused,
    a_record_that_no_handshake_has_is_refused,
    clear_text_on_the_secured_port_gets_a_clear_answer,
    tls_on_the_clear_port_gets_an_end,
    protocols_are_agreed_on_or_refused,
    the_minimum_version_and_the_suites_hold,
    sessions_are_resumed_by_tickets_and_not_without,
);

/// The records that a client of TLS begins with.
pub(crate) fn hello(config: &Arc<ClientConfig>) -> Vec<u8> {
    let name = rustls::pki_types::ServerName::try_from("localhost").expect("a name");
    let mut client = rustls::ClientConnection::new(config.clone(), name).expect("a configuration");
    let mut out = Vec::new();
    client.write_tls(&mut out).expect("memory");
    out
}

pub(crate) fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(STUCK)).expect("a time limit");
    stream.set_nodelay(true).expect("TCP_NODELAY");
    stream
}

/// What comes before the end of the connection.
fn to_the_end(mut stream: TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    match stream.read_to_end(&mut all) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("no end: {error}; {all:?}"),
    }
    all
}

/// What a server answers to these bytes, to its end.
#[track_caller]
fn answer_to(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = tcp(address);
    stream.write_all(bytes).expect("sent");
    to_the_end(stream)
}

fn site(driver: Choice) -> (Service, Site) {
    let service = Service::answering(|_| ok("good"));
    let site = Site::start(Plan::to(&service), driver);
    (service, site)
}

fn a_hello_may_come_a_byte_at_a_time(driver: Choice) {
    let (_service, site) = site(driver);
    for version in [Version::Tls12, Version::Tls13] {
        let config = Arc::new(tls::client_config(&site.authority, version));
        let mut socket = connect(site.gate.address(), &config, "localhost");
        socket.trickle = Some(1);
        socket.shake().expect("a handshake");
        let mut client = Client::over(crate::support::client::Socket::Tls(Box::new(socket)));
        assert_eq!(client.get("/").text(), "good", "{version:?}");
    }
}

fn a_hello_may_be_spread_over_records(driver: Choice) {
    let (_service, site) = site(driver);
    // Each record has its own header; a message goes on from one to the next (RFC 8446 section 5.1).
    for piece in [1, 50, 300] {
        let mut socket = connect(site.gate.address(), &site.config, "localhost");
        let mut hello = Vec::new();
        socket.tls.write_tls(&mut hello).expect("memory");
        let mut spread = Vec::new();
        for part in hello[5..].chunks(piece) {
            spread.extend([22, 3, 1, 0, 0]);
            let at = spread.len() - 2;
            spread[at..].copy_from_slice(&(part.len() as u16).to_be_bytes());
            spread.extend(part);
        }
        // Together, and each in its own time.
        if piece == 50 {
            for record in spread.chunks(piece + 5) {
                socket.tcp.write_all(record).expect("sent");
                crate::support::client::settle();
            }
        } else {
            socket.tcp.write_all(&spread).expect("sent");
        }
        socket.shake().unwrap_or_else(|error| panic!("records of {piece}: {error}"));
    }
    // An error that comes in the second of two records.
    let body = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0, 5, 1, 0]].concat();
    let message = [&[1, 0, 0, body.len() as u8][..], &body].concat();
    let record = |part: &[u8]| [&[22, 3, 1, 0, part.len() as u8][..], part].concat();
    let mut stream = tcp(site.gate.address());
    stream.write_all(&record(&message[..20])).expect("sent");
    crate::support::client::settle();
    stream.write_all(&record(&message[20..])).expect("sent");
    assert_eq!(to_the_end(stream), [21, 3, 3, 0, 2, 2, 40], "handshake_failure");
    site.serves();
}

fn a_request_may_come_with_the_end_of_the_handshake(driver: Choice) {
    let (_service, site) = site(driver);
    for version in [Version::Tls12, Version::Tls13] {
        let config = Arc::new(tls::client_config(&site.authority, version));
        let mut socket = connect(site.gate.address(), &config, "localhost");
        let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
        // rustls holds it until it may go: in TLS 1.3 it leaves with the Finished.
        socket.tls.writer().write_all(request).expect("memory");
        socket.tls.writer().write_all(request).expect("memory");
        let mut client = Client::over(crate::support::client::Socket::Tls(Box::new(socket)));
        assert_eq!(client.answer().text(), "good", "{version:?}");
        assert_eq!(client.answer().text(), "good", "{version:?}");
    }
}

fn a_handshake_has_its_time_and_no_more(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let site = Site::start(Plan::to(&service).limits("handshake_timeout: 400ms"), driver);
    let hello = hello(&site.config);
    let begun = Instant::now();
    let cases: [(&str, &[u8]); 3] =
        [("nothing", b""), ("half a hello", &hello[..hello.len() / 2]), ("a hello", &hello)];
    let streams = cases.map(|(what, sent)| {
        let mut stream = tcp(site.gate.address());
        stream.write_all(sent).expect("sent");
        (what, stream)
    });
    // Within its time a slow one succeeds.
    let mut slow = connect(site.gate.address(), &site.config, "localhost");
    let mut first = Vec::new();
    slow.tls.write_tls(&mut first).expect("memory");
    slow.tcp.write_all(&first[..100]).expect("sent");
    std::thread::sleep(Duration::from_millis(100));
    slow.tcp.write_all(&first[100..]).expect("sent");
    slow.shake().expect("a handshake in time");
    // Bytes do not give it more.
    let mut crawling = tcp(site.gate.address());
    let crawl = Instant::now();
    let mut bytes = hello.iter();
    while bytes.next().is_some_and(|byte| crawling.write_all(&[*byte]).is_ok()) {
        assert!(crawl.elapsed() < Duration::from_secs(5), "it may take for ever");
        std::thread::sleep(Duration::from_millis(40));
    }
    to_the_end(crawling);
    assert!(crawl.elapsed() >= Duration::from_millis(390), "{:?}", crawl.elapsed());
    for (what, stream) in streams {
        to_the_end(stream);
        assert!(begun.elapsed() >= Duration::from_millis(390), "{what}: {:?}", begun.elapsed());
    }
    site.serves();
}

fn whoever_leaves_a_handshake_is_forgotten(driver: Choice) {
    let (_service, site) = site(driver);
    let hello = hello(&site.config);
    for sent in [0, 3, 5, 100, hello.len()] {
        for reset in [true, false] {
            let mut stream = tcp(site.gate.address());
            stream.write_all(&hello[..sent]).expect("sent");
            if reset {
                socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
            } else {
                stream.shutdown(Shutdown::Write).expect("a half-close");
                to_the_end(stream);
            }
        }
    }
    site.serves();
}

/// A hello of an old client: these versions in its record and itself, and no extension.
fn old_hello(version: [u8; 2], suites: &[u8]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend((suites.len() as u16).to_be_bytes());
    body.extend(suites);
    body.extend([1, 0]);
    let mut record = vec![22, 3, 1];
    record.extend((body.len() as u16 + 4).to_be_bytes());
    record.extend([1, 0]);
    record.extend((body.len() as u16).to_be_bytes());
    record.extend(body);
    record
}

fn old_versions_are_refused_with_an_alert(driver: Choice) {
    let (_service, site) = site(driver);
    let address = site.gate.address();
    for version in [[3, 0], [3, 1], [3, 2]] {
        let answer = answer_to(address, &old_hello(version, &[0xc0, 0x2f, 0x00, 0x2f]));
        assert_eq!(answer[..], [21, 3, 3, 0, 2, 2, 70], "protocol_version for {version:?}");
        // A client that falls back says so (RFC 7507).
        let answer = answer_to(address, &old_hello(version, &[0xc0, 0x2f, 0x56, 0x00]));
        assert!(matches!(answer[..], [21, 3, 3, 0, 2, 2, 70 | 86]), "{version:?}: {answer:?}");
    }
    // TLS 1.2 without anything that there is.
    let answer = answer_to(address, &old_hello([3, 3], &[0x00, 0x2f, 0x00, 0x05, 0x00, 0x0a]));
    assert!(matches!(answer[..], [21, 3, 3, 0, 2, 2, 40 | 109]), "{answer:?}");
    site.serves();
}

fn what_is_no_tls_is_refused(driver: Choice) {
    let (service, site) = site(driver);
    // SSLv2 (RFC 6101 appendix E.1), SSH, zeros, a record of TLS that is no handshake, noise.
    let v2 = [0x80, 0x2e, 0x01, 0x00, 0x02, 0x00, 0x15, 0x00, 0x00, 0x00, 0x10, 0x01, 0x00, 0x80];
    let noise = crate::support::bodies::Noise::new(4).bytes(4096);
    for wrong in
        [&v2[..], b"SSH-2.0-OpenSSH_9.2\r\n", &[0; 64], &[23, 3, 3, 0, 3, 1, 2, 3], &[21, 3, 3, 0, 2, 2, 40], &noise]
    {
        let answer = answer_to(site.gate.address(), wrong);
        assert!(answer.is_empty() || answer[0] == 21, "{wrong:?}: {answer:?}");
        assert!(answer.len() < 32, "{answer:?}");
    }
    assert_eq!(service.request_count(), 0);
    site.serves();
}

fn a_record_that_no_handshake_has_is_refused(driver: Choice) {
    let (_service, site) = site(driver);
    let address = site.gate.address();
    assert_eq!(answer_to(address, &[22, 3, 1, 0x48, 0x01]), [21, 3, 3, 0, 2, 2, 22], "record_overflow");
    // A message that says it has 16 MiB, and one that never ends, are not waited for.
    let endless = [&[22, 3, 1, 0x40, 0][..], &[1, 0xff, 0xff, 0xff], &vec![0; 0x4000 - 4]].concat();
    let mut stream = tcp(address);
    let more = [&[22, 3, 1, 0x40, 0][..], &vec![0; 0x4000]].concat();
    let mut taken = stream.write_all(&endless).is_ok();
    for _ in 0..1000 {
        taken = taken && stream.write_all(&more).is_ok();
    }
    assert!(!taken, "16 MiB of a hello were taken");
    let empty = [22, 3, 1, 0, 0].repeat(100_000);
    let mut stream = tcp(address);
    let _ = stream.write_all(&empty);
    to_the_end(stream);
    site.serves();
}

fn clear_text_on_the_secured_port_gets_a_clear_answer(driver: Choice) {
    let (service, site) = site(driver);
    for method in ["GET", "POST", "OPTIONS"] {
        let mut client = site.gate.client();
        let answer = client.exchange(format!("{method} / HTTP/1.1\r\nhost: localhost\r\n\r\n"));
        assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("plain_http")));
        assert_eq!(answer.fields.get("connection"), Some("close"));
        client.end();
    }
    assert_eq!(service.request_count(), 0);
    site.serves();
}

fn tls_on_the_clear_port_gets_an_end(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let gate = Plan::to(&service).start(driver);
    let authority = crate::Authority::new("of nobody");
    let config = Arc::new(tls::client_config(&authority, Version::Any));
    let begun = Instant::now();
    let refused = tls::refused(gate.address(), &config, "localhost");
    assert!(begun.elapsed() < Duration::from_secs(5), "{refused}");
    assert_eq!(gate.client().get("/").status, 200);
}

/// The protocol of a connection, or that there is none.
type Agreement = Result<Option<&'static [u8]>, ()>;

fn protocols_are_agreed_on_or_refused(driver: Choice) {
    let (_service, site) = site(driver);
    let cases: [(&[&[u8]], Agreement); 5] = [
        (&[], Ok(None)),
        (&[b"http/1.1"], Ok(Some(b"http/1.1"))),
        (&[b"h2", b"http/1.1"], Ok(Some(b"http/1.1"))),
        (&[b"h2"], Err(())),
        (&[b"http/1.0", b"spdy/3"], Err(())),
    ];
    for version in [Version::Tls12, Version::Tls13] {
        for (offered, expected) in cases {
            let mut config = tls::client_config(&site.authority, version);
            config.alpn_protocols = offered.iter().map(|protocol| protocol.to_vec()).collect();
            let config = Arc::new(config);
            match expected {
                Ok(agreed) => {
                    let mut client = tls::client(site.gate.address(), &config, "localhost");
                    assert_eq!(client.wire.stream.tls().tls.alpn_protocol(), agreed, "{offered:?}");
                    assert_eq!(client.get("/").status, 200);
                }
                Err(()) => {
                    let refused = tls::refused(site.gate.address(), &config, "localhost");
                    assert!(refused.contains("NoApplicationProtocol"), "{version:?} {offered:?}: {refused}");
                }
            }
        }
    }
}

fn the_minimum_version_and_the_suites_hold(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let site = Site::start_with(Plan::to(&service), "min_version: 1.3", driver);
    let old = Arc::new(tls::client_config(&site.authority, Version::Tls12));
    let refused = tls::refused(site.gate.address(), &old, "localhost");
    assert!(refused.contains("ProtocolVersion"), "{refused}");
    site.serves();
    let suites = "suites: [TLS_CHACHA20_POLY1305_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]";
    let site = Site::start_with(Plan::to(&service), suites, driver);
    for (version, expected) in [
        (Version::Tls12, rustls::CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
        (Version::Tls13, rustls::CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
    ] {
        let mut client = site.client_of(version);
        let suite = client.wire.stream.tls().tls.negotiated_cipher_suite().expect("a suite").suite();
        assert_eq!(suite, expected);
        assert_eq!(client.get("/").status, 200);
    }
}

/// How the second connection of a client goes about its handshake.
fn second(site: &Site, version: Version) -> rustls::HandshakeKind {
    let config = Arc::new(tls::client_config(&site.authority, version));
    for _ in 0..2 {
        // Tickets come with the answer.
        assert_eq!(tls::client(site.gate.address(), &config, "localhost").get("/").status, 200);
    }
    let mut last = tls::client(site.gate.address(), &config, "localhost");
    assert_eq!(last.get("/").status, 200);
    last.wire.stream.tls().tls.handshake_kind().expect("it is over")
}

fn sessions_are_resumed_by_tickets_and_not_without(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let with = Site::start(Plan::to(&service).two_shards(), driver);
    let without = Site::start_with(Plan::to(&service), "tickets: off", driver);
    for version in [Version::Tls12, Version::Tls13] {
        assert_eq!(second(&with, version), rustls::HandshakeKind::Resumed, "{version:?}");
        assert_eq!(second(&without, version), rustls::HandshakeKind::Full, "{version:?}");
    }
}
