//! A connected socket, TCP or Unix, driven by the shard's ring (or epoll).
//!
//! monoio's `UnixStream` drives TCP as well and is a tenth of the size of its `TcpStream`. It sits in a box of its own so
//! that operations can refer to it while the stream is moved. Sockets are blocking under io_uring and non-blocking under
//! epoll, as monoio wants them.

use crate::buffer::{Buf, RecvBuf, SendBuf};
use crate::counters::count;
use crate::driver;
use crate::slot::Slot;
use crate::timer;
use crate::transport::{Address, Transport};
use monoio::io::{AsyncWriteRent, CancelableAsyncReadRent, Canceller};
use monoio::net::UnixStream;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::cell::RefCell;
use std::fmt;
use std::io;
use std::mem::ManuallyDrop;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::ptr::NonNull;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// How long a connect waits before it asks a Unix socket with a full queue again.
const QUEUE_PAUSE: Duration = Duration::from_millis(10);

/// A connected stream socket. Dropping it closes it; what was in flight is ended first.
pub struct Stream {
    recv: Slot<(io::Result<usize>, RecvBuf)>,
    send: Slot<(io::Result<usize>, SendBuf)>,
    readable: Slot<io::Result<()>>,
    canceller: Option<Canceller>,
    socket: Boxed,
    sent: u64,
    /// A wait was given up: the driver may hold the descriptor until it has ended it.
    strayed: bool,
    /// Closing is to be a reset.
    reset: bool,
}

impl Stream {
    /// Takes a connected socket over, in whatever mode it is.
    ///
    /// # Panics
    /// If called outside a shard.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Stream> {
        let std = std::os::unix::net::UnixStream::from(fd);
        std.set_nonblocking(driver::current().is_epoll())?;
        Stream::adopt(std)
    }

    /// As `from_fd`, for a socket that has the right mode already.
    fn adopt(std: std::os::unix::net::UnixStream) -> io::Result<Stream> {
        Ok(Stream::new(UnixStream::from_std(std)?))
    }

    fn new(socket: UnixStream) -> Stream {
        Stream {
            recv: Slot::new(),
            send: Slot::new(),
            readable: Slot::new(),
            canceller: None,
            socket: Boxed(NonNull::from(Box::leak(Box::new(socket)))),
            sent: 0,
            strayed: false,
            reset: false,
        }
    }

    pub(crate) fn from_tcp(tcp: monoio::net::TcpStream) -> io::Result<Stream> {
        // SAFETY: `into_raw_fd` gives up the only owner of the descriptor; nothing is in flight on it.
        let fd = unsafe { OwnedFd::from_raw_fd(tcp.into_raw_fd()) };
        Stream::adopt(fd.into())
    }

    pub(crate) fn from_unix(unix: UnixStream) -> Stream {
        Stream::new(unix)
    }

    /// Gives the socket up, for another shard to take over with [`from_fd`](Stream::from_fd). The stream comes back if
    /// something is in flight.
    pub fn into_fd(self) -> Result<OwnedFd, Stream> {
        if self.recv.busy() || self.send.busy() || self.readable.busy() {
            return Err(self);
        }
        if self.strayed {
            // The driver closes its descriptor when it has let go of it; another one for the same socket is ours.
            return self.as_fd().try_clone_to_owned().map_err(|_| self);
        }
        let mut this = ManuallyDrop::new(self);
        this.recv.release();
        this.send.release();
        this.readable.release();
        if let Some(canceller) = this.canceller.take() {
            keep_canceller(canceller);
        }
        // SAFETY: `this` is never used again, and nothing is in flight.
        Ok(unsafe { this.socket.into_fd() })
    }

    fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor stays open for as long as `self` holds the socket.
        unsafe { BorrowedFd::borrow_raw(self.socket.raw_fd()) }
    }

    fn sock(&self) -> SockRef<'_> {
        SockRef::from(self)
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({})", self.socket.raw_fd())
    }
}

/// A socket in memory of its own, which a stream owns and its operations refer to. A plain pointer, since a `Box` would
/// claim to be the only way to what it holds each time that the stream is moved.
#[derive(Clone, Copy)]
struct Boxed(NonNull<UnixStream>);

