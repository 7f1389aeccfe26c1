//! What the tests of the whole gateway share: a gateway in this process or as a process of its own, scripted services
//! behind it, and clients that send any bytes and read answers strictly.
//!
//! Everything listens on port 0. Nothing sleeps to wait for something: it waits for the thing, for [`STUCK`] at most.

// Each test binary uses a part of this.
#![allow(dead_code, unused_imports, unused_macros, clippy::expect_used, clippy::unwrap_used)]

pub(crate) mod bodies;
pub(crate) mod certs;
pub(crate) mod client;
pub(crate) mod gateway;
pub(crate) mod process;
pub(crate) mod service;
pub(crate) mod tls;
pub(crate) mod wire;

pub(crate) use certs::Authority;
pub(crate) use client::Client;
pub(crate) use gateway::{Gate, Plan};
pub(crate) use service::Service;
pub(crate) use wire::{Answer, Request};

use std::time::{Duration, Instant};

/// A test that waits longer than this for one thing has failed. The machine may be busy with other work.
pub(crate) const STUCK: Duration = Duration::from_secs(20);

/// Makes of each function `NAME(driver)` two tests, `NAME` under `io_uring` and `NAME` under `epoll`. Where io_uring is
/// refused that half is skipped, with a line that says so.
macro_rules! on_both_drivers {
    ($($name:ident),+ $(,)?) => {
        mod io_uring {
            $(#[test] fn $name() { $crate::support::on_io_uring(super::$name); })+
        }
        mod epoll {
            $(#[test] fn $name() { super::$name(ringgate_rt::driver::Choice::Epoll); })+
        }
    };
}
pub(crate) use on_both_drivers;

pub(crate) fn on_io_uring(test: impl FnOnce(ringgate_rt::driver::Choice)) {
    use ringgate_rt::driver::{Choice, probe};
    match probe(Choice::Auto) {
        Ok(chosen) if !chosen.driver.is_epoll() => test(Choice::Auto),
        Ok(chosen) => eprintln!("SKIPPED: io_uring is refused here: {}", chosen.why),
        Err(error) => panic!("no driver at all: {error}"),
    }
}

/// Waits until `holds` gives something.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = holds() {
            return value;
        }
        assert!(begun.elapsed() < STUCK, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
