//! Field blocks to heads and trailers (RFC 9113 sections 4.3, 6.2, 6.10 and 8.1).

use super::{Connection, Event, Role};
use crate::h2::closed::Past;
use crate::h2::message::Section;
use crate::h2::state::{Progress, State};
use crate::h2::stream::Asked;
use crate::h2::{BudgetName, Cap, Cause, ErrorCode, Head, HeadLimit, INFORMATIONAL_MAX, Malformed, Rule, StreamId};

/// A field block that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenBlock {
    pub(super) stream: u32,
    end_stream: bool,
    pub(super) since_us: u64,
    continuations: u32,
    /// What it is for, decided when it began.
    purpose: Purpose,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Purpose {
    /// Opens a stream.
    Request,
    /// Goes on with a stream.
    Next,
    /// Opens a stream above the limit on streams.
    Refused,
    /// On a stream that is gone, or beyond the last one that is processed.
    Discarded,
    /// On a stream whose peer has closed its side.
    AfterEnd,
}

impl Connection {
    /// Takes note of HEADERS. What can be said of its place is said here, before anything is decoded.
    pub(super) fn open_block(&mut self, stream: u32, end_stream: bool, now_us: u64) -> Result<(), Cause> {
        let purpose = self.purpose(stream, now_us)?;
        self.block = Some(OpenBlock { stream, end_stream, since_us: now_us, continuations: 0, purpose });
        self.block_bytes.clear();
        Ok(())
    }

    fn purpose(&mut self, id: u32, now_us: u64) -> Result<Purpose, Cause> {
        if let Some(stream) = self.streams.get(id) {
            return match stream.state {
                State::Open | State::HalfClosedLocal => Ok(Purpose::Next),
                State::HalfClosedRemote => Ok(Purpose::AfterEnd),
                State::Closed if stream.expects_late_frames() => self.late(now_us).map(|()| Purpose::Discarded),
                State::Closed => Err(Rule::StreamClosed.into()),
            };
        }
        if self.is_idle(id) {
            return self.new_stream(id, now_us);
        }
        match self.closed.past(id) {
            Past::ResetHere => self.late(now_us).map(|()| Purpose::Discarded),
            Past::EndedByPeer => Err(Rule::StreamClosed.into()),
            Past::Unknown if self.drain.leaves_out(id) => self.late(now_us).map(|()| Purpose::Discarded),
            Past::Unknown => Err(Rule::StreamOrder.into()),
        }
    }

    fn new_stream(&mut self, id: u32, now_us: u64) -> Result<Purpose, Cause> {
        if self.role == Role::Client {
            return Err(Rule::StreamIdle.into());
        }
        if !self.is_peers(id) {
            return Err(Rule::StreamParity.into());
        }
        if self.drain.leaves_out(id) {
            self.last_peer = id;
            return self.late(now_us).map(|()| Purpose::Discarded);
        }
        self.last_peer = id;
        // Streams that are closed and not yet released still cost something: as many of them as of open ones.
        let held = self.streams.len() as u64;
        let is_full = self.open_peer >= self.limits.streams || held >= 2 * u64::from(self.limits.streams);
        Ok(if is_full { Purpose::Refused } else { Purpose::Request })
    }

    /// Keeps a fragment of a block whose end has not come.
    pub(super) fn keep_fragment(&mut self, fragment: &[u8]) -> Result<(), Cause> {
        if self.block_bytes.len() + fragment.len() > self.limits.list().hard {
            return Err(Cap::BlockBytes.into());
        }
        self.block_bytes.extend_from_slice(fragment);
        Ok(())
    }

    /// Takes note of CONTINUATION.
    pub(super) fn continue_block(&mut self, fragment: &[u8], now_us: u64) -> Result<(), Cause> {
        let Some(block) = &mut self.block else {
            return Err(Rule::Continuation.into());
        };
        block.continuations += 1;
        if block.continuations > self.limits.continuations {
            return Err(Cap::Continuations.into());
        }
        self.keep_fragment(fragment)?;
        self.spend(BudgetName::Continuations, now_us)
    }

