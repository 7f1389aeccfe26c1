//! What one shard owns and every exchange on it uses.

use super::accept::Permits;
use super::exchange::Work;
use super::h1::DownParts;
use super::request_id::RequestIds;
use super::snapshot::Snapshot;
use crate::observe::LogBatch;
use crate::upstream::Cluster;
use ringgate_protocols::wire::date;
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::timer::sleep;
use ringgate_rt::{Network, task};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often connections to services that wait are looked at, while there are any.
const SWEEP_EVERY: Duration = Duration::from_millis(250);

/// Free kits that a shard keeps.
const KITS_MAX: usize = 256;

/// A shard.
pub(crate) struct Shard<N: Network> {
    pub(crate) network: N,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) clusters: Vec<Rc<Cluster<N::Stream>>>,
    pub(crate) permits: Permits,
    pub(crate) ids: RequestIds,
    pub(crate) log: LogBatch,
    /// No new requests: connections are closed as they become idle.
    pub(crate) draining: Cell<bool>,
    /// The deadline has passed: whatever still runs is ended.
    pub(crate) aborting: Cell<bool>,
    /// Client connections on this shard.
    pub(crate) connections: Cell<usize>,
    sweeping: Cell<bool>,
    wall: Wall,
    #[expect(clippy::vec_box, reason = "lent by moving its box, not the kilobyte in it")]
    kits: RefCell<Vec<Box<Kit>>>,
    kits_lent: Cell<usize>,
}

/// What a busy connection works with besides buffers.
pub(crate) struct Kit {
    pub(crate) down: DownParts,
    pub(crate) work: Work,
}

/// A kit on loan.
pub(crate) struct KitOnLoan<'s, N: Network> {
    shard: &'s Shard<N>,
    kit: Option<Box<Kit>>,
}

impl<N: Network> KitOnLoan<'_, N> {
    pub(crate) fn get(&mut self) -> &mut Kit {
        self.kit.get_or_insert_with(Kit::new)
    }
}

impl<N: Network> Drop for KitOnLoan<'_, N> {
    fn drop(&mut self) {
        self.shard.kits_lent.set(self.shard.kits_lent.get() - 1);
        let mut kits = self.shard.kits.borrow_mut();
        if kits.len() < KITS_MAX {
            kits.extend(self.kit.take());
        }
    }
}

impl Kit {
    fn new() -> Box<Kit> {
        Box::new(Kit { down: DownParts::new(), work: Work::new() })
    }
}

impl<N: Network> Shard<N> {
    pub(crate) fn new(network: N, snapshot: Arc<Snapshot>, permits: Permits, log: LogBatch) -> Rc<Shard<N>> {
        Rc::new(Shard {
            network,
            clusters: snapshot.upstreams.iter().map(|upstream| Rc::new(Cluster::new(upstream))).collect(),
            snapshot,
            permits,
            ids: RequestIds::new(),
            log,
            draining: Cell::new(false),
            aborting: Cell::new(false),
            connections: Cell::new(0),
            sweeping: Cell::new(false),
            wall: Wall::new(),
            kits: RefCell::new(Vec::new()),
            kits_lent: Cell::new(0),
        })
    }

    /// A kit for a connection that has become busy.
    pub(crate) fn kit(&self) -> KitOnLoan<'_, N> {
        self.kits_lent.set(self.kits_lent.get() + 1);
        KitOnLoan { shard: self, kit: self.kits.borrow_mut().pop() }
    }

    /// Whether so many connections are busy that one more should not be before its bytes have come.
    pub(crate) fn is_crowded(&self) -> bool {
        self.kits_lent.get() >= KITS_MAX
    }

    /// The time of day.
    pub(crate) fn wall(&self) -> &Wall {
        &self.wall
    }

    /// Begins to stop: connections are closed as they become idle.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
        self.clusters.iter().for_each(|cluster| cluster.close_idle());
        ringgate_rt::timer::wake_all();
    }

    /// Ends whatever still runs.
    pub(crate) fn abort(&self) {
        self.aborting.set(true);
        self.drain();
    }

    /// Looks after connections to services that wait, for as long as there are any.
    pub(crate) fn sweep_from_now_on(self: &Rc<Self>) {
        if self.sweeping.replace(true) {
            return;
        }
        let shard = self.clone();
        task::spawn(async move {
            loop {
                sleep(SWEEP_EVERY).await;
                let now = clock::now();
                let waiting = shard.clusters.iter().fold(false, |any, cluster| cluster.sweep(now) | any);
                if !waiting || shard.draining.get() {
                    shard.clusters.iter().filter(|_| shard.draining.get()).for_each(|cluster| cluster.close_idle());
                    shard.sweeping.set(false);
                    return;
                }
            }
        });
    }
}

/// The time of day, derived from the shard's clock, with the HTTP date of the current second kept.
pub(crate) struct Wall {
    /// Microseconds from the Unix epoch to the clock's zero.
    zero: u64,
    second: Cell<u64>,
    date: Cell<[u8; 29]>,
}

impl Wall {
    fn new() -> Wall {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64;
        Wall { zero: since_epoch.saturating_sub(clock::read().0), second: Cell::new(0), date: Cell::new([0; 29]) }
    }

    /// Microseconds since the Unix epoch at this moment.
    pub(crate) fn unix_micros(&self, at: Moment) -> u64 {
        self.zero + at.0
    }

    /// The date of now, as HTTP writes it.
    pub(crate) fn http_date(&self) -> [u8; 29] {
        let second = self.unix_micros(clock::now()) / 1_000_000;
        if self.second.replace(second) != second {
            let mut date = [0; 29];
            date::imf_fixdate(second, &mut date);
            self.date.set(date);
        }
        self.date.get()
    }
}
