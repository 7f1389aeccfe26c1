//! One request and its answer, from the head to the record.

use super::answer::{Extra, send_fault};
use super::current::RouteHere;
use super::ends::Downstream;
use super::entrance::Entrance;
use super::forward::forward;
use super::h1::UpParts;
use super::headers::{self, IpText, Origin};
use super::listener_plan::ListenerPlan;
use super::own::{Own, send_own};
use super::record::Record;
use super::request_id::TAKEN_OVER_MAX;
use super::shard::Shard;
use super::snapshot::{ActionPlan, Common};
use super::transfer::Progress;
use crate::model::{BodySize, Edits, Fault, RequestHead, Secured};
use crate::route::{Captures, Matched, captured_path};
use crate::secure::Security;
use crate::series::Measured;
use crate::upstream::{Cluster, Endpoint};
use ringgate_protocols::wire::HeaderId;
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::timer::Timer;
use ringgate_rt::{Network, pooled};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

/// How long an answer of the gateway itself may take to be sent.
pub(crate) const OWN_ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

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
pub(crate) struct Trail<N: Network> {
    pub(crate) id: IdText,
    pub(crate) route: Option<Rc<RouteHere<N>>>,
    pub(crate) service: Option<Rc<Cluster<N::Stream>>>,
    pub(crate) endpoint: Option<Rc<Endpoint<N::Stream>>>,
    /// When the request was sent to the service.
    pub(crate) sent_at: Option<Moment>,
    pub(crate) progress: Progress,
    /// Bytes that a tunnel carried from the client.
    pub(crate) tunnelled: u64,
    /// Microseconds for which others were waited for: a service to connect and to answer, a client to send a body that
    /// nobody wants.
    pub(crate) waited: u64,
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

impl<N: Network> Trail<N> {
    fn new(id: IdText) -> Trail<N> {
        Trail {
            id,
            route: None,
            service: None,
            endpoint: None,
            sent_at: None,
            progress: Progress::default(),
            tunnelled: 0,
            waited: 0,
            allow: Vec::new(),
        }
    }
}

/// What an exchange works with.
pub(crate) struct Context<'e, N: Network> {
    pub(crate) shard: &'e Rc<Shard<N>>,
    pub(crate) common: &'e Common,
    pub(crate) entrance: &'e Entrance,
    /// How its connections are treated.
    pub(crate) plan: &'e ListenerPlan,
    /// What the handshake has come to; none for clear text.
    pub(crate) security: Option<&'e Security>,
    /// What a trusted sender has told of the client's address, and the one that it came to.
    pub(crate) told: Option<(SocketAddr, SocketAddr)>,
    pub(crate) origin: Origin<'e>,
    pub(crate) timer: &'e Timer,
}

impl<N: Network> Context<'_, N> {
    /// What every answer over TLS tells browsers of later visits.
    pub(crate) fn hsts(&self) -> Option<&[u8]> {
        self.security.and(self.plan.hsts.as_deref())
    }
}

/// A request, as the templates of its route see it.
pub(crate) struct Asked<'a> {
    pub(crate) head: RequestHead<'a>,
    pub(crate) id: &'a [u8],
    pub(crate) route: &'a str,
    pub(crate) origin: Origin<'a>,
    pub(crate) common: &'a Common,
    /// What the client's handshake has come to; none for clear text.
    pub(crate) secured: Option<&'a Secured>,
    /// Whether the gateway is ready for more requests.
    pub(crate) ready: bool,
}

impl<'a> Asked<'a> {
    /// The scheme that the client used, as far as a trusted sender says so.
    pub(crate) fn scheme(&self) -> &'a [u8] {
        let origin = self.origin;
        let told = self.head.value(HeaderId::XForwardedProto).filter(|_| origin.trusted);
        told.filter(|scheme| matches!(*scheme, b"http" | b"https")).unwrap_or(origin.scheme.as_bytes())
    }

    /// The client's address as text; empty where it has none.
    pub(crate) fn client(&self) -> Vec<u8> {
        let client = headers::client(&self.head, self.origin, |address| self.common.trusts(Some(address)));
        client.map(|address| IpText::new(address).bytes().to_vec()).unwrap_or_default()
    }
}

