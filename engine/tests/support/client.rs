//! A client that sends any bytes, in any pieces, and reads answers strictly.

use super::STUCK;
use super::tls::TlsSocket;
use super::wire::{Answer, Wire};
use socket2::SockRef;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A connection to a gateway or from one.
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<TlsSocket>),
}

impl Socket {
    pub(crate) fn sock(&self) -> SockRef<'_> {
        match self {
            Socket::Tcp(stream) => SockRef::from(stream),
            Socket::Unix(stream) => SockRef::from(stream),
            Socket::Tls(tls) => SockRef::from(&tls.tcp),
        }
    }

    /// Another handle of what lies below.
    pub(crate) fn try_clone(&self) -> io::Result<Socket> {
        Ok(match self {
            Socket::Tcp(stream) => Socket::Tcp(stream.try_clone()?),
            Socket::Unix(stream) => Socket::Unix(stream.try_clone()?),
            Socket::Tls(tls) => Socket::Tcp(tls.tcp.try_clone()?),
        })
    }

    pub(crate) fn set_timeouts(&self, timeout: Duration) -> io::Result<()> {
        self.sock().set_read_timeout(Some(timeout))?;
        self.sock().set_write_timeout(Some(timeout))
    }
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.read(buf),
            Socket::Unix(stream) => stream.read(buf),
            Socket::Tls(tls) => tls.read(buf),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.write(buf),
            Socket::Unix(stream) => stream.write(buf),
            Socket::Tls(tls) => tls.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By FIN.
    Closed,
    /// By RST.
    Reset,
}

pub(crate) struct Client {
    pub(crate) wire: Wire<Socket>,
}

impl Client {
    #[track_caller]
    pub(crate) fn connect(address: SocketAddr) -> Client {
        Client::from_stream(TcpStream::connect(address).expect("a connection to the gateway"))
    }

    #[track_caller]
    pub(crate) fn from_stream(stream: TcpStream) -> Client {
        stream.set_nodelay(true).expect("TCP_NODELAY");
        Client::over(Socket::Tcp(stream))
    }

    /// With a receive buffer so small that what is not read soon holds the sender up.
    #[track_caller]
    pub(crate) fn connect_with_small_buffer(address: SocketAddr, bytes: usize) -> Client {
        let socket =
            socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(bytes).expect("SO_RCVBUF");
        socket.connect(&address.into()).expect("a connection to the gateway");
        Client::over(Socket::Tcp(socket.into()))
    }

    #[track_caller]
    pub(crate) fn connect_unix(path: &Path) -> Client {
        Client::over(Socket::Unix(UnixStream::connect(path).expect("a connection to the gateway")))
    }

    #[track_caller]
    pub(crate) fn over(socket: Socket) -> Client {
        socket.set_timeouts(STUCK).expect("time limits");
        Client { wire: Wire::new(socket) }
    }

    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.wire.stream.write_all(bytes.as_ref()).expect("the gateway takes what is sent");
    }

    /// Sends what the gateway may refuse to take.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.wire.stream.write_all(bytes.as_ref())
    }

    /// The final answer to a request that is not HEAD. Informational ones are an error.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Answer {
        self.answer_to("GET")
    }

    #[track_caller]
    pub(crate) fn answer_to(&mut self, method: &str) -> Answer {
        match self.wire.answer(method) {
            Ok(answer) => answer,
            Err(error) => panic!("no whole answer: {error}; unused: {:?}", shown(&self.wire.pending)),
        }
    }

    pub(crate) fn try_answer(&mut self) -> io::Result<Answer> {
        self.wire.answer("GET")
    }

    /// Sends a request and reads its answer.
    #[track_caller]
    pub(crate) fn exchange(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request);
        self.answer()
    }

    /// `GET path` with a Host: over TLS one that the certificates of these tests are for.
    #[track_caller]
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        let host = if matches!(self.wire.stream, Socket::Tls(_)) { "localhost" } else { "test" };
        self.exchange(format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n"))
    }

    /// Ends our side; reading goes on.
    pub(crate) fn half_close(&mut self) {
        if let Socket::Tls(tls) = &mut self.wire.stream {
            return tls.close_notify().expect("a half-close");
        }
        self.wire.stream.sock().shutdown(Shutdown::Write).expect("a half-close");
    }

    /// Ends the connection by a reset.
    pub(crate) fn reset(self) {
        self.wire.stream.sock().set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
    }

    /// Waits until the gateway ends the connection. No byte may come before that.
    #[track_caller]
    pub(crate) fn end(&mut self) -> End {
        let end = self.end_after_bytes();
        assert!(self.wire.pending.is_empty(), "unasked: {:?}", shown(&self.wire.pending));
        end
    }

    /// Waits until the gateway ends the connection; what comes before is in `wire.pending`.
    #[track_caller]
    pub(crate) fn end_after_bytes(&mut self) -> End {
        loop {
            match self.wire.fill() {
                Ok(0) => return End::Closed,
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                    return End::Reset;
                }
                Err(error) => panic!("the gateway did not end the connection: {error}"),
            }
        }
    }

    /// Asserts that nothing comes, and that the connection stays open, for a while.
    #[track_caller]
    pub(crate) fn silent_for(&mut self, time: Duration) {
        self.wire.stream.sock().set_read_timeout(Some(time)).expect("a time limit");
        match self.wire.fill() {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            other => panic!("expected silence: {other:?} {:?}", shown(&self.wire.pending)),
        }
        self.wire.stream.sock().set_read_timeout(Some(STUCK)).expect("a time limit");
    }
}

/// The beginning of some bytes, for a message.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned()
}

/// Lets a peer take what was sent before more is sent, so that it probably comes in two receives. Nothing depends on it.
pub(crate) fn settle() {
    std::thread::sleep(Duration::from_millis(1));
}
