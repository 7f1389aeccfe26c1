//! One request and its answer, from the head to the record.

use super::answer::{Extra, send_fault};
use super::ends::Downstream;
use super::forward::forward;
use super::h1::UpParts;
use super::headers::{self, IpText, Origin};
use super::record::Record;
use super::request_id::TAKEN_OVER_MAX;
use super::shard::Shard;
use super::snapshot::RoutePlan;
use super::transfer::Progress;
use crate::model::{BodySize, Edits, Fault};
use crate::route::Matched;
use crate::upstream::Endpoint;
use ringgate_rt::Network;
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::timer::Timer;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

/// How long an answer of the gateway itself may take to be sent.
const OWN_ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Memory that exchanges need one after the other.
pub(crate) struct Work {
    pub(crate) edits: Edits,
    pub(crate) up: UpParts,
}

impl Work {
    pub(crate) fn new() -> Work {
        Work { edits: Edits::default(), up: UpParts::new() }
    }
}

/// What an exchange leaves behind as it goes, for its answer and its record.
pub(crate) struct Trail<T> {
    pub(crate) id: IdText,
    pub(crate) route: Option<usize>,
    pub(crate) endpoint: Option<Rc<Endpoint<T>>>,
    /// When the request was sent to the service.
    pub(crate) sent_at: Option<Moment>,
    pub(crate) progress: Progress,
    /// Bytes that a tunnel carried from the client.
    pub(crate) tunnelled: u64,
    allow: Vec<Box<[u8]>>,
}

/// A request id, ours or a trusted sender's.
pub(crate) struct IdText {
    bytes: [u8; TAKEN_OVER_MAX],
    len: usize,
}

impl IdText {
    fn new(id: &[u8]) -> IdText {
        let len = id.len().min(TAKEN_OVER_MAX);
        let mut bytes = [0; TAKEN_OVER_MAX];
        bytes[..len].copy_from_slice(&id[..len]);
        IdText { bytes, len }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// What an exchange works with.
pub(crate) struct Context<'e, N: Network> {
    pub(crate) shard: &'e Rc<Shard<N>>,
    pub(crate) origin: Origin<'e>,
    pub(crate) timer: &'e Timer,
}

/// Runs one exchange whose request head has been read.
pub(crate) async fn exchange<N: Network, D: Downstream>(
    shard: &Rc<Shard<N>>,
    origin: Origin<'_>,
    timer: &Timer,
    down: &mut D,
    work: &mut Work,
) {
    let started = clock::now();
    let context = Context { shard, origin, timer };
    let id = headers::taken_over_id(&down.head(), origin).map_or_else(|| IdText::new(&shard.ids.next()), IdText::new);
    let mut trail = Trail {
        id,
        route: None,
        endpoint: None,
        sent_at: None,
        progress: Progress::default(),
        tunnelled: 0,
        allow: Vec::new(),
    };

    let outcome = act(&context, down, work, &mut trail).await;
    let fault = outcome.err();
    if let Some(fault) = fault {
        answer_fault(&context, down, work, &mut trail, fault).await;
    }
    record(&context, down, &trail, started, fault);
}

/// Answers a request whose head could not be read.
pub(crate) async fn refuse<N: Network, D: Downstream>(
    shard: &Rc<Shard<N>>,
    origin: Origin<'_>,
    timer: &Timer,
    down: &mut D,
    work: &mut Work,
    fault: Fault,
) {
    let started = clock::now();
    let context = Context { shard, origin, timer };
    let mut trail = Trail::<N::Stream> {
        id: IdText::new(&shard.ids.next()),
        route: None,
        endpoint: None,
        sent_at: None,
        progress: Progress::default(),
        tunnelled: 0,
        allow: Vec::new(),
    };
    answer_fault(&context, down, work, &mut trail, fault).await;
    record(&context, down, &trail, started, Some(fault));
}

/// Match, admit, act: until the answer is with the client.
async fn act<N: Network, D: Downstream>(
    context: &Context<'_, N>,
    down: &mut D,
    work: &mut Work,
    trail: &mut Trail<N::Stream>,
) -> Result<(), Fault> {
    #[cfg(test)]
    assert!(down.target_text() != super::PANIC_TARGET, "injected");
    let plan = find_route(context, down, trail)?;
    admit(context, down)?;
    forward(context, plan, down, work, trail).await
}

fn find_route<'e, N: Network, D: Downstream>(
    context: &Context<'e, N>,
    down: &D,
    trail: &mut Trail<N::Stream>,
) -> Result<&'e RoutePlan, Fault> {
    match context.shard.snapshot.table.find(&down.head())? {
        Matched::Route(index) => {
            trail.route = Some(index);
            Ok(&context.shard.snapshot.routes[index])
        }
        Matched::MethodNotAllowed(methods) => {
            trail.allow = methods;
            Err(Fault::Method)
        }
        Matched::NotFound => Err(Fault::NoRoute),
    }
}

