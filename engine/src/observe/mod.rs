//! What can be seen of the gateway from outside.

mod access_log;
pub(crate) mod json;
mod log_plan;
mod metrics;

pub(crate) use access_log::{LogBatch, LogCounts, LogHandle, LogWriter, Output, RetiredLog};
pub(crate) use log_plan::{LogPlan, plain_joined, plain_text};
pub(crate) use metrics::{Certificate, EndpointGlance, Registry, SeriesSet};
