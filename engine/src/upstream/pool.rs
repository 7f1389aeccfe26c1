//! Connections to one endpoint that wait to be used again, last in, first out.
//!
//! A connection that has just been used keeps a receive with a buffer: the next request's. It sees the service close
//! without an operation of its own. After a while it gives the buffer back and waits by a poll.

use ringgate_rt::clock::{self, Moment};
use ringgate_rt::{Buf, Transport, was_cancelled};
use std::task::{Context, Waker};
use std::time::Duration;

/// Connections that wait for each endpoint and shard at most; one more is closed.
pub(crate) const IDLE_PER_ENDPOINT_MAX: usize = 512;
/// How long a connection waits before it is closed.
pub(crate) const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a connection that waits keeps its buffer.
pub(super) const HOT: Duration = Duration::from_millis(250);

pub(super) struct Pool<T> {
    idle: Vec<Idle<T>>,
}

struct Idle<T> {
    io: T,
    since: Moment,
    warmth: Warmth,
}

#[derive(PartialEq)]
enum Warmth {
    /// A receive is in flight.
    Hot,
    /// The receive was asked to end.
    Cooling,
    /// A poll is in flight.
    Cold,
}

impl<T: Transport> Pool<T> {
    pub(super) fn new() -> Pool<T> {
        Pool { idle: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.idle.len()
    }

    /// A connection on which the service has neither said anything nor closed, as far as can be seen. A receive may be
    /// in flight on it.
    pub(super) fn take(&mut self) -> Option<T> {
        while let Some(mut idle) = self.idle.pop() {
            if idle.alive() {
                return Some(idle.io);
            }
        }
        None
    }

    /// Keeps a connection whose last exchange is over. No send may be in flight.
    pub(super) fn put(&mut self, mut io: T) {
        if self.idle.len() >= IDLE_PER_ENDPOINT_MAX {
            return;
        }
        io.stop_readable();
        if !io.recv_pending() {
            io.start_recv(Buf::standard());
        }
        let mut idle = Idle { io, since: clock::now(), warmth: Warmth::Hot };
        if idle.alive() {
            self.idle.push(idle);
        }
    }

    /// Closes what is stale or has waited too long, and takes buffers back. Returns whether anything still waits.
    pub(super) fn sweep(&mut self, now: Moment) -> bool {
        self.idle.retain_mut(|idle| now.since(idle.since) < POOL_IDLE_TIMEOUT && idle.alive() && idle.cool(now));
        !self.idle.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.idle.clear();
    }
}

impl<T: Transport> Idle<T> {
    /// Whether nothing has come: bytes that nobody asked for make a connection as useless as its end does.
    fn alive(&mut self) -> bool {
        // Nobody is woken by a connection that waits: it is looked at when it is taken, and when it is swept.
        let cx = &mut Context::from_waker(Waker::noop());
        match self.warmth {
            Warmth::Hot => self.io.poll_recv(cx).is_pending(),
            Warmth::Cooling => match self.io.poll_recv(cx) {
                std::task::Poll::Pending => true,
                std::task::Poll::Ready((Err(error), _)) if was_cancelled(&error) => {
                    self.io.rest();
                    self.warmth = Warmth::Cold;
                    self.io.poll_readable(cx).is_pending()
                }
                std::task::Poll::Ready(_) => false,
            },
            Warmth::Cold => self.io.poll_readable(cx).is_pending(),
        }
    }

    fn cool(&mut self, now: Moment) -> bool {
        if self.warmth == Warmth::Hot && now.since(self.since) >= HOT {
            self.io.cancel_recv();
            self.warmth = Warmth::Cooling;
        }
        true
    }
}
