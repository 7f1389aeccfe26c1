//! The values that the stages of a request hand on. Nothing here knows HTTP/1 from HTTP/2, or does I/O.

mod body;
mod edits;
mod fault;
mod head;
mod secured;

pub(crate) use body::{Answered, BodySize, Piece};
pub(crate) use edits::Edits;
pub(crate) use fault::Fault;
pub(crate) use head::{AnswerHead, RequestHead};
pub(crate) use secured::{ClientCertificate, Secured};
