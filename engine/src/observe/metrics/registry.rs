//! Which series there are: for each name and shard one, found again by name at every reload.
//!
//! Used at the start, at reloads and when metrics are asked for; never on the way of a request.

use super::certificates::Certificates;
use crate::observe::LogCounts;
use crate::series::{EndpointSeries, ListenerSeries, RouteSeries, ShardSeries};
use ringgate_config::Config;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Routes of one configuration with series of their own; those beyond share the series [`OTHER`].
pub(super) const ROUTES_MAX: usize = 1000;
/// Endpoints of one configuration with series of their own.
pub(super) const ENDPOINTS_MAX: usize = 1000;
/// Listeners of one configuration with series of their own.
pub(super) const LISTENERS_MAX: usize = 100;
/// How long the series of a name that is gone are still shown, so that their last values are seen; from then on that no
/// snapshot refers to them.
pub(super) const RETIRED_FOR: Duration = Duration::from_secs(300);
/// The label of what is beyond these bounds. A route of this name shares it.
pub(super) const OTHER: &str = "other";

/// The metrics of a process.
pub(crate) struct Registry {
    names: Mutex<Names>,
    shards: Vec<Arc<ShardSeries>>,
    log: Arc<LogCounts>,
    pub(super) reloads: Reloads,
    pub(super) certificates: Certificates,
    pub(super) connections_max: AtomicU64,
    pub(super) started_micros: u64,
}

/// The series of one configuration on one shard, in the order of its parts.
pub(crate) struct SeriesSet {
    /// By the index of a route.
    pub(crate) routes: List<RouteSeries>,
    /// By the index of an upstream, and of an endpoint of it.
    pub(crate) endpoints: Vec<Vec<Arc<EndpointSeries>>>,
    /// By the index of a listener.
    pub(crate) listeners: List<ListenerSeries>,
}

/// Series by index: the first have their own, all others share one.
pub(crate) struct List<S> {
    own: Vec<Arc<S>>,
    other: Arc<S>,
}

// Not derived: the series themselves can't be copied, and need not be.
impl<S> Clone for List<S> {
    fn clone(&self) -> List<S> {
        List { own: self.own.clone(), other: self.other.clone() }
    }
}

impl<S> List<S> {
    /// The series with this index.
    pub(crate) fn get(&self, index: usize) -> &Arc<S> {
        self.own.get(index).unwrap_or(&self.other)
    }
}

/// An upstream and one of its endpoints.
pub(super) type EndpointName = (String, String);

pub(super) struct Names {
    pub(super) routes: Family<String, RouteSeries>,
    pub(super) endpoints: Family<EndpointName, EndpointSeries>,
    pub(super) listeners: Family<String, ListenerSeries>,
}

impl Registry {
    /// The metrics of a process with so many shards, whose first configuration has just been loaded.
    pub(crate) fn new(shards: usize) -> Arc<Registry> {
        let other = || (OTHER.to_owned(), OTHER.to_owned());
        Arc::new(Registry {
            names: Mutex::new(Names {
                routes: Family::new(shards, ROUTES_MAX, OTHER.to_owned()),
                endpoints: Family::new(shards, ENDPOINTS_MAX, other()),
                listeners: Family::new(shards, LISTENERS_MAX, OTHER.to_owned()),
            }),
            shards: (0..shards).map(|index| Arc::new(ShardSeries::new(index))).collect(),
            log: Arc::default(),
            reloads: Reloads::new(),
            certificates: Certificates::default(),
            connections_max: AtomicU64::new(0),
            started_micros: unix_micros(),
        })
    }

    /// The series of a shard as a whole.
    ///
    /// # Panics
    /// If there is no shard with this index.
    pub(crate) fn shard(&self, index: usize) -> Arc<ShardSeries> {
        self.shards[index].clone()
    }

    pub(super) fn shards(&self) -> &[Arc<ShardSeries>] {
        &self.shards
    }

    /// What becomes of access-log lines: for every writer of the process.
    pub(crate) fn log(&self) -> &Arc<LogCounts> {
        &self.log
    }

    /// The series of a configuration, a set for each shard. Names that were there before get their old ones.
    pub(crate) fn assign(&self, config: &Config) -> Vec<SeriesSet> {
        self.connections_max.store(config.limits.connections as u64, Ordering::Relaxed);
        let routes = config.routes.iter().map(|route| route.name.clone());
        let listeners = config.listeners.iter().map(|listener| listener.name.clone());
        let all_endpoints = config.upstreams.iter().map(|upstream| {
            let own = upstream.endpoints.iter();
            own.map(|endpoint| (upstream.name.clone(), endpoint.address.to_string())).collect::<Vec<_>>()
        });
        let mut names = self.names();
        let now = Instant::now();
        let routes = names.routes.assign(routes, now);
        let listeners = names.listeners.assign(listeners, now);
        let per_upstream: Vec<Vec<EndpointName>> = all_endpoints.collect();
        let endpoints = names.endpoints.assign(per_upstream.iter().flatten().cloned(), now);
        let sets = routes.into_iter().zip(listeners).zip(endpoints);
        sets.map(|((routes, listeners), endpoints)| {
            let mut next = 0..;
            let of = |own: &Vec<EndpointName>| {
                next.by_ref().take(own.len()).map(|at| endpoints.get(at).clone()).collect::<Vec<_>>()
            };
            SeriesSet { routes, endpoints: per_upstream.iter().map(of).collect(), listeners }
        })
        .collect()
    }

