//! Which driver a shard runs on: io_uring with the best flags that the kernel grants, else epoll.

use monoio::{IoUringDriver, LegacyDriver, Runtime, RuntimeBuilder};
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;

/// Submission entries of a ring by default. A full queue costs one more entry of the kernel, nothing else.
pub const RING_ENTRIES: u32 = 1024;
/// Completion entries for each submission entry. The kernel keeps what does not fit, at a cost.
const COMPLETIONS_PER_ENTRY: u32 = 16;
const COMPLETIONS_MAX: u32 = 65_536;
/// What monoio takes at least, and the kernel at most. What lies outside is moved to the nearer end: a ring of another
/// size is better than none.
const ENTRIES_MIN: u32 = 256;
const ENTRIES_MAX: u32 = 32_768;

/// A driver, as it was chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Driver {
    /// io_uring with SINGLE_ISSUER and COOP_TASKRUN (Linux 6.0).
    RingSingleIssuer,
    /// io_uring with COOP_TASKRUN (Linux 5.19).
    RingCoop,
    /// io_uring without flags.
    RingPlain,
    /// epoll.
    Epoll,
}

impl Driver {
    /// Whether it is epoll.
    pub fn is_epoll(self) -> bool {
        self == Driver::Epoll
    }

    /// `io_uring` or `epoll`.
    pub fn name(self) -> &'static str {
        if self.is_epoll() { "epoll" } else { "io_uring" }
    }

    /// The ring's flags, for the start report.
    pub fn flags(self) -> &'static str {
        match self {
            Driver::RingSingleIssuer => "SINGLE_ISSUER|COOP_TASKRUN",
            Driver::RingCoop => "COOP_TASKRUN",
            Driver::RingPlain | Driver::Epoll => "",
        }
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the user asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Choice {
    /// io_uring if it can be had, else epoll.
    #[default]
    Auto,
    /// epoll.
    Epoll,
}

/// A driver and why it is not the first choice (empty if it is).
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The driver.
    pub driver: Driver,
    /// What the kernel said to the choices before it.
    pub why: String,
}

/// Which driver a shard would get, tried on a thread of its own.
pub fn probe(choice: Choice) -> io::Result<Chosen> {
    let tried = std::thread::spawn(move || build(choice, RING_ENTRIES).map(|(_, chosen)| chosen));
    tried.join().unwrap_or_else(|_| Err(io::Error::other("the driver's set-up panicked")))
}

pub(crate) enum AnyRuntime {
    Ring(Runtime<IoUringDriver>),
    Epoll(Runtime<LegacyDriver>),
}

thread_local! {
    static CURRENT: Cell<Driver> = const { Cell::new(Driver::RingSingleIssuer) };
}

/// The driver of this shard.
pub fn current() -> Driver {
    CURRENT.get()
}

/// Builds the runtime of this thread, going down the ladder.
pub(crate) fn build(choice: Choice, entries: u32) -> io::Result<(AnyRuntime, Chosen)> {
    let entries = entries.clamp(ENTRIES_MIN, ENTRIES_MAX);
    let mut why = String::new();
    if choice == Choice::Auto {
        for driver in [Driver::RingSingleIssuer, Driver::RingCoop, Driver::RingPlain] {
            match ring(driver, entries) {
                Ok(runtime) => {
                    CURRENT.set(driver);
                    return Ok((AnyRuntime::Ring(runtime), Chosen { driver, why }));
                }
                Err(error) => {
                    let flags = if driver.flags().is_empty() { "no flags" } else { driver.flags() };
                    if !why.is_empty() {
                        why.push_str("; ");
                    }
                    why.push_str(&format!("io_uring with {flags}: {error}"));
                }
            }
        }
    } else {
        why.push_str("asked for");
    }
    let runtime = RuntimeBuilder::<LegacyDriver>::new().with_entries(entries).build()?;
    CURRENT.set(Driver::Epoll);
    Ok((AnyRuntime::Epoll(runtime), Chosen { driver: Driver::Epoll, why }))
}

fn ring(driver: Driver, entries: u32) -> io::Result<Runtime<IoUringDriver>> {
    let mut builder = io_uring::IoUring::builder();
    builder.setup_cqsize((entries * COMPLETIONS_PER_ENTRY).min(COMPLETIONS_MAX));
    match driver {
        Driver::RingSingleIssuer => builder.setup_single_issuer().setup_coop_taskrun(),
        Driver::RingCoop => builder.setup_coop_taskrun(),
        Driver::RingPlain | Driver::Epoll => &mut builder,
    };
    RuntimeBuilder::<IoUringDriver>::new().uring_builder(builder).with_entries(entries).build()
}

impl AnyRuntime {
    pub(crate) fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        match self {
            AnyRuntime::Ring(runtime) => runtime.block_on(future),
            AnyRuntime::Epoll(runtime) => runtime.block_on(future),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_entries_costs_the_ring() {
        let wanted = probe(Choice::Auto).expect("a driver");
        for entries in [0, 1, 64, 300, 50_000, u32::MAX] {
            let tried = std::thread::spawn(move || build(Choice::Auto, entries).map(|(_, chosen)| chosen));
            let chosen = tried.join().expect("no panic").expect("a driver");
            assert_eq!(chosen.driver, wanted.driver, "{entries} entries: {}", chosen.why);
        }
    }

    #[test]
    fn epoll_can_be_asked_for() {
        let chosen = probe(Choice::Epoll).expect("a driver");
        assert_eq!((chosen.driver, chosen.why.as_str()), (Driver::Epoll, "asked for"));
    }
}
