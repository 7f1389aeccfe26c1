//! The shard's runtime.
