//! How long tunnels may last: those of a route that was removed end when the reload's drain is over.

use ringgate_rt::clock::Moment;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

/// What the tunnels of one route on one shard have in common.
pub(crate) struct Life {
    route: String,
    until: Cell<Option<Moment>>,
}

impl Life {
    /// When the tunnels end; none while their route is there.
    pub(crate) fn until(&self) -> Option<Moment> {
        self.until.get()
    }
}

/// The routes of a shard that have tunnels.
#[derive(Default)]
pub(crate) struct Lives {
    /// Few: only routes that have tunnels now.
    all: RefCell<Vec<Weak<Life>>>,
}

impl Lives {
    /// To be held by a tunnel of this route.
    pub(crate) fn of(&self, route: &str) -> Rc<Life> {
        let mut all = self.all.borrow_mut();
        if let Some(life) = all.iter().filter_map(Weak::upgrade).find(|life| life.route == route) {
            return life;
        }
        let life = Rc::new(Life { route: route.to_string(), until: Cell::new(None) });
        all.retain(|life| life.strong_count() > 0);
        all.push(Rc::downgrade(&life));
        life
    }

    /// Another snapshot is there: tunnels of routes that it has not got end at `until`, if they don't earlier. Returns
    /// whether that concerns any.
    pub(crate) fn judge(&self, stays: impl Fn(&str) -> bool, until: Moment) -> bool {
        let mut concerned = false;
        for life in self.all.borrow().iter().filter_map(Weak::upgrade) {
            if stays(&life.route) {
                life.until.set(None);
            } else if life.until.get().is_none() {
                life.until.set(Some(until));
                concerned = true;
            }
        }
        concerned
    }
}
