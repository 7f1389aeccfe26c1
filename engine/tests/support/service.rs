//! Scripted services: a thread for each connection runs what the test says, and every request is kept.

use super::client::Socket;
use super::wire::{Head, Request, Wire, request_of};
use super::{STUCK, wait_for};
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// `200` with this body.
pub(crate) fn ok(body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// A service that this test runs. It ends when it is dropped.
pub(crate) struct Service {
    listening: Listening,
    shared: Arc<Shared>,
}

enum Listening {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<Request>>,
    accepted: AtomicUsize,
    ended: AtomicUsize,
    stopping: AtomicBool,
    /// A copy of each connection that has not ended, to end it with the service.
    open: Mutex<HashMap<usize, Socket>>,
}

/// One connection to a service.
pub(crate) struct Connection {
    pub(crate) wire: Wire<Socket>,
    /// Counted from 0.
    pub(crate) number: usize,
    shared: Arc<Shared>,
}

impl Service {
    /// A service that runs `script` for each connection; when it returns, the connection is closed.
    pub(crate) fn start(script: impl Fn(&mut Connection) + Send + Sync + 'static) -> Service {
        Service::start_on("127.0.0.1:0".parse().expect("an address"), script)
    }

    /// Agrees to one change of protocol on each connection, with this head, and sends back what comes then.
    pub(crate) fn echoing(switch: &'static str) -> Service {
        Service::start(move |connection| {
            if connection.request().is_none() || !connection.send(switch) {
                return;
            }
            loop {
                let bytes = std::mem::take(&mut connection.wire.pending);
                if !connection.send(bytes) || connection.wire.fill().unwrap_or(0) == 0 {
                    return;
                }
            }
        })
    }

    pub(crate) fn start_on(at: SocketAddr, script: impl Fn(&mut Connection) + Send + Sync + 'static) -> Service {
        let listener = TcpListener::bind(at).expect("a free port");
        let listening = Listening::Tcp(listener.local_addr().expect("an address"));
        Service::run(listening, script, move || {
            let (stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            Ok(Socket::Tcp(stream))
        })
    }

    pub(crate) fn start_unix(path: &Path, script: impl Fn(&mut Connection) + Send + Sync + 'static) -> Service {
        let listener = UnixListener::bind(path).expect("a free path");
        Service::run(Listening::Unix(path.into()), script, move || Ok(Socket::Unix(listener.accept()?.0)))
    }

    /// The same over TLS. The handshake begins with the first read or write.
    pub(crate) fn start_tls(
        config: rustls::ServerConfig,
        script: impl Fn(&mut Connection) + Send + Sync + 'static,
    ) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let listening = Listening::Tcp(listener.local_addr().expect("an address"));
        let config = Arc::new(config);
        Service::run(listening, script, move || super::tls::accept(listener.accept()?.0, &config))
    }

    /// A service that answers every request with what `answer` gives, for as long as the connection lasts.
    pub(crate) fn answering(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Service {
        Service::start(move |connection| connection.answer_all(&answer))
    }

    fn run(
        listening: Listening,
        script: impl Fn(&mut Connection) + Send + Sync + 'static,
        accept: impl Fn() -> io::Result<Socket> + Send + 'static,
    ) -> Service {
        let shared = Arc::new(Shared::default());
        let (inside, script) = (shared.clone(), Arc::new(script));
        std::thread::spawn(move || {
            while let Ok(socket) = accept() {
                if inside.stopping.load(Ordering::SeqCst) {
                    return;
                }
                serve(socket, &inside, script.clone());
            }
        });
        Service { listening, shared }
    }

    /// As the configuration names it.
    pub(crate) fn endpoint(&self) -> String {
        match &self.listening {
            Listening::Tcp(address) => address.to_string(),
            Listening::Unix(path) => format!("unix:{}", path.display()),
        }
    }

    #[track_caller]
    pub(crate) fn address(&self) -> SocketAddr {
        match self.listening {
            Listening::Tcp(address) => address,
            Listening::Unix(_) => panic!("a Unix socket"),
        }
    }

    /// Every request that has come whole so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().expect("no panic inside").clone()
    }

    pub(crate) fn request_count(&self) -> usize {
        self.shared.requests.lock().expect("no panic inside").len()
    }

    /// The only request that has come.
    #[track_caller]
    pub(crate) fn only_request(&self) -> Request {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "one request should have come: {requests:?}");
        requests.remove(0)
    }

    /// Waits until so many requests have come.
    #[track_caller]
    pub(crate) fn wait_for_requests(&self, n: usize) -> Vec<Request> {
        wait_for("requests at the service", || (self.request_count() >= n).then(|| self.requests()))
    }

    /// Connections accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Connections that have ended.
    pub(crate) fn ended(&self) -> usize {
        self.shared.ended.load(Ordering::SeqCst)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        match &self.listening {
            Listening::Tcp(address) => drop(TcpStream::connect(address)),
            Listening::Unix(path) => drop(std::os::unix::net::UnixStream::connect(path)),
        }
        for (_, socket) in self.shared.open.lock().expect("no panic inside").drain() {
            let _ = socket.sock().shutdown(Shutdown::Both);
        }
    }
}

