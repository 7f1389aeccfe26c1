//! A connected socket, TCP or Unix, driven by the shard's ring (or epoll).
//!
//! monoio's `UnixStream` drives TCP as well and is a tenth of the size of its `TcpStream`. It sits in a box of its own so
//! that operations can refer to it while the stream is moved. Sockets are blocking under io_uring and non-blocking under
//! epoll, as monoio wants them.

use crate::buffer::{Buf, RecvBuf, SendBuf};
use crate::counters::count;
use crate::driver;
use crate::slot::Slot;
use crate::transport::{Address, Transport};
use monoio::io::{AsyncWriteRent, CancelableAsyncReadRent, Canceller};
use monoio::net::UnixStream;
use socket2::SockRef;
use std::cell::UnsafeCell;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// A connected stream socket. Dropping it closes it; what was in flight is ended first.
pub struct Stream {
    // Field order is drop order: operations end before the socket that they refer to.
    recv: Slot<(io::Result<usize>, RecvBuf)>,
    send: Slot<(io::Result<usize>, SendBuf)>,
    readable: Slot<io::Result<()>>,
    canceller: Option<Canceller>,
    socket: Option<Box<UnsafeCell<UnixStream>>>,
    sent: u64,
}

impl Stream {
    /// Takes a connected socket over, in whatever mode it is.
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
            socket: Some(Box::new(UnsafeCell::new(socket))),
            sent: 0,
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

    /// TMP
    pub fn into_fd(self) -> io::Result<OwnedFd> {
        self.as_fd().try_clone_to_owned()
    }

    fn pointer(&self) -> Socket {
        // The box is only taken when the stream is dropped.
        Socket(
            self.socket
                .as_ref()
                .map_or(std::ptr::null_mut(), |socket| socket.get()),
        )
    }

    fn fd(&self) -> BorrowedFd<'_> {
        let raw = self.pointer().raw_fd();
        // SAFETY: the descriptor stays open for as long as `self` holds the socket.
        unsafe { BorrowedFd::borrow_raw(raw) }
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

/// A pointer to the boxed socket, for operations.
#[derive(Clone, Copy)]
struct Socket(*mut UnixStream);

impl Socket {
    /// The socket, for one call of monoio's.
    ///
    /// # Safety
    /// The stream that owns the box must outlive the use: it ends its operations before it drops the box.
    unsafe fn get<'a>(self) -> &'a mut UnixStream {
        // SAFETY: the box is live by the contract above. monoio's methods take `&mut self` but only clone the
        // reference-counted descriptor, when called or first polled; a receive and a send in flight at once are what
        // monoio's own split halves do with the same cell.
        unsafe { &mut *self.0 }
    }

    fn raw_fd(self) -> i32 {
        // SAFETY: only called by the stream that owns the box.
        unsafe { self.get() }.as_raw_fd()
    }
}

impl Transport for Stream {
    #[inline]
    fn start_recv(&mut self, buf: Buf) {
        debug_assert!(!self.recv.busy() && buf.room() > 0);
        count(|c| &c.recv);
        let socket = self.pointer();
        let handle = self.canceller.get_or_insert_with(Canceller::new).handle();
        self.recv.set(async move {
            // SAFETY: the slot that holds this future is dropped before the box (field order, and `Drop`).
            unsafe { socket.get() }
                .cancelable_read(RecvBuf(buf), handle)
                .await
        });
    }

    #[inline]
    fn recv_pending(&self) -> bool {
        self.recv.busy()
    }

    #[inline]
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<(io::Result<usize>, Buf)> {
        let (result, buf) = ready!(self.recv.poll(cx));
        Poll::Ready((result, buf.0))
    }

    fn cancel_recv(&mut self) {
        if let Some(canceller) = self.canceller.take() {
            count(|c| &c.cancel);
            self.canceller = Some(canceller.cancel());
        }
    }

    #[inline]
    fn start_send(&mut self, buf: Buf) {
        debug_assert!(!self.send.busy());
        count(|c| &c.send);
        let socket = self.pointer();
        // SAFETY: as in `start_recv`.
        self.send.set(unsafe { socket.get() }.write(SendBuf(buf)));
    }

    #[inline]
    fn send_pending(&self) -> bool {
        self.send.busy()
    }

    #[inline]
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<(io::Result<()>, Buf)> {
        loop {
            let (result, SendBuf(mut buf)) = ready!(self.send.poll(cx));
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
            let socket = self.pointer();
            self.readable.set(async move {
                // SAFETY: as in `start_recv`.
                unsafe { socket.get() }.readable(false).await
            });
        }
        self.readable.poll(cx)
    }

    fn stop_readable(&mut self) {
        self.readable.clear();
    }

    fn rest(&mut self) {
        debug_assert!(!self.recv.busy() && !self.send.busy());
        self.recv.release();
        self.send.release();
        self.canceller = None;
    }

    fn confirmed(&self) -> u64 {
        self.sent.saturating_sub(self.unconfirmed())
    }

    fn unconfirmed(&self) -> u64 {
        let mut queued: libc::c_int = 0;
        // SAFETY: SIOCOUTQ (TIOCOUTQ) writes one int.
        let done = unsafe { libc::ioctl(self.fd().as_raw_fd(), libc::TIOCOUTQ, &mut queued) };
        if done == 0 { queued.max(0) as u64 } else { 0 }
    }

    fn shutdown_write(&mut self) {
        // An error means that the peer has gone: there is nobody left to tell.
        let _ = self.sock().shutdown(std::net::Shutdown::Write);
    }

    fn shutdown(&mut self) {
        let _ = self.sock().shutdown(std::net::Shutdown::Both);
    }

    fn reset_on_close(&mut self) {
        // Refused on a Unix socket, where there is no reset: closing is all that can be done.
        let _ = self.sock().set_linger(Some(Duration::ZERO));
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        count(|c| &c.close);
        if self.recv.busy() || self.send.busy() {
            self.shutdown();
        }
        let waiting = self.recv.busy() || self.send.busy() || self.readable.busy();
        self.recv.clear();
        self.send.clear();
        self.readable.clear();
        let Some(socket) = self.socket.take() else {
            return;
        };
        if waiting {
            // The driver holds the descriptor until the operation has ended, and closes it then.
            drop(socket);
        } else {
            // SAFETY: nothing is in flight, so this is the only owner, and `close(2)` is a system call less than
            // a close and a cancel through the ring.
            drop(unsafe { OwnedFd::from_raw_fd(socket.into_inner().into_raw_fd()) });
        }
    }
}

pub(crate) async fn connect(to: Address) -> io::Result<Stream> {
    count(|c| &c.connect);
    match to {
        Address::Tcp(address) => {
            let tcp = monoio::net::TcpStream::connect_addr(address).await?;
            tcp.set_nodelay(true)?;
            Stream::from_tcp(tcp)
        }
        Address::Unix(path) => Ok(Stream::from_unix(UnixStream::connect(path).await?)),
    }
}
