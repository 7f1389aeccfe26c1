//! Which route takes a request. A compiled table: immutable, shared by all shards, free of I/O and of clocks.
//!
//! `table` finds the routes of a host, `paths` among those the ones that take a path, in order of `precedence`; the
//! first whose `predicates` hold wins. `captures` says what its pattern found.

mod captures;
mod paths;
mod precedence;
mod predicates;
mod rule;
mod table;
mod tree;

pub(crate) use captures::Captures;
pub(crate) use table::captured_path;
pub(crate) use table::{Matched, RouteTable};

#[cfg(test)]
mod tests;
