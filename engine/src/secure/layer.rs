//! TLS over a byte stream, after its handshake.
//!
//! Records are received into the buffer that the pipeline gives and opened where they lie; a small answer is sealed where
//! it lies. A record that has come in part waits in a buffer of its own; otherwise a connection that waits holds none.

use super::Security;
use ringgate_protocols::tls::{
    BACK_MAX, FRONT_MAX, Failure, HEADER_BYTES, PAYLOAD_MAX, SEALED_MAX, Session, has_record, sealed_bytes,
};
use ringgate_rt::buffer::{HEADROOM_BYTES, LARGE_BYTES, STANDARD_BYTES, TAILROOM_BYTES};
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::{Buf, Transport, cancelled};
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Bytes of payload in a record at the beginning of a transfer: what a few packets hold, so that the peer can begin.
pub(crate) const FIRST_RECORD_BYTES: usize = 4096;
/// Bytes of a transfer after which records are as large as may be.
pub(crate) const RECORDS_GROW_AFTER_BYTES: u64 = 16 * 1024;
/// How long nothing is sent until a transfer begins anew.
pub(crate) const TRANSFER_PAUSE: Duration = Duration::from_secs(1);

/// TLS over a byte stream.
pub(crate) struct TlsLayer {
    session: Session,
    security: Rc<Security>,
    /// Sealed bytes that have come and are not dealt with.
    waiting: Option<Buf>,
    /// Opened bytes that had no room where they were asked for.
    left: Option<Buf>,
    recv: Recv,
    /// What is to be sent before anything else: the end of the handshake.
    before: Vec<u8>,
    /// The part of a large send that is not sealed yet.
    plain: Option<Buf>,
    end_with_next: bool,
    failure: Option<Failure>,
    /// Bytes of a record that has come in part.
    held: usize,
    sent: u64,
    sent_at: Moment,
}

/// A receive that was asked for.
enum Recv {
    None,
    /// Into this buffer, behind its window; whole records may be there already.
    Asked(Buf),
    /// Into the buffer itself, the window of which was so long.
    Below {
        before: usize,
        cancelled: bool,
    },
    /// Into one of ours, since a record has no room in this one.
    Beside {
        into: Buf,
        cancelled: bool,
    },
}

impl TlsLayer {
    /// A session over a stream. `waiting` are bytes that came behind the handshake, `before` those that belong to it and
    /// leave with the first send.
    pub(crate) fn new(session: Session, security: Rc<Security>, waiting: Option<Buf>, before: Vec<u8>) -> TlsLayer {
        TlsLayer {
            session,
            security,
            waiting: waiting.filter(|buf| !buf.is_empty()),
            left: None,
            recv: Recv::None,
            before,
            plain: None,
            end_with_next: false,
            failure: None,
            held: 0,
            sent: 0,
            sent_at: Moment(0),
        }
    }

    pub(super) fn security(&self) -> &Rc<Security> {
        &self.security
    }

    pub(super) fn held(&self) -> u64 {
        self.held as u64
    }

    pub(super) fn start_recv(&mut self, buf: Buf) {
        self.recv = Recv::Asked(buf);
    }

    pub(super) fn recv_pending(&self) -> bool {
        !matches!(self.recv, Recv::None)
    }

    /// Whether a receive would bring something at once.
    pub(super) fn is_readable(&self) -> bool {
        let whole = self.waiting.as_ref().is_some_and(|buf| has_record(buf.data()));
        self.left.is_some() || self.session.is_closed_by_peer() || whole
    }

    pub(super) fn cancel_recv<T: Transport>(&mut self, io: &mut T) {
        match &mut self.recv {
            Recv::None | Recv::Asked(_) => {}
            Recv::Below { cancelled, .. } | Recv::Beside { cancelled, .. } => {
                *cancelled = true;
                io.cancel_recv();
            }
        }
    }

