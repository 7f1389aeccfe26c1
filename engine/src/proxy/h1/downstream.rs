//! The client's side of an exchange in HTTP/1.1. It outlives the exchange: the next request on the connection is read
//! by the same.
//!
//! `input` holds the current request's head, which must not move while the exchange lasts; bytes that came with it lie
//! behind `at`. What comes later goes into a buffer of its own, `next`: more of the body, or the next request.

mod exchange;

use super::encode::{Framing, join};
use crate::model::Fault;
use crate::proxy::ends::is_quiet;
use ringgate_protocols::h1::{
    BodyDecoder, BodyLength, HeadError, HeadLimits, HeadScanner, LEADING_BLANK_LINES_MAX, RequestHead as ParsedHead,
    Trailers, leading_blank,
};
use ringgate_rt::{Buf, Transport, was_cancelled};
use std::task::{Context, Poll, ready};

/// Room that a receive into a partly filled buffer should have; with less, a larger buffer is taken.
const ROOM_MIN: usize = 1024;

/// What reading requests and writing answers needs; kept from connection to connection.
pub(crate) struct DownParts {
    scan: HeadScanner,
    head: ParsedHead,
    decoder: BodyDecoder,
    out: Vec<u8>,
}

impl DownParts {
    pub(crate) fn new() -> DownParts {
        DownParts {
            scan: HeadScanner::new(),
            head: ParsedHead::new(),
            decoder: BodyDecoder::new(BodyLength::None),
            out: Vec::with_capacity(512),
        }
    }
}

/// The client's side of the exchanges on one connection.
pub(crate) struct H1Downstream<'c, T> {
    io: &'c mut T,
    parts: &'c mut DownParts,
    limits: HeadLimits,
    body_bytes_max: u64,
    /// Keep a receive for the next request in flight during an exchange.
    eager: bool,

    input: Option<Buf>,
    at: usize,
    next: Option<Buf>,
    ended: bool,
    gone: bool,

    blank_bytes: usize,
    trailers: Option<Box<Trailers>>,
    body_bytes: u64,
    /// Bytes of the body have been handed on that are not in `input` any more.
    handed_on: bool,
    /// `next` was split off `input`, where it still stands.
    split_off: bool,

    framing: Framing,
    head_waits: bool,
    quiet: bool,
    answered: bool,
    finished: bool,
    keep_alive: bool,
}

/// What came of waiting for a head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HeadRead {
    /// It is there.
    Head,
    /// The client closed the connection between requests.
    Closed,
    /// The receive was cancelled before anything came.
    Cancelled,
}

impl<'c, T: Transport> H1Downstream<'c, T> {
    pub(crate) fn new(
        io: &'c mut T,
        parts: &'c mut DownParts,
        limits: HeadLimits,
        body_bytes_max: u64,
        eager: bool,
    ) -> Self {
        parts.scan.reset();
        parts.decoder.reset(BodyLength::None);
        H1Downstream {
            io,
            parts,
            limits,
            body_bytes_max,
            eager,
            input: None,
            at: 0,
            next: None,
            ended: false,
            gone: false,
            blank_bytes: 0,
            trailers: None,
            body_bytes: 0,
            handed_on: false,
            split_off: false,
            framing: Framing::None(None),
            head_waits: false,
            quiet: false,
            answered: false,
            finished: false,
            keep_alive: true,
        }
    }

    /// Holds from the next bytes on.
    pub(crate) fn set_limits(&mut self, limits: HeadLimits, body_bytes_max: u64) {
        (self.limits, self.body_bytes_max) = (limits, body_bytes_max);
    }

