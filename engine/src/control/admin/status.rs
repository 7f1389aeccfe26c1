//! What the admin API knows of the gateway. The control thread publishes it, answers are made from it: a call never
//! waits for the control thread, and the control thread never for a call.

use super::super::gateway::Gateway;
use super::super::listeners::Started;
use super::super::reload::Outcome;
use crate::proxy::{Permits, Readiness};
use crate::secure::Holdings;
use ringgate_config::Config;
use ringgate_rt::counters::Counters;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Where the gateway is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::control) enum Phase {
    Starting,
    Running,
    Stopping,
}

/// The gateway at one moment.
#[derive(Clone)]
pub(in crate::control) struct Status {
    pub(super) phase: Phase,
    /// An operator has said that it is not ready.
    pub(super) drained: bool,
    pub(super) config: Arc<Config>,
    pub(super) generation: u64,
    pub(super) loaded_at: SystemTime,
    /// The file that a reload reads; none for a gateway that was not started from one.
    pub(in crate::control) file: Option<PathBuf>,
    /// What came of the last reload.
    pub(super) last: Option<Arc<Outcome>>,
    pub(super) listeners: Vec<Started>,
    /// What the shards have done: the numbers themselves, not what they were when this was published.
    pub(super) counters: Vec<Arc<Counters>>,
    pub(super) permits: Permits,
    pub(super) readiness: Readiness,
    pub(super) taken_out: TakenOut,
    /// What secures connections: itself, not what it was when this was published.
    pub(super) secured: Holdings,
}

/// Endpoints that an operator has taken out, by the name of their service and their address.
pub(super) type TakenOut = BTreeSet<(String, String)>;

impl Status {
    /// Of a gateway that does not serve yet.
    pub(in crate::control) fn starting(config: Arc<Config>, permits: &Permits, readiness: &Readiness) -> Status {
        Status {
            phase: Phase::Starting,
            drained: false,
            config,
            generation: 1,
            loaded_at: SystemTime::now(),
            file: None,
            last: None,
            listeners: Vec::new(),
            counters: Vec::new(),
            permits: permits.clone(),
            readiness: readiness.clone(),
            taken_out: TakenOut::new(),
            secured: Holdings::default(),
        }
    }

    /// Why the gateway does not ask for traffic; none if it does.
    pub(super) fn unready(&self) -> Option<&'static str> {
        match self.phase {
            Phase::Starting => Some("starting"),
            Phase::Stopping => Some("stopping"),
            Phase::Running if self.drained => Some("drained"),
            Phase::Running if !self.readiness.get() => Some("stopping"),
            Phase::Running => None,
        }
    }

    /// Whether the service has an endpoint with this address.
    pub(super) fn has_endpoint(&self, upstream: &str, address: &str) -> bool {
        let named = self.config.upstreams.iter().find(|known| known.name == upstream);
        named.is_some_and(|named| named.endpoints.iter().any(|endpoint| endpoint.address.to_string() == address))
    }

    /// Takes over what the gateway goes by now.
    fn follow(&mut self, gateway: &Gateway) {
        if self.phase == Phase::Starting {
            self.phase = Phase::Running;
        }
        self.config = gateway.config.clone();
        self.generation = gateway.generation;
        self.loaded_at = SystemTime::now();
        self.listeners = gateway.listeners.clone();
        self.counters = gateway.counters.clone();
        self.secured = gateway.secured.clone();
        // What comes back later is a new endpoint, on the shards too.
        let mut taken_out = std::mem::take(&mut self.taken_out);
        taken_out.retain(|(upstream, address)| self.has_endpoint(upstream, address));
        self.taken_out = taken_out;
    }
}

/// Where the status is published.
#[derive(Clone)]
pub(in crate::control) struct Board(Arc<Mutex<Arc<Status>>>);

impl Board {
    pub(super) fn new(status: Status) -> Board {
        Board(Arc::new(Mutex::new(Arc::new(status))))
    }

    /// The status as last published.
    pub(super) fn read(&self) -> Arc<Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publishes the status as `change` makes it. Only the control thread does.
    pub(in crate::control) fn update(&self, change: impl FnOnce(&mut Status)) {
        let mut next = Status::clone(&self.read());
        change(&mut next);
        let next = Arc::new(next);
        // The one before is freed after the lock: it may be large.
        let _before = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), next);
    }
}

impl Gateway {
    /// Publishes what the gateway goes by now.
    pub(in crate::control) fn publish(&self) {
        self.admin.board.update(|status| status.follow(self));
    }
}