fn serve(socket: Socket, shared: &Arc<Shared>, script: Arc<impl Fn(&mut Connection) + Send + Sync + 'static>) {
    let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
    let _ = socket.set_timeouts(STUCK * 3);
    if let Ok(copy) = socket.try_clone() {
        shared.open.lock().expect("no panic inside").insert(number, copy);
    }
    let shared = shared.clone();
    std::thread::spawn(move || {
        let mut connection = Connection { wire: Wire::new(socket), number, shared };
        script(&mut connection);
    });
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The copy would keep the connection open.
        self.shared.open.lock().expect("no panic inside").remove(&self.number);
        self.shared.ended.fetch_add(1, Ordering::SeqCst);
    }
}

impl Connection {
    /// The next request, whole; none when the gateway closes the connection. It is kept.
    pub(crate) fn request(&mut self) -> Option<Request> {
        let request = self.wire.request(self.number).ok().flatten()?;
        self.keep(request.clone());
        Some(request)
    }

    /// The next request's head; its body is left unread. It is kept.
    pub(crate) fn head(&mut self) -> Option<Request> {
        let head: Head = self.wire.head().ok().flatten()?;
        let request = request_of(head, self.number).ok()?;
        self.keep(request.clone());
        Some(request)
    }

    fn keep(&self, request: Request) {
        self.shared.requests.lock().expect("no panic inside").push(request);
    }

    /// Sends bytes. An error means that the gateway has gone, which the test sees elsewhere.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.wire.stream.write_all(bytes.as_ref()).is_ok()
    }

    pub(crate) fn answer_all(&mut self, answer: impl Fn(&Request) -> Vec<u8>) {
        while let Some(request) = self.request() {
            if !self.send(answer(&request)) {
                return;
            }
        }
    }

    /// Makes the close that follows a reset.
    pub(crate) fn reset_on_close(&mut self) {
        let _ = self.wire.stream.sock().set_linger(Some(Duration::ZERO));
    }

    /// Waits until the gateway ends the connection. Whether it did.
    pub(crate) fn wait_for_end(&mut self) -> bool {
        loop {
            match self.wire.fill() {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == io::ErrorKind::ConnectionReset,
            }
        }
    }
}

/// A listener whose queue is full: connecting to it takes for ever.
pub(crate) struct Deaf {
    pub(crate) address: SocketAddr,
    _listener: socket2::Socket,
    _waiting: Vec<socket2::Socket>,
}

impl Deaf {
    pub(crate) fn new() -> Deaf {
        let at: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let socket = || socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        let listener = socket();
        listener.bind(&at.into()).expect("a port");
        listener.listen(0).expect("a queue");
        let address = listener.local_addr().expect("an address").as_socket().expect("an IP address");
        let mut waiting = Vec::new();
        loop {
            let next = socket();
            let connected = next.connect_timeout(&address.into(), Duration::from_millis(100));
            waiting.push(next);
            if connected.is_err() {
                return Deaf { address, _listener: listener, _waiting: waiting };
            }
        }
    }
}