    /// The next request's head.
    pub(crate) fn poll_request(&mut self, cx: &mut Context<'_>) -> Poll<Result<HeadRead, Fault>> {
        loop {
            if self.parse_head()? {
                return Poll::Ready(Ok(HeadRead::Head));
            }
            if self.ended {
                let cut = self.has_partial_head();
                return Poll::Ready(if cut { Err(Fault::ClientGone) } else { Ok(HeadRead::Closed) });
            }
            if !self.io.recv_pending() {
                let buf = self
                    .input
                    .take()
                    .map_or_else(Buf::standard, |buf| buf.with_room(ROOM_MIN, self.limits.header_bytes));
                self.io.start_recv(buf);
            }
            let (result, buf) = ready!(self.io.poll_recv(cx));
            self.input = Some(buf);
            match result {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) if was_cancelled(&error) => return Poll::Ready(Ok(HeadRead::Cancelled)),
                Err(_) => {
                    self.gone = true;
                    return Poll::Ready(Err(Fault::ClientGone));
                }
            }
        }
    }

    fn parse_head(&mut self) -> Result<bool, Fault> {
        let Some(input) = &mut self.input else { return Ok(false) };
        if self.parts.scan.scanned() == 0 {
            let blank = leading_blank(input.data());
            input.advance(blank);
            self.blank_bytes += blank;
            if self.blank_bytes > 2 * LEADING_BLANK_LINES_MAX {
                return Err(Fault::Head(HeadError::BlankLines));
            }
        }
        let DownParts { scan, head, .. } = &mut *self.parts;
        if scan.scanned() > 0 || !head.parse_whole(input.data(), &self.limits) {
            let found = scan.find_end(input.data(), &self.limits).map_err(Fault::Head)?;
            let Some(len) = found else { return Ok(false) };
            head.parse(&input.data()[..len], &self.limits).map_err(Fault::Head)?;
        }
        self.at = head.len;
        self.begin_body();
        self.keep_alive = self.parts.head.keep_alive;
        Ok(true)
    }

    fn begin_body(&mut self) {
        self.parts.decoder.reset(self.parts.head.body);
        self.trailers = None;
        self.body_bytes = 0;
        self.handed_on = false;
        self.split_off = false;
        self.head_waits = false;
        self.answered = false;
        self.finished = false;
    }

    /// Bytes of a head have come, but not all.
    pub(crate) fn has_partial_head(&self) -> bool {
        self.parts.scan.scanned() > 0 || self.input.as_ref().is_some_and(|input| !input.is_empty())
    }

    /// Asks a receive in flight to end.
    pub(crate) fn cancel(&mut self) {
        if self.io.recv_pending() {
            self.io.cancel_recv();
        }
    }

    /// A receive for the next request is in flight, or has brought something.
    pub(crate) fn is_warm(&self) -> bool {
        self.io.recv_pending() || self.has_partial_head()
    }

    /// Makes ready for the next request. False if the connection can't carry another.
    pub(crate) fn next_request(&mut self) -> bool {
        if !self.finished || !self.keep_alive || self.gone || !self.parts.decoder.is_done() {
            return false;
        }
        self.parts.scan.reset();
        self.blank_bytes = 0;
        let mut input = self.input.take();
        if let Some(buf) = &mut input {
            buf.advance(self.at);
        }
        self.at = 0;
        self.input = input.filter(|buf| !buf.is_empty()).or_else(|| self.next.take());
        !self.ended || self.input.is_some()
    }

    /// Whether closing now could take the answer from a client that is still sending.
    pub(crate) fn must_linger(&self) -> bool {
        self.answered && !self.gone && !self.ended && !self.parts.decoder.is_done()
    }

    fn behind_head(&self) -> usize {
        self.input.as_ref().map_or(0, |input| input.len().saturating_sub(self.at))
    }

    /// Forgets the request: its head could not be read. What is answered now closes the connection.
    pub(crate) fn abandon_request(&mut self) {
        self.parts.head = ParsedHead::new();
        self.parts.decoder.reset(BodyLength::UntilClose);
        self.at = 0;
        self.answered = false;
        self.finished = false;
        self.keep_alive = false;
    }

    /// Takes what was received for the body together with the head, or after it.
    fn take_received(&mut self) -> Option<Buf> {
        let behind = self.behind_head();
        if behind == 0 {
            let next = self.next.take();
            self.handed_on |= next.is_some();
            return next;
        }
        let input = self.input.as_mut()?;
        if behind > self.at && !self.parts.head.method.is_idempotent() {
            // The smaller part is copied. What is never sent again need not be kept where it came.
            let mut head = Buf::with_room_for(self.at);
            head.append(&input.data()[..self.at]);
            let mut body = std::mem::replace(input, head);
            body.advance(self.at);
            self.handed_on = true;
            return Some(body);
        }
        let mut copy = Buf::with_room_for(behind);
        copy.append(&input.data()[self.at..]);
        self.at = input.len();
        Some(copy)
    }

    fn decode(&mut self, mut buf: Buf) -> Result<Buf, Fault> {
        let step = self.parts.decoder.decode(buf.data_mut()).map_err(Fault::Body)?;
        if step.consumed < buf.len() {
            // The next request has begun behind this body.
            let mut rest = Buf::with_room_for(buf.len() - step.consumed);
            rest.append(&buf.data()[step.consumed..]);
            self.next = Some(rest);
            self.split_off = !self.handed_on;
        }
        if step.done {
            self.trailers = self.parts.decoder.trailers().filter(|trailers| !trailers.fields().is_empty());
        }
        buf.truncate(step.data.end);
        buf.advance(step.data.start);
        self.body_bytes += buf.len() as u64;
        if self.body_bytes > self.body_bytes_max {
            return Err(Fault::BodyTooLarge);
        }
        Ok(buf)
    }

    /// Sends what stands in `out` with a piece of the body behind it.
    fn send_joined(&mut self, body: Option<Buf>) {
        self.answered = true;
        self.head_waits = false;
        let buf = join(&self.parts.out, body);
        self.start_send(buf);
    }

    fn start_send(&mut self, buf: Buf) {
        self.quiet = is_quiet(&buf);
        if self.finished && !self.keep_alive {
            self.io.hold_for_end();
        }
        self.io.start_send(buf);
    }

    /// Whether anything is still being sent.
    pub(crate) fn is_sending(&self) -> bool {
        self.io.send_pending()
    }
}

impl<T: Transport> H1Downstream<'_, T> {
    /// Polls a receive during an exchange: what it brings is more of the body, or the next request.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let (result, buf) = ready!(self.io.poll_recv(cx));
        Poll::Ready(match result {
            Ok(0) => {
                self.ended = true;
                Ok(())
            }
            Ok(_) => {
                self.next = Some(buf);
                Ok(())
            }
            Err(error) if was_cancelled(&error) => Ok(()),
            Err(_) => {
                self.gone = true;
                Err(Fault::ClientGone)
            }
        })
    }
}
