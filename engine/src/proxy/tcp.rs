//! Connections that are no HTTP, or that nobody looks into: bytes to a service and back.

use super::connection::Arrival;
use super::h1::view;
use super::headers::IpText;
use super::reach::Reach;
use super::record::Record;
use super::shard::Shard;
use super::tunnel::{Carried, TunnelBounds, tunnel};
use crate::model::{Fault, Secured};
use crate::secure::Link;
use crate::upstream::Endpoint;
use ringgate_protocols::h1::RequestHead;
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::timer::Timer;
use ringgate_rt::{Network, Transport};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Where plain bytes go.
#[derive(Clone, Debug)]
pub(crate) struct To {
    /// The service's name.
    pub(crate) upstream: Arc<str>,
    /// How long a connection may be silent in both directions.
    pub(crate) idle_timeout: Duration,
}

/// What the life of a listener's connections is known by, beside those of routes, whose names have no space.
fn life_name(listener: &str) -> String {
    format!("{LIFE}{listener}")
}

/// The listener that a life is named after, if it is one's.
pub(super) fn listener_of(life: &str) -> Option<&str> {
    life.strip_prefix(LIFE)
}

const LIFE: &str = "listener ";

/// Joins a client's connection with one to the service, until both have ended.
pub(super) async fn forward<N: Network>(
    shard: &Rc<Shard<N>>,
    client: &mut Link<N::Stream>,
    timer: &Timer,
    arrival: &Arrival,
    to: &To,
    name: Option<String>,
) {
    let started = clock::now();
    let series = arrival.entrance.series();
    let mut endpoint = None;
    let outcome = carry(shard, client, timer, arrival, to, &mut endpoint).await;
    let (carried, fault) = match outcome {
        Ok(carried) => {
            let fault = carried.cut_off.then_some(Fault::RouteRemoved);
            (carried, fault)
        }
        Err(fault) => {
            // The client must not take this for the service's own end.
            client.reset_on_close();
            (Carried::default(), Some(fault))
        }
    };
    if let Some(fault) = fault {
        shard.series.fault(fault);
    }
    series.tcp.end(fault.is_some(), carried.from_client, carried.from_service);
    let record = Ended { to, name, endpoint, carried, fault, started };
    record.log(shard, arrival, client.security().map(|security| &security.info));
}

async fn carry<N: Network>(
    shard: &Rc<Shard<N>>,
    client: &mut Link<N::Stream>,
    timer: &Timer,
    arrival: &Arrival,
    to: &To,
    used: &mut Option<Rc<Endpoint<N::Stream>>>,
) -> Result<Carried, Fault> {
    let cluster = shard.current().cluster(&to.upstream).ok_or(Fault::NoEndpoint)?;
    let told = if cluster.tells_clients() { arrival.addresses(&*client) } else { None };
    // Each of these connections is one client's from its first byte to its last.
    let reach = Reach { shard, cluster: &cluster, timer, client: told, pooled: false };
    let (endpoint, connected) = reach.connect(None, || client.peer_left()).await?;
    *used = Some(endpoint.clone());
    let mut service = connected.io;
    let _active = crate::series::Active::new(&endpoint.series.active);
    let life = shard.lives.of(&life_name(&arrival.entrance.name()));
    let bounds = TunnelBounds { timer, aborting: &shard.aborting, life: &life, idle: to.idle_timeout };
    Ok(tunnel(client, &mut service, (None, None), &bounds).await)
}

/// A connection that is over.
struct Ended<'e, N: Network> {
    to: &'e To,
    name: Option<String>,
    endpoint: Option<Rc<Endpoint<N::Stream>>>,
    carried: Carried,
    fault: Option<Fault>,
    started: Moment,
}

impl<N: Network> Ended<'_, N> {
    fn log(&self, shard: &Shard<N>, arrival: &Arrival, secured: Option<&Secured>) {
        let current = shard.current();
        let Some(plan) = &current.snapshot.access_log else { return };
        let none = RequestHead::new();
        let (client, listener) = (arrival.peer.map(IpText::new), arrival.entrance.name());
        let record = Record {
            unix_micros: shard.wall().unix_micros(self.started),
            request_id: &shard.ids.next(),
            client: client.as_ref().map(IpText::bytes),
            listener: &listener,
            protocol: "TCP",
            method: b"",
            host: self.name.as_deref().unwrap_or("").as_bytes(),
            target: b"",
            route: None,
            upstream: Some(&self.to.upstream),
            endpoint: self.endpoint.as_ref().map(|endpoint| endpoint.label.as_str()),
            status: 0,
            bytes_in: self.carried.from_client,
            bytes_out: self.carried.from_service,
            duration: clock::read().since(self.started).as_micros() as u64,
            upstream_time: None,
            fault: self.fault,
            server_name: self.name.as_deref(),
            secured,
        };
        current.log.line(|out| record.write(plan, &view::request(&none, b""), out));
    }
}
