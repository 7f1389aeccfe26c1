//! Cancelling a receive loses no bytes, whatever comes meanwhile.

use crate::net::{recv, tcp_pair, unix_pair};
use crate::support::{each_driver, wait};
use ringgate_rt::{Buf, Stream, Transport, buffer, counters, task, was_cancelled};
use std::future::poll_fn;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::task::Poll;
use std::thread;

/// Starts a receive and polls it, so that it is in flight.
async fn start(stream: &mut Stream) -> Poll<(io::Result<usize>, Buf)> {
    stream.start_recv(Buf::standard());
    poll_fn(|cx| Poll::Ready(stream.poll_recv(cx))).await
}

/// Cancels the receive, if it has not ended, and adds what came of it.
async fn cancel(stream: &mut Stream, started: Poll<(io::Result<usize>, Buf)>, all: &mut Vec<u8>) -> bool {
    let (result, buf) = match started {
        Poll::Ready(done) => done,
        Poll::Pending => {
            stream.cancel_recv();
            poll_fn(|cx| stream.poll_recv(cx)).await
        }
    };
    match result {
        Ok(n) => {
            assert!(n > 0 && n == buf.len());
            all.extend_from_slice(buf.data());
            false
        }
        Err(error) => {
            assert!(was_cancelled(&error), "{error}");
            assert!(buf.is_empty());
            true
        }
    }
}

#[test]
fn bytes_that_come_from_another_thread_meanwhile() {
    const BYTES: usize = 10_000;
    each_driver(|shard| {
        let (ours, mut theirs) = unix_pair();
        let reader = shard.begin(|| async move {
            let mut stream = Stream::from_fd(ours).expect("adopted");
            let mut all = Vec::new();
            let (mut cancelled, mut completed) = (0, 0);
            for round in 0.. {
                if all.len() == BYTES {
                    break;
                }
                let started = start(&mut stream).await;
                // On epoll a cancel takes no turn; the loop needs some to see what has come. The writer needs its CPU.
                if round % 4 == 0 {
                    thread::yield_now();
                    task::yield_now().await;
                }
                match cancel(&mut stream, started, &mut all).await {
                    true => cancelled += 1,
                    false => completed += 1,
                }
            }
            (all, cancelled, completed)
        });
        let writer = thread::spawn(move || {
            for n in 0..BYTES {
                theirs.write_all(&[n as u8]).expect("written");
                if n % 3 == 0 {
                    thread::yield_now();
                }
            }
            theirs
        });
        let (all, cancelled, completed) = wait(&reader);
        assert!(all.iter().enumerate().all(|(n, byte)| *byte == n as u8));
        assert_eq!(all.len(), BYTES);
        eprintln!("{cancelled} cancelled, {completed} completed");
        assert!(completed > 0);
        drop(writer.join().expect("the writer ended"));
    });
}

/// When the byte is written, between the start of a receive and its cancelled end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    BeforeItStarts,
    BeforeTheTurnEnds,
    InALaterTurn,
    AfterTheCancel,
    Never,
}

#[test]
fn bytes_that_come_at_every_point_of_the_way() {
    each_driver(|shard| {
        shard.run(|| async {
            let (ours, mut theirs) = unix_pair();
            let mut stream = Stream::from_fd(ours).expect("adopted");
            let mut all = Vec::new();
            let mut sent = 0u32;
            let put = |theirs: &mut UnixStream, sent: &mut u32| {
                theirs.write_all(&sent.to_le_bytes()).expect("written");
                *sent += 1;
            };
            for round in 0..2000 {
                let when = [
                    When::BeforeItStarts,
                    When::BeforeTheTurnEnds,
                    When::InALaterTurn,
                    When::AfterTheCancel,
                    When::Never,
                ][round % 5];
                if when == When::BeforeItStarts {
                    put(&mut theirs, &mut sent);
                }
                let started = start(&mut stream).await;
                if when == When::BeforeTheTurnEnds {
                    put(&mut theirs, &mut sent);
                } else {
                    task::yield_now().await;
                    if when == When::InALaterTurn {
                        put(&mut theirs, &mut sent);
                    }
                }
                if when == When::AfterTheCancel && started.is_pending() {
                    stream.cancel_recv();
                    put(&mut theirs, &mut sent);
                }
                let cancelled = cancel(&mut stream, started, &mut all).await;
                assert!(cancelled || when != When::Never || !all.is_empty());
            }
            theirs.shutdown(std::net::Shutdown::Write).expect("an end");
            loop {
                let rest = recv(&mut stream).await.expect("received");
                if rest.is_empty() {
                    break;
                }
                all.extend(rest);
            }
            let expected: Vec<u8> = (0..sent).flat_map(u32::to_le_bytes).collect();
            assert_eq!(all.len(), expected.len());
            assert_eq!(all, expected);
        });
    });
}

#[test]
fn a_receive_that_was_never_polled_gives_its_buffer_back() {
    each_driver(|shard| {
        shard.run(|| async {
            let (ours, mut theirs) = tcp_pair();
            let mut stream = Stream::from_fd(ours).expect("adopted");
            let before = buffer::lent_bytes();
            let mut all = Vec::new();
            theirs.write_all(b"kept").expect("written");
            stream.start_recv(Buf::standard());
            assert!(cancel(&mut stream, Poll::Pending, &mut all).await);
            assert_eq!(buffer::lent_bytes(), before);
            assert_eq!(recv(&mut stream).await.expect("received"), b"kept");
        });
    });
}

#[test]
fn a_cancel_without_a_receive_does_nothing() {
    each_driver(|shard| {
        shard.run(|| async {
            let (ours, mut theirs) = tcp_pair();
            let mut stream = Stream::from_fd(ours).expect("adopted");
            let before = counters::shared().cancel.get();
            stream.cancel_recv();
            theirs.write_all(b"one").expect("written");
            assert_eq!(recv(&mut stream).await.expect("received"), b"one");
            stream.cancel_recv();
            theirs.write_all(b"two").expect("written");
            assert_eq!(recv(&mut stream).await.expect("received"), b"two");
            assert_eq!(counters::shared().cancel.get(), before);
        });
    });
}
