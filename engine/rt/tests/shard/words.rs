//! What is said at once, without waiting, and what a stream knows of its ends.

use crate::net::{tcp_pair, unix_pair};
use crate::support::each_driver;
use ringgate_rt::{Buf, Stream, Transport};
use std::future::poll_fn;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::task::Poll;

/// More than the buffers of both sockets.
const BYTES: usize = 64 << 20;

#[test]
fn a_few_bytes_are_with_the_kernel_at_once() {
    each_driver(|shard| {
        let (ours, mut theirs) = tcp_pair();
        let said = shard.run(move || async move {
            let mut stream = Stream::from_fd(ours).expect("a stream");
            (stream.send_now(b"last words"), stream.send_now(b""))
        });
        assert_eq!(said, (true, true));
        let mut heard = String::new();
        theirs.read_to_string(&mut heard).expect("an end");
        assert_eq!(heard, "last words");
    });
}

#[test]
fn nothing_is_said_in_the_middle_of_a_send_or_to_whoever_does_not_listen() {
    each_driver(|shard| {
        let (ours, theirs) = tcp_pair();
        let said = shard.run(move || async move {
            let mut stream = Stream::from_fd(ours).expect("a stream");
            // More than the kernel holds for a peer that does not read.
            let mut buf = Buf::with_room_for(BYTES);
            assert_eq!(buf.append(&vec![0; BYTES]), BYTES);
            stream.start_send(buf);
            let sent = poll_fn(|cx| Poll::Ready(stream.poll_send(cx).is_ready())).await;
            assert!(!sent && stream.send_pending());
            stream.send_now(b"not now")
        });
        drop(theirs);
        assert!(!said);
    });
}

#[test]
fn addresses_are_those_of_the_socket() {
    each_driver(|shard| {
        let (ours, theirs) = tcp_pair();
        let expected = (theirs.local_addr().expect("an address"), theirs.peer_addr().expect("an address"));
        assert_eq!(shard.run(move || async move { addresses(ours) }), Some(expected));
        let (ours, _theirs) = unix_pair();
        assert_eq!(shard.run(move || async move { addresses(ours) }), None);
    });
}

fn addresses(fd: OwnedFd) -> Option<(std::net::SocketAddr, std::net::SocketAddr)> {
    Stream::from_fd(fd).expect("a stream").addresses()
}
