//! Listening sockets: one for each TCP address and shard (SO_REUSEPORT), one for each Unix path and process.

mod driven;
mod file;
mod stop;

pub use driven::{Listener, Peer};
pub use file::{FileId, SocketFile};
pub use stop::{Stop, StopHandle};

use crate::transport::Address;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// Connections that may wait to be accepted on one socket (the system may allow fewer: `net.core.somaxconn`).
pub const BACKLOG: i32 = 4096;

/// Opens one listening socket for each of `shards` on `address`; for a Unix path, one alone. A port 0 becomes the one
/// that the system gives, the same for all.
///
/// # Errors
/// `AddrInUse` also when only another process with SO_REUSEPORT listens there: it would silently share the traffic.
pub fn bind(address: &Address, shards: usize) -> io::Result<Vec<Bound>> {
    if let Address::Tcp(at) = address
        && at.port() != 0
    {
        // Binding without SO_REUSEPORT fails if anybody listens there, whatever options they use.
        let probe = tcp_socket(*at)?;
        probe.bind(&(*at).into())?;
    }
    bind_beside(address, shards)
}

/// As [`bind`], where a listener of this very process on the same port is about to be closed.
///
/// # Errors
/// `AddrInUse` if somebody without SO_REUSEPORT, or another user, listens there.
pub fn bind_beside(address: &Address, shards: usize) -> io::Result<Vec<Bound>> {
    match address {
        Address::Tcp(at) => bind_tcp(*at, shards),
        Address::Unix(path) => Ok(vec![bind_unix(path)?]),
    }
}

/// The listening sockets that systemd has opened for this process, with their names (sd_listen_fds_with_names(3)). To be
/// called once.
///
/// # Errors
/// Variables that make no sense, or a descriptor that is no listening stream socket.
pub fn inherited() -> io::Result<Vec<(String, Bound)>> {
    // SAFETY: systemd has handed these descriptors to this process and to nothing in it: they have no other owner, as
    // long as this is called once, which it is on us to keep to.
    let owned = |fd| unsafe { OwnedFd::from_raw_fd(fd) };
    sd_notify::listen_fds_with_names()?.map(|(fd, name)| Ok((name, Bound::inherited(owned(fd))?))).collect()
}

/// A listening socket that no shard drives yet.
#[derive(Debug)]
pub struct Bound {
    fd: OwnedFd,
    address: Address,
    /// Removes the path when it is dropped. Moves on to the listener.
    path: Option<SocketFile>,
    /// Somebody else has the socket too: it is not to be shut down.
    borrowed: bool,
}

impl Bound {
    /// A socket that somebody else has bound, and that listens. Fails for any other descriptor.
    fn inherited(fd: OwnedFd) -> io::Result<Bound> {
        let socket = Socket::from(fd);
        if !socket.is_listener()? || socket.r#type()? != Type::STREAM {
            return Err(io::Error::other("an inherited descriptor is no listening stream socket"));
        }
        let address = socket.local_addr()?;
        let address = match (address.as_socket(), address.as_pathname()) {
            (Some(at), _) => {
                // Accepted sockets inherit it (tcp(7)).
                socket.set_tcp_nodelay(true)?;
                Address::Tcp(at)
            }
            (None, Some(path)) => Address::Unix(path.to_path_buf()),
            (None, None) => return Err(io::Error::other("an inherited socket has neither an IP address nor a path")),
        };
        // Whoever made the path removes it.
        Ok(Bound { fd: socket.into(), address, path: None, borrowed: true })
    }

    /// The same socket once more, to be left alone when this copy is closed.
    ///
    /// # Errors
    /// If the system has no descriptors left.
    pub fn try_clone(&self) -> io::Result<Bound> {
        Ok(Bound { fd: self.fd.try_clone()?, address: self.address.clone(), path: None, borrowed: true })
    }

    /// The address with the port that the system gave.
    pub fn address(&self) -> &Address {
        &self.address
    }
}

fn bind_tcp(at: SocketAddr, shards: usize) -> io::Result<Vec<Bound>> {
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
            Ok(Bound { fd: socket.into(), address: Address::Tcp(address), path: None, borrowed: false })
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
        if error.kind() != io::ErrorKind::AddrInUse || !is_left_over(path, &address)? {
            return Err(error);
        }
        std::fs::remove_file(path)?;
        socket.bind(&address)?;
    }
    socket.listen(BACKLOG)?;
    let file = SocketFile::made(path);
    let address = Address::Unix(path.to_path_buf());
    Ok(Bound { fd: socket.into(), address, path: Some(file), borrowed: false })
}

/// Whether a socket is at `path` that nobody listens on: its process was killed. Anything else there is not ours.
fn is_left_over(path: &Path, address: &SockAddr) -> io::Result<bool> {
    if !std::fs::symlink_metadata(path)?.file_type().is_socket() {
        return Ok(false);
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Somebody's queue may be full: that is not waited for.
    probe.set_nonblocking(true)?;
    Ok(probe.connect(address).is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused))
}

#[cfg(test)]
mod tests;
