//! Shaking hands over a byte stream. Between its steps a handshake holds no buffer, but for a record that came in part.

use super::gate::{Gate, Place};
use super::layer::TlsLayer;
use super::{Failed, Security};
use ringgate_protocols::proxyproto;
use ringgate_protocols::tls::{Agreed, HEADER_BYTES, Handshake, HandshakeError, SEALED_MAX, Session, has_record};
use ringgate_rt::timer::Timer;
use ringgate_rt::{Buf, Transport};
use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Bytes of the largest record.
const RECORD_MAX: usize = HEADER_BYTES + SEALED_MAX;

/// What ends a handshake from outside.
pub(crate) struct Bounds<'a> {
    /// Set to the moment by which it must be over.
    pub(crate) timer: &'a Timer,
    /// The process stops: whoever has not said anything yet need not begin.
    pub(crate) draining: &'a Cell<bool>,
    /// It must end now.
    pub(crate) aborting: &'a Cell<bool>,
    /// The peer has said something.
    pub(crate) heard: Cell<bool>,
    /// Its place among the handshakes of the shard.
    pub(crate) place: Option<&'a Place<'a>>,
}

impl Bounds<'_> {
    /// Waits for what `poll` waits for.
    pub(crate) async fn wait<R>(&self, mut poll: impl FnMut(&mut Context<'_>) -> Poll<R>) -> Result<R, Failed> {
        poll_fn(|cx| {
            if let Poll::Ready(ready) = poll(cx) {
                return Poll::Ready(Ok(ready));
            }
            if self.aborting.get() || (self.draining.get() && !self.heard.get()) {
                return Poll::Ready(Err(Failed::Stopped));
            }
            if self.place.is_some_and(|place| place.poll_lost(cx).is_ready()) {
                return Poll::Ready(Err(Failed::Crowded));
            }
            self.timer.poll(cx).map(|()| Err(Failed::TimedOut))
        })
        .await
    }

    /// Receives into the buffer; waits for bytes without it, so that none is held meanwhile.
    pub(crate) async fn receive<T: Transport>(&self, io: &mut T, buf: Option<Buf>) -> Result<Buf, Failed> {
        self.wait(|cx| io.poll_readable(cx)).await?.map_err(Failed::Io)?;
        let buf = buf.unwrap_or_else(Buf::standard);
        io.start_recv(buf.with_room(RECORD_MAX, 0));
        let (result, buf) = self.wait(|cx| io.poll_recv(cx)).await?;
        match result {
            Ok(0) => Err(Failed::Io(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => {
                self.heard.set(true);
                Ok(buf)
            }
            Err(error) => Err(Failed::Io(error)),
        }
    }

    /// Sends the buffer, whole.
    pub(crate) async fn send<T: Transport>(&self, io: &mut T, buf: Buf) -> Result<(), Failed> {
        io.start_send(buf);
        let (result, _) = self.wait(|cx| io.poll_send(cx)).await?;
        result.map_err(Failed::Io)
    }
}

/// A handshake that has come to its end.
pub(crate) struct Shaken {
    session: Session,
    pub(crate) agreed: Agreed,
    waiting: Option<Buf>,
    before: Vec<u8>,
}

impl Shaken {
    /// Ends the connection with this alert (RFC 8446 section 6) instead.
    pub(crate) fn refuse<T: Transport>(mut self, io: &mut T, alert: u8) {
        self.session.refuse(alert, &mut self.before);
        io.send_now(&self.before);
    }

    /// What lies over the stream from now on.
    pub(crate) fn into_layer(self, security: Rc<Security>) -> TlsLayer {
        TlsLayer::new(self.session, security, self.waiting, self.before)
    }
}

/// Shakes hands. `came` are bytes of the peer that have been received already.
pub(crate) async fn shake<T: Transport>(
    io: &mut T,
    mut handshake: Handshake,
    came: Option<Buf>,
    gate: &Gate,
    bounds: &Bounds<'_>,
) -> Result<Shaken, Failed> {
    let mut waiting = came.filter(|buf| !buf.is_empty());
    // A client speaks first.
    let mut speaks = handshake.speaks_first();
    loop {
        if !std::mem::take(&mut speaks) && waiting.as_ref().is_none_or(|buf| !has_record(buf.data())) {
            waiting = Some(bounds.receive(io, waiting.take()).await?);
            continue;
        }
        let mut out = Vec::new();
        let step = {
            let work = || handshake.step(waiting.as_mut().map_or(&mut [], Buf::data_mut), &mut out);
            let mut turn = pin!(gate.step(work));
            bounds.wait(|cx| turn.as_mut().poll(cx)).await?
        };
        let step = match step {
            Ok(step) => step,
            Err(error) => {
                if !out.is_empty() {
                    io.send_now(&out);
                }
                let spoken = waiting.as_ref().map_or(&b""[..], |buf| buf.data());
                return Err(match error {
                    HandshakeError::NotTls if is_proxied(spoken) => Failed::UnreadProxy,
                    HandshakeError::NotTls if is_http(spoken) => Failed::Http,
                    error => Failed::Tls(error),
                });
            }
        };
        if let Some(buf) = &mut waiting {
            buf.advance(step.consumed);
            buf.compact();
        }
        waiting = waiting.filter(|buf| !buf.is_empty());
        if step.done {
            let (session, agreed) = handshake.finish().map_err(Failed::Tls)?;
            // In TLS 1.3 what is left to be said needs no answer: it leaves with the first bytes of the application. In
            // TLS 1.2 the peer waits for it.
            let mut before = out;
            if agreed.version != "TLSv1.3" && !before.is_empty() {
                send(io, &std::mem::take(&mut before), bounds).await?;
            }
            return Ok(Shaken { session, agreed, waiting, before });
        }
        if !out.is_empty() {
            send(io, &out, bounds).await?;
        }
        if let Some(buf) = waiting.take() {
            // Whole records that the step left wait for bytes as well: it has taken what it can.
            waiting = Some(bounds.receive(io, Some(buf)).await?);
        }
    }
}

/// A service may wait for the rest of the handshake before it says anything: then it must not wait for the application.
async fn send<T: Transport>(io: &mut T, bytes: &[u8], bounds: &Bounds<'_>) -> Result<(), Failed> {
    let mut buf = Buf::with_room_for(bytes.len());
    buf.append(bytes);
    bounds.send(io, buf).await
}

/// Whether these bytes begin with a PROXY protocol header.
fn is_proxied(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PROXY ") || matches!(proxyproto::read(bytes), proxyproto::Read::Header { .. })
}

/// Whether these bytes look like the beginning of a request: a method in capitals, and a space.
fn is_http(bytes: &[u8]) -> bool {
    let method = bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    method >= 3 && bytes.get(method) == Some(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spoken_instead_of_tls_is_known() {
        for (bytes, http, proxied) in [
            (&b"GET / HTTP/1.1\r\n"[..], true, false),
            (b"OPTIONS * HTTP/1.1\r\n", true, false),
            (b"GET", false, false),
            (b"get / HTTP/1.1\r\n", false, false),
            (b"SSH-2.0-OpenSSH\r\n", false, false),
            (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", true, true),
            (b"\r\n\r\n\0\r\nQUIT\n\x20\x00\0\0", false, true),
            (b"", false, false),
        ] {
            assert_eq!((is_http(bytes), is_proxied(bytes)), (http, proxied), "{bytes:?}");
        }
    }
}
