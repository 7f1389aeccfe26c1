//! The service's side of an exchange in HTTP/1.1: one request out, one answer back, as strict as with clients.
//!
//! A connection is used again only if the answer ended where its head said, with nothing behind it.

use super::encode::{self, Framing, end_chunked, frame, join};
use super::upgrade::was_offered;
use crate::model::{AnswerHead, Answered, BodySize, Edits, Fault, Piece, RequestHead};
use crate::proxy::ends::{Upstream, body_size, is_quiet};
use ringgate_protocols::h1::{BodyDecoder, BodyLength, HeadLimits, HeadScanner, ResponseHead, Trailers};
use ringgate_protocols::wire::Method;
use ringgate_rt::buffer::STANDARD_BYTES;
use ringgate_rt::{Buf, Transport};
use std::task::{Context, Poll, Waker, ready};

/// Informational heads that a service may send before its answer.
pub(crate) const INFORMATIONAL_MAX: u32 = 32;
const ROOM_MIN: usize = 1024;

/// What parsing an answer needs; kept from exchange to exchange.
pub(crate) struct UpParts {
    scan: HeadScanner,
    head: ResponseHead,
    decoder: BodyDecoder,
    out: Vec<u8>,
    /// The protocols that the request offers to change to.
    offered: Vec<u8>,
}

impl UpParts {
    pub(crate) fn new() -> UpParts {
        UpParts {
            scan: HeadScanner::new(),
            head: ResponseHead::new(),
            decoder: BodyDecoder::new(BodyLength::None),
            out: Vec::with_capacity(512),
            offered: Vec::new(),
        }
    }
}

/// The service's side of one exchange.
pub(crate) struct H1Upstream<'p, T> {
    io: T,
    parts: &'p mut UpParts,
    limits: HeadLimits,
    method: Method,
    request_framing: Framing,
    request_sent: bool,
    quiet: bool,

    input: Option<Buf>,
    /// Bytes of `input` that have been dealt with.
    at: usize,
    state: State,
    body: BodySize,
    trailers: Option<Box<Trailers>>,
    informational: u32,
    heard: bool,
    ended: bool,
    reusable: bool,
    large: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Head,
    /// The head was handed out; `input` holds it and what came with it.
    First,
    Body,
    Done,
}

impl<'p, T: Transport> H1Upstream<'p, T> {
    pub(crate) fn new(io: T, parts: &'p mut UpParts, limits: HeadLimits) -> Self {
        parts.scan.reset();
        H1Upstream {
            io,
            parts,
            limits,
            method: Method::Other,
            request_framing: Framing::None(None),
            request_sent: false,
            quiet: false,
            input: None,
            at: 0,
            state: State::Head,
            body: BodySize::None,
            trailers: None,
            informational: 0,
            heard: false,
            ended: false,
            reusable: true,
            large: false,
        }
    }

    /// The connection, if it can carry another request.
    pub(crate) fn into_reusable(mut self) -> Option<T> {
        // The answer is here, so the request is there; a send that is not over even so is not worth waiting for.
        let _ = self.poll_ready(&mut Context::from_waker(Waker::noop()));
        let reusable = self.reusable
            && self.request_sent
            && !self.ended
            && self.state == State::Done
            && !self.io.send_pending()
            && self.parts.head.keep_alive;
        reusable.then_some(self.io)
    }

    /// Gives the exchange up. Where the request has not left whole, the connection's end would wait behind bytes that the
    /// service may never read: it is reset.
    pub(crate) fn abort(&mut self) {
        if !self.request_sent || self.io.send_pending() {
            self.io.reset_on_close();
        }
    }

