//! Runs a shard on a thread of its own, and futures on it, so that a test is written once and holds for both drivers.

use ringgate_rt::driver::{Choice, Chosen, RING_ENTRIES};
use ringgate_rt::mailbox::{Sender, mailbox};
use ringgate_rt::{Hooks, ShardOptions, run_shard, task};
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Nothing here takes a second; a test that is stuck fails after this.
const STUCK: Duration = Duration::from_secs(60);

/// What is sent to a shard: something to do at the end of its turn.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Runs `test` against a shard on io_uring, then against one on epoll. Where io_uring is refused, that half is skipped.
pub(crate) fn each_driver(test: impl Fn(&Shard)) {
    each_driver_with(RING_ENTRIES, test);
}

/// As `each_driver`, with a ring of a given size.
pub(crate) fn each_driver_with(entries: u32, test: impl Fn(&Shard)) {
    for choice in [Choice::Auto, Choice::Epoll] {
        let shard = Shard::start(choice, entries);
        if choice == Choice::Auto && shard.chosen.driver.is_epoll() {
            eprintln!("skipped: io_uring refused: {}", shard.chosen.why);
            continue;
        }
        eprintln!("on {}", shard.chosen.driver);
        test(&shard);
        shard.end();
    }
}

/// A shard on a thread of its own.
pub(crate) struct Shard {
    pub(crate) chosen: Chosen,
    pub(crate) jobs: Sender<Job>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Shard {
    pub(crate) fn start(driver: Choice, entries: u32) -> Shard {
        let options = ShardOptions { core: None, driver, entries };
        let (jobs, inbox) = mailbox().expect("an eventfd");
        let ending = Arc::new(AtomicBool::new(false));
        let (started, chosen) = mpsc::channel();
        let hooks = Jobs { started, ending: ending.clone() };
        let thread = thread::spawn(move || run_shard(&options, inbox, hooks));
        Shard { chosen: wait(&chosen), jobs, ending, thread: Some(thread) }
    }

    /// Runs the future that `make` makes as a task of the shard, and returns what it gives.
    pub(crate) fn run<T, F>(&self, make: impl FnOnce() -> F + Send + 'static) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + 'static,
    {
        wait(&self.begin(make))
    }

    /// As `run`, without waiting for the end.
    pub(crate) fn begin<T, F>(&self, make: impl FnOnce() -> F + Send + 'static) -> Receiver<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + 'static,
    {
        let (give, result) = mpsc::channel();
        self.send(move || {
            task::spawn(async move {
                // A test that has given up does not listen any more.
                let _ = give.send(make().await);
            });
        });
        result
    }

    /// Does something on the shard's thread, in its main future.
    pub(crate) fn send(&self, job: impl FnOnce() + Send + 'static) {
        assert!(self.jobs.send(Box::new(job)).is_ok(), "the mailbox is full");
    }

    /// Ends the shard and waits for its thread.
    pub(crate) fn end(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        let _ = self.jobs.send(Box::new(|| {}));
        let Some(thread) = self.thread.take() else {
            return;
        };
        if thread::panicking() {
            // The shard may be what is stuck.
            return;
        }
        match thread.join() {
            Ok(result) => result.expect("the shard ran"),
            Err(panic) => resume_unwind(panic),
        }
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a task or a thread sends. Panics if it ended without, or is stuck.
pub(crate) fn wait<T>(result: &Receiver<T>) -> T {
    match result.recv_timeout(STUCK) {
        Ok(value) => value,
        Err(RecvTimeoutError::Disconnected) => panic!("the task ended without a result"),
        Err(RecvTimeoutError::Timeout) => panic!("the task is stuck"),
    }
}

thread_local! {
    static ON_TURN: RefCell<Option<Box<dyn FnMut()>>> = const { RefCell::new(None) };
}

/// Called on a shard's thread: `f` runs at the end of each of its turns from now on.
pub(crate) fn on_each_turn(f: impl FnMut() + 'static) {
    ON_TURN.set(Some(Box::new(f)));
}

struct Jobs {
    started: mpsc::Sender<Chosen>,
    ending: Arc<AtomicBool>,
}

impl Hooks<Job> for Jobs {
    fn start(&mut self, chosen: &Chosen) {
        let _ = self.started.send(chosen.clone());
    }

    fn message(&mut self, job: Job) {
        job();
    }

    fn end_of_turn(&mut self) -> bool {
        ON_TURN.with_borrow_mut(|hook| {
            if let Some(hook) = hook {
                hook();
            }
        });
        self.ending.load(Ordering::SeqCst)
    }
}
