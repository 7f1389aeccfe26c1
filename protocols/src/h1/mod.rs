//! HTTP/1.1 (RFC 9112), and 1.0 where it differs.
//!
//! From the bottom up: [`HeadScanner`] finds where a head ends, [`RequestHead`] and [`ResponseHead`] take it apart and
//! decide how long the body is, [`BodyDecoder`] removes the framing in place, and [`RequestReceiver`] and
//! [`ResponseReceiver`] join these into one connection's receiving side. `LIFECYCLE.md` beside this file shows the
//! states.
//!
//! Nothing is repaired: whatever two recipients could read differently (two lengths, a bare LF, a folded line) is an
//! error, after which the connection must be closed. No type here can go on after an error.

mod body;
mod chunked;
mod connection;
mod encode;
mod error;
mod framing;
mod lines;
mod receiver;
mod request;
mod response;
mod scan;
mod trailers;

pub use body::{BodyDecoder, BodyLength, BodyLimits, Step};
pub use encode::{CHUNK_END, CHUNK_HEAD_BYTES_MAX, LAST_CHUNK, chunk_head, encode_trailers};
pub use error::{BodyError, HeadError, RequestError, ResponseError};
pub use receiver::{Advance, Event, RequestReceiver, ResponseReceiver};
pub use request::{METHOD_BYTES_MAX, RequestHead};
pub use response::ResponseHead;
pub use scan::{HeadLimits, HeadScanner, LEADING_BLANK_LINES_MAX, leading_blank};
pub use trailers::Trailers;
