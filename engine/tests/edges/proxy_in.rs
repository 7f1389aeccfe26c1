//! PROXY protocol headers that come in: who is believed, what becomes of the address, what is refused.

use crate::plan::{at, page, text, wait_for_count};
use crate::sites::{Folder, Secure, Site, tls, trusting};
use crate::support::client::settle;
use crate::support::service::ok;
use crate::support::{Client, Gate, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

on_both_drivers!(
    a_trusted_senders_word_is_the_clients_address,
    a_header_may_come_in_any_pieces,
    a_sender_that_speaks_for_itself_keeps_its_address,
    what_the_told_client_says_is_not_believed,
    headers_of_others_are_not_read,
    without_its_header_a_connection_is_closed,
    a_header_has_its_time,
    the_header_comes_before_tls,
    the_header_comes_before_the_hello_that_passes_through,
);

const FAILURES: &str = "ringgate_handshake_failures_total";
const FROM_HERE: &str = "proxy_protocol: { from: [127.0.0.0/8] }";
const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n";

/// A header of version 2: command, family, and what follows.
pub(crate) fn v2(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    let len = (block.len() as u16).to_be_bytes();
    [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[0x20 | command, family], &len, block].concat()
}

/// Of 192.0.2.7:40000 to 198.51.100.1:443.
pub(crate) fn v2_ipv4() -> Vec<u8> {
    v2(1, 0x11, &[192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 1, 0xbb])
}

fn service() -> Service {
    Service::answering(|_| ok("good"))
}

fn start(service: &Service, listener: &str, more: &str, driver: Choice) -> Gate {
    Gate::start(&text(&[listener], &[("s", &at(&[&service.endpoint()]))], more), driver)
}

/// What the service was told by the last request: X-Forwarded-For, and `for` in Forwarded.
fn told(service: &Service) -> (String, String) {
    let request = service.requests().pop().expect("a request");
    let field = |name: &str| request.fields.get(name).expect("a field").to_owned();
    (field("x-forwarded-for"), field("forwarded"))
}

fn a_trusted_senders_word_is_the_clients_address(driver: Choice) {
    let service = service();
    let gate = start(&service, FROM_HERE, "", driver);
    let v6 = [&[0x20, 1, 0x0d, 0xb8][..], &[0; 11], &[7], &[0; 15], &[1], &[0x9c, 0x40, 1, 0xbb]].concat();
    let mut lines = 0;
    for (header, address) in [
        (b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n".to_vec(), "192.0.2.7"),
        (b"PROXY TCP6 2001:db8::7 ::1 40000 443\r\n".to_vec(), "2001:db8::7"),
        (v2_ipv4(), "192.0.2.7"),
        (v2(1, 0x21, &v6), "2001:db8::7"),
        // An IPv4 address in IPv6's clothes is the IPv4 address.
        (b"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 40000 443\r\n".to_vec(), "192.0.2.7"),
    ] {
        let mut client = gate.client();
        // The request in the same packet, and another one after the answer.
        client.send([&header[..], GET].concat());
        assert_eq!(client.answer().text(), "good");
        assert_eq!(client.get("/again").text(), "good");
        let (forwarded_for, forwarded) = told(&service);
        assert_eq!(forwarded_for, address);
        let node = if address.contains(':') { format!("for=\"[{address}]\"") } else { format!("for={address}") };
        assert!(forwarded.contains(&node), "{forwarded}");
        assert_eq!(service.requests().pop().unwrap().fields.get("x-forwarded-proto"), Some("http"));
        lines += 2;
        assert_eq!(gate.log(lines).last().unwrap()["client"], address);
    }
}

fn a_header_may_come_in_any_pieces(driver: Choice) {
    let service = service();
    let gate = start(&service, FROM_HERE, "", driver);
    // Version 2 with what the gateway has no use for behind the addresses.
    let padded = v2(1, 0x11, &[&[192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 1, 0xbb, 4, 1, 0][..], &[9; 256]].concat());
    for header in [b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n".to_vec(), padded] {
        for step in [1, 13, header.len()] {
            let mut client = gate.client();
            for piece in [&header[..], GET].concat().chunks(step) {
                client.send(piece);
                if step > 1 {
                    settle();
                }
            }
            assert_eq!(client.answer().text(), "good");
            assert_eq!(told(&service).0, "192.0.2.7");
        }
    }
}

fn a_sender_that_speaks_for_itself_keeps_its_address(driver: Choice) {
    let service = service();
    let gate = start(&service, FROM_HERE, "", driver);
    for header in [
        b"PROXY UNKNOWN\r\n".to_vec(),
        b"PROXY UNKNOWN 192.0.2.7 198.51.100.1 1 2\r\n".to_vec(),
        v2(0, 0, &[]),
        // LOCAL: the addresses are not to be used.
        v2(0, 0x11, &[192, 0, 2, 7, 198, 51, 100, 1, 1, 1, 1, 1]),
        // A Unix socket's paths.
        v2(1, 0x31, &[b'x'; 216]),
    ] {
        let mut client = gate.client();
        client.send([&header[..], GET].concat());
        assert_eq!(client.answer().text(), "good");
        assert_eq!(told(&service).0, "127.0.0.1");
    }
}

fn what_the_told_client_says_is_not_believed(driver: Choice) {
    let service = service();
    // Whoever sends the header is trusted; the client that it tells of is not, unless it is trusted too.
    let listener = "proxy_protocol: on";
    let gate = start(&service, listener, "trusted_proxies: [127.0.0.0/8, 203.0.113.0/24]", driver);
    let spoof = b"GET / HTTP/1.1\r\nhost: h\r\nx-forwarded-for: 6.6.6.6\r\nx-forwarded-proto: https\r\n\r\n";
    for (from, forwarded_for, proto) in
        [("192.0.2.7", "192.0.2.7", "http"), ("203.0.113.9", "6.6.6.6, 203.0.113.9", "https")]
    {
        let mut client = gate.client();
        client.send([format!("PROXY TCP4 {from} 198.51.100.1 40000 443\r\n").as_bytes(), spoof].concat());
        assert_eq!(client.answer().text(), "good");
        assert_eq!(told(&service).0, forwarded_for);
        assert_eq!(service.requests().pop().unwrap().fields.get("x-forwarded-proto"), Some(proto));
    }
}

fn headers_of_others_are_not_read(driver: Choice) {
    let service = service();
    let gate = start(&service, "proxy_protocol: { from: [10.0.0.0/8] }", "", driver);
    for header in [b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n".to_vec(), v2_ipv4()] {
        let mut client = gate.client();
        client.send([&header[..], GET].concat());
        assert_eq!(client.answer().status, 400);
        client.end_after_bytes();
    }
    assert_eq!(service.request_count(), 0);
    assert_eq!(gate.client().get("/").text(), "good");
    assert_eq!(told(&service).0, "127.0.0.1");
    assert_eq!(page(&gate).sum(FAILURES, &[]), 0.0);
}

fn without_its_header_a_connection_is_closed(driver: Choice) {
    let service = service();
    let gate = start(&service, FROM_HERE, "", driver);
    let wrong: [&[u8]; 6] = [
        GET,
        b"PROXY TCP4 192.0.2.7 198.51.100.1 40000\r\n",
        b"PROXY TCP4 192.0.2.700 198.51.100.1 1 2\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 443 and no end of it, longer than any header of this version may ever be",
        b"\r\n\r\n\0\r\nQUIT\n\x11\x11\x00\x00",
        b"\x16\x03\x01\x00\x05",
    ];
    for bytes in wrong {
        let mut client = gate.client();
        client.send(bytes);
        client.end();
    }
    wait_for_count(&gate, FAILURES, "proxy_header", wrong.len() as f64);
    assert_eq!(service.request_count(), 0);
}

fn a_header_has_its_time(driver: Choice) {
    let service = service();
    let gate = start(&service, FROM_HERE, "limits: { connections: 2000, handshake_timeout: 300ms }", driver);
    let begun = Instant::now();
    let (mut silent, mut half) = (gate.client(), gate.client());
    half.send("PROXY TCP4 192.0");
    silent.end();
    half.end();
    assert!(begun.elapsed() >= Duration::from_millis(280), "{:?}", begun.elapsed());
    wait_for_count(&gate, FAILURES, "timeout", 2.0);
    // Once it is there, other limits count.
    let mut client = gate.client();
    client.send(v2_ipv4());
    client.silent_for(Duration::from_millis(600));
    client.send(GET);
    assert_eq!(client.answer().text(), "good");
}

fn the_header_comes_before_tls(driver: Choice) {
    let (service, site) = (service(), Site::new(&["web.test"]));
    let folder = Folder::with(&[("web", &site)]);
    let listener = format!("{FROM_HERE}, {}", tls("web", ""));
    let gate = folder.gate(&text(&[&listener], &[("s", &at(&[&service.endpoint()]))], ""), driver);
    for pieces in [1, 1000] {
        let mut stream = TcpStream::connect(gate.address()).unwrap();
        for piece in v2_ipv4().chunks(pieces) {
            stream.write_all(piece).unwrap();
        }
        let mut client = Secure::over(stream, "web.test", trusting(&[&site])).expect("a handshake");
        assert_eq!(client.get("web.test", "/").text(), "good");
        assert_eq!(told(&service).0, "192.0.2.7");
        assert_eq!(service.requests().pop().unwrap().fields.get("x-forwarded-proto"), Some("https"));
    }
    // The hello in the same packet as the header.
    let mut hello = Vec::new();
    let name = rustls::pki_types::ServerName::try_from("web.test").unwrap();
    let config = std::sync::Arc::new(trusting(&[&site]));
    let mut tls = rustls::ClientConnection::new(config, name).unwrap();
    tls.write_tls(&mut hello).unwrap();
    let mut stream = TcpStream::connect(gate.address()).unwrap();
    stream.write_all(&[v2_ipv4(), hello].concat()).unwrap();
    let mut client = Secure { wire: crate::support::wire::Wire::new(rustls::StreamOwned::new(tls, stream)) };
    assert_eq!(client.get("web.test", "/").text(), "good");
    assert_eq!(told(&service).0, "192.0.2.7");
    // Inside of TLS it is nobody's header.
    let mut stream = TcpStream::connect(gate.address()).unwrap();
    stream.write_all(&v2_ipv4()).unwrap();
    let mut client = Secure::over(stream, "web.test", trusting(&[&site])).expect("a handshake");
    client.send([&v2_ipv4()[..], GET].concat());
    assert_eq!(client.wire.answer("GET").expect("an answer").status, 400);
    assert_eq!(gate.log(4).last().unwrap()["client"], "192.0.2.7");
}

fn the_header_comes_before_the_hello_that_passes_through(driver: Choice) {
    let site = Site::new(&["db.test"]);
    let service = site.service(|stream| drop(stream.write_all(b"db")));
    let listener = format!("{FROM_HERE}, passthrough: [{{ hosts: [db.test], upstream: s }}]");
    let gate = Gate::start(&text(&[&listener], &[("s", &at(&[&service.endpoint()]))], ""), driver);
    let mut stream = TcpStream::connect(gate.address()).unwrap();
    stream.write_all(&v2_ipv4()).unwrap();
    let mut client = Secure::over(stream, "db.test", trusting(&[&site])).expect("a handshake");
    assert_eq!(client.wire.exactly(2).expect("its word"), b"db");
    drop(client);
    wait_for("a line", || gate.logged().first().map(|line| assert_eq!(line["client"], "192.0.2.7")));
    let mut without = Client::connect(gate.address());
    without.send(b"\x16\x03\x01\x00\x05");
    without.end();
    wait_for_count(&gate, FAILURES, "proxy_header", 1.0);
}
