//! One shard's state of one service: its endpoints, whose turn it is, and their pools.

use super::balance::RoundRobin;
use super::connect::Beginning;
use super::pool::Pool;
use crate::secure::{ClientTls, Link};
use crate::series::EndpointSeries;
use ringgate_config::{EndpointAddress, Upstream};
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::{Address, Transport};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// How long an endpoint that refused a connection is passed over.
pub(crate) const SKIP_AFTER_REFUSAL: Duration = Duration::from_secs(1);

/// How often it is said of an endpoint that it is down, or up again.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// A service, as one shard sees it.
pub(crate) struct Cluster<T: Transport> {
    pub(crate) name: String,
    pub(crate) connect_timeout: Duration,
    /// What its connections begin with.
    pub(super) begin: Beginning,
    endpoints: Vec<Rc<Endpoint<T>>>,
    balance: RefCell<RoundRobin>,
}

/// One endpoint, as one shard sees it.
pub(crate) struct Endpoint<T: Transport> {
    /// As the configuration names it.
    pub(super) configured: EndpointAddress,
    pub(crate) address: Address,
    /// The address as the access log writes it.
    pub(crate) label: String,
    /// What is counted of it.
    pub(crate) series: Arc<EndpointSeries>,
    /// Connections in the pool, as they are counted there.
    idle: Cell<usize>,
    skipped_until: Cell<Moment>,
    /// The last connection that was asked for failed, and whoever runs this was told.
    told_down: Cell<bool>,
    /// When that, or the contrary, was said last.
    told_at: Cell<Option<Moment>>,
    /// An operator has taken it out: it gets no new requests.
    drained: Cell<bool>,
    pool: RefCell<Pool<Link<T>>>,
}

/// A connection to an endpoint, ready for a request.
pub(crate) struct Connected<T: Transport> {
    pub(crate) io: Link<T>,
    /// It has carried an exchange before: the service may have closed it without our having seen that.
    pub(crate) reused: bool,
}

impl<T: Transport> Cluster<T> {
    /// The service, with the endpoints that it had `before` as they are: their connections, and what is known of them.
    /// `series` are those of its endpoints.
    pub(crate) fn new(
        upstream: &Upstream,
        tls: Option<Arc<ClientTls>>,
        before: Option<&Cluster<T>>,
        series: &[Arc<EndpointSeries>],
    ) -> Cluster<T> {
        let begin = Beginning { tls, proxy: upstream.proxy_protocol };
        let known = |address: &Address| {
            let endpoints = before.map(|before| &before.endpoints);
            endpoints.and_then(|all| all.iter().find(|known| known.address == *address)).cloned()
        };
        // Connections that began otherwise are none of its own: also those that come back when their exchanges are over.
        let goes_on = before.is_some_and(|before| before.begin.is_like(&begin));
        let endpoint = |(at, endpoint): (usize, &ringgate_config::Endpoint)| {
            let target = target(&endpoint.address);
            let series = series.get(at).cloned().unwrap_or_default();
            match known(&target) {
                Some(known) if goes_on => known,
                known => {
                    let fresh = Endpoint::new(target, endpoint.address.clone(), series);
                    fresh.drain(known.is_some_and(|known| known.drained.get()));
                    Rc::new(fresh)
                }
            }
        };
        let endpoints: Vec<Rc<Endpoint<T>>> = upstream.endpoints.iter().enumerate().map(endpoint).collect();
        let mut balance = RoundRobin::new(upstream.endpoints.iter().map(|e| e.weight));
        let same = |before: &&Cluster<T>| {
            let mut pairs = before.endpoints.iter().zip(&endpoints);
            before.endpoints.len() == endpoints.len() && pairs.all(|(a, b)| Rc::ptr_eq(a, b))
        };
        if let Some(before) = before.filter(same) {
            balance.resume(&before.balance.borrow());
        }
        Cluster {
            name: upstream.name.clone(),
            connect_timeout: upstream.connect_timeout,
            begin,
            endpoints,
            balance: RefCell::new(balance),
        }
    }

    /// Whether its connections begin with where the client comes from.
    pub(crate) fn tells_clients(&self) -> bool {
        self.begin.proxy.is_some()
    }

