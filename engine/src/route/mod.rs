//! Which route takes a request. A compiled table: immutable, shared by all shards, free of I/O and of clocks.

mod path;
mod precedence;
mod predicates;
mod table;

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
