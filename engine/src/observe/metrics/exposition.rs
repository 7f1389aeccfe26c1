//! The page of all metrics. Reads what the shards have stored, and gives them nothing to do.

use super::page::{Page, Value};
use super::process::Process;
use super::registry::{EndpointName, Registry};
use super::table::*;
use crate::series::scales::{SIZES, TIMES};
use crate::series::status::{self, CLASSES};
use crate::series::{EndpointSeries, FAULTS, HANDSHAKE_FAILURES, ListenerSeries, RouteCounts, RouteSeries, STATES};
use ringgate_rt::clock;
use ringgate_rt::counters::{Counter, Counters, FINE_MICROS, Gauge};
use ringgate_rt::histogram::{Counts, Histogram, Scale};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// A name with its series on each shard.
type Named<K, S> = Vec<(K, Vec<Arc<S>>)>;

impl Registry {
    /// Every metric in Prometheus's text format 0.0.4.
    pub(crate) fn exposition(&self) -> String {
        let (routes, endpoints, listeners, overflowed) = {
            let mut names = self.names();
            let now = Instant::now();
            names.routes.retire(now);
            names.endpoints.retire(now);
            names.listeners.retire(now);
            let overflowed = [
                ("route", names.routes.overflowed()),
                ("endpoint", names.endpoints.overflowed()),
                ("listener", names.listeners.overflowed()),
                ("certificate", self.certificates_overflowed()),
            ];
            (names.routes.all(), names.endpoints.all(), names.listeners.all(), overflowed)
        };
        let mut page = Page::new(&DURATION);
        self.server(&mut page, &routes);
        client(&mut page, &endpoints);
        self.clients_connections(&mut page, &listeners);
        self.configuration(&mut page);
        self.show_certificates(&mut page);
        page.family(&OVERFLOWED);
        for (kind, names) in overflowed {
            page.sample(&[kind], Value::Whole(names as u64));
        }
        self.access_log(&mut page);
        self.loops(&mut page);
        self.process(&mut page);
        page.into_text()
    }

    fn server(&self, page: &mut Page, routes: &Named<String, RouteSeries>) {
        // Requests that no route took have no name, and so no label: an empty one is none.
        let unrouted = self.shards().iter().filter_map(|shard| shard.unrouted.counts()).collect();
        let named = routes.iter().map(|(name, series)| {
            (name.as_str(), series.iter().filter_map(|series| series.counts()).collect::<Vec<_>>())
        });
        let counted: Vec<(&str, Vec<&RouteCounts>)> =
            std::iter::once(("", unrouted)).chain(named).filter(|(_, counts)| !counts.is_empty()).collect();
        for (route, counts) in &counted {
            for (class, label) in CLASSES.iter().enumerate() {
                let counts = sum(counts.iter().map(|counts| &counts.durations[class]));
                if counts.count() > 0 {
                    page.histogram(&[route, label], &TIMES, &counts, Value::Micros);
                }
            }
        }
        page.family(&ACTIVE);
        page.sample(&[], Value::Whole(self.shards().iter().map(|shard| shard.active.get()).sum()));
        page.family(&BYTES_IN);
        for (route, counts) in &counted {
            summed(page, &[route], &SIZES, counts.iter().map(|counts| &counts.bytes_in), Value::Whole);
        }
        page.family(&BYTES_OUT);
        for (route, counts) in &counted {
            summed(page, &[route], &SIZES, counts.iter().map(|counts| &counts.bytes_out), Value::Whole);
        }
        page.family(&REQUESTS);
        for (route, counts) in &counted {
            for place in 0..status::PLACES {
                let requests = total(counts.iter().map(|counts| &counts.codes[place]));
                if requests > 0 {
                    page.sample(&[route, status::label(place)], Value::Whole(requests));
                }
            }
        }
        page.family(&OVERHEAD);
        for (route, counts) in &counted {
            summed(page, &[route], &FINE_MICROS, counts.iter().map(|counts| &counts.overhead), Value::Micros);
        }
        page.family(&FAULTS_TOTAL);
        for (at, fault) in FAULTS.iter().enumerate() {
            let faults = total(self.shards().iter().map(|shard| &shard.faults[at]));
            // The place for faults that are not listed is there only if it is needed.
            if at > 0 || faults > 0 {
                page.sample(&[fault], Value::Whole(faults));
            }
        }
    }