    /// Takes an endpoint out, or back in. False if there is none with this label.
    pub(crate) fn drain_endpoint(&self, label: &str, drained: bool) -> bool {
        let found = self.endpoints.iter().find(|endpoint| endpoint.label == label);
        found.inspect(|endpoint| endpoint.drain(drained)).is_some()
    }

    /// The endpoint whose turn it is, those left out that were `tried` already or have just refused a connection. If
    /// all have refused, the turn goes among all that were not tried: a service that is back must not wait for us.
    pub(crate) fn next(&self, tried: &[Rc<Endpoint<T>>]) -> Option<Rc<Endpoint<T>>> {
        let now = clock::now();
        let mut balance = self.balance.borrow_mut();
        let fresh = |at: usize| {
            let endpoint = &self.endpoints[at];
            !endpoint.drained.get() && !tried.iter().any(|t| Rc::ptr_eq(t, endpoint))
        };
        let chosen = balance
            .next(|at| fresh(at) && self.endpoints[at].skipped_until.get() <= now)
            .or_else(|| balance.next(fresh));
        chosen.map(|at| self.endpoints[at].clone())
    }

    /// Takes care of the connections that wait. Returns whether there are any.
    pub(crate) fn sweep(&self, now: Moment) -> bool {
        self.endpoints.iter().fold(false, |any, endpoint| endpoint.in_pool(|pool| pool.sweep(now)) | any)
    }

    /// Closes every connection that waits.
    pub(crate) fn close_idle(&self) {
        self.endpoints.iter().for_each(|endpoint| endpoint.in_pool(Pool::clear));
    }
}

impl<T: Transport> Endpoint<T> {
    fn new(address: Address, configured: EndpointAddress, series: Arc<EndpointSeries>) -> Endpoint<T> {
        Endpoint {
            label: configured.to_string(),
            configured,
            address,
            series,
            idle: Cell::new(0),
            skipped_until: Cell::new(Moment(0)),
            told_down: Cell::new(false),
            told_at: Cell::new(None),
            drained: Cell::new(false),
            pool: RefCell::new(Pool::new()),
        }
    }

    fn drain(&self, drained: bool) {
        self.drained.set(drained);
        self.series.drain(drained);
        if drained {
            self.in_pool(Pool::clear);
        }
    }

    /// Does something with the pool, and counts what is in it then.
    fn in_pool<R>(&self, work: impl FnOnce(&mut Pool<Link<T>>) -> R) -> R {
        let (result, idle) = {
            let mut pool = self.pool.borrow_mut();
            (work(&mut pool), pool.len())
        };
        self.count_idle(idle);
        result
    }

    /// By difference: an endpoint that is removed and one of the same name that is back share their series.
    fn count_idle(&self, idle: usize) {
        let before = self.idle.replace(idle);
        self.series.idle.set((self.series.idle.get() + idle as u64).saturating_sub(before as u64));
    }

    /// A connection that waits in the pool.
    pub(crate) fn pooled(&self) -> Option<Connected<T>> {
        let io = self.in_pool(Pool::take)?;
        self.series.reused.add_one();
        Some(Connected { io, reused: true })
    }

    /// Keeps a connection for the next request.
    pub(crate) fn keep(&self, io: Link<T>) {
        if !self.drained.get() {
            self.in_pool(|pool| pool.put(io));
        }
    }

    /// It is passed over until then.
    pub(super) fn skip_until(&self, until: Moment) {
        self.skipped_until.set(until);
        self.series.skip_until(until);
    }

    /// Tells that it is down, or up again.
    pub(super) fn report(&self, down: bool, words: impl FnOnce() -> String, tell: impl FnOnce(String)) {
        if self.told_down.get() == down {
            return;
        }
        let now = clock::now();
        if self.told_at.get().is_none_or(|at| now.since(at) >= TOLD_EVERY) {
            self.told_down.set(down);
            self.told_at.set(Some(now));
            tell(format!("endpoint {} {}", self.label, words()));
        }
    }
}

impl<T: Transport> Drop for Endpoint<T> {
    fn drop(&mut self) {
        self.series.idle.set(self.series.idle.get().saturating_sub(self.idle.get() as u64));
    }
}

fn target(address: &EndpointAddress) -> Address {
    match address {
        EndpointAddress::Tcp(at) => Address::Tcp(*at),
        EndpointAddress::Unix(path) => Address::Unix(path.clone()),
    }
}
