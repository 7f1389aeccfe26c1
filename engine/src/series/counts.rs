//! The series themselves.

use super::scales::{SIZE_BUCKETS, SIZES, TIME_BUCKETS, TIMES};
use super::status;
use crate::model::Fault;
use ringgate_rt::clock::Moment;
use ringgate_rt::counters::{Counter, Counters, FINE_MICROS, Gauge};
use ringgate_rt::histogram::Histogram;
use std::sync::{Arc, OnceLock};

/// The words of faults (`Fault::code`), and a place for one that is not here.
pub(crate) const FAULTS: [&str; 29] = [
    "unlisted",
    "malformed_request",
    "malformed_body",
    "ambiguous_path",
    "no_route",
    "method_not_allowed",
    "request_timeout",
    "slow_body",
    "body_too_large",
    "target_too_long",
    "expectation_failed",
    "head_too_large",
    "too_many_hops",
    "bad_reference",
    "no_host",
    "misdirected",
    "slow_reader",
    "client_gone",
    "upstream_connect_failed",
    "upstream_connect_timeout",
    "upstream_tls_failed",
    "upstream_closed",
    "upstream_bad_answer",
    "upstream_timeout",
    "no_healthy_endpoint",
    "not_ready",
    "route_removed",
    "stopping",
    "internal",
];

/// What an endpoint can be on a shard.
pub(crate) const STATES: [&str; 3] = ["up", "skipped", "drained"];

/// What is measured of an exchange when it is over. Times in microseconds, sizes in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    /// 0 if nothing was answered.
    pub(crate) status: u16,
    pub(crate) duration: u64,
    /// What of it was the gateway's own, until the answer began to leave.
    pub(crate) overhead: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

/// A route on one shard. One that no request has taken costs nothing but its place.
#[derive(Default)]
pub(crate) struct RouteSeries(OnceLock<Box<RouteCounts>>);

pub(crate) struct RouteCounts {
    pub(crate) codes: [Counter; status::PLACES],
    /// By class.
    pub(crate) durations: [Histogram<TIME_BUCKETS>; status::CLASSES.len()],
    pub(crate) overhead: Histogram<17>,
    pub(crate) bytes_in: Histogram<SIZE_BUCKETS>,
    pub(crate) bytes_out: Histogram<SIZE_BUCKETS>,
}

impl RouteSeries {
    /// Counts an exchange. Only the owning shard may call it.
    #[inline]
    pub(crate) fn record(&self, measured: &Measured) {
        let counts = self.0.get_or_init(RouteCounts::new);
        counts.codes[status::place(measured.status)].add_one();
        counts.durations[status::class(measured.status)].record(&TIMES, measured.duration);
        counts.overhead.record(&FINE_MICROS, measured.overhead);
        counts.bytes_in.record(&SIZES, measured.bytes_in);
        counts.bytes_out.record(&SIZES, measured.bytes_out);
    }

    /// What was counted; none before the first request.
    pub(crate) fn counts(&self) -> Option<&RouteCounts> {
        self.0.get().map(Box::as_ref)
    }
}

impl RouteCounts {
    #[cold]
    fn new() -> Box<RouteCounts> {
        Box::new(RouteCounts {
            codes: std::array::from_fn(|_| Counter::default()),
            durations: std::array::from_fn(|_| Histogram::default()),
            overhead: Histogram::default(),
            bytes_in: Histogram::default(),
            bytes_out: Histogram::default(),
        })
    }
}

/// An endpoint on one shard.
#[derive(Default)]
pub(crate) struct EndpointSeries {
    pub(crate) durations: Histogram<TIME_BUCKETS>,
    pub(crate) classes: [Counter; status::CLASSES.len()],
    /// Connections that were made.
    pub(crate) created: Counter,
    /// Connections that carried a further exchange.
    pub(crate) reused: Counter,
    /// Connections that were refused or failed.
    pub(crate) refused: Counter,
    /// Connections that took too long to make.
    pub(crate) timed_out: Counter,
    /// Connections that could not be secured.
    pub(crate) insecure: Counter,
    /// Requests that were tried again after this endpoint had failed them.
    pub(crate) retried: Counter,
    /// Connections that wait in the pool.
    pub(crate) idle: Gauge,
    /// Connections with an exchange on them.
    pub(crate) active: Gauge,
    /// 1 if an operator has taken it out.
    drained: Gauge,
    /// Until when it is passed over.
    skipped_until: Gauge,
}

impl EndpointSeries {
    /// A request that the endpoint has answered, or failed (status 0), after so many microseconds. Only the owning shard
    /// may call it, as everything that changes these.
    #[inline]
    pub(crate) fn record(&self, status: u16, micros: u64) {
        self.classes[status::class(status)].add_one();
        self.durations.record(&TIMES, micros);
    }

