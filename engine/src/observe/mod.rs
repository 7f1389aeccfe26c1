//! What can be seen of the gateway from outside.

mod access_log;
pub(crate) mod json;

pub(crate) use access_log::{LogBatch, LogHandle, LogWriter};
