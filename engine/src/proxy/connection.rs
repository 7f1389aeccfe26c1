//! A client's connection over HTTP/1.1: cold while it is idle, busy while requests come.
//!
//! Cold, it is a poll without a buffer and a small future. Busy, everything else is made in a pooled box. A connection
//! goes cold after its first answer; when the next request comes within 250 ms it stays busy from then on, with a
//! receive in flight, until 250 ms pass without one.

use super::ends::Downstream;
use super::exchange::{exchange, refuse};
use super::h1::{H1Downstream, HeadRead};
use super::headers::{IpText, Origin};
use super::rate::RateWatch;
use super::shard::{Kit, Shard};
use crate::model::Fault;
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::timer::Timer;
use ringgate_rt::{Buf, Network, Transport, pooled};
use std::future::poll_fn;
use std::net::IpAddr;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

/// How long a connection keeps a buffer for the next request.
pub(crate) const HOT: Duration = Duration::from_millis(250);
/// How often a cold connection whose last answer is not with the client yet is looked at.
const DRAIN_TICK: Duration = Duration::from_secs(1);
/// How long a connection that is being closed is read from, so that the client gets its answer before a reset.
const LINGER: Duration = Duration::from_secs(2);
/// Bytes read and thrown away meanwhile, at most.
const LINGER_BYTES_MAX: u64 = 16 << 20;

/// How a connection came in.
#[derive(Clone, Copy)]
pub(crate) struct Arrival {
    /// The peer's address; none on a Unix socket.
    pub(crate) peer: Option<IpAddr>,
    /// Index into the snapshot's listeners.
    pub(crate) listener: usize,
}

/// Serves a client's connection until it ends.
pub(crate) async fn serve<N: Network>(shard: Rc<Shard<N>>, mut io: N::Stream, arrival: Arrival) {
    let timer = Timer::new();
    let limits = &shard.snapshot.limits;
    let mut deadline = clock::now().after(limits.header_timeout);
    let mut eager = false;
    let mut fresh = true;
    loop {
        if !fresh {
            let since = clock::now();
            if !cold(&shard, &mut io, &timer, deadline).await {
                return;
            }
            eager = clock::now().since(since) < HOT;
        }
        match pooled(|| busy(&shard, &mut io, &timer, arrival, eager, deadline)).await {
            Next::Cold(answered) => {
                if answered {
                    deadline = clock::now().after(limits.idle_timeout);
                }
            }
            Next::Close => return,
            Next::Linger => return linger(&mut io, &timer).await,
        }
        fresh = false;
        io.rest();
    }
}

/// What becomes of a connection after its busy time.
enum Next {
    /// It goes cold; whether it has answered anything meanwhile.
    Cold(bool),
    Close,
    /// It is closed, but the client is still sending.
    Linger,
}

/// Waits for the next request without a buffer. False if there will be none.
async fn cold<N: Network>(shard: &Shard<N>, io: &mut N::Stream, timer: &Timer, deadline: Moment) -> bool {
    let mut rate = RateWatch::default();
    let min_rate = shard.snapshot.limits.min_rate;
    let mut undelivered = io.unconfirmed() > 0;
    timer.set(if undelivered { clock::now().after(DRAIN_TICK) } else { deadline });
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(result) = io.poll_readable(cx) {
                return Poll::Ready(result.is_ok());
            }
            if shard.draining.get() {
                return Poll::Ready(false);
            }
            if timer.poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = clock::now();
            if undelivered {
                // The last answer is still on its way: a client that does not take it has not become idle.
                undelivered = io.unconfirmed() > 0;
                if rate.too_slow(now, io.confirmed(), undelivered, min_rate) {
                    io.reset_on_close();
                    return Poll::Ready(false);
                }
            } else if now >= deadline {
                return Poll::Ready(false);
            }
            timer.set(if undelivered { now.after(DRAIN_TICK) } else { deadline });
        }
    })
    .await
}

