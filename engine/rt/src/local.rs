//! What the loop of a shard keeps for itself: the hook at the end of a turn, tasks that have yielded.

use std::cell::{Cell, RefCell};
use std::task::Waker;

thread_local! {
    static LOCAL: Local = const {
        Local { main: RefCell::new(None), yielded: RefCell::new(Vec::new()), hooks: RefCell::new(Vec::new()), ran: Cell::new(false) }
    };
}

struct Local {
    /// Wakes the shard's main future, which runs when the ready queue is empty.
    main: RefCell<Option<Waker>>,
    yielded: RefCell<Vec<Waker>>,
    hooks: RefCell<Vec<Box<dyn FnOnce()>>>,
    ran: Cell<bool>,
}

/// Runs `hook` once, when the ready queue is empty and before the ring is entered: there, what has gathered in a turn
/// is sent together. A hook must not wake tasks without need: each costs another entry of the kernel.
pub fn at_end_of_turn(hook: impl FnOnce() + 'static) {
    LOCAL.with(|local| local.hooks.borrow_mut().push(Box::new(hook)));
    wake_main();
}

pub(crate) fn set_main(waker: &Waker) {
    LOCAL.with(|local| *local.main.borrow_mut() = Some(waker.clone()));
}

/// Called whenever a task has been polled, so that the turn gets its end.
#[inline]
pub(crate) fn wake_main() {
    LOCAL.with(|local| {
        local.ran.set(true);
        if let Some(main) = &*local.main.borrow() {
            main.wake_by_ref();
        }
    });
}

pub(crate) fn park_until_end_of_turn(waker: Waker) {
    LOCAL.with(|local| local.yielded.borrow_mut().push(waker));
    wake_main();
}

/// Runs the hooks and wakes whoever has yielded. Returns whether any task ran since the last call.
pub(crate) fn end_turn() -> bool {
    LOCAL.with(|local| {
        while let Some(hook) = { local.hooks.borrow_mut().pop() } {
            hook();
        }
        let mut yielded = local.yielded.take();
        yielded.drain(..).for_each(Waker::wake);
        let mut kept = local.yielded.borrow_mut();
        if kept.is_empty() {
            *kept = yielded;
        }
        local.ran.replace(false)
    })
}
