//! Which route takes a request. A compiled table: immutable, shared by all shards, free of I/O and of clocks.

mod path;
mod precedence;
mod predicates;
mod table;

pub(crate) use table::{Matched, RouteTable};

#[cfg(test)]
mod tests;
