//! What streams cost, as the kernel counts it: entries of the ring, monoio's own closes and cancels included. In a binary
//! of its own with one test, so that the process has one ring, and one test's entries in it.
#![allow(clippy::expect_used, reason = "helpers of tests are tests")]

#[allow(dead_code, reason = "each binary uses its part")]
mod support;

use ringgate_rt::{Buf, Stream, Transport, task};
use std::future::{Future, poll_fn};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::task::Poll;
use support::each_driver;

const ROUNDS: u64 = 50;

/// The only ring of this process, in /proc. None where fdinfo does not show its counts.
fn ring() -> Option<String> {
    let rings = std::fs::read_dir("/proc/self/fd").ok()?.filter_map(|entry| {
        let entry = entry.ok()?;
        let target = std::fs::read_link(entry.path()).ok()?;
        let name = entry.file_name().into_string().ok()?;
        (target.to_str()? == "anon_inode:[io_uring]").then(|| format!("/proc/self/fdinfo/{name}"))
    });
    let rings: Vec<String> = rings.collect();
    assert_eq!(rings.len(), 1, "one shard, one ring");
    rings.into_iter().find(|ring| tail(ring).is_some())
}

/// Entries that were ever put into the ring.
fn tail(ring: &str) -> Option<u64> {
    let info = std::fs::read_to_string(ring).ok()?;
    info.lines().find_map(|line| line.strip_prefix("SqTail:"))?.trim().parse().ok()
}

/// Entries that a round costs. The loop's own polls, on its mailbox and alarm, rest meanwhile.
async fn cost<F: Future<Output = ()>>(ring: &str, round: impl Fn() -> F) -> f64 {
    for _ in 0..3 {
        task::yield_now().await;
    }
    let before = tail(ring).expect("counts");
    for _ in 0..ROUNDS {
        round().await;
    }
    for _ in 0..3 {
        task::yield_now().await;
    }
    (tail(ring).expect("counts") - before) as f64 / ROUNDS as f64
}

fn pair() -> (Stream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let theirs = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
    let (ours, _) = listener.accept().expect("accepted");
    (Stream::from_fd(ours.into()).expect("adopted"), theirs)
}

async fn recv(stream: &mut Stream) {
    poll_fn(|cx| stream.poll_recv(cx)).await.0.expect("received");
}

async fn start_recv(stream: &mut Stream) {
    stream.start_recv(Buf::standard());
    poll_fn(|cx| {
        assert!(stream.poll_recv(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    task::yield_now().await;
}

/// A request and its answer on a stream that is closed at rest.
async fn exchange() {
    let (mut stream, mut theirs) = pair();
    theirs.write_all(b"request").expect("written");
    stream.start_recv(Buf::standard());
    recv(&mut stream).await;
    let mut answer = Buf::standard();
    answer.append(b"answer");
    stream.start_send(answer);
    poll_fn(|cx| stream.poll_send(cx)).await.0.expect("sent");
}

async fn wait_for_one() {
    let (mut stream, mut theirs) = pair();
    theirs.write_all(b"x").expect("written");
    poll_fn(|cx| stream.poll_readable(cx)).await.expect("readable");
}

async fn end_and_await() {
    let (mut stream, _theirs) = pair();
    start_recv(&mut stream).await;
    stream.shutdown();
    recv(&mut stream).await;
}

async fn cancel_and_await() {
    let (mut stream, _theirs) = pair();
    start_recv(&mut stream).await;
    stream.cancel_recv();
    poll_fn(|cx| stream.poll_recv(cx)).await.0.expect_err("cancelled");
}

async fn drop_in_flight() {
    let (mut stream, _theirs) = pair();
    start_recv(&mut stream).await;
}

#[test]
fn closing_at_rest_adds_no_hidden_operation() {
    each_driver(|shard| {
        if shard.chosen.driver.is_epoll() {
            return;
        }
        let costs = shard.run(|| async {
            let ring = ring()?;
            Some([
                cost(&ring, exchange).await,
                cost(&ring, wait_for_one).await,
                cost(&ring, end_and_await).await,
                cost(&ring, cancel_and_await).await,
                cost(&ring, drop_in_flight).await,
            ])
        });
        let Some([exchange, wait, end, cancel, dropped]) = costs else {
            eprintln!("skipped: this kernel does not show a ring's counts in fdinfo");
            return;
        };
        assert_eq!(exchange, 2.0, "a receive and a send");
        assert_eq!(wait, 1.0, "a wait");
        assert_eq!(end, 1.0, "a receive; shutdown(2) ends it");
        assert_eq!(cancel, 2.0, "a receive and its cancel");
        // The receive, monoio's cancel of it, its close, and its cancel of the close.
        assert_eq!(dropped, 4.0, "why streams are better closed at rest");
    });
}
