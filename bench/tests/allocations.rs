//! A connection that is in use allocates nothing: not for a request, not for an answer.

use ringgate_bench::allocations::{Counting, on_this_thread};
use ringgate_bench::{Exchange, LogLines, SCENARIOS};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const EXCHANGES: u64 = 2000;

fn run(exchange: &mut Exchange) {
    (0..EXCHANGES).for_each(|_| assert!(exchange.run() > 0));
}

#[test]
fn an_exchange_allocates_nothing() {
    for scenario in SCENARIOS {
        let mut exchange = scenario.start(LogLines::Off).unwrap();
        let before = on_this_thread();
        run(&mut exchange);
        let allocations = on_this_thread() - before;
        assert_eq!(allocations, 0, "{}: {allocations} allocations in {EXCHANGES} exchanges", scenario.name);
        assert_eq!(exchange.connections(), 1);
    }
}

/// Its lines gather in memory that goes round between shard and writer; only the hand-over of a batch may allocate.
#[test]
fn a_line_of_the_access_log_allocates_next_to_nothing() {
    for scenario in SCENARIOS {
        let mut exchange = scenario.start(LogLines::On).unwrap();
        run(&mut exchange);
        let before = on_this_thread();
        run(&mut exchange);
        let allocations = on_this_thread() - before;
        assert!(allocations < EXCHANGES / 20, "{}: {allocations} allocations in {EXCHANGES} exchanges", scenario.name);
    }
}

#[test]
fn the_count_counts() {
    let before = on_this_thread();
    drop(std::hint::black_box(Box::new(1)));
    let mut grown = Vec::with_capacity(1);
    grown.extend_from_slice(std::hint::black_box(&[0u8; 64]));
    assert_eq!(on_this_thread() - before, 3);
}
