//! DATA, and what of it has been consumed (RFC 9113 sections 5.2, 6.1 and 6.9).

use super::receive::Step;
use super::{Connection, Event};
use crate::h2::closed::Past;
use crate::h2::frame::{self, HEAD_BYTES, Shape, flags};
use crate::h2::state::{Progress, State};
use crate::h2::{BudgetName, Cause, Rule, StreamId};

/// What is to come of a DATA frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenData {
    stream: u32,
    data: u32,
    padding: u32,
    end: bool,
    /// Whether nobody wants it, and it has been given back to the connection's window.
    discarded: bool,
}

impl Connection {
    /// Takes note of the head of a DATA frame. Its whole payload counts against both windows at once.
    pub(super) fn data_frame(
        &mut self,
        head: frame::Head,
        shape: Shape,
        now_us: u64,
        out: &mut Vec<u8>,
    ) -> Result<Step, Cause> {
        let end = head.has(flags::END_STREAM);
        let consumed = HEAD_BYTES + shape.before as usize;
        let Shape { data, padding, .. } = shape;
        self.data_place(head.stream, now_us)?;
        self.receive.receive(head.len).map_err(|_| Cause::from(Rule::WindowExceeded))?;
        if data == 0 && !end {
            self.spend(BudgetName::EmptyFrames, now_us)?;
        }
        let refused = self.data_refused(head.stream, head.len, data, end);
        let discarded = refused.is_some();
        self.data = Some(OpenData { stream: head.stream, data, padding, end, discarded });
        let event = match refused {
            Some(Some(cause)) => self.stream_error(head.stream, cause, now_us, out)?,
            _ => None,
        };
        // What is not handed to the caller is given back here.
        let given_back = if discarded { head.len } else { head.len - data };
        self.give_back(given_back, out);
        if !discarded {
            self.give_back_stream(head.stream, given_back, out);
        }
        Ok(Step { consumed, event })
    }

    /// Whether DATA may come for that stream at all, however it is then treated.
    fn data_place(&mut self, id: u32, now_us: u64) -> Result<(), Cause> {
        match self.streams.get(id) {
            Some(stream) => match stream.state {
                State::Closed if stream.expects_late_frames() => self.late(now_us),
                State::Closed => Err(Rule::StreamClosed.into()),
                _ => Ok(()),
            },
            None if self.is_idle(id) => Err(Rule::StreamIdle.into()),
            None if self.closed.past(id) == Past::ResetHere || self.drain.leaves_out(id) => self.late(now_us),
            None => Err(Rule::StreamClosed.into()),
        }
    }

    /// Whether the data goes nowhere, and if so what is wrong with it: nothing, if it is only late.
    fn data_refused(&mut self, id: u32, len: u32, data: u32, end: bool) -> Option<Option<Cause>> {
        let Some(stream) = self.streams.get_mut(id) else { return Some(None) };
        if stream.state == State::Closed {
            return Some(None);
        }
        let rule = if !stream.state.receives() {
            Rule::StreamClosed
        } else if stream.receiving == Progress::Head {
            Rule::DataBeforeHead
        } else if stream.receive.receive(len).is_err() {
            Rule::WindowExceeded
        } else {
            return stream.count(data, end).err().map(|malformed| Some(Cause::Malformed(malformed)));
        };
        Some(Some(rule.into()))
    }

    /// Goes on with a DATA frame.
    pub(super) fn more_data(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Step {
        let Some(mut open) = self.data.take() else { return Step::silent(0) };
        let here = bytes.len() as u64;
        let end_due = open.end && open.data == 0 && !open.discarded;
        if open.data > 0 || end_due {
            if bytes.is_empty() && open.data > 0 {
                self.data = Some(open);
                return Step { consumed: 0, event: Some(Event::Need(1)) };
            }
            let len = here.min(u64::from(open.data)) as u32;
            open.data -= len;
            let end = open.end && open.data == 0;
            if end {
                open.end = false;
            }
            let event = self.data_event(&mut open, len, end, out);
            self.keep_open(open);
            return Step { consumed: len as usize, event };
        }
        let skipped = here.min(u64::from(open.padding)) as u32;
        if skipped == 0 && open.padding > 0 {
            self.data = Some(open);
            return Step { consumed: 0, event: Some(Event::Need(1)) };
        }
        open.padding -= skipped;
        self.keep_open(open);
        Step::silent(skipped as usize)
    }

    fn keep_open(&mut self, open: OpenData) {
        let is_done = open.data == 0 && open.padding == 0 && (open.discarded || !open.end);
        self.data = (!is_done).then_some(open);
    }

    /// Hands data to the caller, unless the stream has ended since the frame began.
    fn data_event(&mut self, open: &mut OpenData, len: u32, end: bool, out: &mut Vec<u8>) -> Option<Event> {
        if open.discarded {
            return None;
        }
        match self.streams.get_mut(open.stream) {
            Some(stream) if stream.state.receives() => stream.unconsumed += len,
            _ => {
                // The rest of the frame counts too.
                open.discarded = true;
                self.give_back(len + open.data, out);
                return None;
            }
        }
        if end {
            self.ended_regularly(open.stream, State::receive_end);
        }
        Some(Event::Data { stream: StreamId(open.stream), data: 0..len as usize, end })
    }

    /// Takes note that the caller is done with so many bytes of a stream's data; WINDOW_UPDATE is appended once half a
    /// window has come together. Bytes that are not given back keep the peer from sending more: that is how a slow
    /// reader slows its sender.
    pub fn consumed(&mut self, stream: StreamId, bytes: usize, out: &mut Vec<u8>) {
        let Some(found) = self.streams.get_mut(stream.0) else { return };
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(found.unconsumed);
        found.unconsumed -= bytes;
        self.give_back(bytes, out);
        self.give_back_stream(stream.0, bytes, out);
    }

    /// Gives bytes back to the connection's window.
    pub(super) fn give_back(&mut self, bytes: u32, out: &mut Vec<u8>) {
        if let Some(increment) = self.receive.consume(bytes) {
            frame::window_update(0, increment, out);
        }
    }

    fn give_back_stream(&mut self, id: u32, bytes: u32, out: &mut Vec<u8>) {
        let Some(stream) = self.streams.get_mut(id).filter(|stream| stream.state.receives()) else { return };
        if let Some(increment) = stream.receive.consume(bytes) {
            frame::window_update(id, increment, out);
        }
    }
}
