//! Bytes of a clear-text connection that were received before the pipeline asked for any: behind a PROXY protocol header,
//! or a ClientHello that was looked into.

use ringgate_rt::Buf;
use std::io;
use std::task::Poll;

/// Bytes that are received first.
pub(super) struct Ahead {
    bytes: Buf,
    asked: Option<Buf>,
}

impl Ahead {
    pub(super) fn new(bytes: Buf) -> Ahead {
        Ahead { bytes, asked: None }
    }

    pub(super) fn start_recv(&mut self, buf: Buf) {
        self.asked = Some(buf);
    }

    pub(super) fn recv_pending(&self) -> bool {
        self.asked.is_some()
    }

    pub(super) fn poll_recv(&mut self) -> Poll<(io::Result<usize>, Buf)> {
        let Some(mut buf) = self.asked.take() else { return Poll::Pending };
        let n = buf.append(self.bytes.data());
        self.bytes.advance(n);
        Poll::Ready((Ok(n), buf))
    }

    /// Whether all of them have been received.
    pub(super) fn is_over(&self) -> bool {
        self.bytes.is_empty() && self.asked.is_none()
    }
}
