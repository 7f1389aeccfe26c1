//! The receiving side of one connection, as two machines: requests for a server, responses for a client.

mod request;
mod response;

pub use request::RequestReceiver;
pub use response::ResponseReceiver;

#[cfg(test)]
mod tests;

use super::BodyDecoder;
use super::BodyError;
use std::ops::Range;

/// What has been received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Nothing can be said before more bytes come.
    NeedMore,
    /// A head is complete: see the receiver's `head()`, whose spans point into the bytes of this call.
    Head,
    /// Payload, and where it stands in the bytes of this call.
    Data(Range<usize>),
    /// The message is complete.
    End,
}

/// What one call of `advance` did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advance {
    /// How many bytes are done with. The next call begins with the byte after them.
    pub consumed: usize,
    /// What they were.
    pub event: Event,
}

impl Advance {
    const fn new(consumed: usize, event: Event) -> Self {
        Self { consumed, event }
    }
}

/// One step of a body, as an event. The end is an event of its own, after the last data.
fn body_event(body: &mut BodyDecoder, bytes: &mut [u8]) -> Result<Advance, BodyError> {
    if body.is_done() {
        return Ok(Advance::new(0, Event::End));
    }
    let step = body.decode(bytes)?;
    let event = match (step.data.is_empty(), step.done) {
        (false, _) => Event::Data(step.data),
        (true, true) => Event::End,
        (true, false) => Event::NeedMore,
    };
    Ok(Advance::new(step.consumed, event))
}
