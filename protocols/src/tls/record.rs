//! The record layer, in place (RFC 8446 section 5; RFC 5246 section 6.2, RFC 5288, RFC 7905): a record is sealed where
//! its payload stands, and opened where it was received.

use super::failure::Failure;
use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use rustls::ConnectionTrafficSecrets;
use std::ops::Range;

/// Bytes of a record's header.
pub const HEADER_BYTES: usize = 5;
/// Bytes of payload in a record at most (RFC 8446 section 5.1).
pub const PAYLOAD_MAX: usize = 1 << 14;
/// Bytes of a sealed record behind its header at most: what TLS 1.2 allows (RFC 5246 section 6.2.3).
pub const SEALED_MAX: usize = PAYLOAD_MAX + 2048;
/// Bytes in front of a record's payload at most: the header, and an explicit nonce of TLS 1.2.
pub const FRONT_MAX: usize = HEADER_BYTES + EXPLICIT_NONCE_BYTES;
/// Bytes behind a record's payload at most: its type in TLS 1.3, and the tag.
pub const BACK_MAX: usize = 1 + TAG_BYTES;

const EXPLICIT_NONCE_BYTES: usize = 8;
const TAG_BYTES: usize = 16;
/// The version that all records bear since TLS 1.2.
const LEGACY_VERSION: [u8; 2] = [3, 3];
/// Records that one key of AES-GCM may seal (RFC 8446 section 5.5: 2^24.5).
const GCM_RECORDS_MAX: u64 = 1 << 24;

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A change of ciphers, which means nothing any more.
    ChangeCipherSpec,
    /// An alert.
    Alert,
    /// A part of a handshake message.
    Handshake,
    /// Bytes of the application.
    Data,
}

impl Content {
    fn of(byte: u8) -> Result<Content, Failure> {
        Ok(match byte {
            20 => Content::ChangeCipherSpec,
            21 => Content::Alert,
            22 => Content::Handshake,
            23 => Content::Data,
            _ => return Err(Failure::UnexpectedMessage),
        })
    }

    fn byte(self) -> u8 {
        match self {
            Content::ChangeCipherSpec => 20,
            Content::Alert => 21,
            Content::Handshake => 22,
            Content::Data => 23,
        }
    }
}

/// The bytes of the first record, header included, if all of them are there.
///
/// # Errors
/// A header that no record has, or one of more bytes than a record may have.
pub(super) fn whole(bytes: &[u8]) -> Result<Option<usize>, Failure> {
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    if !(20..=24).contains(&header[0]) || header[1] != 3 {
        return Err(Failure::NotTls);
    }
    let sealed = usize::from(u16::from_be_bytes([header[3], header[4]]));
    if sealed > SEALED_MAX {
        return Err(Failure::RecordOverflow);
    }
    Ok((bytes.len() >= HEADER_BYTES + sealed).then_some(HEADER_BYTES + sealed))
}

/// Whether a whole record stands at the beginning of these bytes, or something that is none.
pub fn has_record(bytes: &[u8]) -> bool {
    !matches!(whole(bytes), Ok(None))
}

/// The key of one direction, with the number of its next record.
pub(super) struct Key {
    aead: LessSafeKey,
    iv: [u8; 12],
    sequence: u64,
    records_max: u64,
    shape: Shape,
}

/// How a record is laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// The content's type is sealed, behind the payload.
    Tls13,
    /// The header authenticates the type; with AES-GCM eight bytes of the nonce stand in front of the payload.
    Tls12 { explicit_nonce: bool },
}

