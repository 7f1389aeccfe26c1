//! Streams: bytes there and back over every family, and what a connection that is slow, half closed or ended does.

use crate::net::{bind_tcp, bind_unix, readable, recv, recv_exactly, recv_started, send, tcp_pair, through, unix_pair};
use crate::support::{Shard, each_driver, wait};
use ringgate_rt::listener::Bound;
use ringgate_rt::{Address, Buf, Network, Sockets, Stream, Transport, counters, driver};
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

fn echo_through(shard: &Shard, bound: Bound) {
    let blocking = shard.run(move || async move {
        let (mut client, mut server) = through(bound).await.expect("connected");
        for round in 0..100u32 {
            let bytes = round.to_le_bytes().repeat(500);
            send(&mut client, &bytes).await.expect("sent");
            let there = recv_exactly(&mut server, bytes.len()).await;
            send(&mut server, &there.expect("received")).await.expect("sent");
            let back = recv_exactly(&mut client, bytes.len()).await;
            assert_eq!(back.expect("received"), bytes);
        }
        [client, server].map(|stream| is_blocking(&stream))
    });
    let ring = !shard.chosen.driver.is_epoll();
    assert_eq!(blocking, [ring; 2], "the mode that the driver wants");
}

#[test]
fn a_peer_that_has_left_is_seen_behind_bytes_that_are_not_received() {
    each_driver(|shard| {
        let (ours, mut theirs) = tcp_pair();
        theirs.write_all(b"unread").expect("sent");
        theirs.shutdown(Shutdown::Write).expect("an end");
        let ours_too = ours.try_clone().expect("a copy");
        assert!(!left(shard, ours_too), "an end of one side");
        socket2::SockRef::from(&theirs).set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
        drop(theirs);
        assert!(left(shard, ours), "a reset");

        let (ours, mut theirs) = unix_pair();
        theirs.write_all(b"unread").expect("sent");
        theirs.shutdown(Shutdown::Write).expect("an end");
        let ours_too = ours.try_clone().expect("a copy");
        assert!(!left(shard, ours_too), "an end of one side");
        drop(theirs);
        assert!(left(shard, ours), "a close of both");
    });
}

fn left(shard: &Shard, fd: std::os::fd::OwnedFd) -> bool {
    shard.run(move || async move { Stream::from_fd(fd).expect("a stream").peer_left() })
}

fn is_blocking(stream: &Stream) -> bool {
    let flags = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", raw(stream)));
    let flags = flags.expect("fdinfo");
    let octal = flags.lines().find_map(|line| line.strip_prefix("flags:")).expect("flags");
    let flags = u32::from_str_radix(octal.trim(), 8).expect("octal");
    flags & 0o4000 == 0
}

fn raw(stream: &Stream) -> i32 {
    std::os::fd::AsFd::as_fd(stream).as_raw_fd()
}

#[test]
fn echo_over_ipv4() {
    each_driver(|shard| echo_through(shard, bind_tcp(Ipv4Addr::LOCALHOST).expect("bound")));
}

#[test]
fn echo_over_ipv6() {
    each_driver(|shard| match bind_tcp(Ipv6Addr::LOCALHOST) {
        Ok(bound) => echo_through(shard, bound),
        Err(error) => eprintln!("skipped: no IPv6: {error}"),
    });
}

#[test]
fn echo_over_a_unix_socket() {
    each_driver(|shard| echo_through(shard, bind_unix().expect("bound")));
}

#[test]
fn an_adopted_socket_gets_the_mode_that_its_driver_wants() {
    each_driver(|shard| {
        for nonblocking in [false, true] {
            let (ours, mut theirs) = tcp_pair();
            socket2::SockRef::from(&ours).set_nonblocking(nonblocking).expect("a mode");
            let waiting = shard.begin(|| async move {
                let mut stream = Stream::from_fd(ours).expect("adopted");
                // Nothing is there yet: in the wrong mode this ends at once with EAGAIN.
                let bytes = recv(&mut stream).await;
                (bytes.map_err(|e| e.to_string()), is_blocking(&stream))
            });
            shard.run(|| async {});
            theirs.write_all(b"late").expect("written");
            let (bytes, blocking) = wait(&waiting);
            assert_eq!(bytes, Ok(b"late".to_vec()));
            assert_eq!(blocking, !shard.chosen.driver.is_epoll());
        }
    });
}

