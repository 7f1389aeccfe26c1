//! Accepting connections, up to the limit of the process.

use super::connection::{Arrival, serve};
use super::entrance::Entrance;
use super::shard::Shard;
use crate::series::ListenerSeries;
use ringgate_rt::listener::{Listener, Peer};
use ringgate_rt::timer::sleep;
use ringgate_rt::{Network, Sockets, Stream, task};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long accepting pauses when the limit is reached, or the system has no descriptors left.
const PAUSE: Duration = Duration::from_millis(10);

/// The process's client connections, counted against `limits.connections`.
#[derive(Clone)]
pub(crate) struct Permits(Arc<Places>);

struct Places {
    taken: AtomicUsize,
    max: AtomicUsize,
}

/// One connection's place.
pub(crate) struct Permit(Arc<Places>);

impl Permits {
    pub(crate) fn new(max: usize) -> Permits {
        Permits(Arc::new(Places { taken: AtomicUsize::new(0), max: AtomicUsize::new(max) }))
    }

    /// Changes the limit. Connections beyond it stay.
    pub(crate) fn set_max(&self, max: usize) {
        self.0.max.store(max, Ordering::Relaxed);
    }

    /// Connections that there are.
    pub(crate) fn taken(&self) -> usize {
        self.0.taken.load(Ordering::Relaxed)
    }

    /// A place, if one is free.
    pub(crate) fn take(&self) -> Option<Permit> {
        let max = self.0.max.load(Ordering::Relaxed);
        self.0
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| (taken < max).then_some(taken + 1))
            .ok()
            .map(|_| Permit(self.0.clone()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Accepts that a shard keeps in flight on each listener, so that a turn of the loop takes several connections.
pub(crate) const ACCEPTS_IN_FLIGHT: usize = 8;

/// A connection that was accepted and has no place yet.
pub(crate) type Waiting = (Stream, Option<IpAddr>);

/// Accepts on one listener until it is stopped, and returns what still waited then, accepted. At the limit one connection more waits here, accepted but not served;
/// the others wait in the kernel's queue. `hand_out` may give a connection to another shard: it gets it back if not.
pub(crate) async fn accept_loop(
    shard: Rc<Shard<Sockets>>,
    listener: Rc<Listener>,
    entrance: Rc<Entrance>,
    hand_out: impl Fn(Stream, Option<IpAddr>, Permit) -> Option<(Stream, Permit)>,
) -> Vec<Waiting> {
    while !entrance.stop.stopped() {
        let (stream, peer) = match listener.accept(entrance.stop.handle()).await {
            Ok(accepted) => accepted,
            Err(_) if entrance.stop.stopped() => break,
            Err(error) => {
                entrance.series().failed.add_one();
                // Out of descriptors, or the client has gone already.
                if entrance.may_complain() {
                    shard.note(format!("listener {}: can't accept: {error}", entrance.name()));
                }
                sleep(PAUSE).await;
                continue;
            }
        };
        let mut place = shard.permits.take();
        if place.is_none() {
            entrance.series().limited.add_one();
        }
        let permit = loop {
            match place {
                Some(permit) => break permit,
                None => sleep(PAUSE).await,
            }
            place = shard.permits.take();
        };
        let peer = peer_address(peer);
        if let Some((stream, permit)) = hand_out(stream, peer, permit) {
            adopt(&shard, stream, peer, &entrance, permit);
        }
    }
    // Whoever was told "connected" is served.
    let mut waiting = Vec::new();
    while let Some((stream, peer)) = listener.accept_waiting() {
        waiting.push((stream, peer_address(peer)));
    }
    waiting
}

/// Serves connections that were waiting on a listener when it was closed, as places become free.
pub(crate) async fn serve_waiting(shard: Rc<Shard<Sockets>>, entrance: Rc<Entrance>, waiting: Vec<Waiting>) {
    for (stream, peer) in waiting {
        loop {
            if let Some(permit) = shard.permits.take() {
                adopt(&shard, stream, peer, &entrance, permit);
                break;
            }
            if shard.aborting.get() {
                return;
            }
            sleep(PAUSE).await;
        }
    }
}

fn peer_address(peer: Peer) -> Option<IpAddr> {
    match peer {
        Peer::Tcp(address) => Some(address.ip()),
        Peer::Unix => None,
    }
}

/// Serves a connection on this shard.
pub(crate) fn adopt<N: Network>(
    shard: &Rc<Shard<N>>,
    stream: N::Stream,
    peer: Option<IpAddr>,
    entrance: &Rc<Entrance>,
    permit: Permit,
) {
    shard.connections.set(shard.connections.get() + 1);
    let series = entrance.series();
    series.accepted.add_one();
    series.active.add_one();
    let place = Place { shard: shard.clone(), series, _permit: permit };
    task::spawn(serve(place, stream, Arrival { peer, told: None, entrance: entrance.clone() }));
}

/// A connection's place in the shard's count and the process's; given back also when its task panics.
pub(crate) struct Place<N: Network> {
    pub(crate) shard: Rc<Shard<N>>,
    series: Arc<ListenerSeries>,
    _permit: Permit,
}

impl<N: Network> Drop for Place<N> {
    fn drop(&mut self) {
        self.shard.connections.set(self.shard.connections.get() - 1);
        self.series.active.take_one();
    }
}