    /// Decodes a block whose end has come: `whole`, or what has been kept.
    pub(super) fn end_block(
        &mut self,
        whole: Option<&[u8]>,
        now_us: u64,
        head: &mut Head,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, Cause> {
        let Some(mut block) = self.block.take() else { return Ok(None) };
        self.put_right(&mut block);
        let kind = self.section(block);
        head.begin(kind, self.limits.headers, self.limits.target_bytes);
        let bytes = whole.unwrap_or(&self.block_bytes);
        let decoded = self.decoder.decode(bytes, self.limits.list(), head)?;
        let limit = head.section.limit.or((!decoded.complete).then_some(HeadLimit::Bytes));
        let id = block.stream;
        match block.purpose {
            Purpose::Discarded => Ok(None),
            Purpose::AfterEnd => self.stream_error(id, Rule::StreamClosed.into(), now_us, out),
            Purpose::Refused => self.refuse(id, now_us, out).map(Some),
            Purpose::Request => self.request(id, block.end_stream, limit, now_us, head, out).map(Some),
            Purpose::Next => match self.next_section(id, kind, block.end_stream, limit, head) {
                Ok(event) => Ok(Some(event)),
                Err(Cause::Cap(cap)) => Err(cap.into()),
                Err(cause) => self.stream_error(id, cause, now_us, out),
            },
        }
    }

    /// The caller may have ended the stream since the block began.
    fn put_right(&self, block: &mut OpenBlock) {
        let is_closed = self.streams.get(block.stream).is_none_or(|stream| stream.state == State::Closed);
        if is_closed && matches!(block.purpose, Purpose::Next | Purpose::AfterEnd) {
            block.purpose = Purpose::Discarded;
        }
    }

    fn section(&self, block: OpenBlock) -> Section {
        match block.purpose {
            Purpose::Request => Section::Request,
            Purpose::Refused | Purpose::Discarded | Purpose::AfterEnd => Section::Discarded,
            Purpose::Next => match self.streams.get(block.stream) {
                Some(stream) if stream.receiving == Progress::Body => Section::Trailers,
                _ => Section::Response,
            },
        }
    }

    fn refuse(&mut self, id: u32, now_us: u64, out: &mut Vec<u8>) -> Result<Event, Cause> {
        let cause = Rule::StreamsExceeded.into();
        crate::h2::frame::reset(id, ErrorCode::REFUSED_STREAM, out);
        self.closed.reset_here(id);
        self.spend(BudgetName::RefusedStreams, now_us)?;
        Ok(Event::Refused { stream: StreamId(id), cause })
    }

    fn request(
        &mut self,
        id: u32,
        end: bool,
        limit: Option<HeadLimit>,
        now_us: u64,
        head: &mut Head,
        out: &mut Vec<u8>,
    ) -> Result<Event, Cause> {
        let stream = StreamId(id);
        let checked = match (head.section.malformed, limit) {
            (Some(malformed), _) => Err(malformed),
            (None, Some(_)) => Ok(()),
            (None, None) => head.end_request(self.limits.extended_connect).and_then(|()| length_fits(head, end)),
        };
        if let Err(malformed) = checked {
            let cause = Cause::Malformed(malformed);
            self.reset_for(id, cause, now_us, out)?;
            return Ok(Event::Refused { stream, cause });
        }
        let added = self.add_stream(id, head.priority);
        added.receiving = Progress::Body;
        if limit.is_none() {
            added.length_left = head.content_length;
        }
        if end {
            self.ended_regularly(id, State::receive_end);
        }
        Ok(match limit {
            Some(limit) => Event::TooLarge { stream, end, limit },
            None => Event::Request { stream, end },
        })
    }

    /// A response's head, or trailers.
    fn next_section(
        &mut self,
        id: u32,
        kind: Section,
        end: bool,
        limit: Option<HeadLimit>,
        head: &mut Head,
    ) -> Result<Event, Cause> {
        if let Some(malformed) = head.section.malformed {
            return Err(Cause::Malformed(malformed));
        }
        if limit.is_some() {
            return Err(Rule::HeadTooLarge.into());
        }
        match kind {
            Section::Trailers => self.trailers(id, end, head).map_err(Cause::Malformed)?,
            _ => {
                head.end_response(end).map_err(Cause::Malformed)?;
                if head.is_informational() {
                    return self.informational(id);
                }
                self.response(id, end, head).map_err(Cause::Malformed)?;
            }
        }
        if end {
            self.ended_regularly(id, State::receive_end);
        }
        let stream = StreamId(id);
        Ok(if kind == Section::Trailers { Event::Trailers { stream } } else { Event::Response { stream, end } })
    }

    fn informational(&mut self, id: u32) -> Result<Event, Cause> {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.informational += 1;
            if stream.informational > INFORMATIONAL_MAX {
                return Err(Cap::Informational.into());
            }
        }
        Ok(Event::Informational { stream: StreamId(id) })
    }

    fn response(&mut self, id: u32, end: bool, head: &Head) -> Result<(), Malformed> {
        let Some(stream) = self.streams.get_mut(id) else { return Ok(()) };
        stream.receiving = Progress::Body;
        // RFC 9110 section 6.4.1: these have no content whatever their length says; after a CONNECT there is a tunnel.
        stream.no_content = stream.asked == Asked::Head || matches!(head.status, 204 | 304);
        let tunnel = stream.asked == Asked::Connect && matches!(head.status, 200..=299);
        stream.length_left = match (stream.no_content, tunnel) {
            (true, _) => Some(0),
            (false, true) => None,
            (false, false) => head.content_length,
        };
        stream.count(0, end)
    }

    fn trailers(&mut self, id: u32, end: bool, head: &mut Head) -> Result<(), Malformed> {
        head.end_trailers(end)?;
        self.streams.get_mut(id).map_or(Ok(()), |stream| stream.count(0, end))
    }
}

/// Whether a request that ends with its head says so too.
fn length_fits(head: &Head, end: bool) -> Result<(), Malformed> {
    match head.content_length {
        Some(1..) if end => Err(Malformed::Length),
        _ => Ok(()),
    }
}
