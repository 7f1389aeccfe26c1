//! The control plane: start, signals, reloads, stop. Everything here runs once or seldom, and off the shards.

mod admin;
mod check;
mod demo;
mod diary;
mod diff;
mod event;
mod explain;
mod fmt;
mod gateway;
mod life;
mod listeners;
mod notify;
mod printable;
mod reload;
mod report;
mod shards;
mod state_dir;
mod stop;
mod telling;
mod watch;

pub use check::check;
pub use demo::{Demo, demo};
pub use diary::LogLevel;
pub use diff::{Compared, Comparison, diff};
pub use explain::{Explained, Question, explain};
pub use fmt::{Formatted, fmt};
pub use gateway::{Gateway, Options};
pub use life::run;
pub use listeners::Started;

pub use crate::secure::Inspector;
