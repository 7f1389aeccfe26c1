use super::*;

fn rung(event: &OwnedFd) -> bool {
    let mut bytes = [0u8; 8];
    // SAFETY: eight bytes are written to a live array.
    unsafe { libc::read(event.as_raw_fd(), bytes.as_mut_ptr().cast(), 8) == 8 }
}

#[test]
fn rings_only_a_sleeper_and_only_once() {
    let (tx, rx) = mailbox::<u32>().expect("an eventfd");
    tx.send(1).expect("room");
    assert!(!rung(&rx.shared.event), "the shard was awake");
    assert_eq!(rx.sleep(), Some(1), "a message that came before is seen");
    assert_eq!(rx.sleep(), None);
    tx.send(2).expect("room");
    tx.send(3).expect("room");
    assert!(rung(&rx.shared.event));
    assert!(!rung(&rx.shared.event));
    assert_eq!((rx.take(), rx.take(), rx.take()), (Some(2), Some(3), None));
}

#[test]
fn a_full_mailbox_gives_the_message_back() {
    let (tx, _rx) = mailbox::<usize>().expect("an eventfd");
    for n in 0..CAPACITY {
        assert!(tx.send(n).is_ok());
    }
    assert_eq!(tx.send(7), Err(7));
}

#[test]
fn a_mailbox_whose_shard_has_ended_gives_the_message_back_and_keeps_none() {
    let (tx, rx) = mailbox::<Arc<()>>().expect("an eventfd");
    let message = Arc::new(());
    tx.send(message.clone()).expect("room");
    drop(rx);
    assert_eq!(Arc::strong_count(&message), 1);
    assert!(tx.send(message.clone()).is_err());
}

#[test]
fn no_wake_up_is_lost_between_threads() {
    const SENDERS: u64 = 3;
    const EACH: u64 = 100_000;
    let (tx, rx) = mailbox::<u64>().expect("an eventfd");
    let threads: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let tx = tx.clone();
            std::thread::spawn(move || {
                for n in 0..EACH {
                    let mut message = sender * EACH + n;
                    while let Err(back) = tx.send(message) {
                        message = back;
                        std::thread::yield_now();
                    }
                }
            })
        })
        .collect();
    let mut last = [None; SENDERS as usize];
    let mut left = SENDERS * EACH;
    while left > 0 {
        if let Some(message) = rx.take().or_else(|| rx.sleep()) {
            left -= 1;
            let sender = (message / EACH) as usize;
            assert!(last[sender] < Some(message), "one sender's messages keep their order");
            last[sender] = Some(message);
        } else {
            // As the shard sleeps: a lost wake-up waits here for ever, and fails.
            let mut poll = libc::pollfd { fd: rx.shared.event.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one struct that lives here.
            let ready = unsafe { libc::poll(&mut poll, 1, 20_000) };
            assert_eq!(ready, 1, "asleep with {left} messages to come");
            rung(&rx.shared.event);
        }
    }
    threads.into_iter().for_each(|thread| thread.join().expect("sent"));
}
