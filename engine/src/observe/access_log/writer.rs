//! The thread that writes the access log. It outlives a reload that sends lines elsewhere: what it was given before is
//! written when its last handle goes.

use super::{LogHandle, Output};
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Batches that may wait for the writer.
pub(super) const BATCHES_WAITING_MAX: usize = 64;
/// How often lines that can't be written are complained of.
const COMPLAINTS_EVERY: Duration = Duration::from_secs(60);
/// How long the writer waits for an output that takes nothing and does not block. Batches wait behind it meanwhile, and
/// lines are lost when too many do.
const FULL_PIPE_PAUSE: Duration = Duration::from_millis(5);

/// What the writer is asked for.
pub(super) enum Errand {
    /// Write these.
    Lines(Vec<u8>),
    /// Look whether the output is to be opened anew.
    Look,
}

/// What became of the lines of all writers of a process.
#[derive(Default)]
pub(crate) struct LogCounts {
    written: AtomicU64,
    dropped: AtomicU64,
}

impl LogCounts {
    /// Lines that were written.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Lines that were lost: the output was too slow, or could not be written to.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// What a writer and its handles share.
pub(super) struct Shared {
    /// Batches that have been written, to be filled again.
    spent: Mutex<Vec<Vec<u8>>>,
    dropped: AtomicU64,
    counts: Arc<LogCounts>,
    reopen: AtomicBool,
}

impl Shared {
    /// An empty batch, if one is there.
    pub(super) fn spent(&self) -> Option<Vec<u8>> {
        self.spent.try_lock().ok().and_then(|mut spent| spent.pop())
    }

    pub(super) fn lost(&self, lines: u64) {
        self.dropped.fetch_add(lines, Ordering::Relaxed);
        self.counts.dropped.fetch_add(lines, Ordering::Relaxed);
    }
}

/// A writer. Without it lines go on being written for as long as there are handles.
pub(crate) struct LogWriter {
    errands: SyncSender<Errand>,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

impl LogWriter {
    /// Starts a thread that writes to `out`. What goes wrong there is told to `complain`, at most once a minute.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub(crate) fn start(
        out: Output,
        counts: Arc<LogCounts>,
        complain: impl Fn(&str) + Send + 'static,
    ) -> io::Result<LogWriter> {
        let (errands, waiting) = sync_channel(BATCHES_WAITING_MAX);
        let shared = Arc::new(Shared {
            spent: Mutex::new(Vec::new()),
            dropped: AtomicU64::new(0),
            counts,
            reopen: AtomicBool::new(false),
        });
        let writing = Writing { out, torn: false, trouble: None, complain, shared: shared.clone() };
        let thread = std::thread::Builder::new().name("access-log".into()).spawn(move || writing.run(&waiting))?;
        Ok(LogWriter { errands, shared, thread })
    }

    /// The way to this writer, for a shard.
    pub(crate) fn handle(&self) -> LogHandle {
        LogHandle { errands: self.errands.clone(), shared: self.shared.clone() }
    }

    /// Has the file opened anew before the next line. If that fails the old one is kept, with a complaint.
    pub(crate) fn reopen(&self) {
        self.shared.reopen.store(true, Ordering::Release);
        // With a full queue the writer looks anyway before what it takes next.
        let _ = self.errands.try_send(Errand::Look);
    }

    /// Waits until everything handed over is written. Every handle and batch must have been dropped. Returns how many lines were
    /// lost.
    #[cfg(test)]
    pub(crate) fn finish(self) -> u64 {
        self.retire().finish()
    }

    /// Hands out no more ways to this writer: it ends when the last of those that there are goes.
    pub(crate) fn retire(self) -> RetiredLog {
        RetiredLog { shared: self.shared, thread: self.thread }
    }
}

/// A writer that has been replaced, or whose process is about to end.
pub(crate) struct RetiredLog {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

impl RetiredLog {
    /// Whether everything handed over is written.
    pub(crate) fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until everything handed over is written, which takes as long as there are handles and batches. Returns how
    /// many lines were lost.
    pub(crate) fn finish(self) -> u64 {
        // A panic of the writer has been reported by the panic hook; there is nothing to add.
        let _ = self.thread.join();
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

/// The writer's thread.
struct Writing<F> {
    out: Output,
    /// The last line written is not whole.
    torn: bool,
    trouble: Option<Trouble>,
    complain: F,
    shared: Arc<Shared>,
}

/// Lines can't be written at the moment.
struct Trouble {
    complained: Instant,
    /// Lines lost since it began.
    lost: u64,
}

impl<F: Fn(&str)> Writing<F> {
    fn run(mut self, waiting: &Receiver<Errand>) {
        for errand in waiting {
            if self.shared.reopen.swap(false, Ordering::Acquire)
                && let Err(error) = self.out.reopen()
            {
                (self.complain)(&format!("the access log is still written to the file opened before: {error}"));
            }
            if let Errand::Lines(lines) = errand {
                self.write(lines);
            }
        }
    }

    /// Writes a batch, or counts what of it is lost.
    fn write(&mut self, mut lines: Vec<u8>) {
        if self.torn {
            // What is left of an earlier line must not run into the next one.
            lines.insert(0, b'\n');
        }
        let put_before = u64::from(self.torn);
        let (taken, result) = write_all(&mut self.out, &lines);
        // A line of which only the beginning was written is lost.
        let written = count(&lines[..taken]).saturating_sub(put_before);
        let lost = count(&lines) - put_before - written;
        self.shared.counts.written.fetch_add(written, Ordering::Relaxed);
        if let Some(last) = lines[..taken].last() {
            self.torn = *last != b'\n';
        }
        match result {
            Ok(()) => self.recovered(),
            Err(error) => self.failed(lost, &error),
        }
        lines.clear();
        if let Ok(mut spent) = self.shared.spent.lock() {
            spent.push(lines);
        }
    }

    fn failed(&mut self, lost: u64, error: &io::Error) {
        self.shared.lost(lost);
        let first = self.trouble.is_none();
        let trouble = self.trouble.get_or_insert(Trouble { complained: Instant::now(), lost: 0 });
        trouble.lost += lost;
        if first || trouble.complained.elapsed() >= COMPLAINTS_EVERY {
            trouble.complained = Instant::now();
            (self.complain)(&format!(
                "the access log can't be written to {}: {error}; lines lost so far: {}",
                self.out.name(),
                trouble.lost
            ));
        }
    }

    fn recovered(&mut self) {
        // A disk that is full again and again would otherwise be told of with every batch.
        if let Some(trouble) = self.trouble.take_if(|trouble| trouble.complained.elapsed() >= COMPLAINTS_EVERY) {
            let name = self.out.name();
            (self.complain)(&format!("the access log can be written to {name} again; lines lost: {}", trouble.lost));
        }
    }
}

/// Writes until everything is taken or an error comes. Returns how many bytes were.
fn write_all(out: &mut Output, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut taken = 0;
    while taken < bytes.len() {
        match out.write(&bytes[taken..]) {
            Ok(0) => return (taken, Err(ErrorKind::WriteZero.into())),
            Ok(n) => taken += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(FULL_PIPE_PAUSE),
            Err(error) => return (taken, Err(error)),
        }
    }
    (taken, out.flush())
}

fn count(lines: &[u8]) -> u64 {
    lines.iter().filter(|byte| **byte == b'\n').count() as u64
}
