//! WebSockets and other tunnels over TLS on either side.

use crate::support::bodies::Noise;
use crate::support::client::Socket;
use crate::support::service::Connection;
use crate::support::tls::{self, Version};
use crate::support::{Authority, Client, Gate, Plan, Service, on_both_drivers, wait_for};
use crate::{believing, secured, secured_service};
use ringgate_rt::driver::Choice;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use tungstenite::{Bytes, Message, WebSocket};

on_both_drivers!(
    websocket_messages_of_any_size_come_back,
    ten_megabytes_go_both_ways_at_once,
    the_end_of_one_side_is_told_to_the_other,
    a_tunnel_that_is_cut_off_ends_on_both_sides,
    plain_bytes_go_over_tls_to_a_service,
);

const SIDES: [(Option<Version>, Option<Version>); 5] = [
    (Some(Version::Tls12), None),
    (Some(Version::Tls13), None),
    (None, Some(Version::Tls12)),
    (None, Some(Version::Tls13)),
    (Some(Version::Tls13), Some(Version::Tls13)),
];
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n";
const UPGRADE: &str = "GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n";

/// Agrees to one change of protocol, and sends back what comes then.
fn echo(connection: &mut Connection) {
    if connection.request().is_none() || !connection.send(SWITCH) {
        return;
    }
    loop {
        let bytes = std::mem::take(&mut connection.wire.pending);
        if !connection.send(bytes) || connection.wire.fill().unwrap_or(0) == 0 {
            break;
        }
    }
    if let Socket::Tls(tls) = &mut connection.wire.stream {
        let _ = tls.close_notify();
    }
}

struct Between {
    gate: Gate,
    authority: Authority,
    client: Option<Version>,
    service: Service,
}

impl Between {
    fn start(
        (client, service): (Option<Version>, Option<Version>),
        driver: Choice,
        script: impl Fn(&mut Connection) + Send + Sync + 'static,
    ) -> Between {
        let authority = Authority::new("both sides believe it");
        let to = match service {
            None => Service::start(script),
            Some(version) => secured_service(&authority, version, script),
        };
        let mut plan = Plan::to(&to);
        if service.is_some() {
            plan = plan.upstream(&believing(&authority, ""));
        }
        if client.is_some() {
            plan = plan.listener(&secured(&authority, ""));
        }
        Between { gate: plan.start(driver), authority, client, service: to }
    }

    fn client(&self) -> Client {
        let Some(version) = self.client else { return self.gate.client() };
        let config = Arc::new(tls::client_config(&self.authority, version));
        tls::client(self.gate.address(), &config, "localhost")
    }

    fn tunnel(&self) -> Client {
        let mut client = self.client();
        client.send(UPGRADE);
        let head = client.wire.head().expect("a head").expect("a head");
        assert!(head.line.starts_with("HTTP/1.1 101 "), "{}", head.line);
        client
    }
}

fn converse(connection: &mut Connection) -> Result<(), tungstenite::Error> {
    let stream = std::mem::replace(&mut connection.wire.stream, Socket::Unix(nobody()));
    let mut socket = tungstenite::accept(stream).expect("a WebSocket");
    loop {
        match socket.read()? {
            message @ (Message::Text(_) | Message::Binary(_)) => socket.send(message)?,
            _ => socket.flush()?,
        }
    }
}

/// A socket that stands in for one that was taken.
fn nobody() -> std::os::unix::net::UnixStream {
    std::os::unix::net::UnixStream::pair().expect("sockets").0
}

fn websocket_messages_of_any_size_come_back(driver: Choice) {
    for sides in SIDES {
        let between = Between::start(sides, driver, |connection| drop(converse(connection)));
        let stream = std::mem::replace(&mut between.client().wire.stream, Socket::Unix(nobody()));
        let (mut socket, answer) = tungstenite::client("ws://localhost/chat", stream).expect("a WebSocket");
        assert_eq!(answer.status(), 101);
        let mut noise = Noise::new(5);
        for size in [0, 1, 125, 126, 16_000, 16_384, 65_536, 1 << 20] {
            let bytes = Bytes::from(noise.bytes(size));
            socket.send(Message::Binary(bytes.clone())).expect("sent");
            assert!(socket.read().expect("an echo") == Message::Binary(bytes), "{sides:?}: {size} bytes");
        }
        for n in 0..100 {
            socket.send(Message::text(n.to_string())).expect("sent");
        }
        for n in 0..100 {
            assert_eq!(socket.read().expect("an echo"), Message::text(n.to_string()));
        }
        ended(socket);
    }
}

