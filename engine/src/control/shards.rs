//! The shards' threads, and what they are told.

use crate::observe::{LogBatch, LogHandle};
use crate::proxy::{
    ACCEPTS_IN_FLIGHT, Entrance, EntranceId, Note, Notes, Permit, Permits, Readiness, Shard, Snapshot, accept_loop,
    adopt, serve_waiting,
};
use crate::series::ShardSeries;
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::counters::{self, Counters};
use ringgate_rt::driver::{Choice, Chosen};
use ringgate_rt::listener::{Bound, Listener};
use ringgate_rt::mailbox::{Receiver, Sender};
use ringgate_rt::timer::sleep;
use ringgate_rt::{Hooks, ShardOptions, Sockets, Stream, run_shard, task};
use std::cell::Cell;
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// What a shard is told by others.
pub(super) enum Message {
    /// Serve this connection, accepted by another shard on the listener with this id.
    Connection { fd: OwnedFd, listener: EntranceId, peer: Option<IpAddr>, permit: Permit },
    /// Go on with this.
    Turnover(Box<Turnover>),
    /// Take an endpoint of a service out, or back in.
    Endpoint { upstream: Arc<str>, endpoint: Arc<str>, drained: bool },
    /// Say that you still turn.
    Answer,
    /// Accept nothing more, close what is idle, end when the last exchange has.
    Drain,
    /// End whatever still runs.
    Abort,
}

/// What a shard goes by from now on.
pub(super) struct Turnover {
    /// Told back when the shard has it.
    pub(super) generation: u64,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) log: LogChange,
    /// Every listener that there is.
    pub(super) listeners: Vec<ListenerHere>,
}

/// Where access-log lines go from now on.
pub(super) enum LogChange {
    /// Where they went.
    None,
    To(Option<LogHandle>),
}

impl LogChange {
    fn batch(self) -> Option<LogBatch> {
        match self {
            LogChange::None => None,
            LogChange::To(handle) => Some(handle.map_or_else(LogBatch::off, LogHandle::batch)),
        }
    }
}

/// A listener, as a shard is told of it.
pub(super) struct ListenerHere {
    pub(super) id: EntranceId,
    pub(super) name: String,
    /// The socket to accept on from now on; none where the shard accepts on one already, or another shard does.
    pub(super) bound: Option<Bound>,
    /// Connections on the socket are for all shards.
    pub(super) shared: bool,
}

/// What the shards' threads tell the control thread.
pub(super) enum FromShard {
    Started(Chosen, Arc<Counters>),
    /// It goes by the turnover of this generation.
    Adopted(u64),
    /// It turns.
    Answered,
    /// Something that whoever runs the process should know.
    Note(Note),
    Ended(usize, io::Result<()>),
}

/// What a shard is started with.
pub(super) struct Plan<E> {
    pub(super) index: usize,
    pub(super) core: Option<usize>,
    pub(super) driver: Choice,
    pub(super) entries: u32,
    pub(super) permits: Permits,
    pub(super) readiness: Readiness,
    pub(super) series: Arc<ShardSeries>,
    pub(super) begin: Turnover,
    /// The mailboxes of all shards, to hand connections to.
    pub(super) mailboxes: Vec<Sender<Message>>,
    pub(super) events: mpsc::Sender<E>,
}

/// Starts a shard's thread.
pub(super) fn start<E: From<FromShard> + Send + 'static>(plan: Plan<E>, mailbox: Receiver<Message>) -> io::Result<()> {
    let options = ShardOptions { core: plan.core, driver: plan.driver, entries: plan.entries };
    let (index, events) = (plan.index, plan.events.clone());
    let thread = std::thread::Builder::new().name(format!("shard-{index}"));
    thread.spawn(move || {
        let hooks = Running {
            index,
            mailboxes: plan.mailboxes.clone(),
            events: events.clone(),
            plan: Some(plan),
            shard: None,
            accepting: Rc::default(),
            closing: None,
        };
        let run = std::panic::AssertUnwindSafe(|| run_shard(&options, mailbox, hooks));
        let result = std::panic::catch_unwind(run).unwrap_or_else(|_| Err(io::Error::other("its loop panicked")));
        // Nobody listens any more when the process is ending.
        let _ = events.send(FromShard::Ended(index, result).into());
    })?;
    Ok(())
}

/// A shard in its loop.
struct Running<E> {
    index: usize,
    mailboxes: Vec<Sender<Message>>,
    events: mpsc::Sender<E>,
    plan: Option<Plan<E>>,
    shard: Option<Rc<Shard<Sockets>>>,
    /// Accept loops that have not ended.
    accepting: Rc<Cell<usize>>,
    /// A turnover that is told back when the listeners that it has removed are closed.
    closing: Option<Closing>,
}

/// Listeners that are being closed.
struct Closing {
    generation: u64,
    listeners: Vec<Rc<Entrance>>,
    until: Moment,
}

impl Closing {
    fn is_done(&self) -> bool {
        self.listeners.iter().all(|listener| listener.accepting.get() == 0) || self.until <= clock::now()
    }
}

/// How long a turnover waits for the listeners that it has removed: an accepted connection may wait for its place at
/// `limits.connections`.
const CLOSED_WITHIN: Duration = Duration::from_millis(500);

