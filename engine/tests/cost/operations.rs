//! Operations of a small request on two busy connections.

use crate::support::service::ok;
use crate::support::tls::{self, Version};
use crate::support::{Authority, Client, Gate, Plan, Service, on_io_uring, wait_for};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The counters of the only shard.
fn counters(gate: &Gate) -> BTreeMap<&'static str, u64> {
    gate.running().counters[0].each().collect()
}

/// Counters once nothing more happens: the last answer can be here before the last receive is counted.
fn at_rest(gate: &Gate, sends: u64, receives: u64) -> BTreeMap<&'static str, u64> {
    wait_for("the last operations", || {
        let now = counters(gate);
        (now["send"] >= sends && now["recv"] >= receives).then_some(now)
    })
}

fn costs_four_each(request: &'static str, answer: Vec<u8>) {
    let made = || {
        let body = answer.clone();
        let service = Service::answering(move |_| body.clone());
        (Plan::to(&service), service)
    };
    costs_four_each_between(request, made, |gate| gate.client());
}

/// A plan and the service behind it are `made` for each try; the client is made by `connect`.
fn costs_four_each_between(
    request: &'static str,
    made: impl Fn() -> (Plan, Service),
    connect: impl Fn(&Gate) -> Client,
) {
    const WARM_UP: u64 = 50;
    const REQUESTS: u64 = 1000;
    let _alone = crate::alone();
    on_io_uring(|driver| {
        // A request that comes late finds its connection gone cold, and costs a wait more. On a machine that is busy with
        // other work that happens, so there are a few tries.
        let mut seen = Vec::new();
        for _ in 0..5 {
            let (plan, _service) = made();
            let gate = plan.start(driver);
            let mut client = connect(&gate);
            for _ in 0..WARM_UP {
                assert_eq!(client.exchange(request).status, 200);
            }
            let before = at_rest(&gate, 2 * WARM_UP, 2 * WARM_UP);
            for _ in 0..REQUESTS {
                assert_eq!(client.exchange(request).status, 200);
            }
            let after = at_rest(&gate, before["send"] + 2 * REQUESTS, before["recv"] + 2 * REQUESTS);
            let cost: BTreeMap<_, _> = after.iter().map(|(name, n)| (*name, n - before[name])).collect();
            let expected = [
                ("recv", 2 * REQUESTS),
                ("send", 2 * REQUESTS),
                ("poll", 0),
                ("cancel", 0),
                ("connect", 0),
                ("close", 0),
            ];
            if expected.iter().all(|(name, n)| cost[name] == *n) {
                return;
            }
            seen.push(cost);
        }
        panic!("never exactly four operations for each of {REQUESTS} requests: {seen:?}");
    });
}

#[test]
fn a_small_request_costs_four_operations() {
    costs_four_each("GET /small HTTP/1.1\r\nhost: h\r\n\r\n", ok("good"));
}

#[test]
fn an_answer_of_16_kib_costs_no_more() {
    costs_four_each("GET /16k HTTP/1.1\r\nhost: h\r\n\r\n", ok(vec![b'x'; 16 * 1024]));
}

#[test]
fn a_small_upload_costs_no_more() {
    costs_four_each("POST /small HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello", ok("good"));
}

#[test]
fn an_answer_in_chunks_that_comes_whole_costs_no_more() {
    let answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n";
    costs_four_each("GET /chunked HTTP/1.1\r\nhost: h\r\n\r\n", answer.to_vec());
}

/// Of this version on both sides.
fn costs_four_each_over_tls(version: Version, answer: Vec<u8>) {
    let authority = Authority::new("both sides believe it");
    let certificate = authority.certificate("site", &["localhost"]);
    let config = Arc::new(tls::client_config(&authority, version));
    let made = || {
        let body = answer.clone();
        let secured = tls::server_config(&authority.issue(&["service.internal"]), version);
        let service = Service::start_tls(secured, move |connection| connection.answer_all(|_| body.clone()));
        let upstream = format!("tls: {{ ca: \"{}\", server_name: service.internal }}", authority.ca());
        let listener = format!("tls: {{ certificates: [{certificate}] }}");
        (Plan::to(&service).upstream(&upstream).listener(&listener), service)
    };
    let request = "GET /small HTTP/1.1\r\nhost: localhost\r\n\r\n";
    costs_four_each_between(request, made, |gate| tls::client(gate.address(), &config, "localhost"));
}

#[test]
fn a_small_request_over_tls_costs_no_more() {
    costs_four_each_over_tls(Version::Tls13, ok("good"));
    costs_four_each_over_tls(Version::Tls12, ok("good"));
}
