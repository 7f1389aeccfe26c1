//! Requests, one after the other, as a server receives them.

use super::{Advance, Event, body_event};
use crate::h1::{
    BodyDecoder, BodyLength, BodyLimits, HeadError, HeadLimits, HeadScanner, LEADING_BLANK_LINES_MAX, RequestError,
    RequestHead, Trailers,
};

/// Receives the requests of one connection.
///
/// Give it bytes with [`RequestReceiver::advance`] until it says `NeedMore`, and call
/// [`RequestReceiver::next_message`] after `End`. What follows a head that asks to upgrade is the body, then the next
/// request: a caller that switches protocols takes the bytes behind the head for itself.
#[derive(Clone, Debug)]
pub struct RequestReceiver {
    limits: HeadLimits,
    state: State,
    scanner: HeadScanner,
    head: RequestHead,
    body: BodyDecoder,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Before or inside a head; that many empty lines have been passed over.
    Head {
        blank_lines: usize,
        /// Whether a part of the head has come.
        begun: bool,
    },
    Body,
    Failed(RequestError),
}

const START: State = State::Head { blank_lines: 0, begun: false };

impl RequestReceiver {
    /// A receiver at the first byte of a connection, with the default limits on bodies.
    pub fn new(limits: HeadLimits) -> Self {
        Self::with_limits(limits, BodyLimits::default())
    }

    /// A receiver at the first byte of a connection.
    pub fn with_limits(limits: HeadLimits, body_limits: BodyLimits) -> Self {
        Self {
            limits,
            state: START,
            scanner: HeadScanner::new(),
            head: RequestHead::new(),
            body: BodyDecoder::with_limits(BodyLength::None, body_limits),
        }
    }

    /// The head, from its event until [`RequestReceiver::next_message`].
    pub fn head(&self) -> &RequestHead {
        &self.head
    }

    /// The body, for instance for how much of it is to come.
    pub fn body(&self) -> &BodyDecoder {
        &self.body
    }

    /// The trailers, after `End`, once.
    pub fn trailers(&mut self) -> Option<Box<Trailers>> {
        self.body.trailers()
    }

    /// Goes on with `bytes`, which begin after what the call before consumed.
    ///
    /// While a head is incomplete nothing is consumed but empty lines before it, so that the caller keeps the bytes and
    /// gives them again with more behind them. With `Head`, `consumed` covers the head and the empty lines before it.
    /// Bytes of a body are consumed at once. Payload in front of an error in the same call is lost; every later call
    /// gives the error again.
    pub fn advance(&mut self, bytes: &mut [u8]) -> Result<Advance, RequestError> {
        let advance = match self.state {
            State::Head { blank_lines, .. } => self.head_event(bytes, blank_lines),
            State::Body => body_event(&mut self.body, bytes).map_err(RequestError::Body),
            State::Failed(error) => Err(error),
        };
        if let Err(error) = advance {
            self.state = State::Failed(error);
        }
        advance
    }

    /// Goes on to the next request. Does nothing before `End`.
    pub fn next_message(&mut self) {
        if self.state == State::Body && self.body.is_done() {
            self.state = START;
            self.scanner.reset();
        }
    }

    /// Takes note that the client sends no more. Fails inside a message.
    pub fn eof(&mut self) -> Result<(), RequestError> {
        let ended = match self.state {
            State::Head { begun: false, .. } => Ok(()),
            State::Head { begun: true, .. } => Err(RequestError::Truncated),
            State::Body => self.body.finish().map_err(RequestError::Body),
            State::Failed(error) => Err(error),
        };
        if let Err(error) = ended {
            self.state = State::Failed(error);
        }
        ended
    }

    fn head_event(&mut self, bytes: &[u8], blank_lines: usize) -> Result<Advance, RequestError> {
        let (skipped, blank_lines) = skip_blank_lines(bytes, blank_lines).map_err(RequestError::Head)?;
        let complete = self.complete_head(bytes, skipped).map_err(RequestError::Head)?;
        if complete {
            self.state = State::Body;
            self.body.reset(self.head.body);
            return Ok(Advance::new(self.head.len, Event::Head));
        }
        self.state = State::Head { blank_lines, begun: bytes.len() > skipped };
        Ok(Advance::new(skipped, Event::NeedMore))
    }

    /// Parses the head that starts at `start`, if it is complete.
    fn complete_head(&mut self, bytes: &[u8], start: usize) -> Result<bool, HeadError> {
        // Most heads come whole, and then parsing alone finds the end. Its errors are left to the scanner and to
        // another parse, so that they do not depend on how the bytes arrived.
        if self.scanner.scanned() == 0 && self.head.parse_at(bytes, start, &self.limits).is_ok() {
            return Ok(true);
        }
        let received = bytes.get(start..).unwrap_or_default();
        match self.scanner.find_end(received, &self.limits)? {
            None => Ok(false),
            Some(_) => self.head.parse_at(bytes, start, &self.limits).map(|()| true),
        }
    }
}

/// Empty lines at the start of `bytes`, in bytes, and their number together with those before.
fn skip_blank_lines(bytes: &[u8], before: usize) -> Result<(usize, usize), HeadError> {
    let mut skipped = 0;
    let mut blank_lines = before;
    while let Some([b'\r', b'\n', ..]) = bytes.get(skipped..) {
        blank_lines += 1;
        if blank_lines > LEADING_BLANK_LINES_MAX {
            return Err(HeadError::BlankLines);
        }
        skipped += 2;
    }
    Ok((skipped, blank_lines))
}
