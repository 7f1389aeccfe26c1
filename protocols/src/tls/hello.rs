//! The server name of a ClientHello, read without taking part in the handshake: for passthrough by SNI.
//!
//! Keeps no bytes and never answers: whoever holds the certificate judges the rest of the hello. What two
//! readers could take for two different names is refused.

mod flaw;
mod message;

#[cfg(test)]
mod tests;

pub use flaw::Flaw;
pub use message::ALPN_PROTOCOLS_MAX;

use std::borrow::Cow;

/// Longest ClientHello, in bytes, with the four before its body. Real ones are below 2 KiB; with post-quantum keys and
/// tickets below 6.
pub const HELLO_BYTES_MAX: usize = 16 * 1024;

/// Longest plaintext of a record, in bytes (RFC 8446 section 5.1).
pub const RECORD_BYTES_MAX: usize = 1 << 14;

/// Most bytes that are ever needed: the longest hello in records of one byte each. A buffer of this size always gives
/// an answer other than [`Sniff::NeedMore`].
pub const SNIFF_BYTES_MAX: usize = HELLO_BYTES_MAX * (RECORD_HEADER_BYTES + 1);

/// Bytes before a record's plaintext: content type, version, length.
const RECORD_HEADER_BYTES: usize = 5;

/// The content type of handshake messages (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;

/// Major version of records and hellos: SSL 3.0 to TLS 1.3 all say 3.
const MAJOR_VERSION: u8 = 3;

/// The type of the message (RFC 8446 section 4).
const CLIENT_HELLO: u8 = 1;

/// Bytes before a handshake message's body: type and length.
const MESSAGE_HEADER_BYTES: usize = 4;

/// What a ClientHello asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hello {
    /// The name of the server, a DNS name of at most 253 bytes in lower case without a trailing dot. None where the
    /// client gave none, or an IP address, which is not allowed there (RFC 6066 section 3).
    pub server_name: Option<String>,
    /// The protocols that the client offers, in its order, at most [`ALPN_PROTOCOLS_MAX`] (RFC 7301).
    pub alpn: Vec<Vec<u8>>,
}

/// What [`sniff`] found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sniff {
    /// The bytes are the beginning of a ClientHello: call again when there are more.
    NeedMore,
    /// A ClientHello. All bytes are still to be passed on.
    Hello(Hello),
    /// No ClientHello, or one that is malformed. The connection must be closed.
    NotTls(Flaw),
}

/// Reads the ClientHello at the start of `bytes`, which may be spread over any number of records.
///
/// With more bytes behind them the same bytes give the same, unless the answer was [`Sniff::NeedMore`]. Until the hello
/// is whole nothing is allocated; what follows the hello is not looked at. Of any version from SSL 3.0 on; cipher
/// suites, keys and unknown extensions are not judged. Who calls again as bytes come uses a [`Sniffer`].
pub fn sniff(bytes: &[u8]) -> Sniff {
    Sniffer::new().sniff(bytes)
}

/// [`sniff`] over bytes that come in pieces: remembers which records it has walked over, so that no number of small
/// records makes a call long.
#[derive(Clone, Debug, Default)]
pub struct Sniffer {
    /// Where the first record begins that was not whole.
    at: usize,
    /// Bytes of the message in the records before it.
    there: usize,
    /// As many as are there of the message's header.
    header: [u8; MESSAGE_HEADER_BYTES],
}

impl Sniffer {
    /// One that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads on. `bytes` are all since the connection's first, those of earlier calls among them.
    pub fn sniff(&mut self, bytes: &[u8]) -> Sniff {
        match self.read(bytes) {
            Ok(None) => Sniff::NeedMore,
            Ok(Some(hello)) => Sniff::Hello(hello),
            Err(flaw) => Sniff::NotTls(flaw),
        }
    }

