//! What one shard owns and every exchange on it uses.

use super::accept::Permits;
use super::current::Current;
use super::entrance::{Entrance, EntranceId};
use super::exchange::Work;
use super::h1::DownParts;
use super::listener_plan::ListenerPlan;
use super::request_id::RequestIds;
use super::snapshot::{Common, Snapshot};
use super::tcp;
use super::tunnels::Lives;
use crate::observe::LogBatch;
use crate::secure::gate::Gate;
use crate::series::{ListenerSeries, ShardSeries};
use ringgate_protocols::wire::date;
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::timer::sleep;
use ringgate_rt::{Network, task};
use std::cell::{Cell, Ref, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(test)]
mod tests;

/// How often connections to services that wait are looked at, while there are any.
const SWEEP_EVERY: Duration = Duration::from_millis(250);

/// Free kits that a shard keeps.
const KITS_MAX: usize = 256;

const MICROS_A_SECOND: u64 = 1_000_000;

/// A shard.
pub(crate) struct Shard<N: Network> {
    pub(crate) network: N,
    /// Borrowed only between two awaits.
    current: RefCell<Rc<Current<N>>>,
    /// The listeners that there are, and no others.
    entrances: RefCell<Vec<Rc<Entrance>>>,
    /// Those that were removed, for connections of theirs that are still to be handed over.
    gone: RefCell<Vec<Rc<Entrance>>>,
    pub(crate) lives: Lives,
    /// What bounds the handshakes of clients and with services.
    pub(crate) gate: Gate,
    pub(crate) permits: Permits,
    pub(crate) readiness: Readiness,
    notes: Notes,
    pub(crate) ids: RequestIds,
    /// What is counted of the shard as a whole.
    pub(crate) series: Arc<ShardSeries>,
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

/// Whether the process asks for traffic: read by shards, said by the control thread.
#[derive(Clone, Default)]
pub(crate) struct Readiness(Arc<AtomicBool>);

impl Readiness {
    pub(crate) fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where a shard's words go to whoever runs the process. Must not wait.
pub(crate) type Notes = Box<dyn Fn(Note)>;

/// What a shard says to whoever runs the process.
pub(crate) enum Note {
    /// Something is probably not meant.
    Warning(String),
    /// Something happens that is no fault of anybody here.
    Fact(String),
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
    pub(crate) fn new(
        network: N,
        snapshot: Arc<Snapshot>,
        log: LogBatch,
        permits: Permits,
        readiness: Readiness,
        series: Arc<ShardSeries>,
        notes: Notes,
    ) -> Rc<Shard<N>> {
        series.show_runtime();
        Rc::new(Shard {
            network,
            current: RefCell::new(Rc::new(Current::new(snapshot, series.index, log, None))),
            entrances: RefCell::default(),
            gone: RefCell::default(),
            lives: Lives::default(),
            gate: Gate::default(),
            permits,
            readiness,
            notes,
            ids: RequestIds::new(),
            series,
            draining: Cell::new(false),
            aborting: Cell::new(false),
            connections: Cell::new(0),
            sweeping: Cell::new(false),
            wall: Wall::new(),
            kits: RefCell::new(Vec::new()),
            kits_lent: Cell::new(0),
        })
    }

    /// The snapshot of now. Not to be kept over an await.
    pub(crate) fn current(&self) -> Ref<'_, Rc<Current<N>>> {
        self.current.borrow()
    }

    /// Warns whoever runs this. Seldom: callers see to that.
    pub(crate) fn note(&self, what: String) {
        (self.notes)(Note::Warning(what));
    }

    /// Tells whoever runs this of something that others do. As seldom.
    pub(crate) fn mention(&self, what: String) {
        (self.notes)(Note::Fact(what));
    }

    /// What holds for every request that begins now.
    pub(crate) fn common(&self) -> Rc<Common> {
        self.current.borrow().common.clone()
    }

    /// Goes on with another snapshot, and another log if there is one. Exchanges that have begun are not touched.
    pub(crate) fn adopt(&self, snapshot: Arc<Snapshot>, log: Option<LogBatch>) {
        let before = self.current.borrow().clone();
        let log = log.unwrap_or_else(|| before.log.clone());
        let next = Rc::new(Current::new(snapshot, self.series.index, log, Some(&before)));
        let stays = |name: &str| match tcp::listener_of(name) {
            Some(listener) => next.snapshot.listener(listener).is_some_and(|plan| plan.forwards()),
            None => next.snapshot.route(name).is_some_and(|plan| plan.forwards()),
        };
        if self.lives.judge(stays, clock::now().after(next.common.drain)) {
            ringgate_rt::timer::wake_all();
        }
        self.current.replace(next);
    }

