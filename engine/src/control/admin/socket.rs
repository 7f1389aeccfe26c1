//! The sockets that the admin API listens on: a loopback address, or a path that only the process's own user may use.

use ringgate_config::Address;
use ringgate_rt::listener::SocketFile;
use std::fs::{File, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;
use tokio::net::{TcpListener, UnixListener, UnixSocket};

/// Who may use the path of a Unix socket: its owner.
const MODE: u32 = 0o600;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 64;

/// A socket that is bound and listens.
pub(super) enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// Binds an address; to be called within the runtime that is to accept on it. Returns the address as bound, too.
///
/// # Errors
/// An address that can't be bound, or that others than this machine's processes can reach. Each says which.
pub(super) fn bind(address: &Address) -> io::Result<(Socket, Address, Option<SocketFile>)> {
    let bound = match address {
        Address::Tcp(at) => bind_tcp(*at),
        Address::Unix(path) => bind_unix(path),
    };
    bound.map_err(|error| {
        let hint = if error.kind() == io::ErrorKind::AddrInUse { "; is another instance running?" } else { "" };
        io::Error::new(error.kind(), format!("admin.address: can't listen on {address}: {error}{hint}"))
    })
}

fn bind_tcp(at: SocketAddr) -> io::Result<(Socket, Address, Option<SocketFile>)> {
    if !at.ip().to_canonical().is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "only a loopback address or a Unix socket may be used",
        ));
    }
    let listener = std::net::TcpListener::bind(at)?;
    listener.set_nonblocking(true)?;
    let bound = listener.local_addr()?;
    Ok((Socket::Tcp(TcpListener::from_std(listener)?), Address::Tcp(bound), None))
}

fn bind_unix(path: &Path) -> io::Result<(Socket, Address, Option<SocketFile>)> {
    if is_left_over(path) {
        std::fs::remove_file(path)?;
    }
    let socket = UnixSocket::new_stream()?;
    // The mode that a socket has before it is bound is that of its path: at no moment may others connect.
    File::from(socket.as_fd().try_clone_to_owned()?).set_permissions(Permissions::from_mode(MODE))?;
    socket.bind(path)?;
    let owned = SocketFile::made(path);
    Ok((Socket::Unix(socket.listen(BACKLOG)?), Address::Unix(path.to_owned()), Some(owned)))
}

/// Whether a socket is at `path` that nobody listens on: its process was killed. Anything else there is not ours.
fn is_left_over(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    is_socket && StdUnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
