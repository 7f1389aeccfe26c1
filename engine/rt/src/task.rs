//! Tasks of a shard. A panic ends its task and nothing else; the end of the shard ends them all.

use crate::buffer;
use crate::by_hand;
use crate::counters::count;
use crate::local;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// How long the driver may take to end what was in flight when its shard ended.
const END_MAX: Duration = Duration::from_secs(2);
/// Turns for operations that lend no buffer (waits, accepts) to end after the last task.
const END_TURNS: u32 = 3;
const NONE: u32 = u32::MAX;

/// Runs `future` as a task of this shard. If it panics it is dropped, and the panic is counted; what it owned is closed
/// by its destructors. When the shard ends it is dropped where it is suspended.
///
/// # Panics
/// If called outside a shard and without a loop [by hand](crate::by_hand).
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    let task = Guarded { id: NONE, future: Some(future) };
    if by_hand::running() {
        by_hand::spawn(task);
    } else {
        drop(monoio::spawn(task));
    }
}

/// Lets every other task that is ready run first. (Waking itself would put the task at the front of monoio's queue, and
/// starve the shard.)
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        local::park_until_end_of_turn(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

/// Runs `f`. A panic in it is counted, and gives none.
pub(crate) fn caught<T>(f: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(value) => Some(value),
        Err(payload) => {
            count(|c| &c.panics);
            // What a panic carries can itself panic when it is dropped.
            if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                count(|c| &c.panics);
                std::mem::forget(second);
            }
            None
        }
    }
}

/// Catches panics of the future, in polling and in dropping, and marks the turn as one in which something ran.
struct Guarded<F> {
    /// Its place among the shard's tasks, from its first poll on.
    id: u32,
    future: Option<F>,
}

impl<F> Guarded<F> {
    /// Drops the future in place.
    fn finish(&mut self) {
        if self.future.is_some() {
            caught(|| self.future = None);
        }
        if self.id != NONE {
            drop(forget(self.id));
            self.id = NONE;
        }
    }
}

impl<F: Future<Output = ()>> Future for Guarded<F> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let ending = local::task_runs();
        // SAFETY: the future is structurally pinned: it is only polled through this pin and dropped in place.
        let this = unsafe { self.get_unchecked_mut() };
        if this.id == NONE && !ending {
            this.id = remember(cx.waker().clone());
        }
        if let Some(future) = &mut this.future
            && !ending
        {
            // SAFETY: as above.
            let future = unsafe { Pin::new_unchecked(future) };
            if let Some(Poll::Pending) = caught(|| future.poll(cx)) {
                return Poll::Pending;
            }
        }
        this.finish();
        Poll::Ready(())
    }
}

impl<F> Drop for Guarded<F> {
    fn drop(&mut self) {
        self.finish();
    }
}

thread_local! {
    static TASKS: RefCell<Tasks> = const { RefCell::new(Tasks { wakers: Vec::new(), free: Vec::new() }) };
}

/// The tasks of this shard, each by its waker. Without them a task is only held by what it waits for, and monoio would
/// leak it, and what it owns, when the loop ends.
struct Tasks {
    wakers: Vec<Option<Waker>>,
    free: Vec<u32>,
}

fn remember(waker: Waker) -> u32 {
    TASKS.with_borrow_mut(|tasks| match tasks.free.pop() {
        Some(id) => {
            tasks.wakers[id as usize] = Some(waker);
            id
        }
        None => {
            tasks.wakers.push(Some(waker));
            (tasks.wakers.len() - 1) as u32
        }
    })
}

/// Returns the waker, to be dropped while nothing is borrowed: it may be what holds the task.
fn forget(id: u32) -> Option<Waker> {
    // A thread that is ending may have lost the list before a task.
    let waker = TASKS.try_with(|tasks| {
        let mut tasks = tasks.borrow_mut();
        tasks.free.push(id);
        tasks.wakers[id as usize].take()
    });
    waker.ok().flatten()
}

/// Drops every task where it is suspended, in the loop, and waits until the driver has given back what they had lent it:
/// the kernel must not write into memory that is somebody else's by then. Returns false if that takes too long.
pub(crate) async fn end_all() -> bool {
    local::set_ending();
    let wakers: Vec<Waker> = TASKS.with_borrow(|tasks| tasks.wakers.iter().flatten().cloned().collect());
    wakers.into_iter().for_each(Waker::wake);
    let limit = Instant::now() + END_MAX;
    let mut quiet_turns = 0;
    poll_fn(|_| {
        local::end_turn();
        let tasks = TASKS.with_borrow(|tasks| tasks.wakers.len() - tasks.free.len());
        if tasks == 0 && buffer::in_driver() == 0 {
            quiet_turns += 1;
        }
        if quiet_turns > END_TURNS {
            return Poll::Ready(true);
        }
        if Instant::now() > limit {
            return Poll::Ready(false);
        }
        // With a task to run the loop enters the kernel without waiting there.
        drop(monoio::spawn(async {
            local::task_runs();
        }));
        Poll::Pending
    })
    .await
}
