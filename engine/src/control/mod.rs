//! The control plane: start, signals, stop. Everything here runs once or seldom, and off the shards.

mod check;
mod diary;
mod gateway;
mod shards;

pub use check::check;
pub use gateway::{Gateway, Options, Started, run};
