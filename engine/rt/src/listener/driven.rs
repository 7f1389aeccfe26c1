//! A listening socket driven by a shard.

use super::stop::StopHandle;
use super::{Bound, SocketFile};
use crate::counters::count;
use crate::stream::Stream;
use crate::transport::Address;
use crate::{descriptors, driver};
use socket2::Socket;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::mem::ManuallyDrop;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, FromRawFd};
use std::task::{Poll, Waker};

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
    epoll: bool,
    turn: Turnstile,
    /// Somebody else has the socket too.
    borrowed: bool,
    _path: Option<SocketFile>,
}

enum Driven {
    Tcp(monoio::net::TcpListener),
    Unix(monoio::net::UnixListener),
}

impl Listener {
    /// Takes a bound socket over for this shard.
    ///
    /// # Panics
    /// If called outside a shard.
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
        Ok(Listener { socket, epoll, turn: Turnstile::default(), borrowed: bound.borrowed, _path: bound.path })
    }

    /// Waits for a connection; several may wait at once. It must be awaited to its end: to give up, stop it through
    /// `stop`, and a connection that had come all the same is still returned, here or by
    /// [`accept_waiting`](Listener::accept_waiting).
    pub async fn accept(&self, stop: StopHandle) -> io::Result<(Stream, Peer)> {
        // On epoll a socket has one waker and one mark "cancelled" for everybody: there it is one accept at a time.
        let _turn = if self.epoll { Some(self.turn.wait(&stop).await) } else { None };
        let cancel = stop.cancel_handle()?;
        let accepted = match &self.socket {
            Driven::Tcp(listener) => {
                let (tcp, peer) = listener.cancelable_accept(cancel).await?;
                (Stream::from_tcp(tcp)?, Peer::Tcp(peer))
            }
            Driven::Unix(listener) => {
                let (unix, _) = listener.cancelable_accept(cancel).await?;
                (Stream::from_unix(unix), Peer::Unix)
            }
        };
        count(|c| &c.accept);
        if !self.epoll {
            // monoio asks for it on epoll only.
            descriptors::close_on_exec(accepted.0.as_fd());
        }
        Ok(accepted)
    }

    /// Takes a connection that is already waiting, without the driver. For emptying the queue of a listener that is
    /// about to be closed, so that no client that was told "connected" is reset.
    pub fn accept_waiting(&self) -> Option<(Stream, Peer)> {
        let socket = self.view();
        socket.set_nonblocking(true).ok()?;
        let accepted = loop {
            match socket.accept() {
                // A client that has gone again, or a signal: there may be others.
                Err(e) if matches!(e.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {}
                accepted => break accepted.ok(),
            }
        };
        // The mode belongs to the socket, not to this call: an accept through the ring must wait.
        socket.set_nonblocking(self.epoll).ok()?;
        let (accepted, peer) = accepted?;
        count(|c| &c.accept);
        let peer = peer.as_socket().map_or(Peer::Unix, Peer::Tcp);
        Some((Stream::from_fd(accepted.into()).ok()?, peer))
    }
}

impl Listener {
    /// The socket, for calls that the driver has not got.
    fn view(&self) -> ManuallyDrop<Socket> {
        let raw = match &self.socket {
            Driven::Tcp(listener) => listener.as_raw_fd(),
            Driven::Unix(listener) => listener.as_raw_fd(),
        };
        // SAFETY: the listener keeps the descriptor open; `ManuallyDrop` keeps this from closing it.
        ManuallyDrop::new(unsafe { Socket::from_raw_fd(raw) })
    }
}

/// The driver closes the socket some time later. It must not take connections until then: they would be reset, and
/// another listener may be there to take them.
impl Drop for Listener {
    fn drop(&mut self) {
        if !self.borrowed {
            let _ = self.view().shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Lets one accept through at a time, in the order in which they came.
#[derive(Default)]
struct Turnstile {
    taken: Cell<bool>,
    tickets: Cell<u64>,
    waiting: RefCell<VecDeque<(u64, Waker)>>,
}

impl Turnstile {
    /// Waits for a turn, or until it is stopped.
    async fn wait(&self, stop: &StopHandle) -> Turn<'_> {
        let ticket = self.tickets.replace(self.tickets.get() + 1);
        // Made first, so that a future that is dropped while it waits leaves the queue.
        let mut turn = Turn { turnstile: self, ticket, taken: false };
        poll_fn(|cx| {
            if stop.stopped() {
                return Poll::Ready(());
            }
            if !self.taken.replace(true) {
                turn.taken = true;
                return Poll::Ready(());
            }
            let mut waiting = self.waiting.borrow_mut();
            match waiting.iter_mut().find(|(of, _)| *of == ticket) {
                Some((_, waker)) => waker.clone_from(cx.waker()),
                None => waiting.push_back((ticket, cx.waker().clone())),
            }
            stop.watch(cx.waker());
            Poll::Pending
        })
        .await;
        turn
    }
}

/// A turn, or the wait for one.
struct Turn<'a> {
    turnstile: &'a Turnstile,
    ticket: u64,
    taken: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Turnstile { taken, waiting, .. } = self.turnstile;
        if self.taken {
            taken.set(false);
        } else {
            waiting.borrow_mut().retain(|(of, _)| *of != self.ticket);
        }
        // A wake-up that was meant for this one is handed on.
        let next = if taken.get() { None } else { waiting.borrow_mut().pop_front() };
        if let Some((_, waker)) = next {
            waker.wake();
        }
    }
}
