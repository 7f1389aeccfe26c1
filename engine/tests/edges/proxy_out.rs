//! PROXY protocol headers that go out: services learn where the client comes from, and no two clients share a connection.

use crate::plan::{at, text, wait_for_count};
use crate::proxy_in::v2_ipv4;
use crate::sites::{Folder, Secure, Site, trusting};
use crate::support::process::scratch;
use crate::support::service::{Connection, ok};
use crate::support::{Client, Gate, Service, on_both_drivers};
use ringgate_rt::driver::Choice;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

on_both_drivers!(
    http_connections_begin_with_the_clients_address,
    no_two_clients_share_a_connection,
    plain_bytes_and_passthrough_begin_with_it_too,
    what_was_told_is_told_on,
    it_comes_before_the_handshake_with_the_service,
    a_unix_sockets_client_has_no_address,
);

/// Headers that a service has read.
type Heads = Arc<Mutex<Vec<Vec<u8>>>>;

/// Reads a header of either version, byte by byte: nothing that is behind it.
fn header(connection: &mut Connection) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let mut byte = [0];
    loop {
        connection.wire.stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
        let whole = match head.first() {
            Some(b'P') => head.ends_with(b"\r\n"),
            _ => head.len() >= 16 && head.len() == 16 + usize::from(u16::from_be_bytes([head[14], head[15]])),
        };
        if whole {
            return Some(head);
        }
    }
}

/// A service that wants a header, keeps it, and answers requests.
fn answering() -> (Service, Heads) {
    let heads = Heads::default();
    let kept = heads.clone();
    let service = Service::start(move |connection| {
        let Some(head) = header(connection) else { return };
        kept.lock().unwrap().push(head);
        connection.answer_all(|_| ok("good"));
    });
    (service, heads)
}

/// A service that wants a header, keeps it, and sends back what comes.
fn echoing() -> (Service, Heads) {
    let heads = Heads::default();
    let kept = heads.clone();
    let service = Service::start(move |connection| {
        let Some(head) = header(connection) else { return };
        kept.lock().unwrap().push(head);
        while connection.wire.fill().is_ok_and(|n| n > 0) {
            let bytes = std::mem::take(&mut connection.wire.pending);
            connection.send(bytes);
        }
    });
    (service, heads)
}

fn upstream(service: &Service, version: &str) -> String {
    format!("{}, proxy_protocol: {version}", at(&[&service.endpoint()]))
}

fn line(from: SocketAddr, to: SocketAddr) -> Vec<u8> {
    format!("PROXY TCP4 {} {} {} {}\r\n", from.ip(), to.ip(), from.port(), to.port()).into_bytes()
}

fn block(from: SocketAddr, to: SocketAddr) -> Vec<u8> {
    let octets = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) => ip.octets(),
        IpAddr::V6(_) => panic!("IPv6"),
    };
    let ports = [from.port().to_be_bytes(), to.port().to_be_bytes()].concat();
    [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c"[..], &octets(from), &octets(to), &ports].concat()
}

fn own(client: &Client) -> SocketAddr {
    client.wire.stream.sock().local_addr().unwrap().as_socket().unwrap()
}

fn last(heads: &Heads) -> Vec<u8> {
    heads.lock().unwrap().last().expect("a header").clone()
}

