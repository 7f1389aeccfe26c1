//! Heads, trailers and data to frames (RFC 9113 sections 6.1, 6.2, 6.10 and 8.1).

use super::control::SMALL_INCREMENT_BYTES;
use super::{Connection, Phase, Role};
use crate::h2::frame::{self, HEAD_BYTES, Kind, MAX_31_BITS, flags};
use crate::h2::state::{Progress, State};
use crate::h2::stream::Asked;
use crate::h2::{BudgetName, StreamId};
use crate::hpack::{Encoder, Name, Pseudo};
use crate::wire::HeaderId;

/// A piece of data shorter than this many bytes, which only a window kept short, is a drip.
const DRIP_BYTES: u32 = 256;

/// Why nothing can be sent on a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendError {
    /// The stream has ended: [`Connection::stream_end`] says how, unless it has been released.
    Ended,
    /// The caller's mistake: data before a head, anything behind the end, or more data than was granted.
    Order,
}

/// Why no stream can be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// As many streams are open as the peer allows; one of them must end first.
    Full,
    /// The peer has sent GOAWAY, or the connection has failed, or it has used up its identifiers: use another one.
    Closing,
}

impl Connection {
    /// How many requests may be opened now.
    pub fn openable(&self) -> u32 {
        if self.is_closing() { 0 } else { self.peer.max_streams.saturating_sub(self.open_local) }
    }

    /// Whether no request can be opened any more.
    fn is_closing(&self) -> bool {
        self.role == Role::Server
            || matches!(self.phase, Phase::Failed(_))
            || self.drain.is_begun()
            || self.next_local > MAX_31_BITS
    }

    /// Client: opens a stream with a request. `write` writes its fields, pseudo-header fields first; `end` if neither
    /// data nor trailers follow.
    pub fn send_request(
        &mut self,
        end: bool,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut BlockWriter<'_>),
    ) -> Result<StreamId, OpenError> {
        if self.openable() == 0 {
            return Err(if self.is_closing() { OpenError::Closing } else { OpenError::Full });
        }
        let id = self.next_local;
        self.next_local += 2;
        let asked = self.write_block(id, end, out, write);
        let stream = self.add_stream(id, None);
        stream.asked = asked;
        stream.sending = Progress::Body;
        if end {
            self.end_sent(id);
        }
        Ok(StreamId(id))
    }

    /// Server: sends an informational (1xx) head.
    pub fn send_informational(
        &mut self,
        stream: StreamId,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut BlockWriter<'_>),
    ) -> Result<(), SendError> {
        self.may_send(stream, Progress::Head)?;
        self.write_block(stream.0, false, out, write);
        Ok(())
    }

    /// Server: sends the final head; `end` if neither data nor trailers follow.
    pub fn send_response(
        &mut self,
        stream: StreamId,
        end: bool,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut BlockWriter<'_>),
    ) -> Result<(), SendError> {
        self.may_send(stream, Progress::Head)?;
        self.write_block(stream.0, end, out, write);
        if let Some(stream) = self.streams.get_mut(stream.0) {
            stream.sending = Progress::Body;
        }
        if end {
            self.end_sent(stream.0);
        }
        Ok(())
    }

    /// Sends trailers, which end this side of the stream.
    pub fn send_trailers(
        &mut self,
        stream: StreamId,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut BlockWriter<'_>),
    ) -> Result<(), SendError> {
        self.may_send(stream, Progress::Body)?;
        self.write_block(stream.0, true, out, write);
        self.end_sent(stream.0);
        Ok(())
    }

    /// How many bytes of data one frame of a stream may have now, at most `wanted`: what both windows and the peer's
    /// SETTINGS_MAX_FRAME_SIZE leave.
    pub fn grant(&self, stream: StreamId, wanted: usize) -> usize {
        let Some(stream) = self.streams.get(stream.0) else { return 0 };
        if !stream.state.sends() || stream.sending != Progress::Body {
            return 0;
        }
        let granted = stream.send.available().min(self.send.available()).min(self.peer.frame_bytes);
        wanted.min(granted as usize)
    }

    /// The head of a DATA frame of `len` bytes, at most what [`Connection::grant`] gave; `end` if the message ends with
    /// it. The caller sends it with the data behind it, before anything that is written to `out` afterwards.
    pub fn data_head(&mut self, stream: StreamId, len: usize, end: bool) -> Result<[u8; HEAD_BYTES], SendError> {
        self.may_send(stream, Progress::Body)?;
        if len > self.grant(stream, len) {
            return Err(SendError::Order);
        }
        // At most a frame's size, which has 24 bits.
        let len = len as u32;
        self.send.take(len);
        let now_empty = self.send.available() == 0;
        let Some(found) = self.streams.get_mut(stream.0) else { return Err(SendError::Ended) };
        found.send.take(len);
        let is_drip = !end && len < DRIP_BYTES && (now_empty || found.send.available() == 0);
        let priority = found.priority;
        self.schedule.sent(stream.0, priority, len);
        if is_drip {
            self.drips();
        }
        // The peer may measure the path by it, and give little back where it got little, on stream and connection.
        self.refund(BudgetName::Pings, 1);
        if len < SMALL_INCREMENT_BYTES {
            self.refund(BudgetName::SmallWindowUpdates, 2);
        }
        if end {
            self.end_sent(stream.0);
        }
        let flags = if end { flags::END_STREAM } else { 0 };
        Ok(frame::Head { len, kind: Kind::DATA, flags, stream: stream.0 }.bytes())
    }