impl Key {
    /// The key of a direction in which `sequence` records have been sealed already.
    ///
    /// # Errors
    /// A secret of a cipher that is not known here.
    pub(super) fn new(sequence: u64, secret: &ConnectionTrafficSecrets, tls13: bool) -> Result<Key, Failure> {
        let (algorithm, key, iv): (&'static Algorithm, _, _) = match secret {
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&AES_128_GCM, key, iv),
            ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&AES_256_GCM, key, iv),
            ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (&CHACHA20_POLY1305, key, iv),
            _ => return Err(Failure::Internal),
        };
        let gcm = !std::ptr::eq(algorithm, &CHACHA20_POLY1305);
        let unbound = UnboundKey::new(algorithm, key.as_ref()).map_err(|_| Failure::Internal)?;
        Ok(Key {
            aead: LessSafeKey::new(unbound),
            iv: iv.as_ref().try_into().map_err(|_| Failure::Internal)?,
            sequence,
            records_max: if gcm { GCM_RECORDS_MAX } else { u64::MAX - 1 },
            shape: if tls13 { Shape::Tls13 } else { Shape::Tls12 { explicit_nonce: gcm } },
        })
    }

    /// Bytes in front of a payload.
    #[inline]
    pub(super) fn front(&self) -> usize {
        match self.shape {
            Shape::Tls12 { explicit_nonce: true } => HEADER_BYTES + EXPLICIT_NONCE_BYTES,
            _ => HEADER_BYTES,
        }
    }

    /// Bytes behind a payload.
    #[inline]
    pub(super) fn back(&self) -> usize {
        match self.shape {
            Shape::Tls13 => 1 + TAG_BYTES,
            Shape::Tls12 { .. } => TAG_BYTES,
        }
    }

    /// Records that the key may still seal.
    pub(super) fn left(&self) -> u64 {
        self.records_max.saturating_sub(self.sequence)
    }

    #[cfg(test)]
    pub(super) fn spend_to(&mut self, left: u64) {
        self.sequence = self.records_max - left;
    }

    /// Seals a record in place: the payload stands between `front()` and `back()` bytes that are written here.
    ///
    /// # Errors
    /// A key that has sealed as many records as it may; a slice too short or too long for a record.
    #[inline]
    pub(super) fn seal(&mut self, content: Content, record: &mut [u8]) -> Result<(), Failure> {
        let (front, back) = (self.front(), self.back());
        let payload = record.len().checked_sub(front + back).ok_or(Failure::Internal)?;
        if payload > PAYLOAD_MAX || self.left() == 0 {
            return Err(Failure::Exhausted);
        }
        let sealed = u16::try_from(record.len() - HEADER_BYTES).map_err(|_| Failure::Internal)?;
        let nonce = self.nonce();
        let (head, body) = record.split_at_mut(front);
        let outer = if self.shape == Shape::Tls13 { Content::Data } else { content };
        head[0] = outer.byte();
        head[1..3].copy_from_slice(&LEGACY_VERSION);
        head[3..5].copy_from_slice(&sealed.to_be_bytes());
        if head.len() > HEADER_BYTES {
            head[HEADER_BYTES..].copy_from_slice(&nonce[4..]);
        }
        let (inner, tag_at) = body.split_at_mut(body.len() - TAG_BYTES);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = match self.shape {
            Shape::Tls13 => {
                inner[payload] = content.byte();
                let aad: [u8; HEADER_BYTES] = [head[0], head[1], head[2], head[3], head[4]];
                self.aead.seal_in_place_separate_tag(nonce, Aad::from(aad), inner)
            }
            Shape::Tls12 { .. } => {
                let aad = additional(self.sequence, content.byte(), payload);
                self.aead.seal_in_place_separate_tag(nonce, Aad::from(aad), inner)
            }
        };
        tag_at.copy_from_slice(tag.map_err(|_| Failure::Internal)?.as_ref());
        self.sequence += 1;
        Ok(())
    }

    /// Opens a whole record in place. Returns what it holds, and where in it.
    ///
    /// # Errors
    /// A record that was not sealed with this key as the next one.
    #[inline]
    pub(super) fn open(&mut self, record: &mut [u8]) -> Result<(Content, Range<usize>), Failure> {
        let (front, back) = (self.front(), self.back());
        let outer = Content::of(record.first().copied().unwrap_or(0))?;
        if self.shape == Shape::Tls13 && outer != Content::Data {
            return Err(Failure::UnexpectedMessage);
        }
        let payload = record.len().checked_sub(front + back).ok_or(Failure::BadRecord)?;
        let mut nonce = self.nonce();
        let (head, body) = record.split_at_mut(front);
        let opened = match self.shape {
            Shape::Tls13 => {
                let aad: [u8; HEADER_BYTES] = [head[0], head[1], head[2], head[3], head[4]];
                self.aead.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), body)
            }
            Shape::Tls12 { explicit_nonce } => {
                if explicit_nonce {
                    nonce[..4].copy_from_slice(&self.iv[..4]);
                    nonce[4..].copy_from_slice(&head[HEADER_BYTES..]);
                }
                let aad = additional(self.sequence, head[0], payload);
                self.aead.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), body)
            }
        };
        let opened = opened.map_err(|_| Failure::BadRecord)?;
        self.sequence = self.sequence.checked_add(1).ok_or(Failure::Exhausted)?;
        let (content, len) = match self.shape {
            Shape::Tls13 => {
                // Zeros behind the type are padding (RFC 8446 section 5.4).
                let at = opened.iter().rposition(|byte| *byte != 0).ok_or(Failure::UnexpectedMessage)?;
                (Content::of(opened[at])?, at)
            }
            Shape::Tls12 { .. } => (outer, opened.len()),
        };
        if len > PAYLOAD_MAX {
            return Err(Failure::RecordOverflow);
        }
        Ok((content, front..front + len))
    }

    #[inline]
    fn nonce(&self) -> [u8; 12] {
        let mut nonce = self.iv;
        for (byte, number) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= number;
        }
        nonce
    }
}

/// What TLS 1.2 authenticates besides the payload (RFC 5246 section 6.2.3.3).
fn additional(sequence: u64, content: u8, payload: usize) -> [u8; 13] {
    let mut data = [0; 13];
    data[..8].copy_from_slice(&sequence.to_be_bytes());
    data[8] = content;
    data[9..11].copy_from_slice(&LEGACY_VERSION);
    // A payload is at most what a record may hold, which 16 bits count.
    data[11..].copy_from_slice(&(payload as u16).to_be_bytes());
    data
}