    /// The endpoint is passed over until then.
    pub(crate) fn skip_until(&self, until: Moment) {
        self.skipped_until.set(until.0);
    }

    /// An operator takes the endpoint out, or back in.
    pub(crate) fn drain(&self, drained: bool) {
        self.drained.set(u64::from(drained));
    }

    /// Its place among the [`STATES`].
    pub(crate) fn state(&self, now: Moment) -> usize {
        match (self.drained.get() > 0, self.skipped_until.get() > now.0) {
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => 0,
        }
    }
}

/// A listener on one shard.
#[derive(Default)]
pub(crate) struct ListenerSeries {
    /// Connections accepted.
    pub(crate) accepted: Counter,
    /// Connections that had to wait for a place, or were closed for want of one.
    pub(crate) limited: Counter,
    /// Accepts that failed.
    pub(crate) failed: Counter,
    /// Connections that are open on this shard.
    pub(crate) active: Gauge,
    pub(crate) handshakes: HandshakeSeries,
    pub(crate) tcp: TcpSeries,
}

/// Why connections are not there before their first request.
pub(crate) const HANDSHAKE_FAILURES: [&str; 13] = [
    "other",
    "peer_left",
    "timeout",
    "crowded",
    "stopping",
    "no_tls",
    "plain_http",
    "nothing_in_common",
    "client_certificate_missing",
    "client_certificate_invalid",
    "alert",
    "proxy_header",
    "no_passthrough",
];

/// What secures the connections of a listener on one shard.
#[derive(Default)]
pub(crate) struct HandshakeSeries {
    /// Whole TLS handshakes.
    pub(crate) full: Counter,
    /// TLS handshakes in which an earlier session went on.
    pub(crate) resumed: Counter,
    /// By [`HANDSHAKE_FAILURES`].
    pub(crate) failed: [Counter; HANDSHAKE_FAILURES.len()],
    /// Those that go on: TLS handshakes, and connections whose first bytes are looked into.
    pub(crate) active: Gauge,
}

impl HandshakeSeries {
    /// Counts a handshake that failed, by one of the [`HANDSHAKE_FAILURES`].
    pub(crate) fn fail(&self, reason: &str) {
        let place = HANDSHAKE_FAILURES.iter().position(|known| *known == reason).unwrap_or(0);
        self.failed[place].add_one();
    }

    /// Counts a handshake that succeeded.
    pub(crate) fn succeed(&self, resumed: bool) {
        if resumed { self.resumed.add_one() } else { self.full.add_one() }
    }
}

/// Plain bytes over a listener on one shard.
#[derive(Default)]
pub(crate) struct TcpSeries {
    /// Connections that have ended.
    pub(crate) ended: Counter,
    /// Connections that could not be joined with a service, or were cut off.
    pub(crate) failed: Counter,
    pub(crate) bytes_in: Counter,
    pub(crate) bytes_out: Counter,
}

impl TcpSeries {
    /// Counts a connection that is over.
    pub(crate) fn end(&self, failed: bool, bytes_in: u64, bytes_out: u64) {
        if failed {
            self.failed.add_one()
        } else {
            self.ended.add_one()
        }
        self.bytes_in.add(bytes_in);
        self.bytes_out.add(bytes_out);
    }
}

/// What is counted of a shard as a whole.
#[derive(Default)]
pub(crate) struct ShardSeries {
    /// Its place among the shards of the process.
    pub(crate) index: usize,
    pub(crate) runtime: OnceLock<Arc<Counters>>,
    pub(crate) active: Gauge,
    pub(crate) faults: [Counter; FAULTS.len()],
    /// Requests that no route took.
    pub(crate) unrouted: RouteSeries,
}

impl ShardSeries {
    pub(crate) fn new(index: usize) -> ShardSeries {
        ShardSeries { index, ..ShardSeries::default() }
    }

    /// Shows the counters of the shard's loop, which it calls this from.
    pub(crate) fn show_runtime(&self) {
        self.runtime.get_or_init(ringgate_rt::counters::shared);
    }

    /// Counts a fault.
    pub(crate) fn fault(&self, fault: Fault) {
        let code = fault.code();
        let place = FAULTS.iter().position(|known| *known == code).unwrap_or(0);
        self.faults[place].add_one();
    }

    /// Counts an exchange as active for as long as the guard lives.
    pub(crate) fn exchange(&self) -> Active<'_> {
        Active::new(&self.active)
    }
}

/// One more of something that is counted while it lasts, however it ends.
pub(crate) struct Active<'s>(&'s Gauge);

impl<'s> Active<'s> {
    /// Counts one in `gauge`.
    #[inline]
    pub(crate) fn new(gauge: &'s Gauge) -> Active<'s> {
        gauge.add_one();
        Active(gauge)
    }
}

impl Drop for Active<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.take_one();
    }
}