    fn end_sent(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.wants = false;
            stream.parked_since_us = None;
        }
        self.ended_regularly(id, State::send_end);
    }

    /// The time of a drip is that of the last call that had one: turns are given out by [`Connection::next_turn`].
    fn drips(&mut self) {
        let now_us = self.turn_us;
        if let Err(cause) = self.spend(BudgetName::Drips, now_us) {
            self.failing = Some(cause);
        }
    }

    fn may_send(&self, stream: StreamId, progress: Progress) -> Result<(), SendError> {
        let Some(stream) = self.streams.get(stream.0) else { return Err(SendError::Ended) };
        match stream.state {
            State::Closed if stream.end.is_some() => Err(SendError::Ended),
            state if !state.sends() || stream.sending != progress => Err(SendError::Order),
            _ => Ok(()),
        }
    }

    /// Writes a field block as HEADERS and, where it is longer than a frame, CONTINUATIONs.
    fn write_block(
        &mut self,
        stream: u32,
        end: bool,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut BlockWriter<'_>),
    ) -> Asked {
        let at = out.len();
        out.extend_from_slice(&[0; HEAD_BYTES]);
        self.encoder.begin(out);
        let lower_case = &mut self.lower_case;
        let mut writer = BlockWriter { encoder: &mut self.encoder, out, lower_case, asked: Asked::Other };
        write(&mut writer);
        let asked = writer.asked;
        let frame_bytes = self.peer.frame_bytes as usize;
        let block = out.len() - at - HEAD_BYTES;
        let first = block.min(frame_bytes);
        let flags = if end { flags::END_STREAM } else { 0 } | if first == block { flags::END_HEADERS } else { 0 };
        let head = frame::Head { len: first as u32, kind: Kind::HEADERS, flags, stream };
        if let Some(place) = out.get_mut(at..at + HEAD_BYTES) {
            place.copy_from_slice(&head.bytes());
        }
        if first < block {
            split_block(stream, frame_bytes, at + HEAD_BYTES + first, out);
        }
        asked
    }
}

/// Puts the heads of CONTINUATION frames into the part of a block that begins at `at` and reaches to the end.
#[cold]
fn split_block(stream: u32, frame_bytes: usize, at: usize, out: &mut Vec<u8>) {
    let rest = out.split_off(at);
    let frames = rest.len().div_ceil(frame_bytes);
    for (index, fragment) in rest.chunks(frame_bytes).enumerate() {
        let flags = if index + 1 == frames { flags::END_HEADERS } else { 0 };
        let head = frame::Head { len: fragment.len() as u32, kind: Kind::CONTINUATION, flags, stream };
        out.extend_from_slice(&head.bytes());
        out.extend_from_slice(fragment);
    }
}

/// Writes the fields of one block.
///
/// What HTTP/2 forbids in fields is left out here rather than sent: fields of HTTP/1.1 connections, `TE` other than
/// `trailers`, and capital letters.
#[derive(Debug)]
pub struct BlockWriter<'a> {
    encoder: &'a mut Encoder,
    out: &'a mut Vec<u8>,
    lower_case: &'a mut Vec<u8>,
    asked: Asked,
}

impl BlockWriter<'_> {
    /// Appends a pseudo-header field. They come before all others (RFC 9113 section 8.3).
    pub fn pseudo(&mut self, pseudo: Pseudo, value: &[u8]) {
        if pseudo == Pseudo::Method {
            self.asked = match value {
                b"HEAD" => Asked::Head,
                b"CONNECT" => Asked::Connect,
                _ => Asked::Other,
            };
        }
        self.encoder.field(Name::Pseudo(pseudo), value, false, self.out);
    }

    /// Appends `:status`.
    pub fn status(&mut self, status: u16) {
        let digit = |unit: u16| b'0' + (status / unit % 10) as u8;
        self.pseudo(Pseudo::Status, &[digit(100), digit(10), digit(1)]);
    }

    /// Appends a field with a known name. The value has no whitespace around it.
    pub fn known(&mut self, id: HeaderId, value: &[u8], never_indexed: bool) {
        if (id.hop_by_hop() && id != HeaderId::Te) || id == HeaderId::Other {
            return;
        }
        if id == HeaderId::Te && !value.eq_ignore_ascii_case(b"trailers") {
            return;
        }
        self.encoder.field(Name::Known(id), value, never_indexed, self.out);
    }

    /// Appends a field by its name, in lower case or not.
    pub fn named(&mut self, name: &[u8], value: &[u8], never_indexed: bool) {
        match HeaderId::of(name) {
            HeaderId::Other if name.iter().any(u8::is_ascii_uppercase) => {
                self.lower_case.clear();
                self.lower_case.extend(name.iter().map(u8::to_ascii_lowercase));
                self.encoder.field(Name::Other(self.lower_case), value, never_indexed, self.out);
            }
            HeaderId::Other => self.encoder.field(Name::Other(name), value, never_indexed, self.out),
            id => self.known(id, value, never_indexed),
        }
    }
}
