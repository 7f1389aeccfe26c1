//! Several services that share the requests of one route by weight.

use super::balance::RoundRobin;
use super::cluster::Cluster;
use ringgate_rt::Transport;
use std::cell::RefCell;
use std::rc::Rc;

/// The services of a route on one shard. Of each run of as many requests as the weights sum up to, each service gets its
/// weight.
pub(crate) struct Shares<T: Transport> {
    services: Vec<Rc<Cluster<T>>>,
    balance: RefCell<RoundRobin>,
}

impl<T: Transport> Shares<T> {
    /// Services with their weights; one of weight 0 gets nothing.
    pub(crate) fn new(services: impl Iterator<Item = (Rc<Cluster<T>>, u32)>) -> Shares<T> {
        let (services, weights): (Vec<_>, Vec<u32>) = services.filter(|(_, weight)| *weight > 0).unzip();
        Shares { services, balance: RefCell::new(RoundRobin::new(weights.into_iter())) }
    }

    /// The service whose turn it is; none if there are none.
    pub(crate) fn next(&self) -> Option<Rc<Cluster<T>>> {
        match self.services.as_slice() {
            [only] => Some(only.clone()),
            all => self.balance.borrow_mut().next(|_| true).map(|at| all[at].clone()),
        }
    }
}