    /// A reload has ended, well or not, and took so long.
    pub(crate) fn reloaded(&self, good: bool, took: Duration) {
        let reloads = &self.reloads;
        reloads.last_good.store(good, Ordering::Relaxed);
        reloads.last_micros.store(took.as_micros() as u64, Ordering::Relaxed);
        if good {
            reloads.good.fetch_add(1, Ordering::Relaxed);
            reloads.generation.fetch_add(1, Ordering::Relaxed);
            reloads.good_at_micros.store(unix_micros(), Ordering::Relaxed);
        } else {
            reloads.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The configuration in force: 1 is the one that the process started with.
    pub(crate) fn generation(&self) -> u64 {
        self.reloads.generation.load(Ordering::Relaxed)
    }

    pub(super) fn names(&self) -> MutexGuard<'_, Names> {
        // Whoever panicked inside left nothing half-done that matters to a count.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What reloads have come to.
pub(super) struct Reloads {
    pub(super) good: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) generation: AtomicU64,
    pub(super) last_good: AtomicBool,
    pub(super) last_micros: AtomicU64,
    pub(super) good_at_micros: AtomicU64,
}

impl Reloads {
    fn new() -> Reloads {
        Reloads {
            good: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            generation: AtomicU64::new(1),
            last_good: AtomicBool::new(true),
            last_micros: AtomicU64::new(0),
            good_at_micros: AtomicU64::new(unix_micros()),
        }
    }
}

fn unix_micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64
}

/// The series of one kind, by name.
pub(super) struct Family<K, S> {
    shards: usize,
    max: usize,
    entries: BTreeMap<K, Entry<S>>,
    other: (K, Vec<Arc<S>>),
    /// A name has shared that series.
    shared: bool,
    /// Names of the last configuration that share the series of [`OTHER`].
    overflowed: usize,
}

struct Entry<S> {
    /// One for each shard.
    series: Vec<Arc<S>>,
    /// The last configuration has the name.
    current: bool,
    /// Since when nothing refers to it.
    unused_since: Option<Instant>,
}

impl<K: Ord + Clone, S: Default> Family<K, S> {
    pub(super) fn new(shards: usize, max: usize, other: K) -> Family<K, S> {
        let series = (0..shards).map(|_| Arc::default()).collect();
        Family { shards, max, entries: BTreeMap::new(), other: (other, series), shared: false, overflowed: 0 }
    }

    /// The series of these names, a list for each shard. The first `max` of them have their own.
    pub(super) fn assign(&mut self, mut names: impl Iterator<Item = K>, now: Instant) -> Vec<List<S>> {
        self.entries.values_mut().for_each(|entry| entry.current = false);
        let other = self.other.1.iter().cloned();
        let mut all: Vec<List<S>> = other.map(|other| List { own: Vec::new(), other }).collect();
        for name in names.by_ref().take(self.max) {
            let series = if name == self.other.0 {
                self.shared = true;
                &self.other.1
            } else {
                let fresh = || Entry {
                    series: (0..self.shards).map(|_| Arc::default()).collect(),
                    current: true,
                    unused_since: None,
                };
                let entry = self.entries.entry(name).or_insert_with(fresh);
                entry.current = true;
                &entry.series
            };
            all.iter_mut().zip(series).for_each(|(list, series)| list.own.push(series.clone()));
        }
        self.overflowed = names.count();
        self.shared |= self.overflowed > 0;
        self.retire(now);
        all
    }

    /// Lets go of the names that are gone, that nothing has referred to for a while. When more are waiting than one
    /// configuration may have, at once.
    pub(super) fn retire(&mut self, now: Instant) {
        for entry in self.entries.values_mut() {
            let used = entry.current || entry.series.iter().any(|series| Arc::strong_count(series) > 1);
            match used {
                true => entry.unused_since = None,
                false => {
                    entry.unused_since.get_or_insert(now);
                }
            }
        }
        let full = self.entries.len() > 2 * self.max;
        let over = |since: Instant| full || now.duration_since(since) >= RETIRED_FOR;
        self.entries.retain(|_, entry| !entry.unused_since.is_some_and(over));
    }

    /// Every name with its series, those of [`OTHER`] if they were ever needed.
    pub(super) fn all(&self) -> Vec<(K, Vec<Arc<S>>)> {
        let named = self.entries.iter().map(|(name, entry)| (name.clone(), entry.series.clone()));
        let other = (self.other.0.clone(), self.other.1.clone());
        named.chain(self.shared.then_some(other)).collect()
    }

    pub(super) fn overflowed(&self) -> usize {
        self.overflowed
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    #[cfg(test)]
    pub(super) fn has(&self, name: &K) -> bool {
        self.entries.contains_key(name)
    }
}