/// Runs one exchange whose request head has been read.
pub(crate) async fn exchange<N: Network, D: Downstream>(context: &Context<'_, N>, down: &mut D, work: &mut Work) {
    let started = clock::now();
    let _active = context.shard.series.exchange();
    let taken_over = headers::taken_over_id(&down.head(), context.origin);
    let id = taken_over.map_or_else(|| IdText::new(&context.shard.ids.next()), IdText::new);
    let mut trail = Trail::new(id);
    let outcome = act(context, down, work, &mut trail).await;
    let fault = outcome.err();
    if let Some(fault) = fault {
        answer_fault(context, down, work, &mut trail, fault).await;
    }
    record(context, down, &trail, started, fault);
}

/// Answers a request whose head could not be read.
pub(crate) async fn refuse<N: Network, D: Downstream>(
    context: &Context<'_, N>,
    down: &mut D,
    work: &mut Work,
    fault: Fault,
) {
    let started = clock::now();
    let _active = context.shard.series.exchange();
    let mut trail = Trail::new(IdText::new(&context.shard.ids.next()));
    answer_fault(context, down, work, &mut trail, fault).await;
    record(context, down, &trail, started, Some(fault));
}

/// Match, admit, act: until the answer is with the client.
async fn act<N: Network, D: Downstream>(
    context: &Context<'_, N>,
    down: &mut D,
    work: &mut Work,
    trail: &mut Trail<N>,
) -> Result<(), Fault> {
    #[cfg(test)]
    assert!(down.target_text() != super::PANIC_TARGET, "injected");
    if let Some(security) = context.security.filter(|_| context.plan.match_host) {
        right_host(security, &down.head())?;
    }
    if let Some(redirect) = context.plan.redirect_for(&down.head(), context.origin.trusted) {
        let own = own_answer(context, &down.head(), redirect, "", trail.id.bytes(), &Captures::none())?;
        return pooled(|| send_own(context, redirect, own, down, &mut work.edits, trail)).await;
    }
    let (route, own) = find_route(context, down, trail)?;
    admit(context.common, &down.head())?;
    match (&route.plan.action, own) {
        (ActionPlan::Forward(plan), _) => forward(context, plan, &route, down, work, trail).await,
        (action, Some(own)) => pooled(|| send_own(context, action, own, down, &mut work.edits, trail)).await,
        (_, None) => Err(Fault::Internal),
    }
}

type Found<N> = (Rc<RouteHere<N>>, Option<Own>);

/// The route, and the answer that the gateway itself makes if it is to.
fn find_route<N: Network, D: Downstream>(
    context: &Context<'_, N>,
    down: &D,
    trail: &mut Trail<N>,
) -> Result<Found<N>, Fault> {
    let current = context.shard.current();
    let head = down.head();
    match current.snapshot.table.find(&head)? {
        Matched::Route(index) => {
            let route = current.route(index);
            trail.route = Some(route.clone());
            let own = match &route.plan.action {
                ActionPlan::Forward(_) => None,
                action => {
                    let path = captured_path(&head);
                    let captures = current.snapshot.table.captures(index, &path);
                    Some(own_answer(context, &head, action, &route.plan.name, trail.id.bytes(), &captures)?)
                }
            };
            Ok((route, own))
        }
        Matched::MethodNotAllowed(methods) => {
            trail.allow = methods;
            Err(Fault::Method)
        }
        Matched::NotFound => Err(Fault::NoRoute),
    }
}

/// What the gateway itself answers to a request.
fn own_answer<N: Network>(
    context: &Context<'_, N>,
    head: &RequestHead<'_>,
    action: &ActionPlan,
    route: &str,
    id: &[u8],
    captures: &Captures<'_>,
) -> Result<Own, Fault> {
    let asked = Asked {
        head: *head,
        id,
        route,
        origin: context.origin,
        common: context.common,
        secured: context.security.map(|security| &security.info),
        ready: context.shard.readiness.get(),
    };
    Own::make(action, captures, &asked)
}

/// A request may come over a connection for its host alone (RFC 9110 section 7.4): one that the client has named, or the
/// certificate that it was served for that name holds.
fn right_host(security: &Security, head: &RequestHead<'_>) -> Result<(), Fault> {
    let (Some(name), Some(host)) = (&security.info.server_name, head.host_name()) else { return Ok(()) };
    let host = host.strip_suffix(b".").unwrap_or(host);
    let right = host.eq_ignore_ascii_case(name.as_bytes()) || security.covers(host);
    if right { Ok(()) } else { Err(Fault::Misdirected) }
}

/// Limits that hold for every request.
pub(crate) fn admit(common: &Common, head: &RequestHead<'_>) -> Result<(), Fault> {
    let limits = &common.limits;
    if matches!(head.body, BodySize::Known(n) if n > limits.body_bytes) {
        return Err(Fault::BodyTooLarge);
    }
    if headers::hops(head) >= limits.max_hops {
        return Err(Fault::TooManyHops);
    }
    Ok(())
}

