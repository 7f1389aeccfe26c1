//! A client's connection over HTTP/1.1: cold while it is idle, busy while requests come.
//!
//! Cold, it is a poll without a buffer and a small future. Busy, everything else is made in a pooled box. A connection
//! goes cold after its first answer; when the next request comes within 250 ms it stays busy from then on, with a
//! receive in flight, until 250 ms pass without one.

use super::accept::Place;
use super::arrive::arrive;
use super::ends::Downstream;
use super::entrance::Entrance;
use super::exchange::{Context, exchange, refuse};
use super::h1::{H1Downstream, HeadRead};
use super::headers::{IpText, Origin};
use super::rate::RateWatch;
use super::shard::{Kit, Shard};
use crate::model::Fault;
use crate::secure::Link;
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::timer::Timer;
use ringgate_rt::{Buf, Network, Transport, pooled};
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::{self, Poll};
use std::time::Duration;

/// How long a connection keeps a buffer for the next request.
pub(crate) const HOT: Duration = Duration::from_millis(250);
/// How often a cold connection whose last answer is not with the client yet is looked at.
const DRAIN_TICK: Duration = Duration::from_secs(1);
/// How long a connection that is being closed is read from, so that the client gets its answer before a reset; as long
/// again while it takes more of that.
const LINGER: Duration = Duration::from_secs(2);
/// Bytes read and thrown away meanwhile, at most.
const LINGER_BYTES_MAX: u64 = 16 << 20;

/// How a connection came in.
#[derive(Clone)]
pub(crate) struct Arrival {
    /// The client's address, as the socket or a trusted sender's header has it; none on a Unix socket.
    pub(crate) peer: Option<IpAddr>,
    /// What such a header has told: the client's address, and the one that it came to.
    pub(crate) told: Option<Box<(SocketAddr, SocketAddr)>>,
    pub(crate) entrance: Rc<Entrance>,
}

impl Arrival {
    /// The client's address and the one that it came to.
    pub(super) fn addresses(&self, io: &impl Transport) -> Option<(SocketAddr, SocketAddr)> {
        self.told.as_deref().copied().or_else(|| io.addresses())
    }
}

/// Serves a client's connection until it ends.
///
/// The connection is made outside of the future and captured by it: an argument of an async function would take its
/// space twice.
pub(crate) fn serve<N: Network>(place: Place<N>, io: N::Stream, arrival: Arrival) -> impl Future<Output = ()> {
    let deadline = clock::now().after(place.shard.common().limits.header_timeout);
    let io = Link::clear(io);
    let mut connection = Connection { io, place, arrival, timer: Timer::new(), deadline, eager: false, fresh: true };
    async move {
        if connection.arrival.entrance.plan().begins_apart() && !connection.arrive().await {
            return;
        }
        while connection.turn().await {}
    }
}

struct Connection<N: Network> {
    io: Link<N::Stream>,
    place: Place<N>,
    arrival: Arrival,
    timer: Timer,
    /// When an idle connection is closed.
    deadline: Moment,
    /// Requests come one upon the other.
    eager: bool,
    /// Nothing has been waited for yet.
    fresh: bool,
}

impl<N: Network> Connection<N> {
    /// What comes before the first request. False if there will be none.
    async fn arrive(&mut self) -> bool {
        let shard = &self.place.shard;
        let arrived = pooled(|| arrive(shard, &mut self.io, &self.timer, &mut self.arrival)).await;
        self.deadline = clock::now().after(shard.common().limits.header_timeout);
        arrived
    }

    /// A cold wait, then a busy time. False at the end.
    async fn turn(&mut self) -> bool {
        let shard = &self.place.shard;
        let fresh = std::mem::replace(&mut self.fresh, false);
        // A fresh connection expects its bytes at once; in a burst of them it waits cold, or all would be busy at once.
        if !fresh || shard.is_crowded() {
            let since = clock::now();
            if !cold(shard, &mut self.io, &self.timer, &self.arrival.entrance, self.deadline).await {
                return false;
            }
            self.eager = !fresh && clock::now().since(since) < HOT;
        }
        let (eager, deadline) = (self.eager, self.deadline);
        match pooled(|| busy(shard, &mut self.io, &self.timer, &self.arrival, eager, deadline)).await {
            Next::Cold(answered) => {
                if answered {
                    self.deadline = clock::now().after(shard.common().limits.idle_timeout);
                }
                self.io.rest();
                true
            }
            Next::Close => false,
            Next::Linger => {
                pooled(|| linger(shard, &mut self.io, &self.timer)).await;
                false
            }
        }
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
async fn cold<N: Network>(
    shard: &Shard<N>,
    io: &mut Link<N::Stream>,
    timer: &Timer,
    entrance: &Entrance,
    deadline: Moment,
) -> bool {
    if io.unconfirmed() > 0
        && let Some(goes_on) = pooled(|| delivery(shard, io, timer)).await
    {
        return goes_on;
    }
    let mut deadline = deadline;
    timer.set(deadline);
    poll_fn(|cx| match io.poll_readable(cx) {
        Poll::Ready(result) => Poll::Ready(result.is_ok()),
        Poll::Pending if shard.draining.get() || entrance.is_over() => Poll::Ready(false),
        Poll::Pending => {
            // A reload wakes what waits, and may have brought the end nearer.
            if let Some(until) = entrance.until().filter(|until| *until < deadline) {
                deadline = until;
                timer.set(deadline);
            }
            timer.poll(cx).map(|()| false)
        }
    })
    .await
}

/// Waits until the last answer is with the client: one that does not take it has not become idle. None when it is;
/// otherwise whether the next request has begun.
async fn delivery<N: Network>(shard: &Shard<N>, io: &mut Link<N::Stream>, timer: &Timer) -> Option<bool> {
    let mut rate = RateWatch::default();
    timer.set_after(DRAIN_TICK);
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(result) = io.poll_readable(cx) {
                return Poll::Ready(Some(result.is_ok()));
            }
            if shard.draining.get() {
                return Poll::Ready(Some(false));
            }
            if timer.poll(cx).is_pending() {
                return Poll::Pending;
            }
            if io.unconfirmed() == 0 {
                return Poll::Ready(None);
            }
            if rate.too_slow(clock::now(), io.confirmed(), true, shard.common().limits.min_rate) {
                io.reset_on_close();
                return Poll::Ready(Some(false));
            }
            timer.set_after(DRAIN_TICK);
        }
    })
    .await
}

