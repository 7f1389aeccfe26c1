//! What the loop of a shard keeps for itself: the hook at the end of a turn, tasks that have yielded.

use crate::task::caught;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::Waker;

thread_local! {
    static LOCAL: Local = const { Local::new() };
}

struct Local {
    /// Wakes the shard's main future, which runs when the ready queue is empty.
    main: RefCell<Option<Waker>>,
    yielded: RefCell<Vec<Waker>>,
    hooks: RefCell<VecDeque<Box<dyn FnOnce()>>>,
    ran: Cell<bool>,
    /// The shard is ending: tasks that run now are dropped instead.
    ending: Cell<bool>,
}

impl Local {
    const fn new() -> Local {
        Local {
            main: RefCell::new(None),
            yielded: RefCell::new(Vec::new()),
            hooks: RefCell::new(VecDeque::new()),
            ran: Cell::new(false),
            ending: Cell::new(false),
        }
    }

    #[inline]
    fn wake_main(&self) {
        self.ran.set(true);
        if let Some(main) = &*self.main.borrow() {
            main.wake_by_ref();
        }
    }
}

/// Runs `hook` once, when the ready queue is empty and before the ring is entered: there, what has gathered in a turn
/// is sent together. (After a long chain of tasks that wake each other it runs in the middle: monoio ends a round after
/// twice as many tasks as were ready when it began.) Hooks run in the order in which they were asked for; those asked for in a hook run in the same
/// turn. A hook must not wake tasks without need: each costs another entry of the kernel.
pub fn at_end_of_turn(hook: impl FnOnce() + 'static) {
    // A thread that is ending has no more turns.
    let _ = LOCAL.try_with(|local| {
        local.hooks.borrow_mut().push_back(Box::new(hook));
        local.wake_main();
    });
}

/// The shard's loop begins.
pub(crate) fn begin(main: &Waker) {
    LOCAL.with(|local| {
        *local.main.borrow_mut() = Some(main.clone());
    });
}

/// The shard's loop has ended: nothing of it stays on the thread.
pub(crate) fn finish() {
    LOCAL.with(|local| {
        local.ending.set(false);
        drop((local.main.take(), local.yielded.take(), local.hooks.take()));
    });
}

/// From now on tasks are dropped when they run.
pub(crate) fn set_ending() {
    LOCAL.with(|local| local.ending.set(true));
}

/// Called whenever a task is polled, so that the turn gets its end. Returns whether the shard is ending.
#[inline]
pub(crate) fn task_runs() -> bool {
    LOCAL.with(|local| {
        local.wake_main();
        local.ending.get()
    })
}

pub(crate) fn park_until_end_of_turn(waker: Waker) {
    LOCAL.with(|local| {
        local.yielded.borrow_mut().push(waker);
        local.wake_main();
    });
}

/// Runs the hooks and wakes whoever has yielded. Returns whether any task ran since the last call.
pub(crate) fn end_turn() -> bool {
    LOCAL.with(|local| {
        while let Some(hook) = { local.hooks.borrow_mut().pop_front() } {
            caught(hook);
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
