//! Messages to a shard from other threads: a bounded queue, and an eventfd that is only written when the shard sleeps.

use crossbeam_queue::ArrayQueue;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};

/// Messages that may wait in one mailbox.
pub const CAPACITY: usize = 4096;

/// Makes a mailbox: any number of senders, one shard that receives.
pub fn mailbox<M: Send>() -> io::Result<(Sender<M>, Receiver<M>)> {
    let shared = Arc::new(Shared {
        queue: ArrayQueue::new(CAPACITY),
        sleeping: AtomicBool::new(false),
        event: eventfd()?,
    });
    Ok((
        Sender {
            shared: shared.clone(),
        },
        Receiver { shared },
    ))
}

struct Shared<M> {
    queue: ArrayQueue<M>,
    /// Set by the shard before it looks at the queue for the last time before it sleeps.
    sleeping: AtomicBool,
    event: OwnedFd,
}

/// The sending side, for any thread.
pub struct Sender<M> {
    shared: Arc<Shared<M>>,
}

impl<M> Clone for Sender<M> {
    fn clone(&self) -> Self {
        Sender {
            shared: self.shared.clone(),
        }
    }
}

impl<M: Send> Sender<M> {
    /// Puts a message into the mailbox. Gives it back if the mailbox is full.
    pub fn send(&self, message: M) -> Result<(), M> {
        self.shared.queue.push(message)?;
        // Either the shard's last look sees the message, or this sees that it sleeps.
        fence(Ordering::SeqCst);
        if self.shared.sleeping.swap(false, Ordering::SeqCst) {
            ring(&self.shared.event);
        }
        Ok(())
    }
}

/// The receiving side, for one shard.
pub struct Receiver<M> {
    shared: Arc<Shared<M>>,
}

impl<M> Receiver<M> {
    /// Takes the next message.
    pub fn take(&self) -> Option<M> {
        self.shared.queue.pop()
    }

    /// Says that the shard is about to sleep. If a message has come meanwhile it is returned, and the shard must not
    /// sleep yet.
    pub fn sleep(&self) -> Option<M> {
        self.shared.sleeping.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        let message = self.shared.queue.pop();
        if message.is_some() {
            self.shared.sleeping.store(false, Ordering::SeqCst);
        }
        message
    }

    pub(crate) fn event(&self) -> io::Result<OwnedFd> {
        self.shared.event.try_clone()
    }
}

fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn ring(event: &OwnedFd) {
    let one = 1u64.to_ne_bytes();
    // SAFETY: eight bytes are read from a live array. It can only fail when the counter is full: then it is readable
    // anyway.
    unsafe { libc::write(event.as_raw_fd(), one.as_ptr().cast(), one.len()) };
}

#[cfg(test)]
mod tests {
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
}
