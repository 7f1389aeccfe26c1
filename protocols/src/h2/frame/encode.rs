//! Small frames to bytes. HEADERS and DATA are written by the connection.

use super::{Head, Kind, Setting, flags};
use crate::h2::ErrorCode;

/// Appends SETTINGS (RFC 9113 section 6.5).
pub fn settings(settings: &[Setting], out: &mut Vec<u8>) {
    head(settings.len() * 6, Kind::SETTINGS, 0, 0, out);
    for setting in settings {
        let (id, value) = setting.parts();
        out.extend_from_slice(&id.to_be_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }
}

/// Appends the acknowledgement of SETTINGS.
pub fn settings_ack(out: &mut Vec<u8>) {
    head(0, Kind::SETTINGS, flags::ACK, 0, out);
}

/// Appends PING, or its echo (RFC 9113 section 6.7).
pub fn ping(ack: bool, payload: [u8; 8], out: &mut Vec<u8>) {
    head(8, Kind::PING, if ack { flags::ACK } else { 0 }, 0, out);
    out.extend_from_slice(&payload);
}

/// Appends RST_STREAM (RFC 9113 section 6.4).
pub fn reset(stream: u32, code: ErrorCode, out: &mut Vec<u8>) {
    head(4, Kind::RST_STREAM, 0, stream, out);
    out.extend_from_slice(&code.0.to_be_bytes());
}

/// Appends GOAWAY (RFC 9113 section 6.8). `debug` is text for a person, far shorter than a frame may be.
pub fn goaway(last_stream: u32, code: ErrorCode, debug: &str, out: &mut Vec<u8>) {
    head(8 + debug.len(), Kind::GOAWAY, 0, 0, out);
    out.extend_from_slice(&last_stream.to_be_bytes());
    out.extend_from_slice(&code.0.to_be_bytes());
    out.extend_from_slice(debug.as_bytes());
}

/// Appends WINDOW_UPDATE (RFC 9113 section 6.9); `stream` 0 is the connection. The increment is from 1 to 2^31 - 1.
pub fn window_update(stream: u32, increment: u32, out: &mut Vec<u8>) {
    head(4, Kind::WINDOW_UPDATE, 0, stream, out);
    out.extend_from_slice(&increment.to_be_bytes());
}

fn head(len: usize, kind: Kind, flags: u8, stream: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&Head { len: len as u32, kind, flags, stream }.bytes());
}
