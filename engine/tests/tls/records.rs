//! Records in any shape: in pieces, damaged, cut off, empty, out of place.

use crate::sealed::{CLOSE_NOTIFY, KEY_UPDATE, KEY_UPDATE_ASKED, Sealer};
use crate::support::bodies::{Noise, digest};
use crate::support::service::ok;
use crate::support::tls::Version;
use crate::support::wire::Request;
use crate::support::{Plan, Service, on_both_drivers, wait_for};
use crate::{Site, tls};
use ringgate_rt::driver::Choice;
use rustls::ContentType;
use std::io::Write;
use std::sync::Arc;

on_both_drivers!(
    records_may_come_a_byte_at_a_time,
    many_small_records_make_one_request,
    a_damaged_record_is_refused_and_nothing_of_it_goes_on,
    records_out_of_order_are_refused,
    a_flood_of_empty_records_is_refused,
    messages_out_of_place_are_refused,
    a_record_that_is_too_large_is_refused,
    keys_may_be_updated_at_any_time,
    a_storm_of_key_updates_is_refused,
    an_answer_comes_to_a_client_that_has_said_its_end,
    a_request_that_is_cut_off_does_not_go_on,
    clients_vanish_at_any_point,
);

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Answers with the digest of the body.
fn digests() -> Service {
    Service::answering(|request: &Request| ok(digest(&request.body)))
}

/// A site whose clients make their own records: it sends no tickets.
fn bare(service: &Service, driver: Choice) -> (Site, Arc<rustls::ClientConfig>) {
    let site = Site::start_with(Plan::to(service), "tickets: off", driver);
    let config = Arc::new(tls::client_config(&site.authority, Version::Tls13));
    (site, config)
}

fn sealer((site, config): &(Site, Arc<rustls::ClientConfig>)) -> Sealer {
    Sealer::connect(site.gate.address(), config)
}

