//! A listener as one shard knows it: what connections that came in by it need of it, for as long as they live.

use super::listener_plan::ListenerPlan;
use crate::series::ListenerSeries;
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::listener::Stop;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// How often it is said that accepting fails.
const COMPLAINED_EVERY: Duration = Duration::from_secs(60);

/// A listener's number: given by the control thread, never given twice.
pub(crate) type EntranceId = u32;

/// A plan as its shard holds it: connections count their uses here, and touch no other core's memory by it.
pub(crate) type PlanHere = Rc<Arc<ListenerPlan>>;

/// A listener on a shard.
pub(crate) struct Entrance {
    pub(crate) id: EntranceId,
    name: RefCell<Rc<str>>,
    series: RefCell<Arc<ListenerSeries>>,
    plan: RefCell<PlanHere>,
    /// Ends the shard's accepts on it.
    pub(crate) stop: Stop,
    /// Accept loops that have not ended: the shard's socket is open until then.
    pub(crate) accepting: Cell<usize>,
    /// When it was last said that accepting fails.
    complained: Cell<Option<Moment>>,
    /// When it was last said that handshakes fail, and how many have since.
    told_failures: Cell<Option<Moment>>,
    failures: Cell<u64>,
    /// It was removed: its connections may go on until then.
    until: Cell<Option<Moment>>,
}

impl Entrance {
    pub(crate) fn new(id: EntranceId, name: &str, series: Arc<ListenerSeries>, plan: Arc<ListenerPlan>) -> Entrance {
        Entrance {
            id,
            name: RefCell::new(name.into()),
            series: RefCell::new(series),
            plan: RefCell::new(Rc::new(plan)),
            stop: Stop::default(),
            accepting: Cell::new(0),
            complained: Cell::new(None),
            told_failures: Cell::new(None),
            failures: Cell::new(0),
            until: Cell::new(None),
        }
    }

    /// Its name now: a reload may change it.
    pub(crate) fn name(&self) -> Rc<str> {
        self.name.borrow().clone()
    }

    /// Whether it is time to say that accepting fails: once a minute.
    pub(crate) fn may_complain(&self) -> bool {
        let now = clock::now();
        let due = self.complained.get().is_none_or(|at| now.since(at) >= COMPLAINED_EVERY);
        if due {
            self.complained.set(Some(now));
        }
        due
    }

    /// What is counted of it.
    pub(crate) fn series(&self) -> Arc<ListenerSeries> {
        self.series.borrow().clone()
    }

    /// How it treats connections that come now.
    pub(crate) fn plan(&self) -> PlanHere {
        self.plan.borrow().clone()
    }

    /// Counts a failed handshake; how many there were, when it is time to say so: once a minute.
    pub(crate) fn may_tell_failures(&self) -> Option<u64> {
        let (now, failures) = (clock::now(), self.failures.get() + 1);
        let due = self.told_failures.get().is_none_or(|at| now.since(at) >= COMPLAINED_EVERY);
        self.failures.set(if due { 0 } else { failures });
        if due {
            self.told_failures.set(Some(now));
        }
        due.then_some(failures)
    }

    pub(crate) fn rename(&self, name: &str, series: Arc<ListenerSeries>, plan: Arc<ListenerPlan>) {
        if **self.name.borrow() != *name {
            self.name.replace(name.into());
        }
        self.series.replace(series);
        self.plan.replace(Rc::new(plan));
    }

    /// Accepts nothing more. Connections go on for `drain`, and end then as they become idle.
    pub(crate) fn remove(&self, drain: Duration) {
        self.until.set(Some(clock::now().after(drain)));
        self.stop.stop();
    }

    /// When its connections end, if it was removed.
    pub(crate) fn until(&self) -> Option<Moment> {
        self.until.get()
    }

    /// Whether its connections are to end.
    pub(crate) fn is_over(&self) -> bool {
        self.until.get().is_some_and(|until| until <= clock::now())
    }
}
