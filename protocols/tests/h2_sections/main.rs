//! Every MUST of RFC 9113 that names an error of a stream or of the connection, by its section; also those of RFC 8441
//! and RFC 9218. A row is what the peer sends once a connection is open, and what must come of it.

// Clippy takes only functions marked as tests for tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../h2_wire/mod.rs"]
mod wire;

mod flow;
mod framing;
mod messages;
mod states;

use ringgate_protocols::h2::{ErrorCode, Limits};
use wire::{End, Outcome, outcome};

/// What a row is about, what the peer sends, what must come of it.
pub(crate) type Row = (&'static str, Vec<u8>, Outcome);

pub(crate) const PROTOCOL: Outcome = Outcome::Connection(ErrorCode::PROTOCOL_ERROR);
pub(crate) const SIZE: Outcome = Outcome::Connection(ErrorCode::FRAME_SIZE_ERROR);
pub(crate) const CLOSED: Outcome = Outcome::Connection(ErrorCode::STREAM_CLOSED);
pub(crate) const COMPRESSION: Outcome = Outcome::Connection(ErrorCode::COMPRESSION_ERROR);
pub(crate) const FLOW: Outcome = Outcome::Connection(ErrorCode::FLOW_CONTROL_ERROR);
pub(crate) const CALM: Outcome = Outcome::Connection(ErrorCode::ENHANCE_YOUR_CALM);

pub(crate) const fn stream(id: u32, code: ErrorCode) -> Outcome {
    Outcome::Stream(id, code)
}

fn check(rows: Vec<Row>, mut end: impl FnMut() -> End) {
    for (name, bytes, expected) in rows {
        assert_eq!(outcome(&mut end(), &bytes), expected, "{name}");
        // The same byte by byte.
        let mut slow = end();
        let mut result = Outcome::Fine;
        for byte in bytes.chunks(1) {
            match outcome(&mut slow, byte) {
                Outcome::Fine => {}
                other if result == Outcome::Fine => result = other,
                _ => {}
            }
            if let Outcome::Connection(_) = result {
                break;
            }
        }
        assert_eq!(result, expected, "{name}, byte by byte");
    }
}

/// Rows for a server whose client is under way.
pub(crate) fn server(rows: Vec<Row>) {
    check(rows, || End::open_server(Limits::default()));
}

/// Rows for a client that has sent a complete GET on stream 1 and the head of a POST on stream 3.
pub(crate) fn client(rows: Vec<Row>) {
    check(rows, || {
        let mut end = End::open_client(Limits::default());
        end.request("GET", true);
        end.request("POST", false);
        end.out.clear();
        end
    });
}
