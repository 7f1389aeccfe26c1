//! The access log: lines gather in the shard and go to a thread that writes them. A writer that can't keep up loses
//! lines, which are counted, and never slows a request.

mod output;
mod writer;

pub(crate) use output::Output;
pub(crate) use writer::{LogCounts, LogWriter, RetiredLog};

use ringgate_rt::task;
use ringgate_rt::timer::sleep;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;
use writer::{Errand, Shared};

/// A batch goes to the writer when it has so many bytes,
const BATCH_BYTES: usize = 32 * 1024;
/// or when its first line is so old.
const BATCH_AGE: Duration = Duration::from_millis(20);
/// Bytes of a line that is not unusually long.
const LINE_BYTES: usize = 1024;

/// The way to the writer, to be sent to a shard's thread.
#[derive(Clone)]
pub(crate) struct LogHandle {
    errands: SyncSender<Errand>,
    shared: Arc<Shared>,
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

    /// Adds the line that `write` appends, if lines are wanted.
    pub(crate) fn line(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let Some(batch) = &self.0 else { return };
        let bytes = {
            let mut lines = batch.lines.borrow_mut();
            write(&mut lines);
            lines.len()
        };
        batch.count.set(batch.count.get() + 1);
        if bytes >= BATCH_BYTES {
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
        // Growing to a batch's size step by step would cost a dozen allocations.
        let fresh = self.to.shared.spent().unwrap_or_else(|| Vec::with_capacity(BATCH_BYTES + LINE_BYTES));
        let lines = Errand::Lines(self.lines.replace(fresh));
        if let Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) = self.to.errands.try_send(lines) {
            self.to.shared.lost(count);
            if let Errand::Lines(mut lines) = back {
                lines.clear();
                self.lines.replace(lines);
            }
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
