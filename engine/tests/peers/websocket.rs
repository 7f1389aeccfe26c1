//! WebSocket by tungstenite, through the gateway to tungstenite.

use crate::support::service::ok;
use crate::support::{Gate, Plan, STUCK, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tungstenite::handshake::client::Response;
use tungstenite::handshake::server;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Bytes, Error, Message, WebSocket};

on_both_drivers!(
    messages_of_any_size_come_back,
    a_close_goes_through_both_ways,
    a_service_may_speak_first,
    pings_are_answered_by_the_service,
    many_sockets_at_once_keep_their_own_messages,
    a_client_that_vanishes_ends_the_services_socket,
    a_refused_handshake_is_seen_as_it_is,
    a_subprotocol_is_agreed_on_by_the_ends,
);

/// An echo on tungstenite.
struct Echo {
    address: SocketAddr,
    ended: Arc<AtomicUsize>,
}

impl Echo {
    fn start(greeting: Option<&'static str>) -> Echo {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let ended = Arc::new(AtomicUsize::new(0));
        let count = ended.clone();
        std::thread::spawn(move || {
            // Ends with the test's process.
            for stream in listener.incoming().map_while(Result::ok) {
                let count = count.clone();
                std::thread::spawn(move || {
                    let _ = echo(stream, greeting);
                    count.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Echo { address, ended }
    }
}

#[expect(clippy::result_large_err, reason = "tungstenite's own error")]
fn echo(stream: TcpStream, greeting: Option<&'static str>) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    let accept = |request: &server::Request, mut answer: server::Response| {
        if let Some(offered) = request.headers().get("sec-websocket-protocol") {
            let chosen = offered.to_str().unwrap_or("").rsplit(", ").next().unwrap_or("").to_string();
            answer.headers_mut().insert("sec-websocket-protocol", chosen.parse().expect("a value"));
        }
        Ok(answer)
    };
    let mut socket =
        tungstenite::accept_hdr(stream, accept).map_err(|error| Error::Io(io::Error::other(error.to_string())))?;
    if let Some(greeting) = greeting {
        socket.send(Message::text(greeting))?;
    }
    loop {
        match socket.read()? {
            message @ (Message::Text(_) | Message::Binary(_)) => socket.send(message)?,
            _ => socket.flush()?,
        }
    }
}

fn connect(gate: &Gate, fields: &[(&'static str, &str)]) -> Result<(WebSocket<TcpStream>, Response), String> {
    let stream = TcpStream::connect(gate.address()).expect("a connection");
    stream.set_nodelay(true).expect("TCP_NODELAY");
    stream.set_read_timeout(Some(STUCK)).expect("a time limit");
    let mut request =
        tungstenite::client::IntoClientRequest::into_client_request("ws://chat.example.com/socket?room=1")
            .expect("a URL");
    for (name, value) in fields {
        request.headers_mut().insert(*name, value.parse().expect("a value"));
    }
    tungstenite::client(request, stream).map_err(|error| error.to_string())
}

fn socket(gate: &Gate) -> WebSocket<TcpStream> {
    connect(gate, &[]).expect("a WebSocket").0
}

fn messages_of_any_size_come_back(driver: Choice) {
    let echo = Echo::start(None);
    let gate = Plan::to_endpoints([echo.address]).start(driver);
    let mut socket = socket(&gate);
    let mut noise = crate::support::bodies::Noise::new(5);
    for size in [0, 1, 125, 126, 65_535, 65_536, 1 << 20, 3 << 20] {
        let text = "\u{e9}".repeat(size / 2);
        socket.send(Message::text(text.clone())).expect("sent");
        assert!(socket.read().expect("an echo") == Message::text(text), "text of {size} bytes");
        let bytes = Bytes::from(noise.bytes(size));
        socket.send(Message::Binary(bytes.clone())).expect("sent");
        assert!(socket.read().expect("an echo") == Message::Binary(bytes), "{size} bytes");
    }
    // Without waiting for each.
    for n in 0..500 {
        socket.send(Message::text(n.to_string())).expect("sent");
    }
    for n in 0..500 {
        assert_eq!(socket.read().expect("an echo"), Message::text(n.to_string()));
    }
}

fn a_close_goes_through_both_ways(driver: Choice) {
    let echo = Echo::start(None);
    let gate = Plan::to_endpoints([echo.address]).start(driver);
    let mut socket = socket(&gate);
    let frame = CloseFrame { code: CloseCode::Normal, reason: "enough".into() };
    socket.close(Some(frame.clone())).expect("sent");
    assert_eq!(socket.read().expect("the close back"), Message::Close(Some(frame)));
    assert!(matches!(socket.read(), Err(Error::ConnectionClosed)));
    drop(socket);
    wait_for("the service's socket to end", || (echo.ended.load(Ordering::SeqCst) == 1).then_some(()));
    let line = &gate.log(1)[0];
    assert_eq!((&line["status"], line["fault"].is_null()), (&101.into(), true), "{line}");
    assert_eq!(line["target"], "/socket?room=1");
}

fn a_service_may_speak_first(driver: Choice) {
    let echo = Echo::start(Some("welcome"));
    let gate = Plan::to_endpoints([echo.address]).start(driver);
    for _ in 0..20 {
        assert_eq!(socket(&gate).read().expect("a greeting"), Message::text("welcome"));
    }
}

fn pings_are_answered_by_the_service(driver: Choice) {
    let echo = Echo::start(None);
    let gate = Plan::to_endpoints([echo.address]).start(driver);
    let mut socket = socket(&gate);
    socket.send(Message::Ping(Bytes::from_static(b"beat"))).expect("sent");
    assert_eq!(socket.read().expect("a pong"), Message::Pong(Bytes::from_static(b"beat")));
}

fn many_sockets_at_once_keep_their_own_messages(driver: Choice) {
    let echo = Echo::start(None);
    let gate = Plan::to_endpoints([echo.address]).start(driver);
    let mut sockets: Vec<_> = (0..50).map(|_| socket(&gate)).collect();
    for round in 0..5 {
        for (n, socket) in sockets.iter_mut().enumerate() {
            socket.send(Message::text(format!("{round} {n}"))).expect("sent");
        }
        for (n, socket) in sockets.iter_mut().enumerate() {
            assert_eq!(socket.read().expect("an echo"), Message::text(format!("{round} {n}")));
        }
    }
}

fn a_client_that_vanishes_ends_the_services_socket(driver: Choice) {
    let echo = Echo::start(None);
    let gate = Plan::to_endpoints([echo.address]).start(driver);
    let mut socket = socket(&gate);
    socket.send(Message::text("hello")).expect("sent");
    socket.read().expect("an echo");
    drop(socket);
    wait_for("the service's socket to end", || (echo.ended.load(Ordering::SeqCst) == 1).then_some(()));
    assert_eq!(gate.log(1)[0]["status"], 101);
}

fn a_refused_handshake_is_seen_as_it_is(driver: Choice) {
    let service = Service::answering(|_| "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n".into());
    let gate = Plan::to(&service).start(driver);
    let refused = connect(&gate, &[]).expect_err("no WebSocket");
    assert!(refused.contains("403"), "{refused}");
    let plain = Service::answering(|_| ok("a page"));
    let gate = Plan::to(&plain).start(driver);
    let refused = connect(&gate, &[]).expect_err("no WebSocket");
    assert!(refused.contains("200"), "{refused}");
}

fn a_subprotocol_is_agreed_on_by_the_ends(driver: Choice) {
    let echo = Echo::start(None);
    let gate = Plan::to_endpoints([echo.address]).start(driver);
    let (_socket, answer) = connect(&gate, &[("sec-websocket-protocol", "chat.v1, chat.v2")]).expect("a WebSocket");
    assert_eq!(answer.headers()["sec-websocket-protocol"], "chat.v2");
}
