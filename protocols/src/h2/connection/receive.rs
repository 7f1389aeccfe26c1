//! Received bytes to frames, and frames to events.

use super::{Connection, Phase};
use crate::h2::frame::{self, Frame, HEAD_BYTES, Kind, PREFACE, Scope, flags};
use crate::h2::state::State;
use crate::h2::{BudgetName, Cap, Cause, ConnectionError, ErrorCode, Head, HeadLimit, Rule, StreamId};
use std::ops::Range;

/// What has been received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Nothing more can be said before the bytes that are left are at least so many.
    Need(usize),
    /// Server: a request. Its head is in the `head` of this call; `end` if it has neither data nor trailers.
    Request {
        /// The new stream.
        stream: StreamId,
        /// Whether the request is complete.
        end: bool,
    },
    /// Server: a request whose head is too large to be taken; it should be answered with that limit's status.
    TooLarge {
        /// The new stream.
        stream: StreamId,
        /// Whether the request is complete.
        end: bool,
        /// Which limit it has passed.
        limit: HeadLimit,
    },
    /// Client: an informational (1xx) head, in the `head` of this call.
    Informational {
        /// The stream.
        stream: StreamId,
    },
    /// Client: the final head, in the `head` of this call.
    Response {
        /// The stream.
        stream: StreamId,
        /// Whether the response is complete.
        end: bool,
    },
    /// Data of a body, and where it stands in the bytes of this call. May be empty if `end`.
    Data {
        /// The stream.
        stream: StreamId,
        /// Where the data is. Each byte must be given back with [`Connection::consumed`].
        data: Range<usize>,
        /// Whether the message is complete.
        end: bool,
    },
    /// Trailers, in the `head` of this call. The message is complete.
    Trailers {
        /// The stream.
        stream: StreamId,
    },
    /// A stream has ended too early: [`Connection::stream_end`] says how. It must be released.
    Ended {
        /// The stream.
        stream: StreamId,
    },
    /// Server: a request was refused before it became one: for the log. There is no such stream.
    Refused {
        /// The stream that there would have been.
        stream: StreamId,
        /// Why.
        cause: Cause,
    },
    /// The peer has set parameters: see [`Connection::peer`].
    Settings,
    /// The peer has echoed a ping of the caller.
    Pong([u8; 8]),
    /// The peer will take no more streams. Of the caller's streams, those that it has not processed have ended:
    /// [`Connection::stream_end`] says which.
    GoAway {
        /// Why.
        code: ErrorCode,
    },
}

/// What one call of [`Connection::receive`] did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// How many bytes are done with. The next call begins with the byte after them.
    pub consumed: usize,
    /// What they were.
    pub event: Event,
}

/// What one frame, or one part of it, came to.
pub(super) struct Step {
    pub(super) consumed: usize,
    pub(super) event: Option<Event>,
}

impl Step {
    pub(super) fn silent(consumed: usize) -> Self {
        Self { consumed, event: None }
    }

    fn need(bytes: usize) -> Self {
        Self { consumed: 0, event: Some(Event::Need(bytes)) }
    }
}

