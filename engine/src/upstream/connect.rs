//! Making a connection to an endpoint: the socket, the header that tells where the client comes from, the handshake.

use super::cluster::{Cluster, Connected, Endpoint, SKIP_AFTER_REFUSAL};
use crate::model::Fault;
use crate::secure::gate::Gate;
use crate::secure::handshake::{Bounds, shake};
use crate::secure::{ClientTls, Failed, Link, Security};
use ringgate_config::ProxyVersion;
use ringgate_protocols::proxyproto::{self, Header};
use ringgate_protocols::tls::Handshake;
use ringgate_rt::clock;
use ringgate_rt::timer::Timer;
use ringgate_rt::{Buf, Network, Transport};
use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// What connections to a service begin with.
pub(crate) struct Beginning {
    pub(crate) tls: Option<Arc<ClientTls>>,
    pub(crate) proxy: Option<ProxyVersion>,
}

impl Beginning {
    /// Whether connections that began with the `other` are as good as ours.
    pub(super) fn is_like(&self, other: &Beginning) -> bool {
        let secured = match (&self.tls, &other.tls) {
            (None, None) => true,
            (Some(ours), Some(others)) => ours.is_like(others),
            _ => false,
        };
        secured && self.proxy == other.proxy
    }
}

/// For whom, and under what bounds, a connection is made.
pub(crate) struct Need<'n, N: Network> {
    pub(crate) network: &'n N,
    pub(crate) gate: &'n Gate,
    pub(crate) aborting: &'n Cell<bool>,
    /// The client and the address that it came to, for a service that wants to know; none if there are none.
    pub(crate) client: Option<(SocketAddr, SocketAddr)>,
}

/// Why there is no connection.
enum Refusal {
    Io(io::Error),
    TimedOut(Duration),
    Secure(Failed),
}

impl<T: Transport> Endpoint<T> {
    /// Makes a new connection. An endpoint that refuses, or does not answer in time, is passed over for a second. `tell`
    /// is told when that begins and when it is over, at most every ten seconds.
    pub(crate) async fn connect<N: Network<Stream = T>>(
        &self,
        cluster: &Cluster<T>,
        need: &Need<'_, N>,
        tell: impl FnOnce(String),
    ) -> Result<Connected<T>, Fault> {
        let made = match self.open(cluster.connect_timeout, need).await {
            Ok(io) => self.begin(io, cluster, need).await,
            Err(refusal) => Err(refusal),
        };
        let (count, fault) = match &made {
            Ok(_) => (&self.series.created, Fault::Internal),
            Err(Refusal::Io(_)) => (&self.series.refused, Fault::Connect),
            Err(Refusal::TimedOut(_)) | Err(Refusal::Secure(Failed::TimedOut)) => {
                (&self.series.timed_out, Fault::ConnectTimeout)
            }
            Err(Refusal::Secure(_)) => (&self.series.insecure, Fault::UpstreamTls),
        };
        count.add_one();
        let refusal = match made {
            Ok(io) => {
                self.report(false, || "takes connections again".into(), tell);
                return Ok(Connected { io, reused: false });
            }
            Err(refusal) => refusal,
        };
        self.skip_until(clock::now().after(SKIP_AFTER_REFUSAL));
        let words = || match &refusal {
            Refusal::Io(error) => format!("can't be connected to: {error}"),
            Refusal::TimedOut(timeout) => format!("did not take a connection within {timeout:?}"),
            Refusal::Secure(failed) => format!("can't be connected to over TLS: {failed}"),
        };
        self.report(true, words, tell);
        Err(fault)
    }

    async fn open<N: Network<Stream = T>>(&self, timeout: Duration, need: &Need<'_, N>) -> Result<T, Refusal> {
        let timer = Timer::new();
        timer.set_after(timeout);
        let mut connecting = pin!(need.network.connect(&self.address));
        poll_fn(|cx| match connecting.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(result.map_err(Refusal::Io)),
            Poll::Pending => timer.poll(cx).map(|()| Err(Refusal::TimedOut(timeout))),
        })
        .await
    }

    /// What comes before the first request.
    async fn begin<N: Network<Stream = T>>(
        &self,
        io: T,
        cluster: &Cluster<T>,
        need: &Need<'_, N>,
    ) -> Result<Link<T>, Refusal> {
        let mut link = Link::clear(io);
        let Beginning { tls, proxy } = &cluster.begin;
        if tls.is_none() && proxy.is_none() {
            return Ok(link);
        }
        let timer = Timer::new();
        timer.set_after(cluster.connect_timeout);
        let never = Cell::new(false);
        let bounds =
            Bounds { timer: &timer, draining: &never, aborting: need.aborting, heard: Cell::new(true), place: None };
        if let Some(version) = proxy {
            let mut header = Vec::new();
            let told =
                need.client.map_or(Header::Unknown, |(source, destination)| Header::Proxied { source, destination });
            match version {
                ProxyVersion::V1 => proxyproto::write_v1(&mut header, told),
                ProxyVersion::V2 => proxyproto::write_v2(&mut header, told),
            }
            let mut buf = Buf::with_room_for(header.len());
            buf.append(&header);
            bounds.send(link.bare(), buf).await.map_err(|failed| match failed {
                Failed::Io(error) => Refusal::Io(error),
                failed => Refusal::Secure(failed),
            })?;
        }
        if let Some(tls) = tls {
            let Some(name) = tls.name_for(&self.configured) else {
                return Err(Refusal::Io(io::Error::other("it has no name that a certificate could be for")));
            };
            let handshake =
                Handshake::client(tls.config(), name).map_err(|error| Refusal::Secure(Failed::Tls(error)))?;
            let shaken = shake(link.bare(), handshake, None, need.gate, &bounds).await.map_err(Refusal::Secure)?;
            link.secure(shaken.into_layer(Rc::new(Security::default())));
        }
        Ok(link)
    }
}