    /// The listener with this id, under this name now, and counted in these series. True if it is new here.
    pub(crate) fn entrance(
        &self,
        id: EntranceId,
        name: &str,
        series: Arc<ListenerSeries>,
        plan: Arc<ListenerPlan>,
    ) -> (Rc<Entrance>, bool) {
        if let Some(known) = self.find_entrance(id) {
            known.rename(name, series, plan);
            return (known, false);
        }
        let entrance = Rc::new(Entrance::new(id, name, series, plan));
        self.entrances.borrow_mut().push(entrance.clone());
        (entrance, true)
    }

    /// The listener with this id, if it is there, or was until a moment ago.
    pub(crate) fn find_entrance(&self, id: EntranceId) -> Option<Rc<Entrance>> {
        let (here, gone) = (self.entrances.borrow(), self.gone.borrow());
        here.iter().chain(gone.iter()).find(|entrance| entrance.id == id).cloned()
    }

    /// Lets go of the listeners that are not among these, and returns them.
    pub(crate) fn keep_entrances(&self, ids: &[EntranceId]) -> Vec<Rc<Entrance>> {
        let drain = self.current.borrow().common.drain;
        let (stay, go) = self.entrances.take().into_iter().partition(|entrance| ids.contains(&entrance.id));
        self.entrances.replace(stay);
        let gone: Vec<Rc<Entrance>> = go;
        let mut all_gone = self.gone.borrow_mut();
        all_gone.retain(|entrance| !entrance.is_over());
        all_gone.extend(gone.iter().cloned());
        if !gone.is_empty() {
            gone.iter().for_each(|entrance| entrance.remove(drain));
            // Connections that wait take note of their end.
            ringgate_rt::timer::wake_all();
        }
        gone
    }

    /// Takes an endpoint of a service out, or back in.
    pub(crate) fn drain_endpoint(&self, upstream: &str, label: &str, drained: bool) {
        let current = self.current.borrow().clone();
        let named = current.clusters.iter().find(|cluster| cluster.name == upstream);
        named.map(|cluster| cluster.drain_endpoint(label, drained));
    }

    /// Stops accepting.
    pub(crate) fn close_entrances(&self) {
        self.entrances.borrow().iter().for_each(|entrance| entrance.stop.stop());
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
        self.current.borrow().clusters.iter().for_each(|cluster| cluster.close_idle());
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
                let current = shard.current.borrow().clone();
                let waiting = current.clusters.iter().fold(false, |any, cluster| cluster.sweep(now) | any);
                if !waiting || shard.draining.get() {
                    current.clusters.iter().filter(|_| shard.draining.get()).for_each(|cluster| cluster.close_idle());
                    shard.sweeping.set(false);
                    return;
                }
            }
        });
    }
}

/// The time of day, derived from the shard's clock, with the HTTP date of the current second kept. The system's clock may
/// be set, and the shard's stands still while the machine sleeps: what lies between them is found out anew in every
/// second in which someone asks.
pub(crate) struct Wall {
    /// Microseconds from the Unix epoch to the clock's zero.
    zero: Cell<u64>,
    /// The second of the shard's clock in which `zero` was found out.
    checked: Cell<u64>,
    /// The second since the epoch that `date` is of.
    second: Cell<u64>,
    date: Cell<[u8; 29]>,
}

impl Wall {
    fn new() -> Wall {
        let never = u64::MAX;
        Wall { zero: Cell::new(0), checked: Cell::new(never), second: Cell::new(never), date: Cell::new([0; 29]) }
    }

    /// Microseconds since the Unix epoch at this moment.
    #[inline]
    pub(crate) fn unix_micros(&self, at: Moment) -> u64 {
        self.keep(clock::now(), || system_micros().saturating_sub(clock::read().0));
        self.zero.get().saturating_add(at.0)
    }

    /// The date of now, as HTTP writes it.
    pub(crate) fn http_date(&self) -> [u8; 29] {
        let second = self.unix_micros(clock::now()) / MICROS_A_SECOND;
        if self.second.replace(second) != second {
            let mut date = [0; 29];
            date::imf_fixdate(second, &mut date);
            self.date.set(date);
        }
        self.date.get()
    }

    /// Finds out anew what lies between the clocks if the shard's has come to another second.
    #[inline]
    fn keep(&self, now: Moment, between: impl FnOnce() -> u64) {
        let second = now.0 / MICROS_A_SECOND;
        if self.checked.replace(second) != second {
            self.zero.set(between());
        }
    }
}

/// Microseconds since the Unix epoch by the system's clock.
fn system_micros() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
}
