//! A tunnel: two byte streams joined after a change of protocol (WebSocket). Each end may finish on its own; the other
//! goes on until it has too.
//!
//! A direction in which nothing moves gives its buffer back and waits by a poll, as idle connections do.

use super::tunnels::Life;
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::timer::Timer;
use ringgate_rt::{Buf, Transport, was_cancelled};
use std::cell::Cell;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// How long a tunnel may be silent in both directions.
pub(crate) const TUNNEL_IDLE_TIMEOUT: Duration = Duration::from_secs(3600);
/// How long a silent direction keeps its buffer.
const HOT: Duration = Duration::from_millis(250);

/// Bytes that went each way.
#[derive(Default)]
pub(crate) struct Carried {
    pub(crate) from_client: u64,
    pub(crate) from_service: u64,
    /// It ended because its route was removed.
    pub(crate) cut_off: bool,
}

/// What bounds a tunnel.
pub(crate) struct TunnelBounds<'a> {
    pub(crate) timer: &'a Timer,
    /// It must end now.
    pub(crate) aborting: &'a Cell<bool>,
    pub(crate) life: &'a Life,
    /// How long it may be silent in both directions.
    pub(crate) idle: Duration,
}

/// Joins the two until both have ended, one fails, the tunnel is silent for too long, or its bounds say that it is over.
/// The streams are shut down at the end in any case.
pub(crate) async fn tunnel<A: Transport, B: Transport>(
    client: &mut A,
    service: &mut B,
    early: (Option<Buf>, Option<Buf>),
    bounds: &TunnelBounds<'_>,
) -> Carried {
    let timer = bounds.timer;
    let mut cut_off = false;
    let mut up = Direction::new(early.0);
    let mut down = Direction::new(early.1);
    let mut looks_at = clock::now().after(HOT);
    timer.set(looks_at);
    poll_fn(|cx| {
        loop {
            let ends = [up.poll(cx, client, service), down.poll(cx, service, client)];
            let failed = ends.iter().any(|end| matches!(end, Poll::Ready(Err(()))));
            let ended = ends.iter().all(|end| matches!(end, Poll::Ready(Ok(()))));
            if failed || ended || bounds.aborting.get() {
                return Poll::Ready(());
            }
            let until = bounds.life.until();
            cut_off = until.is_some_and(|until| until <= clock::now());
            if cut_off {
                return Poll::Ready(());
            }
            // A reload wakes tunnels, and may have brought the end nearer than the timer has it.
            if let Some(until) = until.filter(|until| *until < looks_at) {
                looks_at = until;
                timer.set(until);
            }
            ready!(timer.poll(cx));
            let now = clock::now();
            let moved = up.moved_at.max(down.moved_at);
            if now.since(moved) >= bounds.idle {
                return Poll::Ready(());
            }
            let cooling = up.cool(now, client) | down.cool(now, service);
            looks_at = if cooling { now.after(HOT) } else { moved.after(bounds.idle).max(now.after(HOT)) };
            timer.set(looks_at);
        }
    })
    .await;
    client.shutdown();
    service.shutdown();
    Carried { from_client: up.bytes, from_service: down.bytes, cut_off }
}

struct Direction {
    state: State,
    moved_at: Moment,
    bytes: u64,
}

enum State {
    /// To be sent first: it came before the tunnel was there.
    Early(Buf),
    /// Waits by a receive.
    Hot,
    /// The receive was asked to end.
    Cooling,
    /// Waits by a poll.
    Cold,
    Sending,
    Ended,
}

impl Direction {
    fn new(early: Option<Buf>) -> Direction {
        Direction { state: early.map_or(State::Hot, State::Early), moved_at: clock::now(), bytes: 0 }
    }

    /// Moves what can be moved from `from` to `to`. Ready when this direction has ended.
    fn poll<F: Transport, T: Transport>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut F,
        to: &mut T,
    ) -> Poll<Result<(), ()>> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Poll::Ready(Ok(())),
                State::Early(buf) => self.send(buf, to),
                State::Sending => match to.poll_send(cx) {
                    Poll::Ready((Ok(()), _)) => self.state = State::Hot,
                    Poll::Ready((Err(_), _)) => return Poll::Ready(Err(())),
                    Poll::Pending => {
                        self.state = State::Sending;
                        return Poll::Pending;
                    }
                },
                State::Cold => match from.poll_readable(cx) {
                    Poll::Ready(_) => self.state = State::Hot,
                    Poll::Pending => {
                        self.state = State::Cold;
                        return Poll::Pending;
                    }
                },
                state @ (State::Hot | State::Cooling) => {
                    if !from.recv_pending() {
                        from.start_recv(Buf::standard());
                    }
                    match from.poll_recv(cx) {
                        Poll::Pending => {
                            self.state = state;
                            return Poll::Pending;
                        }
                        Poll::Ready((Ok(0), _)) => to.shutdown_write(),
                        Poll::Ready((Ok(_), buf)) => self.send(buf, to),
                        Poll::Ready((Err(error), _)) if was_cancelled(&error) => self.state = State::Cold,
                        Poll::Ready((Err(_), _)) => return Poll::Ready(Err(())),
                    }
                }
            }
        }
    }

    fn send<T: Transport>(&mut self, buf: Buf, to: &mut T) {
        self.moved_at = clock::now();
        self.bytes += buf.len() as u64;
        to.start_send(buf);
        self.state = State::Sending;
    }

    /// Asks for the buffer back if nothing has moved for a while. Returns whether there is one still to be asked for.
    fn cool<F: Transport>(&mut self, now: Moment, from: &mut F) -> bool {
        let silent = now.since(self.moved_at) >= HOT;
        match self.state {
            State::Hot if silent => {
                from.cancel_recv();
                self.state = State::Cooling;
                true
            }
            State::Hot | State::Sending | State::Early(_) | State::Cooling => true,
            State::Cold | State::Ended => false,
        }
    }
}
