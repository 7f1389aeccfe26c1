//! What every HTTP version shares: spans over the read buffer, header ids, methods, targets, hosts, paths, dates.
//!
//! Nothing here owns text: a [`Span`] is two offsets into the caller's buffer, so that a head is parsed without a copy
//! and without an allocation. Nothing here decides policy; it says what the bytes mean, or refuses them.

pub mod date;
mod fields;
mod header_id;
pub mod host;
pub mod list;
mod method;
pub mod path;
mod span;
pub mod target;
pub mod text;

pub use fields::{Field, Fields};
pub use header_id::HeaderId;
pub use host::HostPort;
pub use method::{Method, Version};
pub use span::Span;
pub use target::{Target, TargetForm};
