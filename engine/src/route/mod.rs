//! Which route takes a request. A compiled table: immutable, shared by all shards, free of I/O and of clocks.
//!
//! `table` finds the routes of a host, `paths` among those the ones that take a path, in order of `precedence`; the
//! first whose `predicates` hold wins. `captures` says what its pattern found, `reasons` why others did not win.

mod captures;
mod paths;
mod precedence;
mod predicates;
mod reasons;
mod rule;
mod table;
mod tree;

pub(crate) use captures::Captures;
pub(crate) use predicates::query_values;
pub(crate) use reasons::{Decides, Misses, Turn};
pub(crate) use table::{Matched, Reading, RouteTable, captured_path, read};

#[cfg(test)]
mod tests;
