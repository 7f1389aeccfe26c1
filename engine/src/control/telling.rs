//! Messages to the shards from the control thread, which waits for none of them for long: signals and the watchdog wait
//! for it.

use ringgate_rt::mailbox::Sender;
use std::time::{Duration, Instant};

/// How long is waited between two tries to put a message into a mailbox that is full.
const BETWEEN_TRIES: Duration = Duration::from_millis(1);

/// Who was told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Those whose mailboxes have their message.
    pub(super) told: Vec<usize>,
    /// Those whose mailboxes stayed full. Their messages are dropped.
    pub(super) stuck: Vec<usize>,
}

/// Puts one message into each mailbox. A mailbox is full only while its shard is behind: it empties it every turn. That
/// is waited for, all shards together, for as long as `within`. A shard that has ended needs no word.
pub(super) fn tell<M: Send>(mailboxes: &[Sender<M>], messages: Vec<M>, within: Duration) -> Told {
    let until = Instant::now() + within;
    let mut told = Vec::with_capacity(mailboxes.len());
    let mut waiting: Vec<(usize, M)> = messages.into_iter().enumerate().collect();
    loop {
        let mut left = Vec::new();
        for (at, message) in waiting {
            match mailboxes[at].send(message) {
                Ok(()) => told.push(at),
                Err(_) if mailboxes[at].closed() => {}
                Err(back) => left.push((at, back)),
            }
        }
        if left.is_empty() || until <= Instant::now() {
            return Told { told, stuck: left.into_iter().map(|(at, _)| at).collect() };
        }
        waiting = left;
        std::thread::sleep(BETWEEN_TRIES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringgate_rt::mailbox::{CAPACITY, mailbox};

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_shard_that_is_stuck_keeps_nothing_from_the_others() {
        let (stuck, _full) = mailbox().expect("a mailbox");
        (0..CAPACITY).for_each(|_| stuck.send(0).expect("room"));
        let (ended, gone) = mailbox().expect("a mailbox");
        drop(gone);
        let (well, takes) = mailbox().expect("a mailbox");
        let told = tell(&[stuck, ended, well], vec![1, 2, 3], Duration::from_millis(20));
        assert_eq!(told, Told { told: vec![2], stuck: vec![0] });
        assert_eq!(takes.take(), Some(3));
    }

    #[test]
    fn a_shard_that_is_behind_is_waited_for() {
        let (behind, takes) = mailbox().expect("a mailbox");
        (0..CAPACITY).for_each(|_| behind.send(0).expect("room"));
        std::thread::scope(|scope| {
            let telling = scope.spawn(|| tell(&[behind], vec![1], LONG));
            while takes.take() != Some(1) {
                std::thread::yield_now();
            }
            assert_eq!(telling.join().expect("no panic"), Told { told: vec![0], stuck: vec![] });
        });
    }

    #[test]
    fn a_shard_that_ends_meanwhile_is_not_waited_for() {
        let (full, ends) = mailbox().expect("a mailbox");
        (0..CAPACITY).for_each(|_| full.send(0).expect("room"));
        std::thread::scope(|scope| {
            let telling = scope.spawn(|| tell(&[full], vec![1], LONG));
            drop(ends);
            assert_eq!(telling.join().expect("no panic"), Told::default());
        });
    }
}
