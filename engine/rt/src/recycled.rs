//! Small pieces of memory that a shard uses again and again: boxes of futures, operations in flight.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::ptr::NonNull;

/// Free pieces that a shard keeps of each layout; more go back to the allocator.
const FREE_MAX: usize = 256;

/// Memory with this layout. It holds nothing.
#[inline]
pub(crate) fn take(layout: Layout) -> NonNull<u8> {
    FREE.try_with(|free| free.borrow_mut().take(layout)).unwrap_or(None).unwrap_or_else(|| acquire(layout))
}

/// Takes memory back that came from [`take`] with the same layout and holds nothing any more.
#[inline]
pub(crate) fn give(memory: NonNull<u8>, layout: Layout) {
    // A thread that is ending keeps nothing.
    if !FREE.try_with(|free| free.borrow_mut().give(memory, layout)).unwrap_or(false) {
        release(memory, layout);
    }
}

thread_local! {
    static FREE: RefCell<Free> = const { RefCell::new(Free(Vec::new())) };
}

/// Free memory by layout. A process has a handful of layouts, so a list is enough.
struct Free(Vec<(Layout, Vec<NonNull<u8>>)>);

impl Free {
    fn take(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        self.0.iter_mut().find(|(listed, _)| *listed == layout).and_then(|(_, list)| list.pop())
    }

    /// False if there are enough already.
    fn give(&mut self, memory: NonNull<u8>, layout: Layout) -> bool {
        match self.0.iter_mut().find(|(listed, _)| *listed == layout) {
            Some((_, list)) if list.len() < FREE_MAX => list.push(memory),
            Some(_) => return false,
            None => self.0.push((layout, vec![memory])),
        }
        true
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
        // Aligned all the same: writing nothing asks for that too.
        return NonNull::new(std::ptr::without_provenance_mut(layout.align())).unwrap_or(NonNull::dangling());
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

    #[test]
    fn keeps_a_bounded_number_of_pieces() {
        let layout = Layout::new::<[u64; 31]>();
        let many: Vec<_> = (0..FREE_MAX + 5).map(|_| take(layout)).collect();
        many.into_iter().for_each(|memory| give(memory, layout));
        FREE.with_borrow(|free| {
            let kept = free.0.iter().find(|(listed, _)| *listed == layout).map(|(_, list)| list.len());
            assert_eq!(kept, Some(FREE_MAX));
        });
    }

    #[test]
    fn nothing_needs_no_memory() {
        let layout = Layout::new::<()>();
        give(take(layout), layout);
    }
}