fn http_connections_begin_with_the_clients_address(driver: Choice) {
    for (version, written) in [("v1", line as fn(SocketAddr, SocketAddr) -> Vec<u8>), ("v2", block)] {
        let (service, heads) = answering();
        let gate = Gate::start(&text(&[""], &[("s", &upstream(&service, version))], ""), driver);
        let mut client = gate.client();
        let request = [&b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100000\r\n\r\n"[..], &[b'x'; 100_000]].concat();
        assert_eq!(client.exchange(request).text(), "good");
        assert_eq!(last(&heads), written(own(&client), gate.address()));
        assert_eq!(service.only_request().body.len(), 100_000);
    }
}

fn no_two_clients_share_a_connection(driver: Choice) {
    let (service, heads) = answering();
    let gate = Gate::start(&text(&[""], &[("s", &upstream(&service, "v1"))], ""), driver);
    let mut clients = [gate.client(), gate.client(), gate.client()];
    for _ in 0..3 {
        for client in &mut clients {
            assert_eq!(client.get("/").text(), "good");
            // The connection that the request came over has told of its client.
            let request = service.requests().pop().unwrap();
            assert_eq!(heads.lock().unwrap()[request.connection], line(own(client), gate.address()));
        }
    }
    let series =
        format!("ringgate_upstream_connections_reused_total{{upstream=\"s\",endpoint=\"{}\"}}", service.endpoint());
    assert_eq!(crate::plan::page(&gate).get(&series), 0.0);
}

fn plain_bytes_and_passthrough_begin_with_it_too(driver: Choice) {
    let (service, heads) = echoing();
    let gate = Gate::start(&text(&["tcp: { upstream: s }"], &[("s", &upstream(&service, "v2"))], ""), driver);
    let mut client = gate.client();
    client.send("hello");
    assert_eq!(client.wire.exactly(5).expect("the echo"), b"hello");
    assert_eq!(last(&heads), block(own(&client), gate.address()));

    let heads = Heads::default();
    let (kept, site) = (heads.clone(), Site::new(&["db.test"]));
    let config = site.server();
    let service = Service::start(move |connection| {
        let Some(head) = header(connection) else { return };
        kept.lock().unwrap().push(head);
        let mut tls = rustls::ServerConnection::new(config.clone()).unwrap();
        let _ = rustls::Stream::new(&mut tls, &mut connection.wire.stream).write_all(b"db");
    });
    let listener = "passthrough: [{ hosts: [db.test], upstream: s }]";
    let gate = Gate::start(&text(&[listener], &[("s", &upstream(&service, "v1"))], ""), driver);
    let stream = TcpStream::connect(gate.address()).unwrap();
    let from = stream.local_addr().unwrap();
    let mut client = Secure::over(stream, "db.test", trusting(&[&site])).expect("a handshake");
    assert_eq!(client.wire.exactly(2).expect("its word"), b"db");
    assert_eq!(last(&heads), line(from, gate.address()));
}

fn what_was_told_is_told_on(driver: Choice) {
    let trusted = "proxy_protocol: { from: [127.0.0.0/8] }";
    let expected = b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n";
    let (service, heads) = answering();
    let gate = Gate::start(&text(&[trusted], &[("s", &upstream(&service, "v1"))], ""), driver);
    let mut client = gate.client();
    client.send([&v2_ipv4()[..], b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"].concat());
    assert_eq!(client.answer().text(), "good");
    assert_eq!(last(&heads), expected);

    let (service, heads) = echoing();
    let listener = format!("{trusted}, tcp: {{ upstream: s }}");
    let gate = Gate::start(&text(&[&listener], &[("s", &upstream(&service, "v2"))], ""), driver);
    let mut client = gate.client();
    client.send([&expected[..], b"hello"].concat());
    assert_eq!(client.wire.exactly(5).expect("the echo"), b"hello");
    assert_eq!(last(&heads), v2_ipv4());
    drop(client);
    wait_for_count(&gate, "ringgate_tcp_connections_total", "ended", 1.0);
    // The header is none of the bytes that are carried.
    assert_eq!(gate.log(1)[0]["bytes_in"], 5);
}

fn it_comes_before_the_handshake_with_the_service(driver: Choice) {
    let heads = Heads::default();
    let (kept, site) = (heads.clone(), Site::new(&["s.internal"]));
    let config = site.server();
    let service = Service::start(move |connection| {
        let Some(head) = header(connection) else { return };
        kept.lock().unwrap().push(head);
        let mut tls = rustls::ServerConnection::new(config.clone()).unwrap();
        let mut stream = rustls::Stream::new(&mut tls, &mut connection.wire.stream);
        let mut bytes = [0; 4096];
        if stream.read(&mut bytes).is_ok_and(|n| n > 0) {
            let _ = stream.write_all(&ok("good"));
        }
    });
    let folder = Folder::with(&[("s", &site)]);
    let members = format!("{}, tls: {{ ca: s.pem, server_name: s.internal }}", upstream(&service, "v1"));
    let gate = folder.gate(&text(&[""], &[("s", &members)], ""), driver);
    let mut client = gate.client();
    assert_eq!(client.get("/").text(), "good");
    assert_eq!(last(&heads), line(own(&client), gate.address()));
}

fn a_unix_sockets_client_has_no_address(driver: Choice) {
    for (version, expected) in [("v1", &b"PROXY UNKNOWN\r\n"[..]), ("v2", b"\r\n\r\n\0\r\nQUIT\n\x21\0\0\0")] {
        let (service, heads) = answering();
        let path = scratch("socket");
        let config = text(&[""], &[("s", &upstream(&service, version))], "")
            .replace("127.0.0.1:0", &format!("unix:{}", path.display()));
        let _gate = Gate::start(&config, driver);
        assert_eq!(Client::connect_unix(&path).get("/").text(), "good");
        assert_eq!(last(&heads), expected);
    }
}
