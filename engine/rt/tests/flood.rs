//! 20,000 receives that complete at once, more than a completion queue holds. In a binary of its own, since it takes
//! all the descriptors that the process may have.
#![allow(clippy::expect_used, reason = "helpers of tests are tests")]

#[allow(dead_code, reason = "each binary uses its part")]
mod support;

use ringgate_rt::{Buf, Stream, Transport, buffer, descriptors, task, timer};
use std::cell::Cell;
use std::future::poll_fn;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;
use support::{Shard, each_driver_with, wait};

const WANTED: usize = 20_000;
/// Descriptors for everything else.
const SPARE: usize = 200;

/// As many pairs as there are descriptors for.
fn pairs() -> usize {
    let wanted = WANTED * 2 + SPARE;
    let limit = descriptors::raise_limit(wanted as u64).expect("a limit");
    let pairs = ((limit as usize).min(wanted) - SPARE) / 2;
    if pairs < WANTED {
        eprintln!("only {pairs} instead of {WANTED} completions: the limit is {limit} descriptors");
    }
    pairs
}

/// All streams wait; then `write` makes all of them readable while the shard can't look.
fn flood(shard: &Shard, write: impl FnOnce(Vec<UnixStream>) -> Vec<UnixStream> + Send + 'static) {
    let pairs = pairs();
    let (give, theirs) = std::sync::mpsc::channel();
    let done = shard.begin(move || async move {
        let received = Rc::new(Cell::new(0));
        let mut ends = Vec::new();
        for n in 0..pairs {
            let (ours, theirs) = UnixStream::pair().expect("a pair");
            ends.push(theirs);
            let received = received.clone();
            task::spawn(async move {
                let mut stream = Stream::from_fd(ours.into()).expect("adopted");
                stream.start_recv(Buf::standard());
                let (result, buf) = poll_fn(|cx| stream.poll_recv(cx)).await;
                assert_eq!(result.expect("received"), 4);
                assert_eq!(buf.data(), (n as u32).to_le_bytes());
                received.set(received.get() + 1);
            });
        }
        task::yield_now().await;
        task::yield_now().await;
        assert_eq!(received.get(), 0);
        assert!(buffer::lent_bytes() >= pairs * buffer::STANDARD_BYTES, "all of them wait");
        give.send(ends).expect("the test listens");
        while received.get() < pairs {
            timer::sleep(Duration::from_millis(10)).await;
        }
        buffer::lent_bytes()
    });
    let ends = wait(&theirs);
    let (give, written) = std::sync::mpsc::channel();
    // In the shard's own main future: it can't look at a completion before this ends.
    shard.send(move || give.send(write(ends)).expect("the test listens"));
    let ends = wait(&written);
    assert_eq!(wait(&done), 0, "every buffer came back");
    drop(ends);
}

fn write_all(mut ends: Vec<UnixStream>) -> Vec<UnixStream> {
    for (n, end) in ends.iter_mut().enumerate() {
        end.write_all(&(n as u32).to_le_bytes()).expect("written");
    }
    ends
}

#[test]
fn every_completion_is_seen_however_many_come_at_once() {
    // With the smallest ring the queue overflows five times over, even where descriptors are scarce.
    for entries in [256, 1024] {
        each_driver_with(entries, |shard| {
            eprintln!("{entries} entries");
            flood(shard, write_all);
            // From another thread while this one waits, so that nothing enters the kernel meanwhile.
            flood(shard, |ends| std::thread::spawn(|| write_all(ends)).join().expect("written"));
        });
    }
}