    #[inline]
    pub(super) fn poll_recv<T: Transport>(
        &mut self,
        io: &mut T,
        cx: &mut Context<'_>,
    ) -> Poll<(io::Result<usize>, Buf)> {
        loop {
            match std::mem::replace(&mut self.recv, Recv::None) {
                Recv::None => return Poll::Pending,
                Recv::Asked(buf) => {
                    if let Some(received) = self.begin(io, buf) {
                        return Poll::Ready(received);
                    }
                }
                Recv::Below { before, cancelled } => {
                    let Poll::Ready((result, buf)) = io.poll_recv(cx) else {
                        self.recv = Recv::Below { before, cancelled };
                        return Poll::Pending;
                    };
                    let received = match result {
                        Ok(n) if n > 0 => self.open_below(io, buf, before, cancelled),
                        result => Some(self.broken_off(result, buf, before)),
                    };
                    if let Some(received) = received {
                        return Poll::Ready(received);
                    }
                }
                Recv::Beside { into, cancelled } => {
                    let Poll::Ready((result, buf)) = io.poll_recv(cx) else {
                        self.recv = Recv::Beside { into, cancelled };
                        return Poll::Pending;
                    };
                    let received = match result {
                        Ok(n) if n > 0 => self.open_beside(io, buf, into, cancelled),
                        result => {
                            let (result, rest) = self.broken_off(result, buf, 0);
                            drop(rest);
                            Some((result, into))
                        }
                    };
                    if let Some(received) = received {
                        return Poll::Ready(received);
                    }
                }
            }
        }
    }

    /// Begins a receive, with what has come already.
    fn begin<T: Transport>(&mut self, io: &mut T, mut buf: Buf) -> Option<(io::Result<usize>, Buf)> {
        if let Some(failure) = self.failure {
            return Some((Err(failed(failure)), buf));
        }
        if let Some(mut left) = self.left.take() {
            let n = buf.append(left.data());
            left.advance(n);
            self.left = Some(left).filter(|left| !left.is_empty());
            return Some((Ok(n), buf));
        }
        if self.session.is_closed_by_peer() {
            return Some((Ok(0), buf));
        }
        let before = buf.len();
        let Some(waiting) = self.waiting.take() else {
            io.start_recv(buf);
            self.recv = Recv::Below { before, cancelled: false };
            return None;
        };
        if waiting.len() > buf.room() {
            return self.open_beside(io, waiting, buf, false);
        }
        buf.append(waiting.data());
        self.open_below(io, buf, before, false)
    }

    /// Opens what stands in the buffer behind `before`; receives more if that is not a whole record.
    #[inline]
    fn open_below<T: Transport>(
        &mut self,
        io: &mut T,
        mut buf: Buf,
        before: usize,
        was_cancelled: bool,
    ) -> Option<(io::Result<usize>, Buf)> {
        let opened = match self.session.open(buf.data_mut(), before) {
            Ok(opened) => opened,
            Err(failure) => {
                buf.truncate(before);
                return Some((Err(self.fail(io, failure)), buf));
            }
        };
        let n = opened.plain.len();
        if n == 0 && !opened.closed {
            drop_range(&mut buf, before, opened.rest);
            self.held = buf.len() - before;
            if was_cancelled {
                return Some(self.broken_off(Err(cancelled()), buf, before));
            }
            if buf.room() == 0 {
                let mut beside = Buf::standard();
                beside.append(&buf.data()[before..]);
                buf.truncate(before);
                io.start_recv(beside);
                self.recv = Recv::Beside { into: buf, cancelled: false };
                return None;
            }
            io.start_recv(buf);
            self.recv = Recv::Below { before, cancelled: false };
            return None;
        }
        self.held = buf.len() - opened.rest;
        if opened.rest < buf.len() && !opened.closed {
            let mut waiting = Buf::standard();
            waiting.append(&buf.data()[opened.rest..]);
            self.waiting = Some(waiting);
        }
        buf.truncate(opened.plain.end);
        if before == 0 {
            buf.advance(opened.plain.start);
        }
        Some((Ok(n), buf))
    }

