//! A connection after its handshake: records are sealed and opened in place, and what TLS says among them is answered.

use super::failure::Failure;
use super::record::{self, Content, Key, PAYLOAD_MAX};
use rustls::client::ClientConnectionData;
use rustls::kernel::KernelConnection;
use rustls::server::ServerConnectionData;
use rustls::{ExtractedSecrets, ProtocolVersion};
use std::ops::Range;

/// Records without data that may come one upon the other: alerts of no weight, key updates, tickets, empty records.
pub const EMPTY_RECORDS_MAX: u32 = 32;
/// Bytes of a handshake message after the handshake at most: a ticket (RFC 8446 section 4.6.1) and its head.
pub const MESSAGE_MAX: usize = 1 << 17;

const CLOSE_NOTIFY: u8 = 0;
const USER_CANCELED: u8 = 90;
const WARNING: u8 = 1;
const FATAL: u8 = 2;
const NEW_SESSION_TICKET: u8 = 4;
const KEY_UPDATE: u8 = 24;
/// Records that a key still seals when it is to be updated.
const UPDATE_AT_LEFT: u64 = 1 << 10;

/// A secured connection.
pub struct Session {
    pub(super) seal: Key,
    open: Key,
    secrets: Secrets,
    /// The beginning of a handshake message that goes on in another record.
    message: Vec<u8>,
    empty: u32,
    /// The sealing key is to be updated before the next record.
    pub(super) update_due: bool,
    closed_by_peer: bool,
    /// Nothing more may be sealed: the end has been said.
    ended: bool,
}

/// Where the secrets of further keys come from.
enum Secrets {
    /// TLS 1.2 has no further keys.
    None,
    Server(Box<KernelConnection<ServerConnectionData>>),
    Client(Box<KernelConnection<ClientConnectionData>>),
}

/// What came of opening records.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened {
    /// Where the payloads stand, one behind the other.
    pub plain: Range<usize>,
    /// Where the bytes begin that have not been dealt with: a record of which more is to come, or what follows the end.
    pub rest: usize,
    /// The peer has said that it sends nothing more.
    pub closed: bool,
}

impl Session {
    pub(super) fn server(
        (secrets, kernel): (ExtractedSecrets, KernelConnection<ServerConnectionData>),
    ) -> Result<Session, Failure> {
        let tls13 = kernel.protocol_version() == ProtocolVersion::TLSv1_3;
        let next = if tls13 { Secrets::Server(Box::new(kernel)) } else { Secrets::None };
        Session::new(&secrets, tls13, next)
    }

    pub(super) fn client(
        (secrets, kernel): (ExtractedSecrets, KernelConnection<ClientConnectionData>),
    ) -> Result<Session, Failure> {
        let tls13 = kernel.protocol_version() == ProtocolVersion::TLSv1_3;
        let next = if tls13 { Secrets::Client(Box::new(kernel)) } else { Secrets::None };
        Session::new(&secrets, tls13, next)
    }

    fn new(secrets: &ExtractedSecrets, tls13: bool, next: Secrets) -> Result<Session, Failure> {
        Ok(Session {
            seal: Key::new(secrets.tx.0, &secrets.tx.1, tls13)?,
            open: Key::new(secrets.rx.0, &secrets.rx.1, tls13)?,
            secrets: next,
            message: Vec::new(),
            empty: 0,
            update_due: false,
            closed_by_peer: false,
            ended: false,
        })
    }

