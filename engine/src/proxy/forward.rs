//! Forwarding: an endpoint, a connection to it, the request out, the answer back.
//!
//! A request is tried again in two cases only: nothing of it was sent (connecting failed), or a connection that had been
//! used before died without a byte of answer and the method is idempotent (RFC 9110 section 9.2.2).

use super::answer::set_hsts;
use super::current::RouteHere;
use super::ends::{Downstream, Upstream};
use super::exchange::{Context, Trail, Work};
use super::h1::H1Upstream;
use super::headers;
use super::reach::Reach;
use super::snapshot::ForwardPlan;
use super::transfer::{Begun, Bounds, Done, transfer};
use super::tunnel::{TUNNEL_IDLE_TIMEOUT, TunnelBounds, tunnel};
use crate::model::{BodySize, Fault, Piece, RequestHead};
use crate::secure::Link;
use crate::series::Active;
use crate::upstream::Endpoint;
use ringgate_protocols::wire::HeaderId;
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::{Address, Buf, Network, Transport};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

/// Forwards the request to the route's service, and the answer to the client.
pub(crate) async fn forward<N: Network, D: Downstream>(
    context: &Context<'_, N>,
    plan: &ForwardPlan,
    route: &RouteHere<N>,
    down: &mut D,
    work: &mut Work,
    trail: &mut Trail<N>,
) -> Result<(), Fault> {
    let cluster = route.next_service().ok_or(Fault::NoEndpoint)?;
    trail.service = Some(cluster.clone());
    let mut again: Option<Rc<Endpoint<N::Stream>>> = None;
    loop {
        let retried = again.is_some();
        let before = clock::now();
        let client = if cluster.tells_clients() { context.told.or_else(|| down.addresses()) } else { None };
        let reach = Reach { shard: context.shard, cluster: &cluster, timer: context.timer, client, pooled: true };
        let connected = reach.connect(again.take(), || down.has_left()).await;
        trail.waited += micros(before, clock::now());
        let (endpoint, connected) = connected?;
        trail.endpoint = Some(endpoint.clone());
        let active = Active::new(&endpoint.series.active);
        let reused = connected.reused;
        let mut up = H1Upstream::new(connected.io, &mut work.up, context.common.head_limits);

        let host = service_host(plan, &down.head(), &endpoint);
        headers::to_service(&mut work.edits, &down.head(), context.origin, trail.id.bytes(), host);
        let begun = begin(down, &mut up, &work.edits).await?;
        let sent_at = clock::read();
        trail.sent_at = Some(sent_at);
        let bounds = Bounds {
            timer: context.timer,
            min_rate: context.common.limits.min_rate,
            answer_timeout: plan.timeout,
            draining: &context.shard.draining,
            aborting: &context.shard.aborting,
        };
        let id = &trail.id;
        let edit_answer = |up: &H1Upstream<'_, Link<N::Stream>>, edits: &mut _| {
            headers::to_client(edits, &up.head(), id.bytes(), || context.shard.wall().http_date());
            set_hsts(edits, Some(&up.head()), context.hsts());
        };
        let done = transfer(down, &mut up, begun, edit_answer, &mut work.edits, &bounds, &mut trail.progress).await;
        let progress = &trail.progress;
        let waited = micros(sent_at, progress.head_at.unwrap_or_else(clock::read));
        trail.waited += waited;
        endpoint.series.record(progress.head_at.map_or(0, |_| progress.status), waited);
        match done {
            Ok(Done::Whole) => {
                if let Some(io) = up.into_reusable()
                    && !context.shard.draining.get()
                    && !cluster.tells_clients()
                {
                    endpoint.keep(io);
                    context.shard.sweep_from_now_on();
                }
                return Ok(());
            }
            Ok(Done::Switched) => {
                return join(context, &route.plan.name, down, &mut up, trail).await;
            }
            Err(Fault::UpstreamClosed) if reused && !retried && !up.heard() && may_repeat(down) => {
                endpoint.series.retried.add_one();
                drop(active);
                again = Some(endpoint);
            }
            Err(fault) => {
                up.abort();
                return Err(fault);
            }
        }
    }
}

fn micros(from: Moment, to: Moment) -> u64 {
    to.0.saturating_sub(from.0)
}

/// What the service is to get as Host, where that is not what the client sent. HTTP/1.0 clients may send none.
fn service_host<'a, T: Transport>(
    plan: &'a ForwardPlan,
    head: &RequestHead<'_>,
    endpoint: &'a Endpoint<T>,
) -> Option<&'a [u8]> {
    match &plan.host {
        Some(host) => Some(host.as_bytes()),
        None if head.target.authority.is_none() && !head.fields.has(HeaderId::Host) => Some(match endpoint.address {
            Address::Tcp(_) => endpoint.label.as_bytes(),
            // A path is no host.
            Address::Unix(_) => b"localhost",
        }),
        None => None,
    }
}

/// Sends the request's head, with what has come of its body in the same send.
async fn begin<D: Downstream, U: Upstream>(
    down: &mut D,
    up: &mut U,
    edits: &crate::model::Edits,
) -> Result<Begun, Fault> {
    if down.body_done() {
        let chunked = down.head().body == BodySize::Unknown;
        up.send_request(&down.head(), edits, chunked.then(Buf::standard), true);
        return Ok(Begun::Whole);
    }
    let first = poll_fn(|cx| {
        Poll::Ready(match down.poll_body(cx) {
            Poll::Ready(piece) => Some(piece),
            Poll::Pending => None,
        })
    })
    .await
    .transpose()?;
    Ok(match first {
        Some(Piece::Data { buf, last }) => {
            up.send_request(&down.head(), edits, Some(buf), last);
            if last { Begun::Whole } else { Begun::Part(None) }
        }
        end => {
            up.send_request(&down.head(), edits, None, false);
            Begun::Part(end)
        }
    })
}

/// Whether the request can be sent once more: it does no more harm twice than once, and it is still there.
fn may_repeat<D: Downstream>(down: &mut D) -> bool {
    down.head().method.is_idempotent() && down.rewind()
}

async fn join<N: Network, D: Downstream, U: Upstream>(
    context: &Context<'_, N>,
    route: &str,
    down: &mut D,
    up: &mut U,
    trail: &mut Trail<N>,
) -> Result<(), Fault> {
    let (client, from_client) = down.tunnel();
    let (service, from_service) = up.tunnel();
    let life = context.shard.lives.of(route);
    let bounds = TunnelBounds {
        timer: context.timer,
        aborting: &context.shard.aborting,
        life: &life,
        idle: TUNNEL_IDLE_TIMEOUT,
    };
    let carried = tunnel(client, service, (from_client, from_service), &bounds).await;
    trail.progress.answer_bytes = carried.from_service;
    trail.tunnelled = carried.from_client;
    if carried.cut_off { Err(Fault::RouteRemoved) } else { Ok(()) }
}