    /// Opens what stands in a buffer of ours, and copies what is asked for.
    fn open_beside<T: Transport>(
        &mut self,
        io: &mut T,
        buf: Buf,
        mut into: Buf,
        was_cancelled: bool,
    ) -> Option<(io::Result<usize>, Buf)> {
        let (result, mut plain) = match self.open_below(io, buf, 0, was_cancelled) {
            Some(received) => received,
            None => {
                self.recv = Recv::Beside { into, cancelled: false };
                return None;
            }
        };
        let n = match result {
            Ok(n) if n > 0 => into.append(plain.data()),
            result => return Some((result, into)),
        };
        plain.advance(n);
        self.left = Some(plain).filter(|left| !left.is_empty());
        Some((Ok(n), into))
    }

    /// The stream below has ended, failed, or the receive was cancelled: what has come of a record is kept.
    fn broken_off(&mut self, result: io::Result<usize>, mut buf: Buf, before: usize) -> (io::Result<usize>, Buf) {
        let result = match result {
            // Without its own end TLS was cut off (RFC 8446 section 6.1): it may be an attacker's doing.
            Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) => {
                if buf.len() > before {
                    let mut waiting = Buf::standard();
                    waiting.append(&buf.data()[before..]);
                    self.waiting = Some(waiting);
                }
                Err(error)
            }
        };
        buf.truncate(before);
        (result, buf)
    }

    fn fail<T: Transport>(&mut self, io: &mut T, failure: Failure) -> io::Error {
        // What comes before has its numbers already.
        let mut words = std::mem::take(&mut self.before);
        self.session.last_words(failure, &mut words);
        if !words.is_empty() && !io.send_pending() {
            io.send_now(&words);
        }
        self.failure = Some(failure);
        failed(failure)
    }

    /// The next send is the last: the end goes with it.
    pub(super) fn end_with_next(&mut self) {
        self.end_with_next = true;
    }

    #[inline]
    pub(super) fn start_send<T: Transport>(&mut self, io: &mut T, buf: Buf) {
        let now = clock::now();
        if now.since(self.sent_at) >= TRANSFER_PAUSE {
            self.sent = 0;
        }
        self.sent_at = now;
        let sealed = match self.seal_in_place(buf) {
            Ok(sealed) => sealed,
            Err(buf) => {
                self.plain = Some(buf);
                self.seal_next()
            }
        };
        io.start_send(sealed);
    }

    /// Seals the whole buffer as one record where it stands; gives it back if it is not one record, or has no room.
    #[inline]
    fn seal_in_place(&mut self, mut buf: Buf) -> Result<Buf, Buf> {
        let (front, back, len) = (self.session.front(), self.session.back(), buf.len());
        let whole = len > 0 && len <= self.record_bytes() && self.before.is_empty() && !self.session.is_due();
        let has_room = buf.headroom() >= front && (!self.end_with_next || buf.room() >= END_BYTES);
        if !whole || !has_room || !buf.append_tail(&[0; BACK_MAX][..back]) {
            return Err(buf);
        }
        buf.prepend(&[0; FRONT_MAX][..front]);
        if self.session.seal(buf.data_mut()).is_err() {
            // Nothing can be sealed any more: what stands there must not leave as it is.
            buf.clear();
            self.failure.get_or_insert(Failure::Exhausted);
            return Ok(buf);
        }
        self.sent += len as u64;
        self.append_end(&mut buf);
        Ok(buf)
    }

    /// Bytes of payload that the next record may have.
    fn record_bytes(&self) -> usize {
        if self.sent < RECORDS_GROW_AFTER_BYTES { FIRST_RECORD_BYTES } else { PAYLOAD_MAX }
    }

    /// Seals as much of `plain` as a buffer holds, copied once, behind what is due before it.
    fn seal_next(&mut self) -> Buf {
        let mut due = std::mem::take(&mut self.before);
        if self.session.is_due()
            && let Err(failure) = self.session.due(&mut due)
        {
            self.failure.get_or_insert(failure);
        }
        let mut plain = self.plain.take().unwrap_or_else(Buf::standard);
        let wanted = sealed_bytes(plain.len(), FIRST_RECORD_BYTES) + due.len() + END_BYTES;
        let mut out = Buf::with_room_for(wanted.min(LARGE_BYTES - 2 * HEADROOM_BYTES));
        out.append(&due);
        while !plain.is_empty() {
            let payload = plain.len().min(self.record_bytes());
            if out.room() < self.session.front() + payload + self.session.back() + END_BYTES {
                break;
            }
            if self.append_record(&mut out, &plain.data()[..payload]).is_err() {
                // The connection can't go on; what was sealed leaves, and the peer sees that it was cut off.
                self.failure.get_or_insert(Failure::Exhausted);
                plain.clear();
                break;
            }
            plain.advance(payload);
            self.sent += payload as u64;
        }
        match plain.is_empty() {
            true => self.append_end(&mut out),
            false => self.plain = Some(plain),
        }
        out
    }

    /// Puts our end behind what is the last of us, which has left room for it.
    fn append_end(&mut self, buf: &mut Buf) {
        if self.end_with_next {
            let mut end = Vec::with_capacity(END_BYTES);
            self.session.close(&mut end);
            buf.append_tail(&end);
        }
    }

    fn append_record(&mut self, out: &mut Buf, payload: &[u8]) -> Result<(), Failure> {
        let at = out.len();
        out.append(&[0; FRONT_MAX][..self.session.front()]);
        out.append(payload);
        out.append(&[0; BACK_MAX][..self.session.back()]);
        self.session.seal(&mut out.data_mut()[at..])
    }

    #[inline]
    pub(super) fn poll_send<T: Transport>(&mut self, io: &mut T, cx: &mut Context<'_>) -> Poll<(io::Result<()>, Buf)> {
        loop {
            let (result, buf) = ready!(io.poll_send(cx));
            if let Some(failure) = self.failure.filter(|_| result.is_ok()) {
                return Poll::Ready((Err(failed(failure)), buf));
            }
            if result.is_err() || self.plain.is_none() {
                return Poll::Ready((result, buf));
            }
            drop(buf);
            let next = self.seal_next();
            io.start_send(next);
        }
    }

    /// Says that nothing more is sent, if that has not been said and can be said at once. A peer that sends nothing more
    /// is told too: it must know that it has got everything.
    pub(super) fn close<T: Transport>(&mut self, io: &mut T) {
        if self.failure.is_some() || io.send_pending() {
            return;
        }
        let mut end = std::mem::take(&mut self.before);
        self.session.close(&mut end);
        if !end.is_empty() {
            io.send_now(&end);
        }
    }

    /// Nothing is said any more: the connection ends by a reset.
    pub(super) fn give_up(&mut self) {
        self.failure.get_or_insert(Failure::Internal);
    }
}

/// Bytes of the record that says the end, at most: an alert is two.
const END_BYTES: usize = FRONT_MAX + 2 + BACK_MAX;

// A record that has come in part always has room in a buffer of its own.
const _: () = assert!(STANDARD_BYTES >= HEADROOM_BYTES + HEADER_BYTES + SEALED_MAX + TAILROOM_BYTES);

fn failed(failure: Failure) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, failure)
}

/// Takes `from..to` out of the window.
fn drop_range(buf: &mut Buf, from: usize, to: usize) {
    if from < to {
        let len = buf.len();
        buf.data_mut().copy_within(to..len, from);
        buf.truncate(len - (to - from));
    }
}

#[cfg(test)]
mod tests;