    /// Opens the whole records of `bytes[at..]` where they stand. Their payloads are moved together: right behind `at`, or
    /// where the first of them stands if `at` is 0.
    ///
    /// # Errors
    /// Whatever ends the connection. [`last_words`](Session::last_words) then has what the peer is to be told.
    pub fn open(&mut self, bytes: &mut [u8], at: usize) -> Result<Opened, Failure> {
        let mut plain = at..at;
        let mut next = at;
        while !self.closed_by_peer
            && let Some(len) = record::whole(&bytes[next..])?
        {
            let (content, payload) = self.open.open(&mut bytes[next..next + len])?;
            let payload = next + payload.start..next + payload.end;
            next += len;
            if content == Content::Data && !payload.is_empty() && self.message.is_empty() {
                self.empty = 0;
                if plain.is_empty() && at == 0 {
                    plain = payload;
                } else {
                    bytes.copy_within(payload.clone(), plain.end);
                    plain.end += payload.len();
                }
                continue;
            }
            self.empty += 1;
            if self.empty > EMPTY_RECORDS_MAX {
                return Err(Failure::TooManyEmpty);
            }
            self.other(content, &bytes[payload])?;
        }
        Ok(Opened { plain, rest: next, closed: self.closed_by_peer })
    }

    fn other(&mut self, content: Content, payload: &[u8]) -> Result<(), Failure> {
        if !self.message.is_empty() && content != Content::Handshake {
            // A message may not be interleaved with anything (RFC 8446 section 5.1).
            return Err(Failure::UnexpectedMessage);
        }
        match content {
            Content::Data if payload.is_empty() => Ok(()),
            Content::Data => Err(Failure::UnexpectedMessage),
            Content::Alert => self.alerted(payload),
            Content::Handshake => self.told(payload),
            Content::ChangeCipherSpec => Err(Failure::UnexpectedMessage),
        }
    }

    fn alerted(&mut self, payload: &[u8]) -> Result<(), Failure> {
        let &[level, description] = payload else { return Err(Failure::BadMessage) };
        match description {
            CLOSE_NOTIFY => self.closed_by_peer = true,
            USER_CANCELED => {}
            // Warnings are a thing of TLS 1.2; since then every other alert is an error, whatever its level.
            _ if level == WARNING && matches!(self.secrets, Secrets::None) => {}
            other => return Err(Failure::Alert(other)),
        }
        Ok(())
    }

    /// Handshake messages after the handshake (RFC 8446 section 4.6). In TLS 1.2 every one would be a renegotiation, which
    /// there is none of here.
    fn told(&mut self, payload: &[u8]) -> Result<(), Failure> {
        if matches!(self.secrets, Secrets::None) || payload.is_empty() {
            return Err(Failure::UnexpectedMessage);
        }
        let mut message = std::mem::take(&mut self.message);
        message.extend_from_slice(payload);
        let mut rest = &message[..];
        while let Some((&[kind, a, b, c], behind)) = rest.split_first_chunk() {
            let len = u32::from_be_bytes([0, a, b, c]) as usize;
            self.may_come(kind, len)?;
            let Some((body, behind)) = behind.split_at_checked(len) else { break };
            // What comes after an update is sealed with another key: nothing may follow it in its record.
            if kind == KEY_UPDATE && !behind.is_empty() {
                return Err(Failure::UnexpectedMessage);
            }
            self.message_is(kind, body)?;
            rest = behind;
        }
        let done = message.len() - rest.len();
        message.drain(..done);
        if message.capacity() > 0 && !message.is_empty() {
            self.message = message;
        }
        Ok(())
    }

    /// Whether there is such a message at all: nothing else is waited for.
    fn may_come(&self, kind: u8, len: usize) -> Result<(), Failure> {
        match (kind, &self.secrets) {
            (KEY_UPDATE, _) if len == 1 => Ok(()),
            (NEW_SESSION_TICKET, Secrets::Client(_)) if len <= MESSAGE_MAX => Ok(()),
            (KEY_UPDATE, _) | (NEW_SESSION_TICKET, Secrets::Client(_)) => Err(Failure::BadMessage),
            _ => Err(Failure::UnexpectedMessage),
        }
    }

    fn message_is(&mut self, kind: u8, body: &[u8]) -> Result<(), Failure> {
        match (kind, &mut self.secrets) {
            (KEY_UPDATE, secrets) => {
                let &[asked @ 0..=1] = body else { return Err(Failure::BadMessage) };
                let (sequence, secret) = match secrets {
                    Secrets::Server(kernel) => kernel.update_rx_secret(),
                    Secrets::Client(kernel) => kernel.update_rx_secret(),
                    Secrets::None => return Err(Failure::UnexpectedMessage),
                }
                .map_err(|_| Failure::Internal)?;
                self.open = Key::new(sequence, &secret, true)?;
                self.update_due |= asked == 1;
                Ok(())
            }
            (NEW_SESSION_TICKET, Secrets::Client(kernel)) => {
                kernel.handle_new_session_ticket(body).map_err(|_| Failure::BadMessage)
            }
            _ => Err(Failure::UnexpectedMessage),
        }
    }

