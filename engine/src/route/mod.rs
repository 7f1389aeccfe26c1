//! Which route takes a request. A compiled table: immutable, shared by all shards, free of I/O and of clocks.
//!
//! `table` finds the routes of a host, `paths` among those the ones that take a path, in order of `precedence`; the
//! first whose `predicates` hold wins. `captures` says what its pattern found.

#[allow(dead_code, reason = "for actions that fill in templates")]
mod captures;
mod paths;
mod precedence;
mod predicates;
mod rule;
mod table;
mod tree;

#[allow(unused_imports, reason = "for actions that fill in templates")]
pub(crate) use captures::Captures;
#[allow(unused_imports, reason = "for actions that fill in templates")]
pub(crate) use table::captured_path;
pub(crate) use table::{Matched, RouteTable};

#[cfg(test)]
mod tests;

/// What a route's path took of a request's path.
pub(crate) struct Captures<'p>(std::marker::PhantomData<&'p ()>);

impl<'p> Captures<'p> {
    pub(crate) fn get(&self, _: &str) -> Option<&'p [u8]> {
        None
    }

    pub(crate) fn rest(&self) -> Option<&'p [u8]> {
        None
    }
}

impl RouteTable {
    pub(crate) fn captures<'p>(&self, _: usize, _: &'p [u8]) -> Captures<'p> {
        Captures(std::marker::PhantomData)
    }
}