/// Limits that hold for every request.
fn admit<N: Network, D: Downstream>(context: &Context<'_, N>, down: &D) -> Result<(), Fault> {
    let limits = &context.shard.snapshot.limits;
    let head = down.head();
    if matches!(head.body, BodySize::Known(n) if n > limits.body_bytes) {
        return Err(Fault::BodyTooLarge);
    }
    if headers::hops(&head) >= limits.max_hops {
        return Err(Fault::TooManyHops);
    }
    Ok(())
}

/// Sends the answer for a fault, if one can still be sent; else makes sure that what was sent is not taken for whole.
async fn answer_fault<N: Network, D: Downstream>(
    context: &Context<'_, N>,
    down: &mut D,
    work: &mut Work,
    trail: &mut Trail<N::Stream>,
    fault: Fault,
) {
    let status = match fault.status() {
        Some(status) if !down.answered() => status,
        _ if fault == Fault::SlowReader => return down.reset(),
        _ => return down.abort(),
    };
    trail.progress.status = status;
    let extra = Extra { request_id: trail.id.bytes(), date: context.shard.wall().http_date(), allow: &trail.allow };
    context.timer.set_after(OWN_ANSWER_TIMEOUT);
    // An informational head may still be on its way.
    if sent(down, context.timer).await {
        if context.shard.draining.get() {
            down.close_after_this();
        }
        trail.progress.answer_bytes = send_fault(down, &mut work.edits, fault, status, extra);
        if sent(down, context.timer).await {
            return;
        }
    }
    down.abort();
}

/// Waits until everything is with the kernel. False if that failed or took too long.
async fn sent<D: Downstream>(down: &mut D, timer: &Timer) -> bool {
    poll_fn(|cx| match down.poll_ready(cx) {
        Poll::Ready(result) => Poll::Ready(result.is_ok()),
        Poll::Pending => timer.poll(cx).map(|()| false),
    })
    .await
}

fn record<N: Network, D: Downstream>(
    context: &Context<'_, N>,
    down: &D,
    trail: &Trail<N::Stream>,
    started: Moment,
    fault: Option<Fault>,
) {
    let shard = context.shard;
    if !shard.log.is_on() {
        return;
    }
    let snapshot = &shard.snapshot;
    let head = down.head();
    let now = clock::read();
    let route = trail.route.map(|index| &snapshot.routes[index]);
    let client = headers::client(&head, context.origin, |address| snapshot.trusts(Some(address)));
    // Nearly always the peer itself, whose address was written out when it connected.
    let forwarded = client.filter(|_| client != context.origin.peer).map(IpText::new);
    let record = Record {
        unix_micros: shard.wall().unix_micros(started),
        request_id: trail.id.bytes(),
        client: forwarded.as_ref().map(IpText::bytes).or(client.and(Some(context.origin.peer_text))),
        listener: snapshot.listeners.get(context.origin.listener).map_or("", String::as_str),
        protocol: if head.version == "1.0" { "HTTP/1.0" } else { "HTTP/1.1" },
        method: head.method_text(),
        host: head.authority().unwrap_or(b""),
        target: down.target_text(),
        route: route.map(|route| route.name.as_str()),
        upstream: route.map(|route| snapshot.upstreams[route.upstream].name.as_str()),
        endpoint: trail.endpoint.as_ref().map(|endpoint| endpoint.label.as_str()),
        status: trail.progress.status,
        bytes_in: down.body_bytes() + trail.tunnelled,
        bytes_out: trail.progress.answer_bytes,
        duration: now.since(started).as_micros() as u64,
        upstream_time: trail.sent_at.map(|sent| trail.progress.head_at.unwrap_or(now).since(sent).as_micros() as u64),
        fault,
    };
    shard.log.line(|out| record.write(out));
}
