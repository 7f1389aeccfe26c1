//! Time of one exchange through the whole pipeline: the gateway, and the copies of the transport in memory.
#![allow(clippy::expect_used, reason = "a bench that can't run has nothing to report")]

use criterion::{Criterion, criterion_group, criterion_main};
use ringgate::harness::Harness;
use ringgate_bench::{LogLines, SCENARIOS, config};
use std::fmt::Write;

fn pipeline(c: &mut Criterion) {
    for scenario in SCENARIOS {
        for (log, name) in [(LogLines::Off, "quiet"), (LogLines::On, "logged")] {
            let mut exchange = scenario.start(log).expect("the gateway starts");
            c.bench_function(&format!("pipeline/{}/{name}", scenario.name), |b| b.iter(|| exchange.run()));
            assert_eq!(exchange.connections(), 1, "the service's connection was used again");
        }
        let mut exchange = scenario.start_secured(&rustls::version::TLS13).expect("a handshake");
        // The client's own work on its records is in it.
        c.bench_function(&format!("pipeline/{}/tls", scenario.name), |b| b.iter(|| exchange.run()));
    }
}

/// The page of metrics after a request on each route. No shard has a part in it.
fn scrape(c: &mut Criterion) {
    for routes in [10, 1000] {
        let mut text = String::from(
            "listeners: [{ name: http, address: \"127.0.0.1:8080\" }]\n\
             upstreams: { origin: { endpoints: [\"127.0.0.1:9000\"] } }\nroutes:\n",
        );
        for n in 0..routes {
            writeln!(text, "  - {{ name: r{n}, match: {{ path: \"/{n}\" }}, forward: {{ upstream: origin }} }}")
                .expect("memory");
        }
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        let service = |received: &[u8], out: &mut Vec<u8>| {
            out.extend_from_slice(answer);
            received.len()
        };
        let config = config(&text).expect("a good configuration");
        let mut harness = Harness::new(&config, Box::new(service)).expect("the gateway starts");
        for n in 0..routes {
            assert!(harness.exchange(format!("GET /{n} HTTP/1.1\r\nhost: h\r\n\r\n").as_bytes(), |_| {}) > 0);
        }
        c.bench_function(&format!("scrape/{routes} routes"), |b| b.iter(|| harness.metrics().len()));
    }
}

criterion_group!(benches, pipeline, scrape);
criterion_main!(benches);
