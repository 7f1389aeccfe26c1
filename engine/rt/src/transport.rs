//! What the pipeline asks of a byte stream, and of the network that it connects through.
//!
//! Poll-shaped with owned buffers: an operation is started, and polled until it gives its buffer back. So one task can
//! drive both sides of an exchange without spawning. [`Stream`](crate::Stream) is the real one, [`memory`](crate::memory)
//! the one for benches and simulations.

use crate::buffer::Buf;
use crate::stream::{Stream, connect};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::task::{Context, Poll};

/// A byte stream. At most one receive and one send are in flight at a time. An operation may begin only when it is first
/// polled (a receive on io_uring, anything on epoll): whoever starts one polls it at once, in a hook as well.
pub trait Transport: 'static {
    /// Starts to receive behind the window of `buf`, which must have room.
    fn start_recv(&mut self, buf: Buf);
    /// Whether a receive was started and has not given its buffer back.
    fn recv_pending(&self) -> bool;
    /// Polls the receive. `Ok(0)` is the end of the stream. The buffer comes back in every case.
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<(io::Result<usize>, Buf)>;
    /// Asks the receive to end, if there is one. It must still be polled: bytes that had come by then count; else it ends with an error
    /// for which [`was_cancelled`] holds.
    fn cancel_recv(&mut self);

    /// Starts to send the window of `buf`, whole.
    fn start_send(&mut self, buf: Buf);
    /// Whether a send was started and has not given its buffer back.
    fn send_pending(&self) -> bool;
    /// Polls the send until every byte is with the kernel.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<(io::Result<()>, Buf)>;

    /// Waits, without a buffer, until there is something to receive (bytes, an end, or an error). After the end has been
    /// received there always is: waiting again would spin.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Gives the wait of `poll_readable` up, if there is one.
    fn stop_readable(&mut self);
    /// Gives back what only a busy connection needs. No receive or send may be in flight.
    fn rest(&mut self);

    /// Bytes handed to the kernel so far that the peer has confirmed. On a Unix socket: that it has read, and only once
    /// it has read nearly all, since the kernel counts its own memory there.
    fn confirmed(&self) -> u64;
    /// Bytes handed to the kernel that the peer has not confirmed yet.
    fn unconfirmed(&self) -> u64;

    /// Bytes that have come and can't be given yet: of a record that is not whole.
    fn held(&self) -> u64 {
        0
    }

    /// Whether the peer has left for good, by a reset or by closing both ways; that it has ended its own side does not
    /// count. Looks past bytes that have not been received. A system call, for an operation that takes long.
    fn peer_left(&self) -> bool;

    /// The peer's address and our own; none on a Unix socket. A system call each: for those who must tell others.
    fn addresses(&self) -> Option<(SocketAddr, SocketAddr)>;

    /// Says that the next send is the last: it may wait for the end of the stream, and leave with it in one packet. The
    /// stream must be ended or dropped as soon as that send is over.
    fn hold_for_end(&mut self);
    /// Hands a few bytes to the kernel at once, without waiting: false if it does not take all of them, or a send is in
    /// flight. For last words that nobody waits for.
    fn send_now(&mut self, bytes: &[u8]) -> bool;
    /// Sends the end of the stream; receiving goes on.
    fn shutdown_write(&mut self);
    /// Ends both directions at once, so that operations in flight complete.
    fn shutdown(&mut self);
    /// Makes the close that follows a reset, so that the peer can't take what it has for the whole.
    fn reset_on_close(&mut self);
}

/// Whether an error means only that we cancelled the operation.
pub fn was_cancelled(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ECANCELED)
}

/// The error of an operation that we cancelled.
pub fn cancelled() -> io::Error {
    io::Error::from_raw_os_error(libc::ECANCELED)
}

/// Where a service listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// How connections to services are made.
pub trait Network: 'static {
    /// What a connection is.
    type Stream: Transport;
    /// Connects. Dropping the future gives the attempt up and leaks nothing.
    fn connect(&self, to: &Address) -> impl Future<Output = io::Result<Self::Stream>>;
}

/// The real network.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sockets;

impl Network for Sockets {
    type Stream = Stream;

    fn connect(&self, to: &Address) -> impl Future<Output = io::Result<Stream>> {
        connect(to.clone())
    }
}