    fn read(&mut self, bytes: &[u8]) -> Result<Option<Hello>, Flaw> {
        let Some(extent) = self.extent(bytes)? else { return Ok(None) };
        let message = extent.message(bytes)?;
        message::read(message.get(MESSAGE_HEADER_BYTES..).unwrap_or_default()).map(Some)
    }

    /// Walks over the records' headers. Nothing while the message is not whole.
    fn extent(&mut self, bytes: &[u8]) -> Result<Option<Extent>, Flaw> {
        loop {
            let Some(record) = record(bytes.get(self.at..).unwrap_or_default())? else { return Ok(None) };
            for (to, from) in self.header.iter_mut().skip(self.there).zip(record.payload) {
                *to = *from;
            }
            let there = self.there + record.payload.len();
            if let Some(message_len) = message_len(&self.header, there)? {
                if self.there + record.len > message_len {
                    return Err(Flaw::Trailing);
                }
                if there == message_len {
                    return Ok(Some(Extent { message_len, len: bytes.len() - record.rest.len() }));
                }
            }
            if record.payload.len() < record.len {
                return Ok(None);
            }
            self.there = there;
            self.at += RECORD_HEADER_BYTES + record.len;
        }
    }
}

/// How far a message reaches.
struct Extent {
    /// Its length with its header, in bytes.
    message_len: usize,
    /// The length of the records that hold it, in bytes.
    len: usize,
}

impl Extent {
    /// The message: where it lies if in one record, else put together.
    fn message<'a>(&self, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, Flaw> {
        let first = record(bytes)?.map(|record| record.payload).unwrap_or_default();
        if first.len() == self.message_len {
            return Ok(Cow::Borrowed(first));
        }
        let mut message = Vec::with_capacity(self.message_len);
        let mut rest = bytes.get(..self.len).unwrap_or_default();
        while let Some(record) = record(rest)? {
            message.extend_from_slice(record.payload);
            rest = record.rest;
        }
        Ok(Cow::Owned(message))
    }
}

/// The message's length with its header, once the `there` bytes of its header tell it.
fn message_len(header: &[u8; MESSAGE_HEADER_BYTES], there: usize) -> Result<Option<usize>, Flaw> {
    let [kind, length @ ..] = *header;
    if there > 0 && kind != CLIENT_HELLO {
        return Err(Flaw::Message);
    }
    if there < MESSAGE_HEADER_BYTES {
        return Ok(None);
    }
    let body_len = length.iter().fold(0, |len, &byte| len << 8 | usize::from(byte));
    if body_len > HELLO_BYTES_MAX - MESSAGE_HEADER_BYTES {
        return Err(Flaw::HelloBytes);
    }
    Ok(Some(MESSAGE_HEADER_BYTES + body_len))
}

/// A record whose header is there.
struct Record<'a> {
    /// Announced length of its plaintext, in bytes.
    len: usize,
    /// As much of the plaintext as is there.
    payload: &'a [u8],
    /// What follows.
    rest: &'a [u8],
}

/// The record at the start of `bytes`, or nothing while its header is not there.
fn record(bytes: &[u8]) -> Result<Option<Record<'_>>, Flaw> {
    if bytes.first().is_some_and(|&content_type| content_type != HANDSHAKE) {
        return Err(Flaw::ContentType);
    }
    // The minor version says nothing (RFC 8446 section 5.1).
    if bytes.get(1).is_some_and(|&major| major != MAJOR_VERSION) {
        return Err(Flaw::RecordVersion);
    }
    let Some((&[_, _, _, high, low], payload)) = bytes.split_first_chunk::<RECORD_HEADER_BYTES>() else {
        return Ok(None);
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len == 0 {
        return Err(Flaw::EmptyRecord);
    }
    if len > RECORD_BYTES_MAX {
        return Err(Flaw::RecordBytes);
    }
    let (payload, rest) = payload.split_at_checked(len).unwrap_or((payload, &[]));
    Ok(Some(Record { len, payload, rest }))
}