impl<E: From<FromShard> + Send + 'static> Hooks<Message> for Running<E> {
    fn start(&mut self, chosen: &Chosen) {
        let Some(plan) = self.plan.take() else { return };
        let Turnover { snapshot, log, listeners, .. } = plan.begin;
        let log = log.batch().unwrap_or_else(LogBatch::off);
        let events = self.events.clone();
        let notes: Notes = Box::new(move |what| {
            let _ = events.send(FromShard::Note(what).into());
        });
        let shard = Shard::new(Sockets, snapshot, log, plan.permits, plan.readiness, plan.series, notes);
        self.shard = Some(shard.clone());
        let _none = self.listen(&shard, listeners);
        self.tell(FromShard::Started(chosen.clone(), counters::shared()));
    }

    fn message(&mut self, message: Message) {
        let Some(shard) = self.shard.clone() else { return };
        match message {
            Message::Connection { fd, listener, peer, permit } => {
                // A listener that was removed meanwhile: its clients have been told "connected" all the same.
                let known = shard
                    .find_entrance(listener)
                    .unwrap_or_else(|| Rc::new(Entrance::new(listener, "", Arc::default(), Arc::default())));
                if let Ok(stream) = Stream::from_fd(fd) {
                    adopt(&shard, stream, peer, &known, permit);
                }
            }
            Message::Turnover(turnover) => {
                let Turnover { generation, snapshot, log, listeners } = *turnover;
                shard.adopt(snapshot, log.batch());
                let removed = self.listen(&shard, listeners);
                let until = clock::now().after(CLOSED_WITHIN);
                if !removed.is_empty() {
                    // The loop turns again then at the latest.
                    task::spawn(sleep(CLOSED_WITHIN));
                }
                self.closing = Some(Closing { generation, listeners: removed, until });
            }
            Message::Endpoint { upstream, endpoint, drained } => shard.drain_endpoint(&upstream, &endpoint, drained),
            Message::Answer => self.tell(FromShard::Answered),
            Message::Drain => {
                shard.close_entrances();
                shard.drain();
            }
            Message::Abort => {
                shard.close_entrances();
                shard.abort();
            }
        }
    }

    fn end_of_turn(&mut self) -> bool {
        if let Some(closing) = self.closing.take_if(|closing| closing.is_done()) {
            self.tell(FromShard::Adopted(closing.generation));
        }
        let Some(shard) = &self.shard else { return false };
        shard.gate.turn_over();
        shard.draining.get() && self.accepting.get() == 0 && shard.connections.get() == 0
    }
}

impl<E: From<FromShard> + Send + 'static> Running<E> {
    fn tell(&self, event: FromShard) {
        // Nobody listens any more when the process is ending.
        let _ = self.events.send(event.into());
    }

    /// Accepts on these listeners, and on no others. Returns those that are removed.
    fn listen(&self, shard: &Rc<Shard<Sockets>>, listeners: Vec<ListenerHere>) -> Vec<Rc<Entrance>> {
        let ids: Vec<EntranceId> = listeners.iter().map(|listener| listener.id).collect();
        // In the order of the configuration, as its series.
        let (series, plans) = {
            let current = shard.current();
            (
                current.snapshot.series(self.index).map(|series| series.listeners.clone()),
                current.snapshot.listeners.clone(),
            )
        };
        for (at, listener) in listeners.into_iter().enumerate() {
            let series = series.as_ref().map(|series| series.get(at).clone()).unwrap_or_default();
            let Some(plan) = plans.get(at).cloned() else { continue };
            let (entrance, _) = shard.entrance(listener.id, &listener.name, series, plan);
            if let Some(bound) = listener.bound {
                let hand_out = HandOut {
                    to: if listener.shared { self.mailboxes.clone() } else { Vec::new() },
                    own: self.index,
                    next: Cell::new(0),
                    listener: listener.id,
                };
                self.accept(shard, &entrance, bound, hand_out);
            }
        }
        shard.keep_entrances(&ids)
    }

    fn accept(&self, shard: &Rc<Shard<Sockets>>, entrance: &Rc<Entrance>, bound: Bound, hand_out: HandOut) {
        let Ok(listener) = Listener::start(bound) else { return };
        let (listener, hand_out) = (Rc::new(listener), Rc::new(hand_out));
        for _ in 0..ACCEPTS_IN_FLIGHT {
            let (shard, listener, hand_out) = (shard.clone(), listener.clone(), hand_out.clone());
            let (entrance, accepting) = (entrance.clone(), self.accepting.clone());
            accepting.set(accepting.get() + 1);
            entrance.accepting.set(entrance.accepting.get() + 1);
            task::spawn(async move {
                let give = |stream, peer, permit| hand_out.give(stream, peer, permit);
                let waiting = accept_loop(shard.clone(), listener, entrance.clone(), give).await;
                entrance.accepting.set(entrance.accepting.get() - 1);
                serve_waiting(shard, entrance, waiting).await;
                accepting.set(accepting.get() - 1);
            });
        }
    }
}

/// Deals connections of a socket that only one shard accepts on to all shards in turn.
struct HandOut {
    to: Vec<Sender<Message>>,
    own: usize,
    next: Cell<usize>,
    listener: EntranceId,
}

impl HandOut {
    /// Gives the connection back if it is this shard's turn, or the other's mailbox is full.
    fn give(&self, stream: Stream, peer: Option<IpAddr>, permit: Permit) -> Option<(Stream, Permit)> {
        if self.to.len() < 2 {
            return Some((stream, permit));
        }
        let next = (self.next.get() + 1) % self.to.len();
        self.next.set(next);
        if next == self.own {
            return Some((stream, permit));
        }
        let fd = stream.into_fd().ok()?;
        match self.to[next].send(Message::Connection { fd, listener: self.listener, peer, permit }) {
            Ok(()) => None,
            Err(Message::Connection { fd, permit, .. }) => Stream::from_fd(fd).ok().map(|stream| (stream, permit)),
            Err(_) => None,
        }
    }
}