#[test]
fn a_send_goes_on_until_a_slow_reader_has_it_all() {
    const BYTES: usize = 3 << 20;
    each_driver(|shard| {
        let (ours, mut theirs) = tcp_pair();
        // Room for less than is sent, so that no single operation takes it all.
        socket2::SockRef::from(&ours).set_send_buffer_size(100_000).expect("little room");
        let sender = shard.begin(|| async move {
            let mut stream = Stream::from_fd(ours).expect("adopted");
            let before = counters::shared().send.get();
            let bytes: Vec<u8> = (0..BYTES).map(|n| (n / 7) as u8).collect();
            send(&mut stream, &bytes).await.expect("sent");
            counters::shared().send.get() - before
        });
        let mut all = Vec::new();
        let mut some = [0; 50_000];
        while all.len() < BYTES {
            let n = theirs.read(&mut some).expect("read");
            assert!(n > 0, "ended after {} bytes", all.len());
            all.extend_from_slice(&some[..n]);
        }
        assert!(all.iter().enumerate().all(|(n, b)| *b == (n / 7) as u8));
        let sends = wait(&sender);
        assert!(sends > 1, "{BYTES} bytes in one operation");
    });
}

#[test]
fn a_half_closed_peer_is_waited_for_once() {
    each_driver(|shard| {
        let (ours, mut theirs) = tcp_pair();
        let waiting = shard.begin(|| async move {
            let mut stream = Stream::from_fd(ours).expect("adopted");
            let before = counters::shared();
            let (polls, turns) = (before.poll.get(), before.turns.get());
            readable(&mut stream).await.expect("an end");
            assert!(recv(&mut stream).await.expect("an end").is_empty());
            // The other direction still works.
            send(&mut stream, b"answer").await.expect("sent");
            let after = counters::shared();
            (after.poll.get() - polls, after.turns.get() - turns)
        });
        shard.run(|| async {});
        theirs.shutdown(Shutdown::Write).expect("half closed");
        let (polls, turns) = wait(&waiting);
        assert_eq!(polls, 1);
        assert!(turns < 20, "{turns} turns for one end of a stream");
        let mut all = Vec::new();
        theirs.read_to_end(&mut all).expect("read");
        assert_eq!(all, b"answer");
    });
}

#[test]
fn a_wait_with_nothing_to_receive_is_one_operation_and_no_turns() {
    each_driver(|shard| {
        let (ours, mut theirs) = tcp_pair();
        let waiting = shard.begin(|| async move {
            let mut stream = Stream::from_fd(ours).expect("adopted");
            let before = counters::shared().poll.get();
            let mut polled = 0;
            poll_fn(|cx| {
                polled += 1;
                stream.poll_readable(cx)
            })
            .await
            .expect("readable");
            (counters::shared().poll.get() - before, polled)
        });
        let turns = || shard.run(|| async { counters::shared().turns.get() });
        let before = turns();
        shard.run(|| async { ringgate_rt::timer::sleep(Duration::from_millis(100)).await });
        let during = turns() - before;
        assert!(during < 20, "{during} turns in 100 ms of waiting");
        theirs.write_all(b"x").expect("written");
        assert_eq!(wait(&waiting), (1, 2));
    });
}

