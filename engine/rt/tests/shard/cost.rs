//! What things cost, in operations of the driver.

use crate::net::{readable, recv, send, tcp_pair};
use crate::support::{each_driver, wait};
use ringgate_rt::{Stream, counters};
use std::io::{Read, Write};

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
        theirs.shutdown(std::net::Shutdown::Write).expect("an end");
        let expected = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0; 4]];
        assert_eq!(wait(&costs), expected);
    });
}
