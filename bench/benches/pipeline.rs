//! Time of one exchange through the whole pipeline: the gateway, and the copies of the transport in memory.
#![allow(clippy::expect_used, reason = "a bench that can't run has nothing to report")]

use criterion::{Criterion, criterion_group, criterion_main};
use ringgate_bench::{LogLines, SCENARIOS};

fn pipeline(c: &mut Criterion) {
    for scenario in SCENARIOS {
        for (log, name) in [(LogLines::Off, "quiet"), (LogLines::On, "logged")] {
            let mut exchange = scenario.start(log).expect("the gateway starts");
            c.bench_function(&format!("pipeline/{}/{name}", scenario.name), |b| b.iter(|| exchange.run()));
            assert_eq!(exchange.connections(), 1, "the service's connection was used again");
        }
    }
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
