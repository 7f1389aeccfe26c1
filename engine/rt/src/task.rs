//! Tasks of a shard. A panic ends its task and nothing else.

use crate::by_hand;
use crate::counters::count;
use crate::local;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Runs `future` as a task of this shard. If it panics it is dropped, and the panic is counted; what it owned is closed
/// by its destructors.
///
/// # Panics
/// If called outside a shard and without a loop [by hand](crate::by_hand).
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    let task = Guarded {
        future: Some(future),
    };
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

/// Catches panics of the future, in polling and in dropping, and marks the turn as one in which something ran.
struct Guarded<F> {
    future: Option<F>,
}

impl<F: Future<Output = ()>> Future for Guarded<F> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        local::wake_main();
        // SAFETY: the future is structurally pinned: it is only polled through this pin and dropped in place.
        let this = unsafe { self.get_unchecked_mut() };
        let Some(future) = &mut this.future else {
            return Poll::Ready(());
        };
        // SAFETY: as above.
        let future = unsafe { Pin::new_unchecked(future) };
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(())) => {}
            Err(_) => count(|c| &c.panics),
        }
        if catch_unwind(AssertUnwindSafe(|| this.future = None)).is_err() {
            count(|c| &c.panics);
        }
        Poll::Ready(())
    }
}
