//! The loop of a shard: tasks run, then the end of the turn (mailbox, deadlines, hooks), then the ring is entered.

use crate::clock::Moment;
use crate::driver::{self, Choice, Chosen};
use crate::mailbox::Receiver;
use crate::task::caught;
use crate::{clock, cores, counters, local, task, timer};
use monoio::net::UnixStream;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::task::Poll;

/// How a shard is started.
#[derive(Clone, Debug)]
pub struct ShardOptions {
    /// The CPU to pin to; none: not pinned.
    pub core: Option<usize>,
    /// The driver asked for.
    pub driver: Choice,
    /// Submission entries of the ring.
    pub entries: u32,
}

/// Messages taken in one turn, so that whoever sends many does not keep the shard from its connections.
const MESSAGES_MAX: usize = 256;

/// What the shard's owner does in the loop. A panic here is caught and counted, and the loop goes on.
pub trait Hooks<M> {
    /// Called once on the shard's thread, inside the loop, before anything else; may spawn tasks. If it panics the shard
    /// ends with an error.
    fn start(&mut self, chosen: &Chosen);
    /// Takes one message of the mailbox.
    fn message(&mut self, message: M);
    /// The end of a turn. Returns true when the shard is to end.
    fn end_of_turn(&mut self) -> bool;
}

/// Runs a shard on the calling thread until its hooks say that it is to end. Its tasks are dropped then, and what they
/// had open is closed; the hooks are dropped after them.
///
/// # Errors
/// If no driver can be set up at all, or the system has no descriptors left.
pub fn run_shard<M, H>(options: &ShardOptions, mailbox: Receiver<M>, mut hooks: H) -> io::Result<()>
where
    M: Send + 'static,
    H: Hooks<M>,
{
    if let Some(core) = options.core
        && !cores::pin(core)
    {
        return Err(io::Error::other(format!("can't pin a thread to CPU {core}: it is not in this process's CPU set")));
    }
    let (mut runtime, chosen) = driver::build(options.driver, options.entries)?;
    let alarm = Alarm::new()?;
    let event = mailbox.event()?;
    let (result, ended) = runtime.block_on(async move {
        poll_fn(|cx| {
            local::begin(cx.waker());
            Poll::Ready(())
        })
        .await;
        let result = match alarm.fd.try_clone() {
            Ok(alarm_fd) => {
                task::spawn(wake_when_readable(alarm_fd));
                task::spawn(wake_when_readable(event));
                let started = caught(|| hooks.start(&chosen));
                started.ok_or_else(|| io::Error::other("the shard's start panicked"))
            }
            Err(error) => Err(error),
        };
        let mut turn = Turn { mailbox, hooks, alarm };
        if result.is_ok() {
            poll_fn(|_| turn.end()).await;
        }
        // What the hooks own must be with the driver no longer when the tasks are ended.
        caught(|| drop(turn));
        (result, task::end_all().await)
    });
    local::finish();
    if !ended {
        // The kernel may still write into memory that the driver holds: better lost than used again.
        std::mem::forget(runtime);
    }
    result
}

struct Turn<M, H> {
    mailbox: Receiver<M>,
    hooks: H,
    alarm: Alarm,
}

impl<M: Send, H: Hooks<M>> Turn<M, H> {
    fn end(&mut self) -> Poll<()> {
        self.take_messages();
        timer::advance();
        let ran = local::end_turn();
        if caught(|| self.hooks.end_of_turn()) == Some(true) {
            return Poll::Ready(());
        }
        // The turn's own time would make the alarm late by the length of the turn.
        let now = counters::end_turn(ran);
        // Only now: the hooks may have set deadlines too.
        if let Some(next) = timer::next() {
            self.alarm.ring_by(next, now);
        }
        clock::forget();
        Poll::Pending
    }

    fn take_messages(&mut self) {
        for _ in 0..MESSAGES_MAX {
            let Some(message) = self.mailbox.take().or_else(|| self.mailbox.sleep()) else {
                return;
            };
            caught(|| self.hooks.message(message));
        }
        self.mailbox.ring();
    }
}

/// A timerfd that wakes the loop for its next deadline. Set again only when an earlier time is wanted than it will ring
/// at anyway, so that a busy shard sets it at most once a step of the wheel.
struct Alarm {
    fd: OwnedFd,
    rings_at: Moment,
}

impl Alarm {
    fn new() -> io::Result<Alarm> {
        // SAFETY: takes no pointers.
        let fd = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC | libc::TFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just made and has no other owner.
        Ok(Alarm { fd: unsafe { OwnedFd::from_raw_fd(fd) }, rings_at: Moment(0) })
    }

    fn ring_by(&mut self, at: Moment, now: Moment) {
        let rings = self.rings_at > now;
        if rings && self.rings_at <= at {
            return;
        }
        // Zero would disarm it.
        let ahead = at.since(now).max(std::time::Duration::from_nanos(1));
        let value = libc::itimerspec {
            it_interval: libc::timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: libc::timespec {
                tv_sec: ahead.as_secs() as libc::time_t,
                tv_nsec: ahead.subsec_nanos() as libc::c_long,
            },
        };
        // SAFETY: reads one struct that lives here. The values are in range, so it can't fail.
        unsafe { libc::timerfd_settime(self.fd.as_raw_fd(), 0, &value, std::ptr::null_mut()) };
        self.rings_at = now.after(ahead);
    }
}

/// Keeps a poll on a timerfd or eventfd. Its only effect is that the loop turns.
async fn wake_when_readable(fd: OwnedFd) {
    let raw = fd.as_raw_fd();
    // monoio's UnixStream drives any descriptor; only readiness is asked of this one.
    let Ok(source) = UnixStream::from_std(fd.into()) else {
        return;
    };
    loop {
        if source.readable(false).await.is_err() {
            // Without this poll the shard would hear nothing any more: it is tried again in the next turn.
            task::yield_now().await;
            continue;
        }
        let mut counter = [0u8; 8];
        // SAFETY: eight bytes are written to a live array; `source` keeps the descriptor open.
        unsafe { libc::read(raw, counter.as_mut_ptr().cast(), counter.len()) };
    }
}
