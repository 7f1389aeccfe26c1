//! Accepting connections, up to the limit of the process.

use super::connection::{Arrival, serve};
use super::shard::Shard;
use ringgate_rt::listener::{Listener, Peer, Stop};
use ringgate_rt::timer::sleep;
use ringgate_rt::{Network, Sockets, Stream, task};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long accepting pauses when the limit is reached, or the system has no descriptors left.
const PAUSE: Duration = Duration::from_millis(10);

/// The process's client connections, counted against `limits.connections`.
#[derive(Clone)]
pub(crate) struct Permits {
    taken: Arc<AtomicUsize>,
    max: usize,
}

/// One connection's place.
pub(crate) struct Permit(Arc<AtomicUsize>);

impl Permits {
    pub(crate) fn new(max: usize) -> Permits {
        Permits { taken: Arc::default(), max }
    }

    /// A place, if one is free.
    pub(crate) fn take(&self) -> Option<Permit> {
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| (taken < self.max).then_some(taken + 1))
            .ok()
            .map(|_| Permit(self.taken.clone()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Accepts that a shard keeps in flight on each listener, so that a turn of the loop takes several connections.
pub(crate) const ACCEPTS_IN_FLIGHT: usize = 8;

/// Accepts on one listener until it is stopped. At the limit one connection more waits here, accepted but not served;
/// the others wait in the kernel's queue. `hand_out` may give a connection to another shard: it gets it back if not.
pub(crate) async fn accept_loop(
    shard: Rc<Shard<Sockets>>,
    listener: Rc<Listener>,
    index: usize,
    stop: Rc<Stop>,
    hand_out: impl Fn(Stream, Permit) -> Option<(Stream, Permit)>,
) {
    while !stop.stopped() {
        let (stream, peer) = match listener.accept(stop.handle()).await {
            Ok(accepted) => accepted,
            Err(_) if stop.stopped() => break,
            Err(_) => {
                // Out of descriptors, or the client has gone already.
                sleep(PAUSE).await;
                continue;
            }
        };
        let permit = loop {
            match shard.permits.take() {
                Some(permit) => break permit,
                None => sleep(PAUSE).await,
            }
        };
        if let Some((stream, permit)) = hand_out(stream, permit) {
            adopt(&shard, stream, peer_address(peer), index, permit);
        }
    }
    // Whoever was told "connected" is served.
    while let Some((stream, peer)) = listener.accept_waiting() {
        if let Some(permit) = shard.permits.take() {
            adopt(&shard, stream, peer_address(peer), index, permit);
        }
    }
}

fn peer_address(peer: Peer) -> Option<std::net::IpAddr> {
    match peer {
        Peer::Tcp(address) => Some(address.ip()),
        Peer::Unix => None,
    }
}

/// Serves a connection on this shard.
pub(crate) fn adopt<N: Network>(
    shard: &Rc<Shard<N>>,
    stream: N::Stream,
    peer: Option<std::net::IpAddr>,
    listener: usize,
    permit: Permit,
) {
    shard.connections.set(shard.connections.get() + 1);
    let place = Place { shard: shard.clone(), _permit: permit };
    task::spawn(serve(place, stream, Arrival { peer, listener }));
}

/// A connection's place in the shard's count and the process's; given back also when its task panics.
pub(crate) struct Place<N: Network> {
    pub(crate) shard: Rc<Shard<N>>,
    _permit: Permit,
}

impl<N: Network> Drop for Place<N> {
    fn drop(&mut self) {
        self.shard.connections.set(self.shard.connections.get() - 1);
    }
}