impl Boxed {
    /// The socket, for one call of monoio's.
    ///
    /// # Safety
    /// The stream that owns the socket must outlive the use: it ends its operations before it gives the socket up.
    unsafe fn get<'a>(self) -> &'a mut UnixStream {
        // SAFETY: the socket is live by the contract above. monoio's methods take `&mut self` but only clone the
        // reference-counted descriptor, when called or first polled, and do not touch `self` after; a receive and a send
        // in flight at once are what monoio's own split halves do with the same cell.
        unsafe { &mut *self.0.as_ptr() }
    }

    fn raw_fd(self) -> i32 {
        // SAFETY: only called by the stream that owns the socket.
        unsafe { self.get() }.as_raw_fd()
    }

    /// Ends the socket's memory.
    ///
    /// # Safety
    /// To be called once, by the stream that owns the socket, when no operation refers to it any more.
    unsafe fn take(self) -> UnixStream {
        // SAFETY: the memory came from a box in `Stream::new`.
        *unsafe { Box::from_raw(self.0.as_ptr()) }
    }

    /// The descriptor, owned by the caller from now on.
    ///
    /// # Safety
    /// As for `take`; the driver must not hold the descriptor either (monoio panics if it does).
    unsafe fn into_fd(self) -> OwnedFd {
        // SAFETY: by the contract above this was the only owner of the descriptor.
        unsafe { OwnedFd::from_raw_fd(self.take().into_raw_fd()) }
    }
}

impl Transport for Stream {
    #[inline]
    fn start_recv(&mut self, buf: Buf) {
        // A second receive would take the place of the first and lose its bytes; one without room looks like an end.
        assert!(!self.recv.busy() && buf.room() > 0);
        count(|c| &c.recv);
        let socket = self.socket;
        let handle = self.canceller.get_or_insert_with(take_canceller).handle();
        self.recv.set(async move {
            // SAFETY: the stream drops the future in its slot before it gives the socket up.
            let socket = unsafe { socket.get() };
            socket.cancelable_read(RecvBuf::new(buf), handle).await
        });
    }

    #[inline]
    fn recv_pending(&self) -> bool {
        self.recv.busy()
    }

    #[inline]
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<(io::Result<usize>, Buf)> {
        let (result, buf) = ready!(self.recv.poll(cx));
        Poll::Ready((result, buf.into_buf()))
    }

    fn cancel_recv(&mut self) {
        if self.recv.busy()
            && let Some(canceller) = self.canceller.take()
        {
            count(|c| &c.cancel);
            self.canceller = Some(canceller.cancel());
        }
    }

    #[inline]
    fn start_send(&mut self, buf: Buf) {
        assert!(!self.send.busy());
        count(|c| &c.send);
        // SAFETY: as in `start_recv`.
        let socket = unsafe { self.socket.get() };
        self.send.set(socket.write(SendBuf::new(buf)));
    }

    #[inline]
    fn send_pending(&self) -> bool {
        self.send.busy()
    }

    #[inline]
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<(io::Result<()>, Buf)> {
        loop {
            let (result, buf) = ready!(self.send.poll(cx));
            let mut buf = buf.into_buf();
            match result {
                Ok(0) if !buf.is_empty() => {
                    return Poll::Ready((Err(io::ErrorKind::WriteZero.into()), buf));
                }
                Ok(n) => {
                    self.sent += n as u64;
                    buf.advance(n);
                    if buf.is_empty() {
                        return Poll::Ready((Ok(()), buf));
                    }
                    self.start_send(buf);
                }
                Err(error) => return Poll::Ready((Err(error), buf)),
            }
        }
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.readable.busy() {
            count(|c| &c.poll);
            let socket = self.socket;
            self.readable.set(async move {
                // SAFETY: as in `start_recv`.
                unsafe { socket.get() }.readable(false).await
            });
        }
        self.readable.poll(cx)
    }

    fn stop_readable(&mut self) {
        if self.readable.busy() {
            self.strayed = true;
            self.readable.clear();
        }
    }

    fn rest(&mut self) {
        assert!(!self.recv.busy() && !self.send.busy());
        self.recv.release();
        self.send.release();
        if let Some(canceller) = self.canceller.take() {
            keep_canceller(canceller);
        }
    }

    fn confirmed(&self) -> u64 {
        self.sent.saturating_sub(self.unconfirmed())
    }

