//! A future in a box whose memory comes from the shard and goes back to it: what a connection needs only while it is
//! busy.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

/// Free boxes that a shard keeps of each size.
const FREE_MAX: usize = 256;

/// Puts `future` into a pooled box.
#[inline]
pub fn pooled<F: Future>(future: F) -> Pooled<F> {
    let memory = FREE
        .with_borrow_mut(|free| free.take(Layout::new::<F>()))
        .cast::<F>();
    // SAFETY: the memory has the layout of `F` and holds nothing.
    unsafe { memory.as_ptr().write(future) };
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
                let (memory, layout) = (self.0, self.1);
                if FREE
                    .try_with(|free| free.borrow_mut().give(memory, layout))
                    .is_err()
                {
                    release(memory, layout);
                }
            }
        }
        let _give = Give(self.memory.cast(), Layout::new::<F>());
        // SAFETY: the box owns a live `F` and gives it up here.
        unsafe { std::ptr::drop_in_place(self.memory.as_ptr()) };
    }
}

thread_local! {
    static FREE: RefCell<Free> = const { RefCell::new(Free(Vec::new())) };
}

/// Free memory by layout. A process has two or three layouts, so a list is enough.
struct Free(Vec<(Layout, Vec<NonNull<u8>>)>);

impl Free {
    fn take(&mut self, layout: Layout) -> NonNull<u8> {
        let listed = self.0.iter_mut().find(|(l, _)| *l == layout);
        listed
            .and_then(|(_, list)| list.pop())
            .unwrap_or_else(|| acquire(layout))
    }

    fn give(&mut self, memory: NonNull<u8>, layout: Layout) {
        match self.0.iter_mut().find(|(l, _)| *l == layout) {
            Some((_, list)) if list.len() < FREE_MAX => list.push(memory),
            Some(_) => release(memory, layout),
            None => self.0.push((layout, vec![memory])),
        }
    }
}

impl Drop for Free {
    fn drop(&mut self) {
        for (layout, list) in self.0.drain(..) {
            list.into_iter().for_each(|memory| release(memory, layout));
        }
    }
}

fn acquire(layout: Layout) -> NonNull<u8> {
    if layout.size() == 0 {
        return NonNull::dangling();
    }
    // SAFETY: the size is not zero.
    NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout))
}

fn release(memory: NonNull<u8>, layout: Layout) {
    if layout.size() != 0 {
        // SAFETY: the memory came from `acquire` with this layout and holds nothing.
        unsafe { dealloc(memory.as_ptr(), layout) };
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
        let mut first = pooled(hold(held.clone()));
        let at = first.memory;
        assert!(Pin::new(&mut first).poll(cx).is_pending());
        drop(first);
        assert_eq!(Rc::strong_count(&held), 1);
        assert_eq!(pooled(hold(held.clone())).memory, at);
        let mut ready = pooled(async { 5 });
        assert_eq!(Pin::new(&mut ready).poll(cx), Poll::Ready(5));
    }

    #[test]
    fn keeps_a_bounded_number_of_boxes() {
        let many: Vec<_> = (0..FREE_MAX + 5)
            .map(|_| pooled(hold(Rc::new(()))))
            .collect();
        drop(many);
        FREE.with_borrow(|free| assert!(free.0.iter().all(|(_, list)| list.len() <= FREE_MAX)));
    }
}