    fn start_send(&mut self, buf: Buf) {
        self.quiet = is_quiet(&buf);
        self.io.start_send(buf);
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        if !self.io.recv_pending() {
            let buf =
                self.input.take().map_or_else(Buf::standard, |buf| buf.with_room(ROOM_MIN, self.limits.header_bytes));
            self.io.start_recv(buf);
        }
        let (result, buf) = ready!(self.io.poll_recv(cx));
        self.input = Some(buf);
        match result {
            Ok(0) => self.ended = true,
            Ok(_) => self.heard = true,
            Err(_) => {
                self.reusable = false;
                return Poll::Ready(Err(Fault::UpstreamClosed));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answered, Fault>> {
        // An informational head that was handed out has been sent on by now.
        self.drop_dealt_with();
        loop {
            if let Some(answered) = self.parse_head()? {
                return Poll::Ready(Ok(answered));
            }
            if self.ended {
                return Poll::Ready(Err(Fault::UpstreamClosed));
            }
            ready!(self.poll_fill(cx))?;
        }
    }

    fn drop_dealt_with(&mut self) {
        if let Some(input) = &mut self.input {
            input.advance(self.at);
        }
        self.at = 0;
    }

    fn parse_head(&mut self) -> Result<Option<Answered>, Fault> {
        let Some(input) = &self.input else { return Ok(None) };
        let UpParts { scan, head, offered, .. } = &mut *self.parts;
        if scan.scanned() > 0 || !head.parse_whole(input.data(), &self.limits) {
            let found = scan.find_end(input.data(), &self.limits).map_err(|_| Fault::UpstreamAnswer)?;
            let Some(len) = found else { return Ok(None) };
            head.parse(&input.data()[..len], &self.limits).map_err(|_| Fault::UpstreamAnswer)?;
            scan.reset();
        }
        self.at = head.len;
        match head.status {
            // Not before the request is whole: the rest of its body would be the first bytes of the new protocol.
            101 if self.request_sent && head.upgrade.is_some_and(|to| was_offered(offered, to.of(input.data()))) => {
                self.state = State::Done;
                self.reusable = false;
                Ok(Some(Answered::Switched))
            }
            101 => Err(Fault::UpstreamAnswer),
            100..=199 => {
                self.informational += 1;
                if self.informational > INFORMATIONAL_MAX {
                    return Err(Fault::UpstreamAnswer);
                }
                self.body = BodySize::None;
                Ok(Some(Answered::Informational))
            }
            _ => {
                let length = head.body(self.method).map_err(|_| Fault::UpstreamAnswer)?;
                self.parts.decoder.reset(length);
                self.body = body_size(length);
                self.state = State::First;
                Ok(Some(Answered::Head))
            }
        }
    }

    fn decode(&mut self, mut buf: Buf) -> Result<Buf, Fault> {
        let step = self.parts.decoder.decode(buf.data_mut()).map_err(|_| Fault::UpstreamAnswer)?;
        // Bytes that nobody asked for: they must never be taken for the next answer.
        self.reusable &= step.consumed == buf.len();
        buf.truncate(step.data.end);
        buf.advance(step.data.start);
        if step.done {
            self.trailers = self.parts.decoder.trailers().filter(|trailers| !trailers.fields().is_empty());
        }
        Ok(buf)
    }

    fn piece(&mut self, buf: Buf) -> Option<Answered> {
        let done = self.parts.decoder.is_done();
        if done {
            self.state = State::Done;
        }
        let last = done && self.trailers.is_none();
        (last || !buf.is_empty()).then_some(Answered::Piece(Piece::Data { buf, last }))
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answered, Fault>> {
        loop {
            if !self.io.recv_pending() {
                self.io.start_recv(if self.large { Buf::large() } else { Buf::standard() });
            }
            let (result, buf) = ready!(self.io.poll_recv(cx));
            match result {
                Ok(0) => {
                    self.ended = true;
                    self.parts.decoder.finish().map_err(|_| Fault::UpstreamClosed)?;
                    self.state = State::Done;
                    return Poll::Ready(Ok(Answered::Piece(Piece::End(None))));
                }
                Ok(_) => {}
                Err(_) => return Poll::Ready(Err(Fault::UpstreamClosed)),
            }
            // A body that did not end with its first piece is long: fewer, larger pieces cost less.
            self.large = true;
            let buf = self.decode(buf)?;
            if let Some(answered) = self.piece(buf) {
                return Poll::Ready(Ok(answered));
            }
        }
    }
}

impl<T: Transport> Upstream for H1Upstream<'_, T> {
    type Stream = T;

    #[inline]
    fn send_request(&mut self, head: &RequestHead<'_>, edits: &Edits, body: Option<Buf>, last: bool) {
        self.method = head.method;
        self.parts.offered.clear();
        if let Some(upgrade) = head.upgrade {
            self.parts.offered.extend_from_slice(upgrade.of(head.bytes));
        }
        self.request_framing = Framing::of_request(head.body);
        let out = &mut self.parts.out;
        out.clear();
        encode::request_head(out, head, edits, self.request_framing);
        out.extend_from_slice(b"\r\n");
        let body = body.map(|mut buf| {
            frame(&mut buf, self.request_framing, last);
            buf
        });
        self.request_sent = last;
        let buf = join(out, body);
        self.start_send(buf);
    }

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        if !self.io.send_pending() {
            return Poll::Ready(Ok(()));
        }
        let (result, _) = ready!(self.io.poll_send(cx));
        Poll::Ready(result.map_err(|_| {
            self.reusable = false;
            Fault::UpstreamClosed
        }))
    }

    #[inline]
    fn drive(&mut self, cx: &mut Context<'_>, late: bool) {
        if !self.io.send_pending() {
            return;
        }
        // An error is seen by whoever waits for the answer, which may have come before it.
        let _ = if self.quiet && !late {
            self.poll_ready(&mut Context::from_waker(Waker::noop()))
        } else {
            self.poll_ready(cx)
        };
    }

    fn send_data(&mut self, mut buf: Buf, last: bool) {
        frame(&mut buf, self.request_framing, last);
        self.request_sent = last;
        if !buf.is_empty() {
            self.start_send(buf);
        }
    }

    fn send_end(&mut self, trailers: Option<Box<Trailers>>) {
        self.request_sent = true;
        if self.request_framing == Framing::Chunked {
            let out = &mut self.parts.out;
            out.clear();
            end_chunked(out, trailers);
            let buf = join(out, None);
            self.start_send(buf);
        }
    }

    #[inline]
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answered, Fault>> {
        if self.state == State::First {
            self.state = State::Body;
            self.drop_dealt_with();
            let received = self.input.take().unwrap_or_else(Buf::standard);
            let buf = self.decode(received)?;
            self.large = self.parts.decoder.remaining().is_some_and(|left| left > STANDARD_BYTES as u64);
            if let Some(answered) = self.piece(buf) {
                return Poll::Ready(Ok(answered));
            }
        }
        match self.state {
            State::Head => self.poll_head(cx),
            State::First | State::Body => self.poll_piece(cx),
            State::Done => Poll::Ready(Ok(Answered::Piece(Piece::End(self.trailers.take())))),
        }
    }

    #[inline]
    fn head(&self) -> AnswerHead<'_> {
        let head = &self.parts.head;
        let bytes = self.input.as_ref().map_or(&b""[..], |input| input.data());
        AnswerHead {
            bytes,
            status: head.status,
            reason: head.reason.of(bytes),
            fields: &head.fields,
            body: self.body,
            stated_length: head.content_length,
        }
    }

    fn heard(&self) -> bool {
        self.heard
    }

    fn tunnel(&mut self) -> (&mut T, Option<Buf>) {
        self.drop_dealt_with();
        (&mut self.io, self.input.take().filter(|buf| !buf.is_empty()))
    }
}