    fn clients_connections(&self, page: &mut Page, listeners: &Named<String, ListenerSeries>) {
        for (family, which) in [
            (&ACCEPTED, (|series| &series.accepted) as fn(&ListenerSeries) -> &Counter),
            (&LIMITED, |series| &series.limited),
            (&ACCEPT_FAILED, |series| &series.failed),
        ] {
            page.family(family);
            for (name, series) in listeners {
                page.sample(&[name], count(series, which));
            }
        }
        page.family(&OPEN);
        for (name, series) in listeners {
            page.sample(&[name], level(series, |series| &series.active));
        }
        handshakes(page, listeners);
        plain_bytes(page, listeners);
        page.family(&OPEN_MAX);
        page.sample(&[], Value::Whole(self.connections_max.load(Ordering::Relaxed)));
    }

    fn configuration(&self, page: &mut Page) {
        let reloads = &self.reloads;
        page.family(&RELOADS);
        page.sample(&["ok"], Value::Whole(reloads.good.load(Ordering::Relaxed)));
        page.sample(&["failed"], Value::Whole(reloads.failed.load(Ordering::Relaxed)));
        page.family(&RELOAD_OK);
        page.sample(&[], Value::Whole(u64::from(reloads.last_good.load(Ordering::Relaxed))));
        page.family(&RELOAD_TIME);
        page.sample(&[], Value::Micros(reloads.last_micros.load(Ordering::Relaxed)));
        page.family(&RELOAD_AT);
        page.sample(&[], Value::Micros(reloads.good_at_micros.load(Ordering::Relaxed)));
        page.family(&GENERATION);
        page.sample(&[], Value::Whole(self.generation()));
    }

    fn access_log(&self, page: &mut Page) {
        page.family(&LOG_LINES);
        page.sample(&[], Value::Whole(self.log().written()));
        page.family(&LOG_DROPPED);
        page.sample(&[], Value::Whole(self.log().dropped()));
    }

    fn loops(&self, page: &mut Page) {
        let shards: Vec<(String, &Counters)> = self
            .shards()
            .iter()
            .enumerate()
            .filter_map(|(index, shard)| Some((index.to_string(), shard.runtime.get()?.as_ref())))
            .collect();
        page.family(&TURN);
        for (shard, counters) in &shards {
            let times = sum(std::iter::once(&counters.turn_times.micros));
            page.histogram(&[shard], &FINE_MICROS, &times, Value::Micros);
        }
        page.family(&TURN_LONGEST);
        for (shard, counters) in &shards {
            page.sample(&[shard], Value::Micros(counters.turn_times.longest_since_asked()));
        }
        page.family(&OPERATIONS);
        for (shard, counters) in &shards {
            for (operation, count) in counters.each().filter(|(name, _)| !matches!(*name, "turns" | "panics")) {
                page.sample(&[shard, operation], Value::Whole(count));
            }
        }
        page.family(&PANICS);
        for (shard, counters) in &shards {
            page.sample(&[shard], Value::Whole(counters.panics.get()));
        }
        page.family(&BUFFERS);
        for (shard, counters) in &shards {
            let buffers = &counters.buffers;
            for (size, state, gauge) in [
                ("standard", "lent", &buffers.standard_lent),
                ("standard", "free", &buffers.standard_free),
                ("large", "lent", &buffers.large_lent),
                ("large", "free", &buffers.large_free),
            ] {
                page.sample(&[shard, size, state], Value::Whole(gauge.get()));
            }
        }
        page.family(&BUFFER_BYTES);
        for (shard, counters) in &shards {
            page.sample(&[shard], Value::Whole(counters.buffers.lent_bytes.get()));
        }
    }

    fn process(&self, page: &mut Page) {
        page.family(&BUILD);
        let commit = option_env!("RINGGATE_COMMIT").unwrap_or("unknown");
        page.sample(&[env!("CARGO_PKG_VERSION"), commit], Value::Whole(1));
        page.family(&START);
        page.sample(&[], Value::Micros(self.started_micros));
        let now = Process::read();
        for (family, value) in [
            (&CPU, now.cpu_micros.map(Value::Micros)),
            (&RESIDENT, now.resident_bytes.map(Value::Whole)),
            (&FDS, now.open_descriptors.map(Value::Whole)),
            (&FDS_MAX, now.descriptors_max.map(Value::Whole)),
        ] {
            page.family(family);
            value.into_iter().for_each(|value| page.sample(&[], value));
        }
    }
}

fn handshakes(page: &mut Page, listeners: &Named<String, ListenerSeries>) {
    page.family(&HANDSHAKES);
    for (name, series) in listeners {
        page.sample(&[name, "full"], count(series, |series| &series.handshakes.full));
        page.sample(&[name, "resumed"], count(series, |series| &series.handshakes.resumed));
    }
    page.family(&HANDSHAKES_FAILED);
    for (name, series) in listeners {
        for (at, reason) in HANDSHAKE_FAILURES.iter().enumerate() {
            let failed = total(series.iter().map(|series| &series.handshakes.failed[at]));
            // Most listeners know few of them.
            if failed > 0 {
                page.sample(&[name, reason], Value::Whole(failed));
            }
        }
    }
    page.family(&HANDSHAKING);
    for (name, series) in listeners {
        page.sample(&[name], level(series, |series| &series.handshakes.active));
    }
}

