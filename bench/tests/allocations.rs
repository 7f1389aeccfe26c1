//! A connection that is in use allocates nothing: not for a request, not for an answer.

use ringgate::harness::Routes;
use ringgate_bench::allocations::{Counting, on_this_thread};
use ringgate_bench::{Exchange, LogLines, SCENARIOS, config};
use ringgate_protocols::h1::HeadLimits;

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

#[test]
fn an_exchange_over_tls_allocates_nothing() {
    for scenario in SCENARIOS {
        for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
            let mut exchange = scenario.start_secured(version).unwrap();
            let before = on_this_thread();
            (0..EXCHANGES).for_each(|_| assert!(exchange.run().unwrap() > scenario.answer_bytes));
            let allocations = on_this_thread() - before;
            let version = version.version;
            assert_eq!(allocations, 0, "{}, {version:?}: {allocations} in {EXCHANGES} exchanges", scenario.name);
            assert_eq!(exchange.connections(), 1);
        }
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
fn finding_a_route_allocates_nothing() {
    let limits = HeadLimits { header_bytes: 4096, headers: 10, target_bytes: 1024 };
    let text = r#"
listeners: [{ name: a, address: "127.0.0.1:0" }]
upstreams: { s: { endpoints: ["127.0.0.1:9"] } }
routes:
  - { name: host, match: { hosts: [a.example.com, "*.example.org"], path: "/*" }, forward: { upstream: s } }
  - { name: exact, match: { path: /users }, forward: { upstream: s } }
  - { name: captured, match: { path: "/users/{id}/posts/*" }, forward: { upstream: s } }
  - { name: prefix, match: { path: "/static/css/*", methods: [GET] }, forward: { upstream: s } }
  - { name: write, match: { path: "/both", methods: [PUT, POST] }, forward: { upstream: s } }
  - { name: read, match: { path: "/both", methods: [GET] }, forward: { upstream: s } }
"#;
    let mut routes = Routes::new(&config(text).unwrap()).unwrap();
    let requests = [
        ("a.example.com", "/x", 0),
        ("b.EXAMPLE.org:80", "/x", 0),
        ("h", "/users?q", 1),
        ("h", "/users/7/posts/8", 2),
        ("h", "/static/css/a/b", 3),
        ("h", "/both", 5),
    ];
    for (host, target, route) in requests {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert!(routes.parse(request.as_bytes(), &limits));
        let before = on_this_thread();
        assert_eq!(routes.find(request.as_bytes()), Some(route), "{host}{target}");
        assert_eq!(on_this_thread() - before, 0, "{host}{target}");
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
