//! A byte stream in memory, for benches and simulations: the pipeline runs on it without a ring.
//!
//! Bytes are copied once, as the kernel would. In the steady state nothing is allocated.

use crate::buffer::Buf;
use crate::transport::{Transport, cancelled};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Bytes that one direction holds before a send has to wait.
pub const PIPE_BYTES: usize = 256 * 1024;

/// Two ends that are connected to each other.
pub fn pair() -> (End, End) {
    let one = Rc::new(RefCell::new(Pipe::default()));
    let two = Rc::new(RefCell::new(Pipe::default()));
    (End::new(one.clone(), two.clone()), End::new(two, one))
}

#[derive(Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    ended: bool,
    reset: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// One end of a connection in memory.
pub struct End {
    input: Rc<RefCell<Pipe>>,
    output: Rc<RefCell<Pipe>>,
    recv: Option<Buf>,
    cancelled: bool,
    send: Option<Buf>,
    sent: u64,
}

impl End {
    fn new(input: Rc<RefCell<Pipe>>, output: Rc<RefCell<Pipe>>) -> End {
        End { input, output, recv: None, cancelled: false, send: None, sent: 0 }
    }

    /// Puts bytes in for the other end, without a task.
    pub fn put(&mut self, bytes: &[u8]) {
        let mut pipe = self.output.borrow_mut();
        pipe.bytes.extend(bytes);
        wake(&mut pipe.reader);
    }

    /// Takes what the other end has sent: calls `with` on up to two pieces, and returns how many bytes there were.
    pub fn take(&mut self, mut with: impl FnMut(&[u8])) -> usize {
        let mut pipe = self.input.borrow_mut();
        let (front, back) = pipe.bytes.as_slices();
        with(front);
        with(back);
        let n = front.len() + back.len();
        pipe.bytes.clear();
        wake(&mut pipe.writer);
        n
    }

    fn end(&mut self, reset: bool) {
        for pipe in [&self.output, &self.input] {
            let mut pipe = pipe.borrow_mut();
            pipe.ended = true;
            pipe.reset |= reset;
            wake(&mut pipe.reader);
            wake(&mut pipe.writer);
        }
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

fn watch(slot: &mut Option<Waker>, cx: &mut Context<'_>) {
    match slot {
        Some(waker) if waker.will_wake(cx.waker()) => {}
        slot => *slot = Some(cx.waker().clone()),
    }
}

impl Transport for End {
    fn start_recv(&mut self, buf: Buf) {
        self.recv = Some(buf);
        self.cancelled = false;
    }

    fn recv_pending(&self) -> bool {
        self.recv.is_some()
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<(io::Result<usize>, Buf)> {
        let Some(mut buf) = self.recv.take() else {
            return Poll::Pending;
        };
        let mut pipe = self.input.borrow_mut();
        if pipe.reset {
            return Poll::Ready((Err(io::ErrorKind::ConnectionReset.into()), buf));
        }
        let (front, _) = pipe.bytes.as_slices();
        let n = buf.append(front);
        if n > 0 {
            pipe.bytes.drain(..n);
            wake(&mut pipe.writer);
            return Poll::Ready((Ok(n), buf));
        }
        if pipe.ended {
            return Poll::Ready((Ok(0), buf));
        }
        if std::mem::take(&mut self.cancelled) {
            return Poll::Ready((Err(cancelled()), buf));
        }
        watch(&mut pipe.reader, cx);
        self.recv = Some(buf);
        Poll::Pending
    }

    fn cancel_recv(&mut self) {
        self.cancelled = self.recv.is_some();
        wake(&mut self.input.borrow_mut().reader);
    }

    fn start_send(&mut self, buf: Buf) {
        self.send = Some(buf);
    }

    fn send_pending(&self) -> bool {
        self.send.is_some()
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<(io::Result<()>, Buf)> {
        let Some(mut buf) = self.send.take() else {
            return Poll::Pending;
        };
        let mut pipe = self.output.borrow_mut();
        if pipe.ended {
            return Poll::Ready((Err(io::ErrorKind::BrokenPipe.into()), buf));
        }
        let n = buf.len().min(PIPE_BYTES.saturating_sub(pipe.bytes.len()));
        pipe.bytes.extend(&buf.data()[..n]);
        buf.advance(n);
        self.sent += n as u64;
        wake(&mut pipe.reader);
        if buf.is_empty() {
            return Poll::Ready((Ok(()), buf));
        }
        watch(&mut pipe.writer, cx);
        self.send = Some(buf);
        Poll::Pending
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.input.borrow_mut();
        if pipe.ended || !pipe.bytes.is_empty() {
            return Poll::Ready(Ok(()));
        }
        watch(&mut pipe.reader, cx);
        Poll::Pending
    }

    fn stop_readable(&mut self) {}

    fn rest(&mut self) {}

    fn confirmed(&self) -> u64 {
        self.sent.saturating_sub(self.unconfirmed())
    }

    fn unconfirmed(&self) -> u64 {
        self.output.borrow().bytes.len() as u64
    }

    fn peer_left(&self) -> bool {
        self.input.borrow().reset
    }

    fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        None
    }

    fn hold_for_end(&mut self) {}

    fn send_now(&mut self, bytes: &[u8]) -> bool {
        let mut pipe = self.output.borrow_mut();
        if self.send.is_some() || pipe.ended {
            return false;
        }
        pipe.bytes.extend(bytes);
        self.sent += bytes.len() as u64;
        wake(&mut pipe.reader);
        true
    }

    fn shutdown_write(&mut self) {
        let mut pipe = self.output.borrow_mut();
        pipe.ended = true;
        wake(&mut pipe.reader);
    }

    fn shutdown(&mut self) {
        self.end(false);
    }

    fn reset_on_close(&mut self) {
        self.end(true);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.end(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::was_cancelled;

    #[test]
    fn a_cancel_ends_the_receive_that_it_meets_and_no_other() {
        let cx = &mut Context::from_waker(Waker::noop());
        let (mut near, mut far) = pair();
        near.start_recv(Buf::standard());
        far.put(b"first");
        near.cancel_recv();
        assert!(matches!(near.poll_recv(cx), Poll::Ready((Ok(5), _))), "bytes that had come count");
        near.start_recv(Buf::standard());
        assert!(near.poll_recv(cx).is_pending(), "the cancel came too late for this one");
        near.cancel_recv();
        let Poll::Ready((Err(error), _)) = near.poll_recv(cx) else { panic!("cancelled") };
        assert!(was_cancelled(&error));
        near.cancel_recv();
        near.start_recv(Buf::standard());
        assert!(near.poll_recv(cx).is_pending(), "there was nothing to cancel");
    }
}
