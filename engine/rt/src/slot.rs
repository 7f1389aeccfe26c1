//! A place for one operation in flight. Its memory is used again by the next operation of the same kind, so that a busy
//! connection allocates nothing.

use crate::recycled;
use std::alloc::Layout;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

/// A pinned future with output `T` whose type is forgotten, or nothing.
pub(crate) struct Slot<T: 'static> {
    memory: NonNull<u8>,
    /// What the memory is laid out for; it holds such a future while `busy`.
    shape: &'static Shape<T>,
    busy: bool,
    /// Futures of the driver belong to their thread.
    not_send: PhantomData<*mut ()>,
}

struct Shape<T> {
    layout: Layout,
    poll: unsafe fn(*mut u8, &mut Context<'_>) -> Poll<T>,
    drop: unsafe fn(*mut u8),
}

/// The shape of `F`, as a constant that every slot can refer to.
struct ShapeOf<F>(PhantomData<F>);

impl<F: Future> ShapeOf<F> {
    const SHAPE: Shape<F::Output> = Shape { layout: Layout::new::<F>(), poll: poll_at::<F>, drop: drop_at::<F> };
}

impl<T: 'static> Slot<T> {
    pub(crate) const fn new() -> Slot<T> {
        Slot {
            memory: NonNull::dangling(),
            shape: &ShapeOf::<std::future::Pending<T>>::SHAPE,
            busy: false,
            not_send: PhantomData,
        }
    }

    /// Whether an operation is in flight.
    #[inline]
    pub(crate) fn busy(&self) -> bool {
        self.busy
    }

    /// Puts `future` into the slot. One that is there already is dropped.
    #[inline]
    pub(crate) fn set<F: Future<Output = T> + 'static>(&mut self, future: F) {
        self.clear();
        let shape: &'static Shape<T> = &ShapeOf::<F>::SHAPE;
        if self.shape.layout != shape.layout {
            self.reallocate(shape);
        }
        self.shape = shape;
        // SAFETY: the memory has the layout of `F` and holds nothing; it does not move until `F` has been dropped in
        // place by `clear`, which is the promise that pinning needs.
        unsafe { self.memory.as_ptr().cast::<F>().write(future) };
        self.busy = true;
    }

    /// Polls the operation and empties the slot when it is done. Pending if there is none.
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        if !self.busy {
            return Poll::Pending;
        }
        // SAFETY: `busy` is only set while the memory holds a future of this shape.
        let polled = unsafe { (self.shape.poll)(self.memory.as_ptr(), cx) };
        if polled.is_ready() {
            self.clear();
        }
        polled
    }

    /// Drops the operation, if there is one.
    #[inline]
    pub(crate) fn clear(&mut self) {
        if std::mem::replace(&mut self.busy, false) {
            // SAFETY: as in `poll`; `busy` was taken, so the future is dropped once.
            unsafe { (self.shape.drop)(self.memory.as_ptr()) };
        }
    }

    /// Drops the operation and gives the memory back.
    pub(crate) fn release(&mut self) {
        self.clear();
        self.reallocate(&ShapeOf::<std::future::Pending<T>>::SHAPE);
    }

    /// Gives the memory back, which holds nothing, and takes some for this shape.
    fn reallocate(&mut self, shape: &'static Shape<T>) {
        if self.shape.layout.size() != 0 {
            recycled::give(self.memory, self.shape.layout);
        }
        self.memory = recycled::take(shape.layout);
        self.shape = shape;
    }
}

impl<T: 'static> Drop for Slot<T> {
    fn drop(&mut self) {
        self.release();
    }
}

unsafe fn poll_at<F: Future>(at: *mut u8, cx: &mut Context<'_>) -> Poll<F::Output> {
    // SAFETY: the caller holds a live `F` at `at` that never moves.
    unsafe { Pin::new_unchecked(&mut *at.cast::<F>()) }.poll(cx)
}

unsafe fn drop_at<F>(at: *mut u8) {
    // SAFETY: the caller holds a live `F` at `at` and gives it up.
    unsafe { std::ptr::drop_in_place(at.cast::<F>()) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;
    use std::task::Waker;

    #[test]
    fn memory_is_kept_between_operations_and_given_back() {
        let mut slot = Slot::<u32>::new();
        let cx = &mut Context::from_waker(Waker::noop());
        slot.set(async { 1 });
        assert_eq!(slot.poll(cx), Poll::Ready(1));
        assert!(!slot.busy());
        assert!(slot.poll(cx).is_pending());
        for n in 0..3 {
            slot.set(std::future::ready(n));
            assert_eq!(slot.poll(cx), Poll::Ready(n));
        }
        let big = [7u32; 64];
        slot.set(async move { big.iter().sum() });
        assert_ne!(slot.shape.layout, Layout::new::<std::future::Ready<u32>>());
        slot.release();
        assert_eq!(slot.shape.layout.size(), 0);
    }

    #[test]
    fn drops_what_it_holds_exactly_once() {
        let held = Rc::new(());
        let mut slot = Slot::<()>::new();
        for _ in 0..3 {
            let inside = held.clone();
            slot.set(async move {
                let _inside = inside;
                std::future::pending::<()>().await;
            });
            assert!(slot.poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert_eq!(Rc::strong_count(&held), 2);
        }
        drop(slot);
        assert_eq!(Rc::strong_count(&held), 1);
    }

    #[test]
    fn a_future_that_panics_is_dropped_once() {
        let held = Rc::new(());
        let inside = held.clone();
        let mut slot = Slot::<()>::new();
        slot.set(async move {
            let _inside = inside;
            panic!("injected");
        });
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = slot.poll(&mut Context::from_waker(Waker::noop()));
        }));
        assert!(result.is_err());
        drop(slot);
        assert_eq!(Rc::strong_count(&held), 1);
    }
}