fn records_may_come_a_byte_at_a_time(driver: Choice) {
    let service = digests();
    let site = Site::start(Plan::to(&service), driver);
    let body = Noise::new(1).bytes(700);
    for version in [Version::Tls12, Version::Tls13] {
        let mut client = site.client_of(version);
        client.wire.stream.tls().trickle = Some(1);
        for _ in 0..2 {
            let head = format!("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
            assert_eq!(client.exchange([head.as_bytes(), &body].concat()).text(), digest(&body));
        }
    }
}

fn many_small_records_make_one_request(driver: Choice) {
    let service = digests();
    let site = bare(&service, driver);
    let mut client = sealer(&site);
    let body = Noise::new(2).bytes(3000);
    let request = [b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3000\r\n\r\n", &body[..]].concat();
    // All in one send: thousands of records in one receive, with an empty one between any two.
    let mut sealed = Vec::new();
    for piece in request.chunks(1) {
        sealed.extend(client.data(piece));
        sealed.extend(client.data(b""));
    }
    assert!(client.send(&sealed));
    client.until(digest(&body).as_bytes());
    // The next one in two records that come apart in the middle of either.
    let mut sealed = client.data(&request[..1000]);
    sealed.extend(client.data(&request[1000..]));
    for piece in [&sealed[..3], &sealed[3..900], &sealed[900..1100], &sealed[1100..]] {
        assert!(client.send(piece));
        crate::support::client::settle();
    }
    client.until(digest(&body).as_bytes());
}

fn a_damaged_record_is_refused_and_nothing_of_it_goes_on(driver: Choice) {
    let service = digests();
    let site = bare(&service, driver);
    // In its header, its payload, its tag.
    for at in [5, 20, usize::MAX] {
        let mut client = sealer(&site);
        let mut sealed = client.data(GET);
        let at = at.min(sealed.len() - 1);
        sealed[at] ^= 0x40;
        assert!(client.send(&sealed));
        assert_eq!(client.alert(), 20, "bad_record_mac for byte {at}");
        assert!(matches!(client.record(), Ok(None) | Err(_)), "then its end");
    }
    assert_eq!(service.request_count(), 0);
    // What is no record at all.
    for (wrong, alert) in
        [(&b"GET / HTTP/1.1\r\n\r\n"[..], 50), (&[23, 9, 9, 0, 20][..], 50), (&[99, 3, 3, 0, 1][..], 50)]
    {
        let mut client = sealer(&site);
        assert!(client.send(wrong));
        assert_eq!(client.alert(), alert, "{wrong:?}");
    }
    site.0.serves();
}

fn records_out_of_order_are_refused(driver: Choice) {
    let service = digests();
    let site = bare(&service, driver);
    let (head, tail) = GET.split_at(10);
    for case in 0..3 {
        let mut client = sealer(&site);
        let (first, second) = (client.data(head), client.data(tail));
        let sent = match case {
            0 => [second, first].concat(),
            1 => [first.clone(), first, second].concat(),
            _ => second,
        };
        assert!(client.send(&sent));
        assert_eq!(client.alert(), 20, "case {case}");
    }
    assert_eq!(service.request_count(), 0);
    site.0.serves();
}

fn a_flood_of_empty_records_is_refused(driver: Choice) {
    let service = digests();
    let site = bare(&service, driver);
    let allowed = ringgate_protocols::tls::EMPTY_RECORDS_MAX as usize;
    for more in [0, 1] {
        let mut client = sealer(&site);
        let mut sealed: Vec<u8> = (0..allowed + more).flat_map(|_| client.data(b"")).collect();
        sealed.extend(client.data(GET));
        assert!(client.send(&sealed));
        match more {
            0 => drop(client.until(digest(b"").as_bytes())),
            _ => assert_eq!(client.alert(), 10, "one more than there may be"),
        }
    }
    // One at a time, so that each is a receive of its own.
    let mut client = sealer(&site);
    for _ in 0..=allowed {
        let sealed = client.data(b"");
        client.send(&sealed);
    }
    assert_eq!(client.alert(), 10);
    site.0.serves();
}

fn messages_out_of_place_are_refused(driver: Choice) {
    let service = digests();
    let site = bare(&service, driver);
    let hello = [&[1, 0, 0, 40][..], &[0; 40]].concat();
    let cases: [(&str, ContentType, &[u8], u8); 9] = [
        ("a second hello", ContentType::Handshake, &hello, 10),
        ("a ticket to a server", ContentType::Handshake, &[4, 0, 0, 2, 0, 0], 10),
        ("an empty message", ContentType::Handshake, &[], 10),
        ("a message of 16 MiB", ContentType::Handshake, &[24, 255, 255, 255, 0], 50),
        ("an update with something behind it", ContentType::Handshake, &[24, 0, 0, 1, 0, 24], 10),
        ("an update of an unknown kind", ContentType::Handshake, &[24, 0, 0, 1, 7], 50),
        ("a change of ciphers, sealed", ContentType::ChangeCipherSpec, &[1], 10),
        ("an alert of three bytes", ContentType::Alert, &[1, 0, 0], 50),
        ("a kind that there is not", ContentType::Unknown(77), &[1], 10),
    ];
    for (what, kind, payload, alert) in cases {
        let mut client = sealer(&site);
        let mut sealed = client.data(&GET[..10]);
        sealed.extend(client.seal(kind, payload));
        sealed.extend(client.data(&GET[10..]));
        assert!(client.send(&sealed), "{what}");
        assert_eq!(client.alert(), alert, "{what}");
    }
    // A message in two records, with data between them.
    let mut client = sealer(&site);
    let mut sealed = client.seal(ContentType::Handshake, &KEY_UPDATE[..2]);
    sealed.extend(client.data(GET));
    assert!(client.send(&sealed));
    assert_eq!(client.alert(), 10, "an interleaved message");
    // A fatal alert, and one in clear text: nobody answers either.
    let mut client = sealer(&site);
    let sealed = client.seal(ContentType::Alert, &[2, 80]);
    assert!(client.send(&sealed));
    assert!(matches!(client.record(), Ok(None) | Err(_)), "an alert is not answered");
    let mut client = sealer(&site);
    assert!(client.send(&[21, 3, 3, 0, 2, 2, 80]));
    assert_eq!(client.alert(), 10, "an alert in clear text");
    assert_eq!(service.request_count(), 0);
    site.0.serves();
}

fn a_record_that_is_too_large_is_refused(driver: Choice) {
    let service = digests();
    let site = bare(&service, driver);
    let mut client = sealer(&site);
    // One byte more than a sealed record may have; it need not come.
    assert!(client.send(&[23, 3, 3, 0x48, 0x01]));
    assert_eq!(client.alert(), 22);
    // As many as it may, all of them padding but for the request.
    let mut client = sealer(&site);
    let body = vec![b'x'; 16 * 1024 - 100];
    let head = format!("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
    let filling = 16 * 1024 - head.len() - body.len();
    let head = head.replace("host: localhost", &format!("host: localhost\r\nx: {}", "y".repeat(filling - 5)));
    let whole = [head.as_bytes(), &body].concat();
    assert_eq!(whole.len(), 16 * 1024);
    let sealed = client.data(&whole);
    assert!(client.send(&sealed));
    client.until(digest(&body).as_bytes());
    site.0.serves();
}

fn keys_may_be_updated_at_any_time(driver: Choice) {
    let service = digests();
    let site = Site::start(Plan::to(&service), driver);
    let mut client = site.client_of(Version::Tls13);
    let body = Noise::new(9).bytes(50_000);
    client.send("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50000\r\n\r\n");
    for piece in body.chunks(5000) {
        client.wire.stream.tls().tls.refresh_traffic_keys().expect("TLS 1.3");
        client.send(piece);
    }
    assert_eq!(client.answer().text(), digest(&body));
    for _ in 0..50 {
        client.wire.stream.tls().tls.refresh_traffic_keys().expect("TLS 1.3");
        assert_eq!(client.get("/").status, 200);
    }
}

fn a_storm_of_key_updates_is_refused(driver: Choice) {
    let service = digests();
    let site = Site::start(Plan::to(&service), driver);
    let mut client = site.client_of(Version::Tls13);
    client.wire.stream.tls().tls.refresh_traffic_keys().expect("TLS 1.3");
    let storm: Result<(), _> = (0..100_000).try_for_each(|_| {
        let tls = client.wire.stream.tls();
        tls.tls.refresh_traffic_keys().expect("TLS 1.3");
        tls.flush()
    });
    let ended = match storm {
        Ok(()) => client.try_answer().map(drop),
        Err(error) => Err(error),
    };
    assert!(ended.is_err(), "a hundred thousand updates and no end");
    site.serves();
    // Each of which asks for one in return: we answer once at most.
    let bare = bare(&service, driver);
    let mut client = sealer(&bare);
    let sealed = client.seal(ContentType::Handshake, KEY_UPDATE_ASKED);
    assert!(client.send(&sealed));
    let bad = client.data(GET);
    assert!(client.send(&bad));
    assert_eq!(client.alert(), 20, "what follows an update is sealed with another key");
}

fn an_answer_comes_to_a_client_that_has_said_its_end(driver: Choice) {
    let large = vec![b'x'; 300_000];
    let body = large.clone();
    let service = Service::answering(move |_| ok(&body));
    let site = Site::start(Plan::to(&service), driver);
    for version in [Version::Tls12, Version::Tls13] {
        let mut client = site.client_of(version);
        client.send(GET);
        client.half_close();
        assert_eq!(client.answer().body, large, "{version:?}");
        client.end();
    }
    // The word comes in the same segment as the request.
    let bare = bare(&service, driver);
    let mut client = sealer(&bare);
    let mut sealed = client.data(GET);
    sealed.extend(client.seal(ContentType::Alert, CLOSE_NOTIFY));
    sealed.extend(b"what comes then is nobody's");
    assert!(client.send(&sealed));
    assert!(client.until(&large).starts_with(b"HTTP/1.1 200 OK\r\n"));
}

/// A request whose connection ends without TLS' own end was cut off, whoever did that.
fn a_request_that_is_cut_off_does_not_go_on(driver: Choice) {
    let service = digests();
    for word in [true, false] {
        let site = Site::start(Plan::to(&service), driver);
        let mut client = site.client();
        client.send("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n12345");
        let tls = client.wire.stream.tls();
        if word {
            tls.close_notify().expect("sent");
        }
        tls.tcp.shutdown(std::net::Shutdown::Write).expect("a half-close");
        let line = &site.gate.log(1)[0];
        assert_eq!(line["fault"], "client_gone", "{line}");
    }
    assert_eq!(service.request_count(), 0, "half a request is none");
}

fn clients_vanish_at_any_point(driver: Choice) {
    let service = Service::answering(|request| match request.target.as_str() {
        "/large" => ok(vec![b'x'; 8 << 20]),
        _ => ok("good"),
    });
    let site = Site::start(Plan::to(&service).limits("min_rate: off"), driver);
    let large = b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for reset in [true, false] {
        // Between requests; in a request's head, in its record; while an answer comes.
        let idle = site.client();
        let mut served = site.client();
        assert_eq!(served.get("/").status, 200);
        let mut in_head = site.client();
        in_head.send(&GET[..10]);
        let mut in_record = site.client();
        let tls = in_record.wire.stream.tls();
        let half = tls.sealed(GET);
        tls.tcp.write_all(&half[..half.len() / 2]).expect("half a record");
        let mut in_answer = site.client();
        in_answer.send(large);
        in_answer.wire.exactly(100_000).expect("a part of the answer");
        for client in [idle, served, in_head, in_record, in_answer] {
            if reset { client.reset() } else { drop(client) }
        }
        site.serves();
    }
    wait_for("the connections to end", || {
        let metrics = site.gate.running().metrics();
        metrics.contains("ringgate_connections_active{listener=\"plain\"} 0\n").then_some(())
    });
    assert_eq!(service.requests().iter().filter(|request| request.target == "/large").count(), 2);
}
