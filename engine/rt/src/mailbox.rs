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
        closed: AtomicBool::new(false),
        event: eventfd()?,
    });
    Ok((Sender { shared: shared.clone() }, Receiver { shared }))
}

struct Shared<M> {
    queue: ArrayQueue<M>,
    /// Set by the shard before it looks at the queue for the last time before it sleeps.
    sleeping: AtomicBool,
    /// The shard has ended: nobody will take what is sent.
    closed: AtomicBool,
    event: OwnedFd,
}

/// The sending side, for any thread.
pub struct Sender<M> {
    shared: Arc<Shared<M>>,
}

impl<M> Clone for Sender<M> {
    fn clone(&self) -> Self {
        Sender { shared: self.shared.clone() }
    }
}

impl<M: Send> Sender<M> {
    /// Puts a message into the mailbox. Gives it back if the mailbox is full, or its shard has ended. (What is sent at
    /// the very moment of that end may be dropped with the last sender.)
    pub fn send(&self, message: M) -> Result<(), M> {
        if self.closed() {
            return Err(message);
        }
        self.shared.queue.push(message)?;
        // Either the shard's last look sees the message, or this sees that it sleeps.
        fence(Ordering::SeqCst);
        if self.shared.sleeping.swap(false, Ordering::SeqCst) {
            ring(&self.shared.event);
        }
        Ok(())
    }

    /// Whether the shard has ended: nothing can be sent to it any more.
    pub fn closed(&self) -> bool {
        self.shared.closed.load(Ordering::Acquire)
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

    /// Makes the shard's loop turn once more.
    pub(crate) fn ring(&self) {
        ring(&self.shared.event);
    }

    pub(crate) fn event(&self) -> io::Result<OwnedFd> {
        self.shared.event.try_clone()
    }
}

impl<M> Drop for Receiver<M> {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        while self.shared.queue.pop().is_some() {}
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
mod tests;