/// Serves requests for as long as they come one upon the other.
async fn busy<N: Network>(
    shard: &Rc<Shard<N>>,
    io: &mut N::Stream,
    timer: &Timer,
    arrival: Arrival,
    eager: bool,
    deadline: Moment,
) -> Next {
    let snapshot = &shard.snapshot;
    let mut kit = shard.kit();
    let Kit { down, work } = kit.get();
    let mut down = H1Downstream::new(io, down, snapshot.head_limits, snapshot.limits.body_bytes, eager);
    let peer_text = arrival.peer.map(IpText::new);
    let origin = Origin {
        peer: arrival.peer,
        peer_text: peer_text.as_ref().map_or(&b"unknown"[..], IpText::bytes),
        listener: arrival.listener,
        trusted: snapshot.trusts(arrival.peer),
        scheme: "http",
    };
    let mut answered = false;
    let mut deadline = deadline;
    loop {
        match next_head(shard, &mut down, timer, deadline).await {
            Ok(Wait::Head) => {}
            Ok(Wait::Silence) => {
                return if finish(shard, &mut down, timer).await { Next::Cold(answered) } else { Next::Close };
            }
            Ok(Wait::Closed) => {
                finish(shard, &mut down, timer).await;
                return Next::Close;
            }
            Err(fault) => {
                if !finish(shard, &mut down, timer).await {
                    return Next::Close;
                }
                down.abandon_request();
                refuse(shard, origin, timer, &mut down, work, fault).await;
                return if down.must_linger() { Next::Linger } else { Next::Close };
            }
        }
        if shard.draining.get() {
            down.close_after_this();
        }
        exchange(shard, origin, timer, &mut down, work).await;
        answered = true;
        if !down.next_request() {
            return if down.must_linger() { Next::Linger } else { Next::Close };
        }
        if !down.is_warm() {
            if !eager {
                return Next::Cold(true);
            }
        }
        deadline = clock::now().after(snapshot.limits.idle_timeout);
    }
}

/// Waits until what was sent is with the kernel. False if the client does not take it.
async fn finish<N: Network>(shard: &Shard<N>, down: &mut H1Downstream<'_, N::Stream>, timer: &Timer) -> bool {
    if !down.is_sending() {
        return true;
    }
    let mut rate = RateWatch::default();
    timer.set_after(DRAIN_TICK);
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(result) = down.poll_ready(cx) {
                return Poll::Ready(result.is_ok());
            }
            if shard.aborting.get() {
                return Poll::Ready(false);
            }
            if timer.poll(cx).is_pending() {
                return Poll::Pending;
            }
            let (confirmed, waiting) = down.sent();
            if rate.too_slow(clock::now(), confirmed, waiting > 0, shard.snapshot.limits.min_rate) {
                down.abort();
                return Poll::Ready(false);
            }
            timer.set_after(DRAIN_TICK);
        }
    })
    .await
}

enum Wait {
    Head,
    /// Nothing has come for a while.
    Silence,
    Closed,
}

/// Waits for the next request's head: for a moment until its first byte, then for `header_timeout`.
async fn next_head<N: Network>(
    shard: &Shard<N>,
    down: &mut H1Downstream<'_, N::Stream>,
    timer: &Timer,
    deadline: Moment,
) -> Result<Wait, Fault> {
    let now = clock::now();
    let mut begun = down.has_partial_head();
    timer.set(if begun { now.after(shard.snapshot.limits.header_timeout) } else { now.after(HOT).min(deadline) });
    let mut cancelled = false;
    poll_fn(|cx: &mut Context<'_>| {
        loop {
            match down.poll_request(cx) {
                Poll::Ready(Ok(HeadRead::Head)) => return Poll::Ready(Ok(Wait::Head)),
                Poll::Ready(Ok(HeadRead::Closed)) => return Poll::Ready(Ok(Wait::Closed)),
                Poll::Ready(Ok(HeadRead::Cancelled)) => {
                    if begun {
                        return Poll::Ready(Err(Fault::HeaderTimeout));
                    }
                    return Poll::Ready(Ok(if shard.draining.get() { Wait::Closed } else { Wait::Silence }));
                }
                Poll::Ready(Err(Fault::ClientGone)) => return Poll::Ready(Ok(Wait::Closed)),
                Poll::Ready(Err(fault)) => return Poll::Ready(Err(fault)),
                Poll::Pending => {}
            }
            if !begun && down.has_partial_head() {
                begun = true;
                timer.set_after(shard.snapshot.limits.header_timeout);
            }
            if cancelled {
                return Poll::Pending;
            }
            if (shard.draining.get() && !begun) || shard.aborting.get() || timer.poll(cx).is_ready() {
                cancelled = true;
                down.cancel();
                continue;
            }
            return Poll::Pending;
        }
    })
    .await
}

/// Ends our side, and reads what the client still sends, for a while: a connection that is closed with unread bytes is
/// reset, and the reset can overtake the answer.
async fn linger<T: Transport>(io: &mut T, timer: &Timer) {
    io.shutdown_write();
    timer.set_after(LINGER);
    let mut left = LINGER_BYTES_MAX;
    poll_fn(|cx| {
        loop {
            if !io.recv_pending() {
                io.start_recv(Buf::standard());
            }
            match io.poll_recv(cx) {
                Poll::Ready((Ok(n), _)) if n > 0 && left > n as u64 => left -= n as u64,
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return timer.poll(cx),
            }
        }
    })
    .await;
}
