//! Reaching a service: the first of its endpoints that takes a connection.

use super::shard::Shard;
use super::transfer::TICK;
use crate::model::Fault;
use crate::upstream::{Cluster, Connected, Endpoint, Need};
use ringgate_rt::Network;
use ringgate_rt::timer::Timer;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

/// For whom a service is reached.
pub(super) struct Reach<'r, N: Network> {
    pub(super) shard: &'r Shard<N>,
    pub(super) cluster: &'r Cluster<N::Stream>,
    pub(super) timer: &'r Timer,
    /// The client and the address that it came to, for a service that wants to know.
    pub(super) client: Option<(SocketAddr, SocketAddr)>,
    /// A connection that waits in the pool will do.
    pub(super) pooled: bool,
}

/// An endpoint with a connection to it.
pub(super) type Reached<T> = (Rc<Endpoint<T>>, Connected<T>);

impl<N: Network> Reach<'_, N> {
    /// A connection: one that waits, or a new one. Endpoints that can't be reached are passed over; after the last of them
    /// the fault of the last try is what comes of it. `again` is an endpoint to which a new one is wanted first. Given up
    /// when the process stops or the client `has_left`.
    pub(super) async fn connect(
        &self,
        again: Option<Rc<Endpoint<N::Stream>>>,
        mut has_left: impl FnMut() -> bool,
    ) -> Result<Reached<N::Stream>, Fault> {
        let mut tried: Vec<Rc<Endpoint<N::Stream>>> = Vec::new();
        let mut fault = Fault::NoEndpoint;
        let mut fresh = again;
        let need = Need {
            network: &self.shard.network,
            gate: &self.shard.gate,
            aborting: &self.shard.aborting,
            client: self.client,
        };
        loop {
            let must_be_new = fresh.is_some();
            let Some(endpoint) = fresh.take().or_else(|| self.cluster.next(&tried)) else { return Err(fault) };
            if let Some(failed) = tried.last() {
                failed.series.retried.add_one();
            }
            if self.pooled
                && !must_be_new
                && let Some(waiting) = endpoint.pooled()
            {
                return Ok((endpoint, waiting));
            }
            let tell = |what| self.shard.note(format!("upstream {}: {what}", self.cluster.name));
            match self.while_wanted(endpoint.connect(self.cluster, &need, tell), &mut has_left).await {
                Ok(connected) => return Ok((endpoint, connected)),
                Err(failed @ (Fault::Connect | Fault::ConnectTimeout | Fault::UpstreamTls)) => {
                    fault = failed;
                    tried.push(endpoint);
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Waits for a connection, unless the process stops or the client leaves meanwhile.
    async fn while_wanted<T>(
        &self,
        connecting: impl Future<Output = Result<T, Fault>>,
        has_left: &mut impl FnMut() -> bool,
    ) -> Result<T, Fault> {
        let mut connecting = pin!(connecting);
        self.timer.set_after(TICK);
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(connected) = connecting.as_mut().poll(cx) {
                    return Poll::Ready(connected);
                }
                if self.shard.aborting.get() {
                    return Poll::Ready(Err(Fault::Stopped));
                }
                if self.timer.poll(cx).is_pending() {
                    return Poll::Pending;
                }
                if has_left() {
                    return Poll::Ready(Err(Fault::ClientGone));
                }
                self.timer.set_after(TICK);
            }
        })
        .await
    }
}