/// Serves requests for as long as they come one upon the other.
async fn busy<N: Network>(
    shard: &Rc<Shard<N>>,
    io: &mut Link<N::Stream>,
    timer: &Timer,
    arrival: &Arrival,
    eager: bool,
    deadline: Moment,
) -> Next {
    let mut common = shard.common();
    let mut kit = shard.kit();
    let Kit { down, work } = kit.get();
    let security = io.security().cloned();
    let mut plan = arrival.entrance.plan();
    let mut down = H1Downstream::new(io, down, common.head_limits, common.limits.body_bytes, eager);
    let peer_text = arrival.peer.map(IpText::new);
    let mut origin = Origin {
        peer: arrival.peer,
        peer_text: peer_text.as_ref().map_or(&b"unknown"[..], IpText::bytes),
        trusted: common.trusts(arrival.peer),
        scheme: if security.is_some() { "https" } else { "http" },
    };
    let mut answered = false;
    let mut deadline = deadline;
    loop {
        let fault = match next_head(shard, &mut down, timer, deadline).await {
            Ok(Wait::Head) => None,
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
                Some(fault)
            }
        };
        if !Rc::ptr_eq(&common, &shard.current().common) {
            common = shard.common();
            plan = arrival.entrance.plan();
            down.set_limits(common.head_limits, common.limits.body_bytes);
            origin.trusted = common.trusts(arrival.peer);
        }
        if arrival.entrance.is_over() {
            down.close_after_this();
        }
        let context = Context {
            shard,
            common: &common,
            entrance: &arrival.entrance,
            plan: &plan,
            security: security.as_deref(),
            told: arrival.told.as_deref().copied(),
            origin,
            timer,
        };
        if let Some(fault) = fault {
            refuse(&context, &mut down, work, fault).await;
            return if down.must_linger() { Next::Linger } else { Next::Close };
        }
        exchange(&context, &mut down, work).await;
        answered = true;
        if !down.next_request() {
            return if down.must_linger() { Next::Linger } else { Next::Close };
        }
        if !eager && !down.is_warm() {
            return Next::Cold(true);
        }
        deadline = clock::now().after(common.limits.idle_timeout);
    }
}

/// Waits until what was sent is with the kernel. False if the client does not take it.
async fn finish<N: Network>(shard: &Shard<N>, down: &mut H1Downstream<'_, Link<N::Stream>>, timer: &Timer) -> bool {
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
            if rate.too_slow(clock::now(), confirmed, waiting > 0, shard.common().limits.min_rate) {
                down.reset();
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
    down: &mut H1Downstream<'_, Link<N::Stream>>,
    timer: &Timer,
    deadline: Moment,
) -> Result<Wait, Fault> {
    let now = clock::now();
    let mut begun = down.has_partial_head();
    timer.set(if begun { now.after(shard.common().limits.header_timeout) } else { now.after(HOT).min(deadline) });
    let mut cancelled = false;
    poll_fn(|cx: &mut task::Context<'_>| {
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
                timer.set_after(shard.common().limits.header_timeout);
                // Its first bytes came when the receive was just being cancelled: its time begins now.
                cancelled = false;
            }
            if cancelled {
                // What came meanwhile has started another receive.
                down.cancel();
                return Poll::Pending;
            }
            // A client that is busy may have sent its next request when the process begins to stop: it is waited for as
            // long as always, and its answer then says that the connection closes.
            if shard.aborting.get() || timer.poll(cx).is_ready() {
                cancelled = true;
                down.cancel();
                continue;
            }
            return Poll::Pending;
        }
    })
    .await
}

/// Ends our side, and reads what the client still sends, for a while and for as long as it takes the answer. A connection
/// that is closed with unread bytes is reset, and the reset overtakes what the client has not got yet.
async fn linger<N: Network>(shard: &Shard<N>, io: &mut Link<N::Stream>, timer: &Timer) {
    io.shutdown_write();
    timer.set_after(LINGER);
    let mut left = LINGER_BYTES_MAX;
    let mut confirmed = io.confirmed();
    let mut rate = RateWatch::default();
    poll_fn(|cx| {
        loop {
            if shard.aborting.get() {
                return Poll::Ready(());
            }
            if left > 0 {
                if !io.recv_pending() {
                    io.start_recv(Buf::standard());
                }
                match io.poll_recv(cx) {
                    Poll::Ready((Ok(n), _)) if n > 0 => {
                        left = left.saturating_sub(n as u64);
                        continue;
                    }
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => {}
                }
            } else if io.unconfirmed() == 0 {
                return Poll::Ready(());
            }
            if timer.poll(cx).is_pending() {
                return Poll::Pending;
            }
            let before = std::mem::replace(&mut confirmed, io.confirmed());
            let too_slow = rate.too_slow(clock::now(), confirmed, true, shard.common().limits.min_rate);
            if io.unconfirmed() == 0 || confirmed == before || too_slow {
                return Poll::Ready(());
            }
            timer.set_after(LINGER);
        }
    })
    .await;
}