fn plain_bytes(page: &mut Page, listeners: &Named<String, ListenerSeries>) {
    page.family(&TCP_CONNECTIONS);
    for (name, series) in listeners {
        page.sample(&[name, "ended"], count(series, |series| &series.tcp.ended));
        page.sample(&[name, "failed"], count(series, |series| &series.tcp.failed));
    }
    page.family(&TCP_BYTES);
    for (name, series) in listeners {
        page.sample(&[name, "in"], count(series, |series| &series.tcp.bytes_in));
        page.sample(&[name, "out"], count(series, |series| &series.tcp.bytes_out));
    }
}

fn client(page: &mut Page, endpoints: &Named<EndpointName, EndpointSeries>) {
    page.family(&UP_DURATION);
    each(page, endpoints, |page, name, series| {
        summed(page, &name, &TIMES, series.iter().map(|series| &series.durations), Value::Micros);
    });
    page.family(&UP_REQUESTS);
    each(page, endpoints, |page, [upstream, endpoint], series| {
        for (class, label) in CLASSES.iter().enumerate() {
            let requests = total(series.iter().map(|series| &series.classes[class]));
            if requests > 0 {
                page.sample(&[upstream, endpoint, label], Value::Whole(requests));
            }
        }
    });
    for (family, which) in [
        (&UP_RETRIES, (|series| &series.retried) as fn(&EndpointSeries) -> &Counter),
        (&UP_CREATED, |series| &series.created),
        (&UP_REUSED, |series| &series.reused),
    ] {
        page.family(family);
        each(page, endpoints, |page, name, series| page.sample(&name, count(series, which)));
    }
    page.family(&UP_OPEN);
    each(page, endpoints, |page, [upstream, endpoint], series| {
        page.sample(&[upstream, endpoint, "active"], level(series, |series| &series.active));
        page.sample(&[upstream, endpoint, "idle"], level(series, |series| &series.idle));
    });
    page.family(&UP_FAILED);
    each(page, endpoints, |page, [upstream, endpoint], series| {
        let refused = count(series, |series| &series.refused);
        page.sample(&[upstream, endpoint, "upstream_connect_failed"], refused);
        let timed_out = count(series, |series| &series.timed_out);
        page.sample(&[upstream, endpoint, "upstream_connect_timeout"], timed_out);
        let insecure = count(series, |series| &series.insecure);
        page.sample(&[upstream, endpoint, "upstream_tls_failed"], insecure);
    });
    page.family(&UP_STATE);
    let now = clock::read();
    each(page, endpoints, |page, [upstream, endpoint], series| {
        for (at, state) in STATES.iter().enumerate() {
            let shards = series.iter().filter(|series| series.state(now) == at).count();
            page.sample(&[upstream, endpoint, state], Value::Whole(shards as u64));
        }
    });
}

/// Writes something of each endpoint.
fn each(
    page: &mut Page,
    endpoints: &Named<EndpointName, EndpointSeries>,
    write: impl Fn(&mut Page, [&str; 2], &[Arc<EndpointSeries>]),
) {
    for ((upstream, endpoint), series) in endpoints {
        write(page, [upstream, endpoint], series);
    }
}

/// A histogram over all shards, if it has counted anything.
fn summed<'s, const B: usize>(
    page: &mut Page,
    labels: &[&str],
    scale: &Scale<B>,
    shards: impl Iterator<Item = &'s Histogram<B>>,
    as_value: fn(u64) -> Value,
) {
    let counts = sum(shards);
    if counts.count() > 0 {
        page.histogram(labels, scale, &counts, as_value);
    }
}

fn sum<'s, const B: usize>(shards: impl Iterator<Item = &'s Histogram<B>>) -> Counts<B> {
    let mut counts = Counts::default();
    shards.for_each(|histogram| histogram.add_to(&mut counts));
    counts
}

fn total<'s>(shards: impl Iterator<Item = &'s Counter>) -> u64 {
    shards.map(Counter::get).sum()
}

fn count<S>(shards: &[Arc<S>], which: impl Fn(&S) -> &Counter) -> Value {
    Value::Whole(total(shards.iter().map(|series| which(series))))
}

fn level<S>(shards: &[Arc<S>], which: impl Fn(&S) -> &Gauge) -> Value {
    Value::Whole(shards.iter().map(|series| which(series).get()).sum())
}
