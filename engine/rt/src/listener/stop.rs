//! Giving up accepts without losing a connection.

use monoio::io::{CancelHandle, Canceller};
use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::task::Waker;

/// Stops accepting on every listener that was given its handle.
#[derive(Default)]
pub struct Stop {
    shared: Rc<Shared>,
}

/// What an accept needs to be stopped.
#[derive(Clone)]
pub struct StopHandle {
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    stopped: Cell<bool>,
    canceller: RefCell<Option<Canceller>>,
    /// Accepts that wait for their turn, and so are not with the driver.
    waiting: RefCell<Vec<Waker>>,
}

impl Stop {
    /// A handle for one accept.
    pub fn handle(&self) -> StopHandle {
        StopHandle { shared: self.shared.clone() }
    }

    /// Ends the accepts that are waiting, and those that begin from now on.
    pub fn stop(&self) {
        self.shared.stopped.set(true);
        if let Some(canceller) = self.shared.canceller.take() {
            drop(canceller.cancel());
        }
        self.shared.waiting.take().into_iter().for_each(Waker::wake);
    }

    /// Whether it was stopped.
    pub fn stopped(&self) -> bool {
        self.shared.stopped.get()
    }
}

impl StopHandle {
    pub(super) fn stopped(&self) -> bool {
        self.shared.stopped.get()
    }

    /// Wakes `waker` when it is stopped.
    pub(super) fn watch(&self, waker: &Waker) {
        let mut waiting = self.shared.waiting.borrow_mut();
        if !waiting.iter().any(|listed| listed.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    /// For an operation that begins now.
    ///
    /// # Errors
    /// If it was stopped already.
    pub(super) fn cancel_handle(&self) -> io::Result<CancelHandle> {
        if self.stopped() {
            return Err(io::Error::from_raw_os_error(libc::ECANCELED));
        }
        Ok(self.shared.canceller.borrow_mut().get_or_insert_with(Canceller::new).handle())
    }
}