/// Sends the answer for a fault, if one can still be sent; else makes sure that what was sent is not taken for whole.
async fn answer_fault<N: Network, D: Downstream>(
    context: &Context<'_, N>,
    down: &mut D,
    work: &mut Work,
    trail: &mut Trail<N>,
    fault: Fault,
) {
    let status = match fault.status() {
        Some(status) if !down.answered() => status,
        _ if fault == Fault::SlowReader => return down.reset(),
        _ => return down.abort(),
    };
    trail.progress.status = status;
    let extra = Extra {
        request_id: trail.id.bytes(),
        date: context.shard.wall().http_date(),
        allow: &trail.allow,
        hsts: context.hsts(),
    };
    context.timer.set_after(OWN_ANSWER_TIMEOUT);
    // An informational head may still be on its way.
    if sent(down, context.timer).await {
        if context.shard.draining.get() {
            down.close_after_this();
        }
        trail.progress.answer_bytes = send_fault(down, &mut work.edits, fault, status, extra);
        trail.progress.leaving_at = Some(clock::read());
        if sent(down, context.timer).await {
            return;
        }
    }
    down.abort();
}

/// Waits until everything is with the kernel. False if that failed or took too long.
pub(crate) async fn sent<D: Downstream>(down: &mut D, timer: &Timer) -> bool {
    poll_fn(|cx| match down.poll_ready(cx) {
        Poll::Ready(result) => Poll::Ready(result.is_ok()),
        Poll::Pending => timer.poll(cx).map(|()| false),
    })
    .await
}

fn record<N: Network, D: Downstream>(
    context: &Context<'_, N>,
    down: &D,
    trail: &Trail<N>,
    started: Moment,
    fault: Option<Fault>,
) {
    let now = clock::read();
    let bytes_in = down.body_bytes() + trail.tunnelled;
    count(context, trail, bytes_in, started, now, fault);
    let shard = context.shard;
    let current = shard.current();
    let Some(plan) = &current.snapshot.access_log else { return };
    let head = down.head();
    let listener = context.entrance.name();
    let client = headers::client(&head, context.origin, |address| context.common.trusts(Some(address)));
    let secured = context.security.map(|security| &security.info);
    // Nearly always the peer itself, whose address was written out when it connected.
    let forwarded = client.filter(|_| client != context.origin.peer).map(IpText::new);
    let record = Record {
        unix_micros: shard.wall().unix_micros(started),
        request_id: trail.id.bytes(),
        client: forwarded.as_ref().map(IpText::bytes).or(client.and(Some(context.origin.peer_text))),
        listener: &listener,
        protocol: if head.version == "1.0" { "HTTP/1.0" } else { "HTTP/1.1" },
        method: head.method_text(),
        host: head.authority().unwrap_or(b""),
        target: down.target_text(),
        route: trail.route.as_ref().map(|route| route.plan.name.as_str()),
        upstream: trail.service.as_ref().map(|service| service.name.as_str()),
        endpoint: trail.endpoint.as_ref().map(|endpoint| endpoint.label.as_str()),
        status: trail.progress.status,
        bytes_in,
        bytes_out: trail.progress.answer_bytes,
        duration: now.since(started).as_micros() as u64,
        upstream_time: trail.sent_at.map(|sent| trail.progress.head_at.unwrap_or(now).since(sent).as_micros() as u64),
        fault,
        server_name: secured.and_then(|secured| secured.server_name.as_deref()),
        secured,
    };
    current.log.line(|out| record.write(plan, &head, out));
}

/// Counts an exchange that is over.
fn count<N: Network>(
    context: &Context<'_, N>,
    trail: &Trail<N>,
    bytes_in: u64,
    started: Moment,
    now: Moment,
    fault: Option<Fault>,
) {
    let total = &context.shard.series;
    if let Some(fault) = fault {
        total.fault(fault);
    }
    let micros = |until: Moment| until.0.saturating_sub(started.0);
    let series = trail.route.as_ref().map_or(&total.unrouted, |route| &*route.series);
    series.record(&Measured {
        status: trail.progress.status,
        duration: micros(now),
        overhead: micros(trail.progress.leaving_at.unwrap_or(now)).saturating_sub(trail.waited),
        bytes_in,
        bytes_out: trail.progress.answer_bytes,
    });
}
