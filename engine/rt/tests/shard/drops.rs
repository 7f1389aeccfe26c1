//! Streams and connects that are dropped with something in flight: the peer sees the end, the buffers come back.
//! (That descriptors come back as well is in `tests/descriptors.rs`, which must run alone.)

use crate::net::{readable, tcp_pair};
use crate::support::{each_driver, wait};
use ringgate_rt::{Buf, Stream, Transport, buffer, task};
use std::future::poll_fn;
use std::io::Read;
use std::task::Poll;

/// What a stream is doing when it is dropped.
#[derive(Clone, Copy, Debug)]
enum Doing {
    Nothing,
    Receiving,
    ReceivingUnpolled,
    Sending,
    Waiting,
    All,
}

async fn begin(stream: &mut Stream, doing: Doing) {
    if matches!(doing, Doing::Receiving | Doing::ReceivingUnpolled | Doing::All) {
        stream.start_recv(Buf::standard());
    }
    if matches!(doing, Doing::Sending | Doing::All) {
        // More than the socket buffers take: it has to wait.
        let mut buf = Buf::with_room_for(64 << 20);
        buf.append(&vec![1; 64 << 20]);
        stream.start_send(buf);
    }
    poll_fn(|cx| {
        if matches!(doing, Doing::Receiving | Doing::All) {
            assert!(stream.poll_recv(cx).is_pending());
        }
        if stream.send_pending() {
            assert!(stream.poll_send(cx).is_pending());
        }
        if matches!(doing, Doing::Waiting | Doing::All) {
            assert!(stream.poll_readable(cx).is_pending());
        }
        Poll::Ready(())
    })
    .await;
}

#[test]
fn whatever_a_dropped_stream_was_doing_its_peer_sees_an_end_and_its_buffers_come_back() {
    each_driver(|shard| {
        for doing in
            [Doing::Nothing, Doing::Receiving, Doing::ReceivingUnpolled, Doing::Sending, Doing::Waiting, Doing::All]
        {
            for submitted in [false, true] {
                let (ours, mut theirs) = tcp_pair();
                let dropped = shard.begin(move || async move {
                    let before = buffer::lent_bytes();
                    let mut stream = Stream::from_fd(ours).expect("adopted");
                    begin(&mut stream, doing).await;
                    if submitted {
                        task::yield_now().await;
                    }
                    drop(stream);
                    while buffer::lent_bytes() > before {
                        task::yield_now().await;
                    }
                });
                let mut some = vec![0; 1 << 20];
                while theirs.read(&mut some).expect("an end, not a reset") > 0 {}
                wait(&dropped);
            }
        }
    });
}

#[test]
fn a_stream_can_be_moved_while_it_is_in_use() {
    each_driver(|shard| {
        let (ours, mut theirs) = tcp_pair();
        let moved = shard.begin(|| async move {
            let mut stream = Stream::from_fd(ours).expect("adopted");
            begin(&mut stream, Doing::All).await;
            let mut elsewhere = vec![Some(stream)];
            elsewhere.resize_with(100, || None);
            let mut stream = elsewhere.swap_remove(0).expect("put there");
            task::yield_now().await;
            readable(&mut stream).await.expect("an end");
            poll_fn(|cx| stream.poll_recv(cx)).await.0.ok()
        });
        shard.run(|| async {});
        theirs.shutdown(std::net::Shutdown::Write).expect("an end");
        assert_eq!(wait(&moved), Some(0));
        let mut some = vec![0; 1 << 20];
        // The stream goes with a send that had not ended, so an end or a reset is all the same here.
        while theirs.read(&mut some).is_ok_and(|n| n > 0) {}
    });
}
