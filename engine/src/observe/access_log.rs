//! The access log: lines gather in the shard and go to a thread that writes them. A writer that can't keep up loses
//! lines, which are counted, and never slows a request.

use ringgate_rt::task;
use ringgate_rt::timer::sleep;
use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A batch goes to the writer when it has so many bytes,
const BATCH_BYTES: usize = 32 * 1024;
/// or when its first line is so old.
const BATCH_AGE: Duration = Duration::from_millis(20);
/// Bytes of a line that is not unusually long.
const LINE_BYTES: usize = 1024;
/// Batches that may wait for the writer.
const BATCHES_WAITING_MAX: usize = 64;

/// The thread that writes.
pub(crate) struct LogWriter {
    batches: SyncSender<Vec<u8>>,
    spent: Arc<Mutex<Vec<Vec<u8>>>>,
    dropped: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl LogWriter {
    /// Starts a thread that writes to `out`.
    pub(crate) fn start(out: impl Write + Send + 'static) -> std::io::Result<LogWriter> {
        let (batches, waiting) = sync_channel(BATCHES_WAITING_MAX);
        let spent = Arc::new(Mutex::new(Vec::new()));
        let returned = spent.clone();
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = dropped.clone();
        let thread = std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write_all(&waiting, out, &returned, &lost))?;
        Ok(LogWriter { batches, spent, dropped, thread })
    }

    /// The way to this writer, for a shard.
    pub(crate) fn handle(&self) -> LogHandle {
        LogHandle { batches: self.batches.clone(), spent: self.spent.clone(), dropped: self.dropped.clone() }
    }

    /// Waits until everything handed over is written. Every handle and batch must have been dropped. Returns how many lines were
    /// lost.
    pub(crate) fn finish(self) -> u64 {
        drop(self.batches);
        // A panic of the writer has been reported by the panic hook; there is nothing to add.
        let _ = self.thread.join();
        self.dropped.load(Ordering::Relaxed)
    }
}

fn write_all(waiting: &Receiver<Vec<u8>>, mut out: impl Write, returned: &Mutex<Vec<Vec<u8>>>, lost: &AtomicU64) {
    for mut lines in waiting {
        if out.write_all(&lines).and_then(|()| out.flush()).is_err() {
            lost.fetch_add(lines.iter().filter(|b| **b == b'\n').count() as u64, Ordering::Relaxed);
        }
        lines.clear();
        if let Ok(mut returned) = returned.lock() {
            returned.push(lines);
        }
    }
}

/// The way to the writer, to be sent to a shard's thread.
#[derive(Clone)]
pub(crate) struct LogHandle {
    batches: SyncSender<Vec<u8>>,
    spent: Arc<Mutex<Vec<Vec<u8>>>>,
    dropped: Arc<AtomicU64>,
}

impl LogHandle {
    /// A shard's batch. Its lines come out in their order; lines of different shards in any.
    pub(crate) fn batch(self) -> LogBatch {
        LogBatch(Some(Rc::new(Batch {
            lines: RefCell::new(Vec::new()),
            count: Cell::new(0),
            waiting: Cell::new(false),
            to: self,
        })))
    }
}

/// Lines of one shard that have not gone to the writer. Without a writer, nothing is kept.
#[derive(Clone)]
pub(crate) struct LogBatch(Option<Rc<Batch>>);

struct Batch {
    lines: RefCell<Vec<u8>>,
    count: Cell<u64>,
    /// A task will hand the batch over when it is old enough.
    waiting: Cell<bool>,
    to: LogHandle,
}

impl LogBatch {
    /// No log at all.
    pub(crate) fn off() -> LogBatch {
        LogBatch(None)
    }

    /// Whether lines are wanted.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Adds the line that `write` appends.
    pub(crate) fn line(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let Some(batch) = &self.0 else { return };
        write(&mut batch.lines.borrow_mut());
        batch.count.set(batch.count.get() + 1);
        if batch.lines.borrow().len() >= BATCH_BYTES {
            batch.hand_over();
        } else if !batch.waiting.replace(true) {
            let batch = batch.clone();
            task::spawn(async move {
                sleep(BATCH_AGE).await;
                batch.waiting.set(false);
                batch.hand_over();
            });
        }
    }
}

impl Batch {
    fn hand_over(&self) {
        let count = self.count.replace(0);
        if count == 0 {
            return;
        }
        let spent = self.to.spent.try_lock().ok().and_then(|mut spent| spent.pop());
        // Growing to a batch's size step by step would cost a dozen allocations.
        let fresh = spent.unwrap_or_else(|| Vec::with_capacity(BATCH_BYTES + LINE_BYTES));
        let lines = self.lines.replace(fresh);
        if let Err(TrySendError::Full(mut lines) | TrySendError::Disconnected(mut lines)) =
            self.to.batches.try_send(lines)
        {
            self.to.dropped.fetch_add(count, Ordering::Relaxed);
            lines.clear();
            self.lines.replace(lines);
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.hand_over();
    }
}

#[cfg(test)]
mod tests;