    /// Bytes that a record has in front of its payload.
    #[inline]
    pub fn front(&self) -> usize {
        self.seal.front()
    }

    /// Bytes that a record has behind its payload.
    #[inline]
    pub fn back(&self) -> usize {
        self.seal.back()
    }

    /// Seals a record of at most [`PAYLOAD_MAX`] bytes of payload in place: `record` is `front()` bytes, the payload, and
    /// `back()` bytes. What [`due`](Session::due) gives must have been sent before.
    ///
    /// # Errors
    /// A connection that has sealed as much as it may (2^24 records in TLS 1.2), or has ended.
    #[inline]
    pub fn seal(&mut self, record: &mut [u8]) -> Result<(), Failure> {
        if self.ended {
            return Err(Failure::Internal);
        }
        self.seal.seal(Content::Data, record)
    }

    /// Whether [`due`](Session::due) has something.
    #[inline]
    pub fn is_due(&self) -> bool {
        self.update_due || self.seal.left() <= UPDATE_AT_LEFT
    }

    /// Appends what must be sent before the next record: an update of the key.
    ///
    /// # Errors
    /// As [`seal`](Session::seal).
    pub fn due(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.update_due = false;
        if self.ended || matches!(self.secrets, Secrets::None) {
            return Ok(());
        }
        self.append(Content::Handshake, &[KEY_UPDATE, 0, 0, 1, 0], out)?;
        let (sequence, secret) = match &mut self.secrets {
            Secrets::Server(kernel) => kernel.update_tx_secret(),
            Secrets::Client(kernel) => kernel.update_tx_secret(),
            Secrets::None => return Ok(()),
        }
        .map_err(|_| Failure::Internal)?;
        self.seal = Key::new(sequence, &secret, true)?;
        Ok(())
    }

    /// Whether the peer has said that it sends nothing more.
    pub fn is_closed_by_peer(&self) -> bool {
        self.closed_by_peer
    }

    /// Appends what says that we send nothing more (RFC 8446 section 6.1), once.
    pub fn close(&mut self, out: &mut Vec<u8>) {
        self.end(&[WARNING, CLOSE_NOTIFY], out);
    }

    /// Appends what tells the peer of a failure, if there is something to tell.
    pub fn last_words(&mut self, failure: Failure, out: &mut Vec<u8>) {
        match failure.alert() {
            Some(alert) => self.end(&[FATAL, alert], out),
            None => self.ended = true,
        }
    }

    /// Appends an alert that ends the connection for a reason of the caller's (RFC 8446 section 6).
    pub fn refuse(&mut self, alert: u8, out: &mut Vec<u8>) {
        self.end(&[FATAL, alert], out);
    }

    fn end(&mut self, alert: &[u8], out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.ended, true) {
            let before = out.len();
            // With no key left there are no words either.
            if self.append(Content::Alert, alert, out).is_err() {
                out.truncate(before);
            }
        }
    }

    pub(super) fn append(&mut self, content: Content, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        debug_assert!(payload.len() <= PAYLOAD_MAX);
        let at = out.len();
        out.resize(at + self.seal.front(), 0);
        out.extend_from_slice(payload);
        out.resize(out.len() + self.seal.back(), 0);
        self.seal.seal(content, &mut out[at..])
    }
}

/// Bytes that a payload takes when it is sealed in records of at most `piece` bytes, at most.
pub fn sealed_bytes(payload: usize, piece: usize) -> usize {
    payload + payload.div_ceil(piece.clamp(1, PAYLOAD_MAX)) * (record::FRONT_MAX + record::BACK_MAX)
}
