//! The shards' threads, and what they are told.

use crate::observe::{LogBatch, LogHandle};
use crate::proxy::{ACCEPTS_IN_FLIGHT, Permit, Permits, Shard, Snapshot, accept_loop, adopt};
use ringgate_rt::counters::{self, Counters};
use ringgate_rt::driver::{Choice, Chosen};
use ringgate_rt::listener::{Bound, Listener, Stop};
use ringgate_rt::mailbox::{Receiver, Sender};
use ringgate_rt::{Hooks, ShardOptions, Sockets, Stream, run_shard, task};
use std::cell::Cell;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::{Arc, mpsc};

/// What a shard is told by others.
pub(super) enum Message {
    /// Serve this connection, accepted by another shard on the listener with this index.
    Connection(OwnedFd, usize, Permit),
    /// Accept nothing more, close what is idle, end when the last exchange has.
    Drain,
    /// End whatever still runs.
    Abort,
}

/// What the shards' threads tell the control thread.
pub(super) enum Event {
    Started(Chosen, Arc<Counters>),
    Ended(usize, io::Result<()>),
    Signal(i32),
    /// The access log is written; so many lines of it were lost.
    Logged(u64),
}

/// What a shard is started with.
pub(super) struct Plan {
    pub(super) index: usize,
    pub(super) core: Option<usize>,
    pub(super) driver: Choice,
    pub(super) entries: u32,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) permits: Permits,
    pub(super) log: Option<LogHandle>,
    /// Listening sockets, with the index of their listener.
    pub(super) bound: Vec<(usize, Bound)>,
    /// The mailboxes of all shards, to hand connections to.
    pub(super) mailboxes: Vec<Sender<Message>>,
}

/// Starts a shard's thread.
pub(super) fn start(plan: Plan, mailbox: Receiver<Message>, events: mpsc::Sender<Event>) -> io::Result<()> {
    let options = ShardOptions { core: plan.core, driver: plan.driver, entries: plan.entries };
    let index = plan.index;
    let thread = std::thread::Builder::new().name(format!("shard-{index}"));
    thread.spawn(move || {
        let hooks = Running {
            plan: Some(plan),
            shard: None,
            stop: Rc::default(),
            accepting: Rc::default(),
            events: events.clone(),
        };
        let run = std::panic::AssertUnwindSafe(|| run_shard(&options, mailbox, hooks));
        let result = std::panic::catch_unwind(run).unwrap_or_else(|_| Err(io::Error::other("its loop panicked")));
        // Nobody listens any more when the process is ending.
        let _ = events.send(Event::Ended(index, result));
    })?;
    Ok(())
}

/// A shard in its loop.
struct Running {
    plan: Option<Plan>,
    shard: Option<Rc<Shard<Sockets>>>,
    stop: Rc<Stop>,
    /// Accept loops that have not ended.
    accepting: Rc<Cell<usize>>,
    events: mpsc::Sender<Event>,
}

impl Hooks<Message> for Running {
    fn start(&mut self, chosen: &Chosen) {
        let Some(plan) = self.plan.take() else { return };
        let log = plan.log.map_or_else(LogBatch::off, LogHandle::batch);
        let shard = Shard::new(Sockets, plan.snapshot, plan.permits, log);
        self.shard = Some(shard.clone());
        for (index, bound) in plan.bound {
            let shared = matches!(bound.address(), ringgate_rt::Address::Unix(_));
            let hand_out = HandOut {
                to: if shared { plan.mailboxes.clone() } else { Vec::new() },
                own: plan.index,
                next: Cell::new(0),
                listener: index,
            };
            self.accept(&shard, index, bound, hand_out);
        }
        let _ = self.events.send(Event::Started(chosen.clone(), counters::shared()));
    }

    fn message(&mut self, message: Message) {
        let Some(shard) = &self.shard else { return };
        match message {
            Message::Connection(fd, listener, permit) => {
                if let Ok(stream) = Stream::from_fd(fd) {
                    adopt(shard, stream, None, listener, permit);
                }
            }
            Message::Drain => {
                self.stop.stop();
                shard.drain();
            }
            Message::Abort => {
                self.stop.stop();
                shard.abort();
            }
        }
    }

    fn end_of_turn(&mut self) -> bool {
        let Some(shard) = &self.shard else { return false };
        shard.draining.get() && self.accepting.get() == 0 && shard.connections.get() == 0
    }
}

impl Running {
    fn accept(&self, shard: &Rc<Shard<Sockets>>, index: usize, bound: Bound, hand_out: HandOut) {
        let Ok(listener) = Listener::start(bound) else { return };
        let (listener, hand_out) = (Rc::new(listener), Rc::new(hand_out));
        for _ in 0..ACCEPTS_IN_FLIGHT {
            let (shard, listener, hand_out) = (shard.clone(), listener.clone(), hand_out.clone());
            let (stop, accepting) = (self.stop.clone(), self.accepting.clone());
            accepting.set(accepting.get() + 1);
            task::spawn(async move {
                accept_loop(shard, listener, index, stop, |stream, permit| hand_out.give(stream, permit)).await;
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
    listener: usize,
}

impl HandOut {
    /// Gives the connection back if it is this shard's turn, or the other's mailbox is full.
    fn give(&self, stream: Stream, permit: Permit) -> Option<(Stream, Permit)> {
        if self.to.len() < 2 {
            return Some((stream, permit));
        }
        let next = (self.next.get() + 1) % self.to.len();
        self.next.set(next);
        if next == self.own {
            return Some((stream, permit));
        }
        let fd = stream.into_fd().ok()?;
        match self.to[next].send(Message::Connection(fd, self.listener, permit)) {
            Ok(()) => None,
            Err(Message::Connection(fd, _, permit)) => Stream::from_fd(fd).ok().map(|stream| (stream, permit)),
            Err(_) => None,
        }
    }
}
