//! Responses, one after the other, as a client receives them.

use super::{Advance, Event, body_event};
use crate::h1::{
    BodyDecoder, BodyLength, BodyLimits, HeadError, HeadLimits, HeadScanner, ResponseError, ResponseHead, Trailers,
    response::without_target,
};
use crate::wire::Method;

/// Receives the responses of one connection.
///
/// Say which request they answer with [`ResponseReceiver::expect`], then give bytes with
/// [`ResponseReceiver::advance`] until it says `NeedMore`. An interim response (1xx) is a `Head` event of its own, after
/// which the next head follows. After `101 Switching Protocols`, and after a success to CONNECT, all further bytes are
/// `Data` as they are. Whether a 101 had been asked for is for the caller to check.
#[derive(Clone, Debug)]
pub struct ResponseReceiver {
    limits: HeadLimits,
    state: State,
    scanner: HeadScanner,
    head: ResponseHead,
    body: BodyDecoder,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// No request has been sent.
    Idle,
    /// Before or inside a head.
    Head {
        request: Method,
        interim: usize,
        /// Whether anything of the answer has come.
        begun: bool,
    },
    Body {
        /// Whether the body ends with the connection.
        until_close: bool,
    },
    Tunnel,
    Failed(ResponseError),
}

impl ResponseReceiver {
    /// Interim responses before a final one; more are [`ResponseError::Interim`]. A service that works long sends
    /// `102 Processing` again and again, but not for ever.
    pub const INTERIM_MAX: usize = 100;

    /// A receiver on a connection without a request, with the default limits on bodies. `limits.target_bytes` is not
    /// looked at.
    pub fn new(limits: HeadLimits) -> Self {
        Self::with_limits(limits, BodyLimits::default())
    }

    /// A receiver on a connection without a request.
    pub fn with_limits(limits: HeadLimits, body_limits: BodyLimits) -> Self {
        Self {
            limits: without_target(&limits),
            state: State::Idle,
            scanner: HeadScanner::new(),
            head: ResponseHead::new(),
            body: BodyDecoder::with_limits(BodyLength::None, body_limits),
        }
    }

    /// A request with that method has been sent, or begun. Does nothing while another one is being answered.
    pub fn expect(&mut self, request: Method) {
        let free = match self.state {
            State::Idle => true,
            State::Body { until_close } => self.body.is_done() && !until_close,
            State::Head { .. } | State::Tunnel | State::Failed(_) => false,
        };
        if free {
            self.scanner.reset();
            self.state = State::Head { request, interim: 0, begun: false };
        }
    }

    /// The last head, from its event until the next one.
    pub fn head(&self) -> &ResponseHead {
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

    /// Whether the response is complete and another request may be sent on this connection.
    pub fn is_reusable(&self) -> bool {
        match self.state {
            State::Idle => true,
            State::Body { until_close } => self.body.is_done() && !until_close && self.head.keep_alive,
            State::Head { .. } | State::Tunnel | State::Failed(_) => false,
        }
    }

    /// Whether the connection has stopped to be HTTP.
    pub fn is_tunnel(&self) -> bool {
        self.state == State::Tunnel
    }

    /// Goes on with `bytes`, which begin after what the call before consumed.
    ///
    /// While a head is incomplete nothing is consumed, so that the caller keeps the bytes and gives them again with
    /// more behind them. Bytes of a body are consumed at once. Payload in front of an error in the same call is lost;
    /// every later call gives the error again. Bytes where no request is open are [`ResponseError::Unexpected`].
    pub fn advance(&mut self, bytes: &mut [u8]) -> Result<Advance, ResponseError> {
        let advance = match self.state {
            State::Idle if bytes.is_empty() => Ok(Advance::new(0, Event::NeedMore)),
            State::Idle => Err(ResponseError::Unexpected),
            State::Head { request, interim, begun } => self.head_event(bytes, request, interim, begun),
            State::Body { .. } => body_event(&mut self.body, bytes).map_err(ResponseError::Body),
            State::Tunnel if bytes.is_empty() => Ok(Advance::new(0, Event::NeedMore)),
            State::Tunnel => Ok(Advance::new(bytes.len(), Event::Data(0..bytes.len()))),
            State::Failed(error) => Err(error),
        };
        if let Err(error) = advance {
            self.state = State::Failed(error);
        }
        advance
    }

    /// Takes note that the server sends no more. That ends a body until close, whose `End` the next `advance` gives;
    /// inside any other message it is an error.
    pub fn eof(&mut self) -> Result<(), ResponseError> {
        let ended = match self.state {
            State::Idle | State::Tunnel => Ok(()),
            State::Head { begun: false, .. } => Err(ResponseError::Closed),
            State::Head { begun: true, .. } => Err(ResponseError::Truncated),
            State::Body { .. } => self.body.finish().map_err(ResponseError::Body),
            State::Failed(error) => Err(error),
        };
        if let Err(error) = ended {
            self.state = State::Failed(error);
        }
        ended
    }

    fn head_event(
        &mut self,
        bytes: &[u8],
        request: Method,
        interim: usize,
        begun: bool,
    ) -> Result<Advance, ResponseError> {
        if !self.complete_head(bytes).map_err(ResponseError::Head)? {
            self.state = State::Head { request, interim, begun: begun || !bytes.is_empty() };
            return Ok(Advance::new(0, Event::NeedMore));
        }
        self.scanner.reset();
        self.state = self.after_head(request, interim)?;
        Ok(Advance::new(self.head.len, Event::Head))
    }

    fn after_head(&mut self, request: Method, interim: usize) -> Result<State, ResponseError> {
        let length = self.head.body(request).map_err(ResponseError::Head)?;
        match self.head.status {
            101 => Ok(State::Tunnel),
            100..=199 if interim == Self::INTERIM_MAX => Err(ResponseError::Interim),
            100..=199 => Ok(State::Head { request, interim: interim + 1, begun: true }),
            200..=299 if request == Method::Connect => Ok(State::Tunnel),
            _ => {
                self.body.reset(length);
                Ok(State::Body { until_close: length == BodyLength::UntilClose })
            }
        }
    }

    /// Parses the head at the start of `bytes`, if it is complete.
    fn complete_head(&mut self, bytes: &[u8]) -> Result<bool, HeadError> {
        // As for requests: parse first, and leave errors to the scanner and to another parse.
        if self.scanner.scanned() == 0 && self.head.parse_at(bytes, &self.limits).is_ok() {
            return Ok(true);
        }
        match self.scanner.find_end(bytes, &self.limits)? {
            None => Ok(false),
            Some(_) => self.head.parse_at(bytes, &self.limits).map(|()| true),
        }
    }
}
