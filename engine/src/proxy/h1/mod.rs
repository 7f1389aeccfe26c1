//! HTTP/1.1 at the two ends of an exchange: the only part of the pipeline that knows its bytes.

mod downstream;
mod encode;
mod upgrade;
mod upstream;
pub(crate) mod view;

pub(crate) use downstream::{DownParts, H1Downstream, HeadRead};
pub(crate) use encode::written_request;
pub(crate) use upstream::{H1Upstream, UpParts};
