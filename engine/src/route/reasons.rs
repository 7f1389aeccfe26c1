//! Why a route does not take a request, or would but is asked later: for people. Each route is looked at by itself.

use super::precedence::{Precedence, Step};
use super::rule::Rule;
use super::table::{RouteTable, folded};
use crate::model::RequestHead;
use ringgate_config::{HostPattern, Route};
use std::cmp::Reverse;
use std::ops::ControlFlow;

/// What of a route does not hold for a request. Empty: the route would take it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Misses {
    pub(crate) host: bool,
    pub(crate) path: bool,
    pub(crate) method: bool,
    /// Places in the route's `headers`.
    pub(crate) headers: Vec<usize>,
    /// Places in the route's `query`.
    pub(crate) query: Vec<usize>,
}

impl Misses {
    /// How many predicates do not hold besides host and path.
    pub(crate) fn further(&self) -> usize {
        usize::from(self.method) + self.headers.len() + self.query.len()
    }

    pub(crate) fn none(&self) -> bool {
        !self.host && !self.path && self.further() == 0
    }
}

/// When a route is asked, among all that take a request: smaller is earlier.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug, Clone)]
pub(crate) struct Turn {
    host: HostRank,
    precedence: Precedence,
}

/// How closely a route names the request's host: the order in which the table falls through.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug, Clone, Copy)]
enum HostRank {
    Exact,
    /// By the length of what follows the star.
    Wildcard(Reverse<usize>),
    Any,
}

/// What decides between two routes that both take a request.
#[derive(PartialEq, Eq, Debug, Clone, Copy)]
pub(crate) enum Decides {
    Host,
    /// The kind of path, its segments, or the length of its prefix.
    Path,
    Predicates,
    Position,
}

impl Turn {
    /// When the route at `position` is asked for this request; none if it is not for its host.
    pub(crate) fn of(route: &Route, position: usize, head: &RequestHead<'_>) -> Option<Turn> {
        let host = folded(head);
        let hosts = &route.matches.hosts;
        let ranks = hosts.iter().filter_map(|pattern| match pattern {
            HostPattern::Exact(name) => (name.as_bytes() == host).then_some(HostRank::Exact),
            HostPattern::Wildcard(suffix) => {
                let narrower = host.len() > suffix.len() && host.ends_with(suffix.as_bytes());
                narrower.then_some(HostRank::Wildcard(Reverse(suffix.len())))
            }
        });
        let host = if hosts.is_empty() { HostRank::Any } else { ranks.min()? };
        Some(Turn { host, precedence: Precedence::of(route, position) })
    }

    /// What decides between this one and a later one.
    pub(crate) fn decided_by(&self, later: &Turn) -> Decides {
        if self.host != later.host {
            return Decides::Host;
        }
        match self.precedence.differs_in(&later.precedence) {
            Step::Path => Decides::Path,
            Step::Predicates => Decides::Predicates,
            Step::Position => Decides::Position,
        }
    }
}

impl RouteTable {
    /// The routes that would come before the one that wins, if header fields of which nothing is `told` were what they
    /// ask for; in order of precedence.
    pub(crate) fn undecided(&self, head: &RequestHead<'_>, path: &[u8], told: &dyn Fn(&str) -> bool) -> Vec<usize> {
        let mut undecided = Vec::new();
        let _ = self.candidates(head, path, &mut |route| {
            let Some(Rule { predicates, .. }) = self.rule(route).filter(|rule| rule.predicates.method(head)) else {
                return ControlFlow::Continue(());
            };
            if predicates.others(head) {
                return ControlFlow::Break(());
            }
            if predicates.hang_on(head, told) && !undecided.contains(&route) {
                undecided.push(route);
            }
            ControlFlow::Continue(())
        });
        undecided
    }

    /// What of the route at `index` does not hold for a request with this path. `route` is that route in the
    /// configuration that the table was compiled from.
    pub(crate) fn misses(&self, index: usize, route: &Route, head: &RequestHead<'_>, path: &[u8]) -> Misses {
        let Some(rule) = self.rule(index) else { return Misses::default() };
        let (headers, query) = rule.predicates.missing(head);
        Misses {
            host: Turn::of(route, index, head).is_none(),
            path: !rule.path.takes(path),
            method: !rule.predicates.method(head),
            headers,
            query,
        }
    }
}
