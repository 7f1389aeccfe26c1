//! The client's side of one exchange: the request's body in, the answer out.

use super::super::encode::{self, Framing, end_chunked, frame, join};
use super::super::view;
use super::H1Downstream;
use crate::model::{AnswerHead, BodySize, Edits, Fault, Piece, RequestHead};
use crate::proxy::ends::Downstream;
use ringgate_protocols::h1::{BodyLength, Trailers};
use ringgate_protocols::wire::{Method, Version};
use ringgate_rt::{Buf, Transport};
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker, ready};

impl<T: Transport> Downstream for H1Downstream<'_, T> {
    type Stream = T;

    #[inline]
    fn head(&self) -> RequestHead<'_> {
        view::request(&self.parts.head, self.input.as_ref().map_or(b"", |input| input.data()))
    }

    fn target_text(&self) -> &[u8] {
        self.input.as_ref().map_or(b"", |input| self.parts.head.target_text.of(input.data()))
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
        loop {
            if self.parts.decoder.is_done() {
                return Poll::Ready(Ok(Piece::End(self.trailers.take())));
            }
            let received = match self.take_received() {
                Some(received) => received,
                None if self.ended => return Poll::Ready(Err(Fault::ClientGone)),
                None => {
                    if !self.io.recv_pending() {
                        let large = self
                            .parts
                            .decoder
                            .remaining()
                            .is_some_and(|n| n > 2 * ringgate_rt::buffer::STANDARD_BYTES as u64);
                        self.io.start_recv(if large { Buf::large() } else { Buf::standard() });
                    }
                    ready!(self.poll_receive(cx))?;
                    continue;
                }
            };
            let buf = self.decode(received)?;
            let last = self.parts.decoder.is_done() && self.trailers.is_none();
            if !buf.is_empty() || last {
                return Poll::Ready(Ok(Piece::Data { buf, last }));
            }
        }
    }

    #[inline]
    fn body_done(&self) -> bool {
        self.parts.decoder.is_done()
    }

    fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    fn body_progress(&self) -> u64 {
        self.body_bytes + self.io.held()
    }

    fn rewind(&mut self) -> bool {
        if self.handed_on || self.answered {
            return false;
        }
        if self.parts.head.body != BodyLength::None {
            if self.split_off {
                self.next = None;
            }
            self.at = self.parts.head.len;
            self.begin_body();
        }
        true
    }

    #[inline]
    fn poll_left(&mut self, cx: &mut Context<'_>, on_purpose: bool) -> Result<(), Fault> {
        if !self.io.recv_pending() {
            let useful = self.eager && self.keep_alive || on_purpose;
            if !useful || self.ended || self.next.is_some() || self.behind_head() > 0 {
                return Ok(());
            }
            self.io.start_recv(Buf::standard());
        }
        match self.poll_receive(cx) {
            Poll::Ready(result) => result,
            Poll::Pending => Ok(()),
        }
    }

    fn has_left(&mut self) -> bool {
        self.gone |= self.io.peer_left();
        self.gone
    }

    fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.io.addresses()
    }

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        if !self.io.send_pending() {
            return Poll::Ready(Ok(()));
        }
        let (result, _) = ready!(self.io.poll_send(cx));
        Poll::Ready(result.map_err(|_| {
            self.gone = true;
            Fault::ClientGone
        }))
    }

    #[inline]
    fn poll_finished(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        if !(self.quiet && self.eager && self.keep_alive && self.io.recv_pending()) {
            return self.poll_ready(cx);
        }
        // The receive in flight wakes this task for the next request; that is early enough to see this send's end.
        match self.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => Poll::Ready(Ok(())),
        }
    }

    fn send_informational(&mut self, head: &AnswerHead<'_>) {
        if self.parts.head.version == Version::Http10 {
            return;
        }
        self.parts.out.clear();
        encode::answer_head(&mut self.parts.out, head, &Edits::default(), Framing::None(None));
        self.parts.out.extend_from_slice(b"\r\n");
        let buf = join(&self.parts.out, None);
        self.start_send(buf);
    }

    fn close_after_this(&mut self) {
        self.keep_alive = false;
    }

    #[inline]
    fn put_head(&mut self, head: &AnswerHead<'_>, edits: &Edits) {
        let old = self.parts.head.version == Version::Http10;
        let bodiless = self.parts.head.method == Method::Head || matches!(head.status, 100..=199 | 204 | 304);
        self.framing = match head.body {
            _ if bodiless => Framing::None(head.stated_length.filter(|_| !matches!(head.status, 100..=199 | 204))),
            BodySize::None => Framing::Length(0),
            BodySize::Known(n) => Framing::Length(n),
            BodySize::Unknown if old => Framing::Close,
            BodySize::Unknown => Framing::Chunked,
        };
        // A body that is not read yet may never be: its rest can't be told from the next request then.
        self.keep_alive &= self.framing != Framing::Close && !self.ended && self.parts.decoder.is_done();
        self.parts.out.clear();
        encode::answer_head(&mut self.parts.out, head, edits, self.framing);
        match (self.keep_alive, old) {
            (false, _) => encode::field(&mut self.parts.out, "connection", b"close"),
            (true, true) => encode::field(&mut self.parts.out, "connection", b"keep-alive"),
            (true, false) => {}
        }
        self.parts.out.extend_from_slice(b"\r\n");
        self.head_waits = true;
    }

    fn flush(&mut self) {
        if self.head_waits {
            self.send_joined(None);
        }
    }

    #[inline]
    fn send_data(&mut self, mut buf: Buf, last: bool) {
        self.finished = last;
        if matches!(self.framing, Framing::None(_)) {
            buf.truncate(0);
        }
        frame(&mut buf, self.framing, last);
        if self.head_waits {
            self.send_joined(Some(buf));
        } else if !buf.is_empty() {
            self.start_send(buf);
        }
    }

    fn send_end(&mut self, trailers: Option<Box<Trailers>>) {
        self.finished = true;
        if self.framing == Framing::Chunked {
            if !self.head_waits {
                self.parts.out.clear();
            }
            end_chunked(&mut self.parts.out, trailers);
            self.send_joined(None);
        } else {
            self.flush();
        }
    }

    fn send_switch(&mut self, head: &AnswerHead<'_>, edits: &Edits) {
        self.keep_alive = false;
        self.parts.out.clear();
        encode::answer_head(&mut self.parts.out, head, edits, Framing::None(None));
        self.parts.out.extend_from_slice(b"connection: upgrade\r\n");
        if let Some(protocol) = head.fields.get(ringgate_protocols::wire::HeaderId::Upgrade) {
            encode::field(&mut self.parts.out, "upgrade", protocol.value.of(head.bytes));
        }
        self.parts.out.extend_from_slice(b"\r\n");
        self.send_joined(None);
    }

    #[inline]
    fn answered(&self) -> bool {
        self.answered
    }

    fn abort(&mut self) {
        self.keep_alive = false;
        self.gone = true;
        if self.framing == Framing::Close {
            // Only a reset tells a truncated body from a whole one.
            self.io.reset_on_close();
        }
    }

    fn reset(&mut self) {
        self.abort();
        self.io.reset_on_close();
    }

    fn sent(&self) -> (u64, u64) {
        let waiting = if self.io.send_pending() { 1 } else { 0 };
        (self.io.confirmed(), self.io.unconfirmed() + waiting)
    }

    fn tunnel(&mut self) -> (&mut T, Option<Buf>) {
        let early = self.take_received();
        (self.io, early)
    }
}
