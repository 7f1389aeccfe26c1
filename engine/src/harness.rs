//! The pipeline over connections in memory, run by hand: what benches and tests drive that count instructions or
//! allocations. It is the real pipeline; only the sockets and the ring are not there.

use crate::observe::{LogBatch, LogHandle, LogWriter, Output, Registry};
use crate::proxy::{Permits, Readiness, Shard, Snapshot, adopt, view};
use crate::route::{Matched, RouteTable};
use ringgate_config::Config;
use ringgate_protocols::h1::{self, HeadLimits};
use ringgate_rt::by_hand::ByHand;
use ringgate_rt::memory::{self, End};
use ringgate_rt::{Address, Network};
use std::cell::RefCell;
use std::future::{Future, ready};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;

/// A service: it sees what has come on a connection and has not been dealt with, appends its answer, and returns how
/// many bytes it has dealt with. None: it waits for more.
pub type Service = Box<dyn FnMut(&[u8], &mut Vec<u8>) -> usize>;

/// A shard's pipeline with one client's connection, in front of one scripted service.
pub struct Harness {
    by_hand: ByHand,
    client: End,
    services: Rc<Services>,
    shard: Rc<Shard<InMemory>>,
    service: Service,
    answer: Vec<u8>,
    registry: Arc<Registry>,
    /// Writes for as long as the shard, which tasks hold too, has lines.
    _log: Option<LogWriter>,
}

/// The services' ends of the connections that were made.
type Services = RefCell<Vec<ServiceEnd>>;

struct ServiceEnd {
    end: End,
    received: Vec<u8>,
}

/// A network in which every address is the one service.
struct InMemory(Rc<Services>);

impl Network for InMemory {
    type Stream = End;

    fn connect(&self, _: &Address) -> impl Future<Output = io::Result<End>> {
        let (near, far) = memory::pair();
        self.0.borrow_mut().push(ServiceEnd { end: far, received: Vec::new() });
        ready(Ok(near))
    }
}

impl Harness {
    /// The gateway of this configuration; clients come in at its first listener. Access-log lines, if it wants any, are written and thrown away.
    ///
    /// # Errors
    /// A route that can't be compiled, or a system without threads.
    pub fn new(config: &Config, service: Service) -> io::Result<Harness> {
        let by_hand = ByHand::new();
        let registry = Registry::new(1);
        let mut snapshot = Snapshot::compile(config, None).map_err(io::Error::other)?;
        snapshot.count_in(registry.assign(config));
        let snapshot = Arc::new(snapshot);
        let log = match snapshot.access_log {
            Some(_) => Some(LogWriter::start(Output::Stream(Box::new(io::sink())), registry.log().clone(), |_| {})?),
            None => None,
        };
        let batch = log.as_ref().map(LogWriter::handle).map_or_else(LogBatch::off, LogHandle::batch);
        let services = Rc::default();
        let permits = Permits::new(config.limits.connections);
        let network = InMemory(Rc::clone(&services));
        let shard =
            Shard::new(network, snapshot, batch, permits, Readiness::default(), registry.shard(0), Box::new(drop));
        let client = connect(&shard)?;
        Ok(Harness { by_hand, client, services, shard, service, answer: Vec::new(), registry, _log: log })
    }

    /// Sends a request and hands what is answered to `sink`, a piece at a time. Returns the bytes of the answer. What
    /// the gateway or the service still have to do is done when it returns.
    pub fn exchange(&mut self, request: &[u8], mut sink: impl FnMut(&[u8])) -> usize {
        self.client.put(request);
        let mut bytes = 0;
        while self.by_hand.is_ready() {
            self.by_hand.turn();
            self.shard.gate.turn_over();
            self.serve();
            bytes += self.client.take(&mut sink);
        }
        bytes
    }

    /// Goes on with a fresh client's connection.
    ///
    /// # Errors
    /// If `limits.connections` is reached.
    pub fn reconnect(&mut self) -> io::Result<()> {
        self.client = connect(&self.shard)?;
        self.by_hand.turn();
        Ok(())
    }

    /// What was counted so far, as Prometheus is told it.
    pub fn metrics(&self) -> String {
        self.registry.exposition()
    }

    /// Connections that were made to the service.
    pub fn connections(&self) -> usize {
        self.services.borrow().len()
    }

    /// Lets the service look at whatever has come to it.
    fn serve(&mut self) {
        for ServiceEnd { end, received } in self.services.borrow_mut().iter_mut() {
            if end.take(|piece| received.extend_from_slice(piece)) == 0 {
                continue;
            }
            self.answer.clear();
            let done = (self.service)(received, &mut self.answer);
            received.drain(..done.min(received.len()));
            end.put(&self.answer);
        }
    }
}

/// A client's connection, accepted as one from a socket is.
fn connect(shard: &Rc<Shard<InMemory>>) -> io::Result<End> {
    let permit = shard.permits.take().ok_or_else(|| io::Error::other("limits.connections is reached"))?;
    let (near, far) = memory::pair();
    let plan = shard.current().snapshot.listeners.first().cloned().unwrap_or_default();
    let (entrance, _) = shard.entrance(0, "in memory", Arc::default(), plan);
    adopt(shard, far, Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))), &entrance, permit);
    Ok(near)
}

/// The route table alone.
pub struct Routes {
    table: RouteTable,
    head: h1::RequestHead,
}

impl Routes {
    /// The routes of this configuration.
    ///
    /// # Errors
    /// A regular expression that can't be compiled.
    pub fn new(config: &Config) -> io::Result<Routes> {
        let table = RouteTable::compile(config).map_err(io::Error::other)?;
        Ok(Routes { table, head: h1::RequestHead::new() })
    }

    /// Parses a head, which must be whole, for `find`. False if it is malformed.
    pub fn parse(&mut self, request: &[u8], limits: &HeadLimits) -> bool {
        self.head.parse(request, limits).is_ok()
    }

    /// The index of the route for the head that was parsed from these bytes.
    pub fn find(&self, request: &[u8]) -> Option<usize> {
        let found = self.table.find(&view::request(&self.head, request));
        match found {
            Ok(Matched::Route(index)) => Some(index),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
