//! What things cost, in operations of the driver.

use crate::net::{readable, recv, recv_started, send, tcp_pair};
use crate::support::{Shard, each_driver, wait};
use ringgate_rt::{Buf, Stream, Transport, counters, task};
use std::future::poll_fn;
use std::io::{Read, Write};
use std::task::Poll;

/// Operations counted so far: receives, sends, waits, cancels.
fn counted() -> [u64; 4] {
    let c = counters::shared();
    [c.recv.get(), c.send.get(), c.poll.get(), c.cancel.get()]
}

fn since(before: [u64; 4]) -> [u64; 4] {
    let now = counted();
    std::array::from_fn(|n| now[n] - before[n])
}

#[test]
fn a_receive_is_one_operation_and_so_are_a_send_and_a_wait() {
    each_driver(|shard| {
        let (ours, mut theirs) = tcp_pair();
        let costs = shard.begin(|| async move {
            let mut stream = Stream::from_fd(ours).expect("adopted");
            let mut costs = Vec::new();
            let before = counted();
            assert_eq!(recv(&mut stream).await.expect("received"), b"request");
            costs.push(since(before));
            let before = counted();
            send(&mut stream, b"answer").await.expect("sent");
            costs.push(since(before));
            let before = counted();
            readable(&mut stream).await.expect("an end");
            costs.push(since(before));
            let before = (counted(), counters::shared().close.get());
            drop(stream);
            assert_eq!(counters::shared().close.get(), before.1 + 1);
            costs.push(since(before.0));
            costs
        });
        shard.run(|| async {});
        theirs.write_all(b"request").expect("written");
        theirs.read_exact(&mut [0; 6]).expect("an answer");
        theirs
            .shutdown(std::net::Shutdown::Write)
            .expect("an end");
        let expected = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0; 4]];
        assert_eq!(wait(&costs), expected);
    });
}

/// Entries that this thread's ring has taken so far, as the kernel counts them. None where it can't be read.
fn ring_entries() -> Option<u64> {
    // The ring of this shard is the one that only this thread may use; other tests have rings of their own, so the
    // right one is found by what it is for: it is the one whose count moves with our operations.
    let path = RING.with_borrow(|path| path.clone())?;
    sq_tail(&path)
}

fn sq_tail(path: &str) -> Option<u64> {
    let info = std::fs::read_to_string(path).ok()?;
    let tail = info.lines().find_map(|line| line.strip_prefix("SqTail:"))?;
    tail.trim().parse().ok()
}

thread_local! {
    static RING: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
}

/// Finds the ring of this shard: of all rings of the process, the one that takes exactly our waits.
async fn find_ring() -> bool {
    let rings: Vec<String> = std::fs::read_dir("/proc/self/fd")
        .expect("descriptors")
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let target = std::fs::read_link(entry.path()).ok()?;
            let name = entry.file_name().into_string().ok()?;
            (target.to_str()? == "anon_inode:[io_uring]")
                .then(|| format!("/proc/self/fdinfo/{name}"))
        })
        .collect();
    let before: Vec<_> = rings.iter().map(|path| sq_tail(path)).collect();
    const WAITS: u64 = 37;
    for _ in 0..WAITS {
        let (ours, mut theirs) = tcp_pair();
        let mut stream = Stream::from_fd(ours).expect("adopted");
        theirs.write_all(b"x").expect("written");
        readable(&mut stream).await.expect("readable");
    }
    let found = rings.into_iter().zip(before).find(|(path, before)| {
        before.is_some_and(|before| sq_tail(path).is_some_and(|now| now - before == WAITS))
    });
    let found = found.map(|(path, _)| path);
    RING.set(found.clone());
    found.is_some()
}

fn on_the_ring(test: impl Fn(&Shard)) {
    each_driver(|shard| {
        if shard.chosen.driver.is_epoll() {
            return;
        }
        if !shard.run(find_ring) {
            eprintln!("skipped: this kernel does not show a ring's counts in fdinfo");
            return;
        }
        test(shard);
    });
}

#[test]
fn a_stream_closed_at_rest_needs_no_hidden_operation() {
    on_the_ring(|shard| {
        let entries = shard.run(|| async {
            let before = ring_entries();
            for _ in 0..50 {
                let (ours, mut theirs) = tcp_pair();
                let mut stream = Stream::from_fd(ours).expect("adopted");
                theirs.write_all(b"request").expect("written");
                recv(&mut stream).await.expect("received");
                send(&mut stream, b"answer").await.expect("sent");
                drop(stream);
            }
            task::yield_now().await;
            Some(ring_entries()? - before?)
        });
        assert_eq!(entries, Some(100), "one receive and one send each");
    });
}

#[test]
fn what_a_busy_stream_costs_to_close_is_known() {
    on_the_ring(|shard| {
        let entries = shard.run(|| async {
            let before = ring_entries();
            for _ in 0..50 {
                let (ours, _theirs) = tcp_pair();
                let mut stream = Stream::from_fd(ours).expect("adopted");
                stream.start_recv(Buf::standard());
                poll_fn(|cx| {
                    assert!(stream.poll_recv(cx).is_pending());
                    Poll::Ready(())
                })
                .await;
                task::yield_now().await;
                // The better way: end it, await it, and close at rest.
                stream.shutdown();
                recv_started(&mut stream).await.expect("an end");
                drop(stream);
            }
            task::yield_now().await;
            Some(ring_entries()? - before?)
        });
        assert_eq!(entries, Some(50), "a receive each, and nothing to end it");
    });
}
