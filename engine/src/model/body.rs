//! Bodies stream: a piece at a time, pulled by whoever has somewhere to put it.

use ringgate_protocols::h1::Trailers;
use ringgate_rt::Buf;

/// What is known of a body's length before it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BodySize {
    /// There is none.
    None,
    /// So many bytes.
    Known(u64),
    /// It ends when it ends.
    Unknown,
}

/// A piece of a request's body.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Payload. `last` if nothing follows, not even trailers.
    Data { buf: Buf, last: bool },
    /// The end.
    End(Option<Box<Trailers>>),
}

/// What a service has sent.
#[derive(Debug)]
pub(crate) enum Answered {
    /// An informational head (1xx); more heads follow.
    Informational,
    /// The final head. The body follows.
    Head,
    /// The service changes the protocol as the client asked: from here on both sides are plain bytes.
    Switched,
    /// A piece of the body.
    Piece(Piece),
}
