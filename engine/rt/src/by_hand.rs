//! A shard's loop without a ring and without a thread of its own: the caller says when tasks run. With
//! [`memory`](crate::memory) it carries the pipeline in benches and simulations.

use crate::{clock, counters, local, timer};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

type Spawned = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    static RUNNING: Cell<bool> = const { Cell::new(false) };
    static SPAWNED: RefCell<Vec<Spawned>> = const { RefCell::new(Vec::new()) };
}

/// Takes the tasks that are spawned on this thread, for as long as it lives. One at a time on a thread, and none on a
/// thread that runs a shard.
pub struct ByHand {
    tasks: Vec<Task>,
    /// What is spawned belongs to this thread.
    not_send: std::marker::PhantomData<*mut ()>,
}

struct Task {
    woken: Arc<Woken>,
    waker: Waker,
    future: Spawned,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl ByHand {
    /// A loop without tasks.
    pub fn new() -> ByHand {
        debug_assert!(!RUNNING.get(), "one loop by hand at a time on a thread");
        RUNNING.set(true);
        ByHand { tasks: Vec::new(), not_send: std::marker::PhantomData }
    }

    /// Runs every task that is ready until none is, then ends the turn, as a shard does before it enters its ring.
    pub fn turn(&mut self) {
        while self.poll_ready() {}
        timer::advance();
        let ran = local::end_turn();
        counters::end_turn(ran);
        clock::forget();
    }

    /// Whether a task is ready to run.
    pub fn is_ready(&self) -> bool {
        SPAWNED.with_borrow(|spawned| !spawned.is_empty()) || self.tasks.iter().any(Task::is_woken)
    }

    /// Tasks that have not ended.
    pub fn tasks(&self) -> usize {
        SPAWNED.with_borrow(Vec::len) + self.tasks.len()
    }

    fn poll_ready(&mut self) -> bool {
        SPAWNED.with_borrow_mut(|spawned| self.tasks.extend(spawned.drain(..).map(Task::new)));
        let mut any = false;
        self.tasks.retain_mut(|task| {
            if !task.woken.0.swap(false, Ordering::Relaxed) {
                return true;
            }
            any = true;
            poll(task)
        });
        any
    }
}

/// Polls a task once; false if it has ended. Not inlined: under this name a profiler finds what the tasks themselves
/// cost.
#[inline(never)]
fn poll(task: &mut Task) -> bool {
    task.future.as_mut().poll(&mut Context::from_waker(&task.waker)).is_pending()
}

impl Task {
    fn new(future: Spawned) -> Task {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Task { waker: woken.clone().into(), woken, future }
    }

    fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::Relaxed)
    }
}

impl Default for ByHand {
    fn default() -> ByHand {
        ByHand::new()
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        self.tasks.clear();
        RUNNING.set(false);
        SPAWNED.take();
    }
}

/// Whether the tasks of this thread are run by hand.
#[inline]
pub(crate) fn running() -> bool {
    RUNNING.get()
}

pub(crate) fn spawn(future: impl Future<Output = ()> + 'static) {
    SPAWNED.with_borrow_mut(|spawned| spawned.push(Box::pin(future)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;
    use crate::task;
    use crate::timer::sleep;
    use crate::transport::Transport;
    use crate::{Buf, at_end_of_turn};
    use std::future::poll_fn;
    use std::rc::Rc;
    use std::time::Duration;

    #[test]
    fn tasks_run_when_they_are_woken_and_end_with_the_loop() {
        let mut by_hand = ByHand::new();
        let (mut near, mut far) = memory::pair();
        let held = Rc::new(());
        let inside = held.clone();
        task::spawn(async move {
            let _inside = inside;
            loop {
                far.start_recv(Buf::standard());
                let (_, buf) = poll_fn(|cx| far.poll_recv(cx)).await;
                far.start_send(buf);
                let _ = poll_fn(|cx| far.poll_send(cx)).await;
            }
        });
        assert!(by_hand.is_ready());
        by_hand.turn();
        assert!(!by_hand.is_ready());
        near.put(b"abc");
        assert!(by_hand.is_ready());
        by_hand.turn();
        let mut back = Vec::new();
        near.take(|piece| back.extend_from_slice(piece));
        assert_eq!(back, b"abc");
        assert_eq!((by_hand.tasks(), Rc::strong_count(&held)), (1, 2));
        drop(by_hand);
        assert_eq!(Rc::strong_count(&held), 1);
    }

    #[test]
    fn deadlines_yields_and_hooks_work() {
        let mut by_hand = ByHand::new();
        let done = Rc::new(Cell::new(0));
        let inside = done.clone();
        task::spawn(async move {
            sleep(Duration::from_millis(15)).await;
            task::yield_now().await;
            inside.set(inside.get() + 1);
            at_end_of_turn(move || inside.set(inside.get() + 10));
        });
        let begun = std::time::Instant::now();
        while by_hand.tasks() > 0 {
            by_hand.turn();
        }
        assert!(begun.elapsed() >= Duration::from_millis(15));
        assert_eq!(done.get(), 11);
    }
}
