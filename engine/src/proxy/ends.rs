//! The two ends of an exchange. Between them nothing knows the HTTP version.
//!
//! Both are polled by the one task of the client's connection. A send is only started after `poll_ready` has said so,
//! which is how back-pressure goes from one side to the other.

use crate::model::{AnswerHead, Answered, BodySize, Edits, Fault, Piece, RequestHead};
use ringgate_protocols::h1::Trailers;
use ringgate_rt::{Buf, Transport, driver};
use std::net::SocketAddr;
use std::task::{Context, Poll};

/// A send of at most so many bytes is taken by the kernel whole and at once, but for a peer that does not read.
const QUIET_SEND_BYTES: usize = ringgate_rt::buffer::STANDARD_BYTES;

/// Whether nobody need be woken only to hear that this was sent. With epoll the waking is what sends it.
#[inline]
pub(crate) fn is_quiet(buf: &Buf) -> bool {
    buf.len() <= QUIET_SEND_BYTES && !driver::current().is_epoll()
}

/// The client's side of one exchange.
pub(crate) trait Downstream {
    /// The byte stream below, for a tunnel.
    type Stream: Transport;

    /// The request's head.
    fn head(&self) -> RequestHead<'_>;
    /// The request's target as sent.
    fn target_text(&self) -> &[u8];
    /// The next piece of the request's body.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>>;
    /// Whether the request's body has been read to its end.
    fn body_done(&self) -> bool;
    /// Bytes of the request's body that have come so far.
    fn body_bytes(&self) -> u64;
    /// The same, with those that have come and can't be read yet: what tells a slow client from one that stands still.
    fn body_progress(&self) -> u64;
    /// Goes back to the start of the request's body. False if what has come of it is not there any more.
    fn rewind(&mut self) -> bool;
    /// Looks whether the client has left, once its request is read. `on_purpose` spends an operation on it where the
    /// next request's receive does not see it anyway.
    fn poll_left(&mut self, cx: &mut Context<'_>, on_purpose: bool) -> Result<(), Fault>;
    /// Whether the client has left for good, also where bytes of it that are not read yet stand before that.
    fn has_left(&mut self) -> bool;

    /// The client's address and the one that it came to, as the socket has them.
    fn addresses(&self) -> Option<(SocketAddr, SocketAddr)>;

    /// Whether something more can be sent now.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>>;
    /// Whether the exchange is over for the client: the answer is with the kernel, or so small that the next request
    /// may be waited for meanwhile.
    fn poll_finished(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>>;
    /// Sends an informational head (1xx).
    fn send_informational(&mut self, head: &AnswerHead<'_>);
    /// Makes this exchange the last of its connection; the answer's head says so.
    fn close_after_this(&mut self);
    /// Takes the head of an answer. It leaves with the first piece of the body, or by `flush`.
    fn put_head(&mut self, head: &AnswerHead<'_>, edits: &Edits);
    /// Sends a head that waits for a body that does not come yet.
    fn flush(&mut self);
    /// Sends a piece of the answer's body.
    fn send_data(&mut self, buf: Buf, last: bool);
    /// Sends the end of the answer's body.
    fn send_end(&mut self, trailers: Option<Box<Trailers>>);
    /// Sends the head that confirms a change of protocol.
    fn send_switch(&mut self, head: &AnswerHead<'_>, edits: &Edits);
    /// Whether any of the answer has left: nothing else can be answered then.
    fn answered(&self) -> bool;
    /// Gives the answer up in the middle, so that the client can't take what it has for the whole.
    fn abort(&mut self);
    /// Gives it up together with what the kernel still holds of it: the client does not take that.
    fn reset(&mut self);
    /// Bytes that the client has confirmed, and bytes that wait, those in the kernel's queue included.
    fn sent(&self) -> (u64, u64);
    /// The byte stream, and what the client has sent on it beyond the request.
    fn tunnel(&mut self) -> (&mut Self::Stream, Option<Buf>);
}

/// The service's side of one exchange.
pub(crate) trait Upstream {
    /// The byte stream below, for a tunnel.
    type Stream: Transport;

    /// Sends the request's head with the first piece of its body.
    fn send_request(&mut self, head: &RequestHead<'_>, edits: &Edits, body: Option<Buf>, last: bool);
    /// Whether something more can be sent now. An error does not mean that no answer can come.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>>;
    /// Drives what is being sent when nothing waits for it: a small send asks for no wake-up of its own, since the answer
    /// brings one, unless it has been `late`.
    fn drive(&mut self, cx: &mut Context<'_>, late: bool);
    /// Sends a piece of the request's body.
    fn send_data(&mut self, buf: Buf, last: bool);
    /// Sends the end of the request's body.
    fn send_end(&mut self, trailers: Option<Box<Trailers>>);

    /// What the service has sent next.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answered, Fault>>;
    /// The head that [`Answered::Head`], `Informational` or `Switched` spoke of.
    fn head(&self) -> AnswerHead<'_>;
    /// Whether any byte of an answer has come.
    fn heard(&self) -> bool;
    /// The byte stream, and what the service has sent on it beyond its head.
    fn tunnel(&mut self) -> (&mut Self::Stream, Option<Buf>);
}

/// The size of a body whose framing H1 spells out.
pub(crate) fn body_size(length: ringgate_protocols::h1::BodyLength) -> BodySize {
    use ringgate_protocols::h1::BodyLength;
    match length {
        BodyLength::None => BodySize::None,
        BodyLength::Length(n) => BodySize::Known(n),
        BodyLength::Chunked | BodyLength::UntilClose => BodySize::Unknown,
    }
}
