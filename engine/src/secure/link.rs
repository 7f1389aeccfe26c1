//! A connection as the pipeline sees it: clear text, or TLS over it. Whoever reads and writes does not know which.

use super::Security;
use super::ahead::Ahead;
use super::layer::TlsLayer;
use ringgate_rt::{Buf, Transport};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A byte stream, with what lies over it. For clear text that is nothing, and costs a test of a pointer.
pub(crate) struct Link<T: Transport> {
    io: T,
    layer: Option<Box<Layer>>,
}

#[expect(clippy::large_enum_variant, reason = "the smaller one is gone as soon as its bytes are received")]
enum Layer {
    /// Bytes that were received before they were asked for.
    Ahead(Ahead),
    Tls(TlsLayer),
}

impl<T: Transport> Link<T> {
    /// Clear text.
    pub(crate) fn clear(io: T) -> Link<T> {
        Link { io, layer: None }
    }

    /// The stream below, for as long as nothing lies over it: what secures a connection is told there.
    pub(crate) fn bare(&mut self) -> &mut T {
        &mut self.io
    }

    /// Has these bytes received first: they came while something else was looked for.
    pub(crate) fn put_ahead(&mut self, bytes: Buf) {
        if !bytes.is_empty() {
            self.layer = Some(Box::new(Layer::Ahead(Ahead::new(bytes))));
        }
    }

    /// From here on the connection is secured.
    pub(crate) fn secure(&mut self, tls: TlsLayer) {
        self.layer = Some(Box::new(Layer::Tls(tls)));
    }

    /// What the handshake has come to; none for clear text.
    pub(crate) fn security(&self) -> Option<&Rc<Security>> {
        match self.layer.as_deref() {
            Some(Layer::Tls(tls)) => Some(tls.security()),
            _ => None,
        }
    }

    #[inline]
    fn tls(&mut self) -> Option<(&mut TlsLayer, &mut T)> {
        match self.layer.as_deref_mut() {
            Some(Layer::Tls(tls)) => Some((tls, &mut self.io)),
            _ => None,
        }
    }
}

impl<T: Transport> Transport for Link<T> {
    #[inline]
    fn start_recv(&mut self, buf: Buf) {
        match self.layer.as_deref_mut() {
            None => self.io.start_recv(buf),
            Some(Layer::Ahead(ahead)) => ahead.start_recv(buf),
            Some(Layer::Tls(tls)) => tls.start_recv(buf),
        }
    }

    #[inline]
    fn recv_pending(&self) -> bool {
        match self.layer.as_deref() {
            None => self.io.recv_pending(),
            Some(Layer::Ahead(ahead)) => ahead.recv_pending(),
            Some(Layer::Tls(tls)) => tls.recv_pending(),
        }
    }

    #[inline]
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<(io::Result<usize>, Buf)> {
        match self.layer.as_deref_mut() {
            None => self.io.poll_recv(cx),
            Some(Layer::Tls(tls)) => tls.poll_recv(&mut self.io, cx),
            Some(Layer::Ahead(ahead)) => {
                let received = ahead.poll_recv();
                if ahead.is_over() {
                    self.layer = None;
                }
                received
            }
        }
    }

    fn cancel_recv(&mut self) {
        match self.layer.as_deref_mut() {
            None => self.io.cancel_recv(),
            Some(Layer::Tls(tls)) => tls.cancel_recv(&mut self.io),
            // The bytes are there: they count.
            Some(Layer::Ahead(_)) => {}
        }
    }

    #[inline]
    fn start_send(&mut self, buf: Buf) {
        match self.tls() {
            None => self.io.start_send(buf),
            Some((tls, io)) => tls.start_send(io, buf),
        }
    }

    #[inline]
    fn send_pending(&self) -> bool {
        self.io.send_pending()
    }

    #[inline]
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<(io::Result<()>, Buf)> {
        match self.tls() {
            None => self.io.poll_send(cx),
            Some((tls, io)) => tls.poll_send(io, cx),
        }
    }

    #[inline]
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ready = match self.layer.as_deref() {
            None => false,
            Some(Layer::Ahead(_)) => true,
            Some(Layer::Tls(tls)) => tls.is_readable(),
        };
        if ready { Poll::Ready(Ok(())) } else { self.io.poll_readable(cx) }
    }

    fn stop_readable(&mut self) {
        self.io.stop_readable();
    }

    fn rest(&mut self) {
        self.io.rest();
    }

    fn confirmed(&self) -> u64 {
        self.io.confirmed()
    }

    fn unconfirmed(&self) -> u64 {
        self.io.unconfirmed()
    }

    fn held(&self) -> u64 {
        match self.layer.as_deref() {
            Some(Layer::Tls(tls)) => tls.held(),
            _ => 0,
        }
    }

    fn peer_left(&self) -> bool {
        self.io.peer_left()
    }

    fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.io.addresses()
    }

    fn hold_for_end(&mut self) {
        if let Some((tls, _)) = self.tls() {
            tls.end_with_next();
        }
        self.io.hold_for_end();
    }

    fn send_now(&mut self, bytes: &[u8]) -> bool {
        // Only what lies below TLS has last words.
        self.layer.is_none() && self.io.send_now(bytes)
    }

    fn shutdown_write(&mut self) {
        if let Some((tls, io)) = self.tls() {
            tls.close(io);
        }
        self.io.shutdown_write();
    }

    fn shutdown(&mut self) {
        if let Some((tls, io)) = self.tls() {
            tls.close(io);
        }
        self.io.shutdown();
    }

    fn reset_on_close(&mut self) {
        if let Some((tls, _)) = self.tls() {
            tls.give_up();
        }
        self.io.reset_on_close();
    }
}

impl<T: Transport> Drop for Link<T> {
    fn drop(&mut self) {
        if let Some((tls, io)) = self.tls() {
            tls.close(io);
        }
    }
}
