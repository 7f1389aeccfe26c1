use super::balance::RoundRobin;
use super::pool::{HOT, IDLE_PER_ENDPOINT_MAX, POOL_IDLE_TIMEOUT, Pool};
use super::*;
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::memory::{End, pair};
use std::time::Duration;

fn cluster(endpoints: &str) -> Cluster<End> {
    let text = format!(
        "listeners: [{{ name: a, address: \"127.0.0.1:0\" }}]\nupstreams: {{ s: {{ endpoints: [{endpoints}] }} }}\nroutes: []\n"
    );
    let config = ringgate_config::parse("test.yaml", &text, &|_| None).unwrap_or_else(|error| panic!("{error}"));
    Cluster::new(&config.upstreams[0], None, None, &[])
}

#[test]
fn round_robin_gives_each_its_share_and_spreads_the_heavy_ones() {
    let mut balance = RoundRobin::new([5, 1, 1].into_iter());
    let turns: Vec<usize> = (0..14).filter_map(|_| balance.next(|_| true)).collect();
    assert_eq!(turns[..7], [0, 0, 1, 0, 2, 0, 0]);
    assert_eq!(turns[..7], turns[7..], "and again");
}

#[test]
fn round_robin_among_those_that_are_left() {
    let mut balance = RoundRobin::new([3, 2, 1].into_iter());
    let turns: Vec<usize> = (0..6).filter_map(|_| balance.next(|at| at != 0)).collect();
    assert_eq!(turns.iter().filter(|at| **at == 1).count(), 4);
    assert_eq!(turns.iter().filter(|at| **at == 2).count(), 2);
    assert_eq!(balance.next(|_| false), None);
}

#[test]
fn each_endpoint_is_tried_once_for_a_request() {
    let cluster = cluster("\"127.0.0.1:1\", \"127.0.0.1:2\", \"127.0.0.1:3\"");
    let mut tried = Vec::new();
    while let Some(endpoint) = cluster.next(&tried) {
        tried.push(endpoint);
    }
    let mut labels: Vec<&str> = tried.iter().map(|endpoint| endpoint.label.as_str()).collect();
    labels.sort_unstable();
    assert_eq!(labels, ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"]);
}

fn waiting(pool: &mut Pool<End>) -> End {
    let (ours, theirs) = pair();
    pool.put(ours);
    theirs
}

#[test]
fn the_pool_is_last_in_first_out() {
    let mut pool = Pool::new();
    let _first = waiting(&mut pool);
    let mut second = waiting(&mut pool);
    let mut taken = pool.take().expect("one waits");
    second.put(b"x");
    let cx = &mut std::task::Context::from_waker(std::task::Waker::noop());
    assert!(ringgate_rt::Transport::poll_recv(&mut taken, cx).is_ready(), "it is the second one's peer");
}

#[test]
fn the_pool_is_bounded() {
    let mut pool = Pool::new();
    let peers: Vec<End> = (0..IDLE_PER_ENDPOINT_MAX + 3).map(|_| waiting(&mut pool)).collect();
    assert_eq!(pool.len(), IDLE_PER_ENDPOINT_MAX);
    drop(peers);
}

#[test]
fn a_connection_that_was_closed_or_has_spoken_is_not_given_out() {
    let mut pool = Pool::new();
    let good = waiting(&mut pool);
    drop(waiting(&mut pool));
    waiting(&mut pool).put(b"HTTP/1.1 408 Request Timeout\r\n\r\n");
    assert!(pool.take().is_some(), "the one below the two stale ones");
    assert!(pool.take().is_none());
    drop(good);
}

#[test]
fn what_waits_gives_its_buffer_back_and_is_closed_in_the_end() {
    let mut pool = Pool::new();
    let peer = waiting(&mut pool);
    let lent = ringgate_rt::buffer::lent_bytes();
    let since = clock::now();
    assert!(pool.sweep(since));
    assert_eq!(ringgate_rt::buffer::lent_bytes(), lent, "it is hot");
    assert!(pool.sweep(since.after(HOT)));
    assert!(pool.sweep(since.after(HOT * 2)));
    assert!(ringgate_rt::buffer::lent_bytes() < lent, "it is cold");
    assert!(pool.sweep(since.after(POOL_IDLE_TIMEOUT - Duration::from_millis(1))));
    assert!(!pool.sweep(Moment(since.0).after(POOL_IDLE_TIMEOUT)), "it has waited long enough");
    assert!(pool.take().is_none());
    drop(peer);
}

#[test]
fn a_cold_connection_is_given_out_and_a_cold_one_that_ended_is_not() {
    let mut pool = Pool::new();
    let (alive, gone) = (waiting(&mut pool), waiting(&mut pool));
    let since = clock::now();
    for n in 1..=2 {
        pool.sweep(since.after(HOT * n));
    }
    drop(gone);
    assert!(pool.take().is_some());
    assert!(pool.take().is_none());
    drop(alive);
}
