//! The form of an access-log line, compiled from the configuration: what the pipeline's record is written by.

use ringgate_config::{AccessLog, LogFormat, LogPart};

/// What a line looks like.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LogPlan {
    /// One JSON object; with what is known of the connection's security, and with these request header fields, in lower
    /// case, if any.
    Json { tls: bool, headers: Vec<String> },
    /// The combined log format of Apache and nginx.
    Combined,
    /// These parts, one behind the other.
    Template(Vec<LogPart>),
}

impl LogPlan {
    /// The form that the configuration asks for.
    pub(crate) fn compile(config: &AccessLog) -> LogPlan {
        match &config.format {
            LogFormat::Json => LogPlan::Json { tls: config.tls, headers: config.headers.clone() },
            LogFormat::Combined => LogPlan::Combined,
            LogFormat::Template(parts) => LogPlan::Template(parts.clone()),
        }
    }
}

/// Appends a value of a plain-text line. What could end the line, a quoted value, or the reader's idea of its encoding is
/// written as `\xHH`, as nginx does: control characters, quotes, backslashes, and every byte beyond ASCII. What is not there
/// is a hyphen.
pub(crate) fn plain_text(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None | Some(b"") => out.push(b'-'),
        Some(value) => plain_part(out, value),
    }
}

fn plain_part(out: &mut Vec<u8>, value: &[u8]) {
    if value.iter().fold(true, |plain, byte| plain & super::json::is_plain(*byte)) {
        return out.extend_from_slice(value);
    }
    for byte in value {
        if super::json::is_plain(*byte) {
            out.push(*byte);
        } else {
            out.extend_from_slice(b"\\x");
            out.extend([byte >> 4, byte & 15].map(|nibble| b"0123456789ABCDEF"[nibble as usize]));
        }
    }
}

/// Appends values joined by commas, as [`plain_text`] does one.
pub(crate) fn plain_joined<'v>(out: &mut Vec<u8>, mut values: impl Iterator<Item = &'v [u8]>) {
    plain_text(out, values.next());
    for value in values {
        out.extend_from_slice(b", ");
        plain_part(out, value);
    }
}