impl Connection {
    /// Goes on with `bytes`, which begin after what the call before consumed, up to the next event. To be called again
    /// until it says [`Event::Need`]; with none of that, more may be behind.
    ///
    /// `head` is overwritten by heads and trailers. DATA is passed on as it comes, frames of all other types are waited
    /// for until they are whole: `bytes` must be able to hold [`Limits::frame_bytes`](crate::h2::Limits) and 9. After
    /// an error, `out` must be sent and the connection closed; every later call gives the error again.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        now_us: u64,
        head: &mut Head,
        out: &mut Vec<u8>,
    ) -> Result<Received, ConnectionError> {
        if let Phase::Failed(error) = self.phase {
            return Err(error);
        }
        let written = out.len();
        let result = self.receive_steps(bytes, now_us, head, out);
        self.unsent += out.len() - written;
        match result {
            Ok(_) if self.unsent > self.limits.unsent_bytes => Err(self.fail(Cap::Unsent.into(), out)),
            Ok(received) => Ok(received),
            Err(cause) => Err(self.fail(cause, out)),
        }
    }

    fn receive_steps(
        &mut self,
        bytes: &[u8],
        now_us: u64,
        head: &mut Head,
        out: &mut Vec<u8>,
    ) -> Result<Received, Cause> {
        if let Some(cause) = self.failing.take() {
            return Err(cause);
        }
        let mut consumed = 0;
        loop {
            let rest = bytes.get(consumed..).unwrap_or_default();
            let step = self.step(rest, now_us, head, out)?;
            if let Some(mut event) = step.event {
                if let Event::Data { data, .. } = &mut event {
                    *data = consumed + data.start..consumed + data.end;
                }
                return Ok(Received { consumed: consumed + step.consumed, event });
            }
            consumed += step.consumed;
        }
    }

    fn step(&mut self, bytes: &[u8], now_us: u64, head: &mut Head, out: &mut Vec<u8>) -> Result<Step, Cause> {
        if self.phase == Phase::Preface {
            return self.preface(bytes);
        }
        if self.data.is_some() {
            return Ok(self.more_data(bytes, out));
        }
        let Some(frame_head) = frame::Head::read(bytes) else {
            return Ok(Step::need(HEAD_BYTES));
        };
        self.check_place(frame_head)?;
        let after_head = bytes.get(HEAD_BYTES..).unwrap_or_default();
        if frame_head.kind == Kind::DATA {
            return match frame::data_shape(frame_head, after_head.first().copied()) {
                Ok(Some(shape)) => self.data_frame(frame_head, shape, now_us, out),
                Ok(None) => Ok(Step::need(HEAD_BYTES + 1)),
                Err(error) => Err(error.rule.into()),
            };
        }
        let whole = HEAD_BYTES + frame_head.len as usize;
        let Some(payload) = bytes.get(HEAD_BYTES..whole) else {
            return Ok(Step::need(whole));
        };
        let event = match frame::parse(frame_head, payload) {
            Ok(frame) => self.frame(frame_head.stream, frame, now_us, head, out)?,
            Err(error) if error.scope == Scope::Stream && !self.is_idle(frame_head.stream) => {
                self.broken_frame(frame_head.stream, error.rule, now_us, out)?
            }
            Err(error) => return Err(error.rule.into()),
        };
        Ok(Step { consumed: whole, event })
    }

    fn preface(&mut self, bytes: &[u8]) -> Result<Step, Cause> {
        match frame::match_preface(bytes) {
            frame::PrefaceMatch::Whole => {
                self.phase = Phase::Settings;
                Ok(Step::silent(PREFACE.len()))
            }
            frame::PrefaceMatch::Partial => Ok(Step::need(PREFACE.len())),
            frame::PrefaceMatch::Other => Err(Rule::Preface.into()),
        }
    }

    /// Whether a frame of that type may come here at all.
    fn check_place(&self, head: frame::Head) -> Result<(), Cause> {
        let is_settings = head.kind == Kind::SETTINGS && !head.has(flags::ACK);
        if self.phase == Phase::Settings && !is_settings {
            return Err(Rule::PrefaceSettings.into());
        }
        if head.len > self.frame_bytes_max() {
            return Err(Rule::FrameTooLarge.into());
        }
        let continues = head.kind == Kind::CONTINUATION;
        match &self.block {
            Some(block) if !continues || block.stream != head.stream => Err(Rule::BlockInterrupted.into()),
            None if continues && head.stream != 0 => Err(Rule::Continuation.into()),
            _ => Ok(()),
        }
    }

    fn frame(
        &mut self,
        stream: u32,
        frame: Frame<'_>,
        now_us: u64,
        head: &mut Head,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, Cause> {
        match frame {
            Frame::Headers { fragment, end_stream, end_headers } => {
                self.open_block(stream, end_stream, now_us)?;
                if !end_headers {
                    return self.keep_fragment(fragment).map(|()| None);
                }
                self.end_block(Some(fragment), now_us, head, out)
            }
            Frame::Continuation { fragment, end_headers } => {
                self.continue_block(fragment, now_us)?;
                if end_headers { self.end_block(None, now_us, head, out) } else { Ok(None) }
            }
            Frame::Priority => self.spend(BudgetName::Priorities, now_us).map(|()| None),
            Frame::PriorityUpdate { stream, value } => self.priority_update(stream, value, now_us).map(|()| None),
            Frame::Reset { code } => self.reset_frame(stream, code, now_us),
            Frame::Settings(settings) => self.settings_frame(settings, now_us, out).map(Some),
            Frame::SettingsAck => self.settings_acknowledged().map(|()| None),
            Frame::PushPromise => Err(Rule::Push.into()),
            Frame::Ping { ack, payload } => self.ping_frame(ack, payload, now_us, out),
            Frame::GoAway { last_stream, code, .. } => self.goaway_frame(last_stream, code, now_us).map(Some),
            Frame::WindowUpdate { increment } => self.window_update_frame(stream, increment, now_us, out),
            Frame::Unknown => self.spend(BudgetName::UnknownFrames, now_us).map(|()| None),
        }
    }

    /// Ends the stream of a broken frame, unless it is closed anyway.
    fn broken_frame(
        &mut self,
        stream: u32,
        rule: Rule,
        now_us: u64,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, Cause> {
        match self.streams.get(stream).map(|stream| stream.state) {
            None | Some(State::Closed) => self.late(now_us).map(|()| None),
            Some(_) => self.stream_error(stream, rule.into(), now_us, out),
        }
    }

    /// Ends a stream for an error of the peer. An event only where the caller knows the stream and has not heard yet.
    pub(super) fn stream_error(
        &mut self,
        stream: u32,
        cause: Cause,
        now_us: u64,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, Cause> {
        let known = self.streams.get(stream).is_some_and(|stream| stream.end.is_none());
        self.reset_for(stream, cause, now_us, out)?;
        Ok(known.then_some(Event::Ended { stream: StreamId(stream) }))
    }

    /// Takes note of a frame on a stream that is closed, which costs nothing as long as it may be late.
    pub(super) fn late(&mut self, now_us: u64) -> Result<(), Cause> {
        if self.late_allowance > 0 {
            self.late_allowance -= 1;
            return Ok(());
        }
        self.spend(BudgetName::LateFrames, now_us)
    }
}
