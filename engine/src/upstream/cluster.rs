//! One shard's state of one service: its endpoints, whose turn it is, and their pools.

use super::balance::RoundRobin;
use super::pool::Pool;
use crate::model::Fault;
use crate::series::EndpointSeries;
use ringgate_config::{EndpointAddress, Upstream};
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::timer::Timer;
use ringgate_rt::{Address, Network, Transport};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// How long an endpoint that refused a connection is passed over.
pub(crate) const SKIP_AFTER_REFUSAL: Duration = Duration::from_secs(1);

/// How often it is said of an endpoint that it is down, or up again.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// A service, as one shard sees it.
pub(crate) struct Cluster<T> {
    pub(crate) name: String,
    pub(crate) connect_timeout: Duration,
    endpoints: Vec<Rc<Endpoint<T>>>,
    balance: RefCell<RoundRobin>,
}

/// One endpoint, as one shard sees it.
pub(crate) struct Endpoint<T> {
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
    pool: RefCell<Pool<T>>,
}

/// A connection to an endpoint, ready for a request.
pub(crate) struct Connected<T> {
    pub(crate) io: T,
    /// It has carried an exchange before: the service may have closed it without our having seen that.
    pub(crate) reused: bool,
}

impl<T: Transport> Cluster<T> {
    /// The service, with the endpoints that it had `before` as they are: their connections, and what is known of them.
    /// `series` are those of its endpoints.
    pub(crate) fn new(upstream: &Upstream, before: Option<&Cluster<T>>, series: &[Arc<EndpointSeries>]) -> Cluster<T> {
        let known = |address: &Address| {
            let endpoints = before.map(|before| &before.endpoints);
            endpoints.and_then(|all| all.iter().find(|known| known.address == *address)).cloned()
        };
        let endpoint = |(at, endpoint): (usize, &ringgate_config::Endpoint)| {
            let target = target(&endpoint.address);
            let series = series.get(at).cloned().unwrap_or_default();
            known(&target).unwrap_or_else(|| Rc::new(Endpoint::new(target, endpoint.address.to_string(), series)))
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
            endpoints,
            balance: RefCell::new(balance),
        }
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
    fn new(address: Address, label: String, series: Arc<EndpointSeries>) -> Endpoint<T> {
        // One of the same name may have been here before, and taken out.
        series.drain(false);
        Endpoint {
            label,
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
    fn in_pool<R>(&self, work: impl FnOnce(&mut Pool<T>) -> R) -> R {
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
    pub(crate) fn keep(&self, io: T) {
        if !self.drained.get() {
            self.in_pool(|pool| pool.put(io));
        }
    }

    /// Makes a new connection. An endpoint that refuses, or does not answer in time, is passed over for a second. `tell`
    /// is told when that begins and when it is over, at most every ten seconds.
    pub(crate) async fn connect<N: Network<Stream = T>>(
        &self,
        network: &N,
        timeout: Duration,
        tell: impl FnOnce(String),
    ) -> Result<Connected<T>, Fault> {
        let timer = Timer::new();
        timer.set_after(timeout);
        let mut connecting = pin!(network.connect(&self.address));
        let connected = poll_fn(|cx| match connecting.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => timer.poll(cx).map(|()| None),
        })
        .await;
        match &connected {
            Some(Ok(_)) => self.series.created.add_one(),
            Some(Err(_)) => self.series.refused.add_one(),
            None => self.series.timed_out.add_one(),
        }
        let why = match connected {
            Some(Ok(io)) => {
                self.report(false, || "takes connections again".into(), tell);
                return Ok(Connected { io, reused: false });
            }
            Some(Err(error)) => Some(error),
            None => None,
        };
        let until = clock::now().after(SKIP_AFTER_REFUSAL);
        self.skipped_until.set(until);
        self.series.skip_until(until);
        let words = || match &why {
            Some(error) => format!("can't be connected to: {error}"),
            None => format!("did not take a connection within {timeout:?}"),
        };
        self.report(true, words, tell);
        Err(if why.is_some() { Fault::Connect } else { Fault::ConnectTimeout })
    }

    fn report(&self, down: bool, words: impl FnOnce() -> String, tell: impl FnOnce(String)) {
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

impl<T> Drop for Endpoint<T> {
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