    fn unconfirmed(&self) -> u64 {
        let mut queued: libc::c_int = 0;
        // SAFETY: SIOCOUTQ (TIOCOUTQ) writes one int.
        let done = unsafe { libc::ioctl(self.fd().as_raw_fd(), libc::TIOCOUTQ, &mut queued) };
        // A Unix socket counts the memory that its bytes take, which is more than they are.
        if done == 0 { (queued.max(0) as u64).min(self.sent) } else { 0 }
    }

    fn peer_left(&self) -> bool {
        // Asked for nothing, poll(2) still tells of an error and of the end of both directions.
        let mut polled = libc::pollfd { fd: self.fd().as_raw_fd(), events: 0, revents: 0 };
        // SAFETY: one live entry is read and written.
        let told = unsafe { libc::poll(&mut polled, 1, 0) };
        told > 0 && polled.revents & (libc::POLLERR | libc::POLLHUP) != 0
    }

    fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        let (peer, own) = (self.sock().peer_addr().ok()?, self.sock().local_addr().ok()?);
        Some((peer.as_socket()?, own.as_socket()?))
    }

    fn hold_for_end(&mut self) {
        // Refused on a Unix socket, which has no packets.
        let _ = self.sock().set_tcp_cork(true);
    }

    fn send_now(&mut self, bytes: &[u8]) -> bool {
        if self.send.busy() {
            return false;
        }
        count(|c| &c.send);
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        // SAFETY: reads `bytes.len()` bytes of a live slice.
        let sent = unsafe { libc::send(self.fd().as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) };
        self.sent += u64::try_from(sent).unwrap_or(0);
        usize::try_from(sent) == Ok(bytes.len())
    }

    fn shutdown_write(&mut self) {
        // An error means that the peer has gone: there is nobody left to tell.
        let _ = self.sock().shutdown(std::net::Shutdown::Write);
    }

    fn shutdown(&mut self) {
        let _ = self.sock().shutdown(std::net::Shutdown::Both);
    }

    fn reset_on_close(&mut self) {
        self.reset = true;
        // Without effect on a Unix socket, where there is no reset: closing is all that can be done.
        let _ = self.sock().set_linger(Some(Duration::ZERO));
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        count(|c| &c.close);
        let busy = self.recv.busy() || self.send.busy();
        // It would send an end before the reset.
        if busy && !self.reset {
            self.shutdown();
        }
        let held = busy || self.readable.busy() || self.strayed;
        self.recv.clear();
        self.send.clear();
        self.readable.clear();
        if let Some(canceller) = self.canceller.take() {
            keep_canceller(canceller);
        }
        if held {
            // The driver keeps the descriptor until the operation has ended, and closes it then.
            // SAFETY: this is the owner's end, and the operations were dropped above.
            drop(unsafe { self.socket.take() });
        } else {
            // `close(2)` is a system call less than a close and a cancel through the ring.
            // SAFETY: as above, and nothing is in flight.
            drop(unsafe { self.socket.into_fd() });
        }
    }
}

/// Free cancellers that a shard keeps: each has a set of its own, which a connection would make anew.
const CANCELLERS_MAX: usize = 256;

thread_local! {
    static CANCELLERS: RefCell<Vec<Canceller>> = const { RefCell::new(Vec::new()) };
}

fn take_canceller() -> Canceller {
    CANCELLERS.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Takes back a canceller with nothing associated.
fn keep_canceller(canceller: Canceller) {
    // A thread that is ending keeps none.
    let _ = CANCELLERS.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        if kept.len() < CANCELLERS_MAX {
            kept.push(canceller);
        }
    });
}

pub(crate) async fn connect(to: Address) -> io::Result<Stream> {
    count(|c| &c.connect);
    match to {
        Address::Tcp(address) => {
            let tcp = monoio::net::TcpStream::connect_addr(address).await?;
            tcp.set_nodelay(true)?;
            Stream::from_tcp(tcp)
        }
        Address::Unix(path) => connect_unix(&SockAddr::unix(path)?).await,
    }
}

/// Connects to a Unix socket without the driver: it takes a connection at once or, when its queue is full, not at all.
/// The ring would let a thread of the kernel wait for the queue, one for each connect, that a cancel does not reach.
async fn connect_unix(to: &SockAddr) -> io::Result<Stream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    while let Err(error) = socket.connect(to) {
        if error.kind() != io::ErrorKind::WouldBlock {
            return Err(error);
        }
        timer::sleep(QUEUE_PAUSE).await;
    }
    Stream::from_fd(socket.into())
}
