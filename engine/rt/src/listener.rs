//! Listening sockets: one for each TCP address and shard (SO_REUSEPORT), one for each Unix path and process.

use crate::counters::count;
use crate::driver;
use crate::stream::Stream;
use crate::transport::Address;
use monoio::io::{CancelHandle, Canceller};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Connections that may wait to be accepted on one socket (the system may allow fewer: `net.core.somaxconn`).
pub const BACKLOG: i32 = 4096;

/// Opens one listening socket for each of `shards` on `address`; for a Unix path, one alone. A port 0 becomes the one
/// that the system gives, the same for all.
///
/// # Errors
/// `AddrInUse` also when only another process with SO_REUSEPORT listens there: it would silently share the traffic.
pub fn bind(address: &Address, shards: usize) -> io::Result<Vec<Bound>> {
    match address {
        Address::Tcp(at) => bind_tcp(*at, shards),
        Address::Unix(path) => Ok(vec![bind_unix(path)?]),
    }
}

/// A listening socket that no shard drives yet.
#[derive(Debug)]
pub struct Bound {
    fd: OwnedFd,
    address: Address,
    /// Removes the path when it is dropped. Moves on to the listener.
    path: Option<OwnedPath>,
}

impl Bound {
    /// The address with the port that the system gave.
    pub fn address(&self) -> &Address {
        &self.address
    }
}

#[derive(Debug)]
struct OwnedPath(PathBuf);

impl Drop for OwnedPath {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn bind_tcp(at: SocketAddr, shards: usize) -> io::Result<Vec<Bound>> {
    if at.port() != 0 {
        // Binding without SO_REUSEPORT fails if anybody listens there, whatever options they use.
        let probe = tcp_socket(at)?;
        probe.bind(&at.into())?;
    }
    let mut address = at;
    (0..shards)
        .map(|_| {
            let socket = tcp_socket(address)?;
            socket.set_reuse_port(true)?;
            // Accepted sockets inherit it (tcp(7)), which spares a call for each.
            socket.set_tcp_nodelay(true)?;
            socket.bind(&address.into())?;
            socket.listen(BACKLOG)?;
            address = socket.local_addr()?.as_socket().unwrap_or(address);
            Ok(Bound {
                fd: socket.into(),
                address: Address::Tcp(address),
                path: None,
            })
        })
        .collect()
}

fn tcp_socket(at: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if at.is_ipv6() {
        // `[::]` and `0.0.0.0` are two listeners, on any system, whatever its bindv6only says.
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

fn bind_unix(path: &Path) -> io::Result<Bound> {
    let address = SockAddr::unix(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    if let Err(error) = socket.bind(&address) {
        // A path that nobody listens on is left over from a process that was killed.
        let stale = error.kind() == io::ErrorKind::AddrInUse
            && Socket::new(Domain::UNIX, Type::STREAM, None)?
                .connect(&address)
                .is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused);
        if !stale {
            return Err(error);
        }
        std::fs::remove_file(path)?;
        socket.bind(&address)?;
    }
    socket.listen(BACKLOG)?;
    let path = path.to_path_buf();
    Ok(Bound {
        fd: socket.into(),
        address: Address::Unix(path.clone()),
        path: Some(OwnedPath(path)),
    })
}

/// Who connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A TCP peer.
    Tcp(SocketAddr),
    /// A process on this host, through a Unix socket.
    Unix,
}

/// A listening socket driven by this shard.
pub struct Listener {
    socket: Driven,
    _path: Option<OwnedPath>,
}

enum Driven {
    Tcp(monoio::net::TcpListener),
    Unix(monoio::net::UnixListener),
}

impl Listener {
    /// Takes a bound socket over for this shard.
    pub fn start(bound: Bound) -> io::Result<Listener> {
        let epoll = driver::current().is_epoll();
        let socket = match bound.address {
            Address::Tcp(_) => {
                let std = std::net::TcpListener::from(bound.fd);
                std.set_nonblocking(epoll)?;
                Driven::Tcp(monoio::net::TcpListener::from_std(std)?)
            }
            Address::Unix(_) => {
                let std = std::os::unix::net::UnixListener::from(bound.fd);
                std.set_nonblocking(epoll)?;
                Driven::Unix(monoio::net::UnixListener::from_std(std)?)
            }
        };
        Ok(Listener {
            socket,
            _path: bound.path,
        })
    }

    /// Waits for a connection. It must be awaited to its end: to give up, cancel through `stop`, and a connection that
    /// had come all the same is still returned.
    pub async fn accept(&self, stop: CancelHandle) -> io::Result<(Stream, Peer)> {
        let accepted = match &self.socket {
            Driven::Tcp(listener) => {
                let (tcp, peer) = listener.cancelable_accept(stop).await?;
                (Stream::from_tcp(tcp)?, Peer::Tcp(peer))
            }
            Driven::Unix(listener) => {
                let (unix, _) = listener.cancelable_accept(stop).await?;
                (Stream::from_unix(unix), Peer::Unix)
            }
        };
        count(|c| &c.accept);
        Ok(accepted)
    }

    /// Takes a connection that is already waiting, without the driver. For emptying the queue of a listener that is
    /// about to be closed, so that no client that was told "connected" is reset.
    pub fn accept_waiting(&self) -> Option<(Stream, Peer)> {
        let raw = match &self.socket {
            Driven::Tcp(listener) => listener.as_raw_fd(),
            Driven::Unix(listener) => listener.as_raw_fd(),
        };
        // SAFETY: the listener keeps the descriptor open; `ManuallyDrop` below keeps this from closing it.
        let socket = std::mem::ManuallyDrop::new(unsafe { Socket::from_raw_fd(raw) });
        socket.set_nonblocking(true).ok()?;
        let (accepted, peer) = socket.accept().ok()?;
        count(|c| &c.accept);
        let peer = peer.as_socket().map_or(Peer::Unix, Peer::Tcp);
        Some((Stream::from_fd(accepted.into()).ok()?, peer))
    }
}

/// Stops accepting on every listener that was given its handle.
#[derive(Default)]
pub struct Stop {
    canceller: std::cell::RefCell<Option<Canceller>>,
    stopped: std::cell::Cell<bool>,
}

impl Stop {
    /// A handle for one accept.
    pub fn handle(&self) -> CancelHandle {
        self.canceller
            .borrow_mut()
            .get_or_insert_with(Canceller::new)
            .handle()
    }

    /// Ends the accepts that are waiting, and says so to those that would begin.
    pub fn stop(&self) {
        self.stopped.set(true);
        if let Some(canceller) = self.canceller.take() {
            drop(canceller.cancel());
        }
    }

    /// Whether it was stopped.
    pub fn stopped(&self) -> bool {
        self.stopped.get()
    }
}

#[cfg(test)]
mod tests;
