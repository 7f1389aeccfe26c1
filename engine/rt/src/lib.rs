//! The shard's runtime: one pinned thread, one event loop on io_uring (or epoll), and what every connection needs of it.
//!
//! This crate owns: the driver, streams, listeners, the buffer pool, the deadline wheel, mailboxes, counters.
//! It is the only place that names monoio, io_uring or libc, and the only place with `unsafe`.
//! It must never know what a request is.

pub mod buffer;
pub mod by_hand;
pub mod clock;
pub mod cores;
pub mod counters;
pub mod descriptors;
pub mod driver;
pub mod histogram;
pub mod identity;
pub mod listener;
mod local;
pub mod mailbox;
pub mod memory;
mod pooled;
mod recycled;
mod shard;
mod slot;
mod stream;
pub mod task;
pub mod timer;
mod transport;

pub use buffer::Buf;
pub use local::at_end_of_turn;
pub use pooled::{Pooled, pooled};
pub use shard::{Hooks, ShardOptions, run_shard};
pub use stream::Stream;
pub use transport::{Address, Network, Sockets, Transport, cancelled, was_cancelled};
