//! A future in a box whose memory comes from the shard and goes back to it: what a connection needs only while it is
//! busy.

use crate::recycled;
use std::alloc::Layout;
use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

/// Puts the future that `make` makes into a pooled box. A closure, so that it is made there and not moved there.
#[inline(always)]
pub fn pooled<F: Future>(make: impl FnOnce() -> F) -> Pooled<F> {
    let memory = recycled::take(Layout::new::<F>()).cast::<F>();
    // SAFETY: the memory has the layout of `F` and holds nothing.
    unsafe { memory.as_ptr().write(make()) };
    Pooled { memory }
}

/// A pinned future in a pooled box.
pub struct Pooled<F> {
    memory: NonNull<F>,
}

impl<F: Future> Future for Pooled<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        // SAFETY: the box owns a live `F` that is dropped in place and never moved.
        unsafe { Pin::new_unchecked(this.memory.as_mut()) }.poll(cx)
    }
}

impl<F> Drop for Pooled<F> {
    fn drop(&mut self) {
        /// Gives the memory back even if the future's own drop panics.
        struct Give(NonNull<u8>, Layout);
        impl Drop for Give {
            fn drop(&mut self) {
                recycled::give(self.0, self.1);
            }
        }
        let _give = Give(self.memory.cast(), Layout::new::<F>());
        // SAFETY: the box owns a live `F` and gives it up here.
        unsafe { std::ptr::drop_in_place(self.memory.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;
    use std::task::Waker;

    async fn hold(held: Rc<()>) -> u32 {
        let _held = held;
        std::future::pending::<()>().await;
        7
    }

    #[test]
    fn runs_and_uses_its_memory_again() {
        let cx = &mut Context::from_waker(Waker::noop());
        let held = Rc::new(());
        let mut first = pooled(|| hold(held.clone()));
        let at = first.memory;
        assert!(Pin::new(&mut first).poll(cx).is_pending());
        drop(first);
        assert_eq!(Rc::strong_count(&held), 1);
        assert_eq!(pooled(|| hold(held.clone())).memory, at);
        let mut ready = pooled(|| async { 5 });
        assert_eq!(Pin::new(&mut ready).poll(cx), Poll::Ready(5));
    }
    /// A future without size that must lie at a multiple of 64 all the same.
    #[repr(align(64))]
    struct Aligned;

    impl Future for Aligned {
        type Output = usize;

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<usize> {
            Poll::Ready(std::ptr::from_ref(&*self).addr())
        }
    }

    #[test]
    fn memory_is_aligned_even_where_there_is_none() {
        assert_eq!(size_of::<Aligned>(), 0);
        let mut future = pooled(|| Aligned);
        let at = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(at, Poll::Ready(at) if at % 64 == 0));
    }

    #[test]
    fn a_future_that_panics_in_its_drop_still_gives_its_memory_back() {
        struct Panics;
        impl Drop for Panics {
            fn drop(&mut self) {
                panic!("injected");
            }
        }
        let make = || async {
            let _held = Panics;
            std::future::pending::<()>().await;
        };
        let cx = &mut Context::from_waker(Waker::noop());
        let mut future = pooled(make);
        let at = future.memory;
        assert!(Pin::new(&mut future).poll(cx).is_pending());
        let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(future)));
        assert!(dropped.is_err());
        assert_eq!(pooled(make).memory, at);
    }
}