fn ended(mut socket: WebSocket<Socket>) {
    socket.close(None).expect("sent");
    while socket.read().is_ok() {}
}

fn ten_megabytes_go_both_ways_at_once(driver: Choice) {
    const BYTES: usize = 10 << 20;
    for sides in SIDES {
        let between = Between::start(sides, driver, |connection| {
            if connection.request().is_none() || !connection.send(SWITCH) {
                return;
            }
            let mine = Noise::new(2).bytes(1 << 18);
            let theirs = Noise::new(1).bytes(1 << 18);
            // A piece of each in turn: neither side's buffers may fill up for good.
            for _ in 0..BYTES / mine.len() {
                assert!(connection.send(&mine));
                assert!(connection.wire.exactly(theirs.len()).expect("more") == theirs);
            }
        });
        let mut client = between.tunnel();
        let mine = Noise::new(1).bytes(1 << 18);
        let theirs = Noise::new(2).bytes(1 << 18);
        for n in 0..BYTES / mine.len() {
            client.send(&mine);
            assert!(client.wire.exactly(theirs.len()).expect("more") == theirs, "{sides:?}: piece {n}");
        }
        drop(client);
        let line = &between.gate.log(1)[0];
        assert_eq!(line["status"], 101);
    }
}

fn the_end_of_one_side_is_told_to_the_other(driver: Choice) {
    for sides in SIDES {
        let between = Between::start(sides, driver, echo);
        let mut client = between.tunnel();
        client.send(vec![b'x'; 200_000]);
        client.half_close();
        // What was sent before comes back, and then the service's own end.
        assert_eq!(client.wire.exactly(200_000).expect("an echo").len(), 200_000, "{sides:?}");
        client.end();
        assert_eq!(between.gate.log(1)[0]["status"], 101);
    }
}

fn a_tunnel_that_is_cut_off_ends_on_both_sides(driver: Choice) {
    for sides in SIDES {
        let between = Between::start(sides, driver, echo);
        let mut client = between.tunnel();
        client.send("hello");
        assert_eq!(client.wire.exactly(5).expect("an echo"), b"hello");
        // No word: TCP's own end alone.
        let _ = client.wire.stream.sock().shutdown(Shutdown::Write);
        wait_for("the service's side to end", || (between.service.ended() == 1).then_some(()));
        let mut rest = Vec::new();
        let _ = client.wire.stream.read_to_end(&mut rest);
        assert!(rest.is_empty());
    }
}

/// `tcp` on a secured listener, to a service that is secured as well.
fn plain_bytes_go_over_tls_to_a_service(driver: Choice) {
    let authority = Authority::new("both sides believe it");
    let service = secured_service(&authority, Version::Tls13, |connection| {
        loop {
            let bytes = std::mem::take(&mut connection.wire.pending);
            if !connection.send(bytes) || connection.wire.fill().unwrap_or(0) == 0 {
                break;
            }
        }
        let _ = connection.wire.stream.tls().close_notify();
    });
    let certificate = authority.certificate("site", &["localhost"]);
    let listener = format!("tls: {{ certificates: [{certificate}] }}, tcp: {{ upstream: origin }}");
    let gate = Plan::to(&service).upstream(&believing(&authority, "")).listener(&listener).start(driver);
    let config = Arc::new(tls::client_config(&authority, Version::Tls13));
    let mut client = tls::client(gate.address(), &config, "localhost");
    let bytes = Noise::new(6).bytes(100_000);
    for piece in bytes.chunks(9000) {
        client.send(piece);
        assert!(client.wire.exactly(piece.len()).expect("an echo") == piece);
    }
    client.wire.stream.flush().expect("nothing left");
    client.half_close();
    client.end();
    let line = &gate.log(1)[0];
    assert_eq!((&line["protocol"], &line["host"]), (&"TCP".into(), &"localhost".into()), "{line}");
}