#[test]
fn a_wait_that_was_given_up_leaves_the_bytes_and_the_stream_as_they_are() {
    each_driver(|shard| {
        for _ in 0..50 {
            let (ours, mut theirs) = tcp_pair();
            let got = shard.begin(|| async move {
                let mut stream = Stream::from_fd(ours).expect("adopted");
                poll_fn(|cx| {
                    assert!(stream.poll_readable(cx).is_pending());
                    std::task::Poll::Ready(())
                })
                .await;
                stream.stop_readable();
                stream.start_recv(Buf::standard());
                let bytes = recv_started(&mut stream).await.expect("received");
                // At rest, and yet the driver may still hold the wait: closing must cope.
                poll_fn(|cx| {
                    assert!(stream.poll_readable(cx).is_pending());
                    std::task::Poll::Ready(())
                })
                .await;
                stream.stop_readable();
                drop(stream);
                bytes
            });
            theirs.write_all(b"kept").expect("written");
            assert_eq!(wait(&got), b"kept");
            assert_eq!(theirs.read(&mut [0; 8]).ok(), Some(0), "closed");
        }
        let panics = shard.run(|| async { counters::shared().panics.get() });
        assert_eq!(panics, 0);
    });
}

#[test]
fn shutdown_ends_what_is_in_flight() {
    each_driver(|shard| {
        let (ours, theirs) = tcp_pair();
        let took = shard.run(|| async move {
            let mut stream = Stream::from_fd(ours).expect("adopted");
            // More than the socket buffers take, so that the send has to wait for a reader that never reads.
            let mut buf = Buf::with_room_for(64 << 20);
            buf.append(&vec![1; 64 << 20]);
            stream.start_send(buf);
            stream.start_recv(Buf::standard());
            poll_fn(|cx| {
                assert!(stream.poll_send(cx).is_pending());
                assert!(stream.poll_recv(cx).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
            ringgate_rt::task::yield_now().await;
            let start = Instant::now();
            stream.shutdown();
            let (sent, _) = poll_fn(|cx| stream.poll_send(cx)).await;
            assert!(sent.is_err());
            let end = recv_started(&mut stream).await;
            assert!(end.is_ok_and(|bytes| bytes.is_empty()));
            start.elapsed()
        });
        assert!(took < Duration::from_secs(2), "{took:?}");
        drop(theirs);
    });
}

#[test]
fn a_slow_reader_shows_in_what_it_has_confirmed() {
    const BYTES: u64 = 100_000;
    each_driver(|shard| {
        let (ours, mut theirs) = tcp_pair();
        // Room for less than is sent: the rest can't be confirmed before it is read.
        socket2::SockRef::from(&theirs).set_recv_buffer_size(10_000).expect("a small window");
        let (give, told) = std::sync::mpsc::channel();
        let sender = shard.begin(move || async move {
            let mut stream = Stream::from_fd(ours).expect("adopted");
            socket2::SockRef::from(&stream).set_send_buffer_size(BYTES as usize * 4).expect("room");
            assert_eq!((stream.confirmed(), stream.unconfirmed()), (0, 0));
            send(&mut stream, &vec![9; BYTES as usize]).await.expect("sent");
            give.send((stream.confirmed(), stream.unconfirmed())).expect("the test listens");
            let mut seen = stream.confirmed();
            while stream.unconfirmed() > 0 {
                assert!(stream.confirmed() >= seen, "never backwards");
                seen = stream.confirmed();
                ringgate_rt::task::yield_now().await;
            }
            stream.confirmed()
        });
        let (confirmed, unconfirmed) = wait(&told);
        assert_eq!(confirmed + unconfirmed, BYTES);
        assert!(unconfirmed > BYTES / 2, "only {unconfirmed} unconfirmed");
        let mut all = vec![0; BYTES as usize];
        theirs.read_exact(&mut all).expect("read");
        assert_eq!(wait(&sender), BYTES);
    });
}

#[test]
fn over_a_unix_socket_never_more_is_unconfirmed_than_was_sent() {
    each_driver(|shard| {
        let (ours, mut theirs) = unix_pair();
        let (give, told) = std::sync::mpsc::channel();
        let sender = shard.begin(move || async move {
            let mut stream = Stream::from_fd(ours).expect("adopted");
            send(&mut stream, b"hundred").await.expect("sent");
            give.send((stream.confirmed(), stream.unconfirmed())).expect("the test listens");
            while stream.unconfirmed() > 0 {
                ringgate_rt::task::yield_now().await;
            }
            stream.confirmed()
        });
        assert_eq!(wait(&told), (0, 7));
        theirs.read_exact(&mut [0; 7]).expect("read");
        assert_eq!(wait(&sender), 7);
    });
}

#[test]
fn a_reset_is_never_seen_as_an_end() {
    each_driver(|shard| {
        for pending in [false, true] {
            let (ours, mut theirs) = tcp_pair();
            let close = shard.begin(move || async move {
                let mut stream = Stream::from_fd(ours).expect("adopted");
                if pending {
                    stream.start_recv(Buf::standard());
                    poll_fn(|cx| {
                        assert!(stream.poll_recv(cx).is_pending());
                        std::task::Poll::Ready(())
                    })
                    .await;
                }
                ringgate_rt::task::yield_now().await;
                stream.reset_on_close();
            });
            let end = theirs.read(&mut [0; 8]).map_err(|e| e.kind());
            assert_eq!(end, Err(io::ErrorKind::ConnectionReset), "with a receive pending: {pending}");
            wait(&close);
        }
    });
}

#[test]
fn misuse_panics_instead_of_losing_bytes() {
    each_driver(|shard| {
        let (ours, _theirs) = tcp_pair();
        let panics = shard.run(|| async move {
            assert_eq!(driver::current().name(), driver::current().to_string());
            let mut stream = Stream::from_fd(ours).expect("adopted");
            stream.start_recv(Buf::standard());
            let second = std::panic::AssertUnwindSafe(|| stream.start_recv(Buf::standard()));
            let second = std::panic::catch_unwind(second).is_err();
            let rest = std::panic::AssertUnwindSafe(|| stream.rest());
            let rest = std::panic::catch_unwind(rest).is_err();
            (second, rest)
        });
        assert_eq!(panics, (true, true));
    });
}

#[test]
fn a_receive_without_room_panics_instead_of_seeing_an_end() {
    each_driver(|shard| {
        let (ours, _theirs) = tcp_pair();
        let panicked = shard.run(|| async move {
            let mut stream = Stream::from_fd(ours).expect("adopted");
            let mut full = Buf::standard();
            full.append(&vec![0; full.room()]);
            let recv = std::panic::AssertUnwindSafe(|| stream.start_recv(full));
            std::panic::catch_unwind(recv).is_err()
        });
        assert!(panicked);
    });
}

#[test]
fn a_connect_waits_for_room_in_the_queue_of_a_unix_socket() {
    use socket2::{Domain, SockAddr, Socket, Type};
    each_driver(|shard| {
        let path = std::env::temp_dir().join(format!("ringgate-rt-{}-queue.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let address = SockAddr::unix(&path).expect("an address");
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
        listener.bind(&address).expect("bound");
        listener.listen(0).expect("listening");
        let connect = || {
            let client = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).expect("a socket");
            client.connect(&address).map(|()| client)
        };
        let waiting: Vec<Socket> = std::iter::from_fn(|| connect().ok()).collect();
        let to = Address::Unix(path.clone());
        let connected = shard.begin(move || async move {
            let mut stream = Sockets.connect(&to).await.expect("connected");
            send(&mut stream, b"at last").await.expect("sent");
        });
        shard.run(|| async { ringgate_rt::timer::sleep(Duration::from_millis(30)).await });
        assert!(connected.try_recv().is_err(), "the queue is full");
        drop(waiting);
        let mut all = Vec::new();
        while all.is_empty() {
            let (mut accepted, _) = listener.accept().expect("accepted");
            accepted.read_to_end(&mut all).expect("read");
        }
        assert_eq!(all, b"at last");
        wait(&connected);
        std::fs::remove_file(&path).expect("removed");
    });
}
