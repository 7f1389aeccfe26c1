//! One field section on its way into a [`Head`]: the rules for single fields (RFC 9113 sections 8.2 and 8.3).

use super::{Expectation, Head, HeadLimit, Malformed};
use crate::h2::Priority;
use crate::hpack::{FieldSink, Name, Pseudo, TooLarge};
use crate::wire::{Field, HeaderId, Method, Span, Target, list, text};

/// Which section it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::h2) enum Kind {
    #[default]
    Request,
    Response,
    Trailers,
    /// Of a stream that is gone: decoded for the table's sake, and nothing is kept.
    Discarded,
}

/// What is known of a section while it is decoded.
#[derive(Clone, Debug, Default)]
pub(in crate::h2) struct Section {
    kind: Kind,
    fields_max: usize,
    target_bytes_max: usize,
    /// Pseudo-header fields that have come, as bits by [`Pseudo`].
    pseudo: u8,
    regular: bool,
    pub(super) authority: Option<Span>,
    pub(super) path: Option<Span>,
    pub(super) host: Option<Span>,
    /// All cookies, joined.
    cookie: Vec<u8>,
    cookie_never_indexed: bool,
    pub(in crate::h2) malformed: Option<Malformed>,
    pub(in crate::h2) limit: Option<HeadLimit>,
}

/// Fields that have a meaning for an HTTP/1.1 connection only; their presence makes a message malformed (RFC 9113
/// section 8.2.2).
const CONNECTION_FIELDS: u64 = HeaderId::Connection.bit()
    | HeaderId::KeepAlive.bit()
    | HeaderId::ProxyConnection.bit()
    | HeaderId::TransferEncoding.bit()
    | HeaderId::Upgrade.bit();

impl Head {
    /// Forgets everything and gets ready for a section.
    pub(in crate::h2) fn begin(&mut self, kind: Kind, fields_max: usize, target_bytes_max: usize) {
        self.bytes.clear();
        self.fields.clear();
        self.never_indexed.clear();
        self.method = Method::Other;
        self.method_text = Span::default();
        self.scheme = None;
        self.target = Target::default();
        self.target_text = Span::default();
        self.host = None;
        self.protocol = None;
        self.expectation = Expectation::None;
        self.priority = None;
        self.status = 0;
        self.content_length = None;
        let mut cookie = std::mem::take(&mut self.section.cookie);
        cookie.clear();
        self.section = Section { kind, fields_max, target_bytes_max, cookie, ..Section::default() };
    }

    /// Puts the joined cookies behind the other fields.
    pub(super) fn end_section(&mut self) {
        if self.section.cookie.is_empty() {
            return;
        }
        let mut cookie = std::mem::take(&mut self.section.cookie);
        self.store(HeaderId::Cookie, b"cookie", &cookie, self.section.cookie_never_indexed);
        cookie.clear();
        self.section.cookie = cookie;
    }

    fn take(&mut self, name: Name<'_>, value: &[u8], never_indexed: bool) -> Result<(), Malformed> {
        match name {
            Name::Pseudo(pseudo) => self.pseudo(pseudo, value),
            Name::Known(id) => {
                self.section.regular = true;
                check_value(value)?;
                self.known(id, value, never_indexed)
            }
            Name::Other(name) => {
                check_name(name)?;
                self.section.regular = true;
                check_value(value)?;
                if name == b"priority" {
                    self.priority = Some(Priority::parse(value));
                }
                self.store(HeaderId::Other, name, value, never_indexed);
                Ok(())
            }
        }
    }

    /// Whether that pseudo-header field has come.
    pub(super) fn has(&self, pseudo: Pseudo) -> bool {
        self.section.pseudo & 1 << pseudo as u8 != 0
    }

    fn pseudo(&mut self, pseudo: Pseudo, value: &[u8]) -> Result<(), Malformed> {
        let of_response = pseudo == Pseudo::Status;
        match self.section.kind {
            Kind::Trailers => return Err(Malformed::PseudoInTrailers),
            Kind::Request if of_response => return Err(Malformed::PseudoUnknown),
            Kind::Response if !of_response => return Err(Malformed::PseudoUnknown),
            _ if self.section.regular => return Err(Malformed::PseudoOrder),
            _ => {}
        }
        if self.has(pseudo) {
            return Err(Malformed::PseudoRepeated);
        }
        self.section.pseudo |= 1 << pseudo as u8;
        match pseudo {
            Pseudo::Method => {
                self.method = Method::of(value);
                self.method_text = self.push(value);
            }
            Pseudo::Path if value.len() > self.section.target_bytes_max => {
                self.section.limit.get_or_insert(HeadLimit::Target);
            }
            Pseudo::Path => self.section.path = Some(self.push(value)),
            Pseudo::Scheme => self.scheme = Some(self.push(value)),
            Pseudo::Authority => self.section.authority = Some(self.push(value)),
            Pseudo::Protocol => self.protocol = Some(self.push(value)),
            Pseudo::Status => self.status = status(value)?,
        }
        Ok(())
    }

    fn known(&mut self, id: HeaderId, value: &[u8], never_indexed: bool) -> Result<(), Malformed> {
        match id {
            _ if id.bit() & CONNECTION_FIELDS != 0 => return Err(Malformed::ConnectionField),
            HeaderId::Te if !value.eq_ignore_ascii_case(b"trailers") => return Err(Malformed::Te),
            // Only ever stood beside `Upgrade`.
            HeaderId::Http2Settings => return Ok(()),
            // Trailers must not change what has been decided from the head (RFC 9110 section 6.5.1).
            _ if self.section.kind == Kind::Trailers && !id.allowed_in_trailer() => return Ok(()),
            HeaderId::Host if self.section.kind == Kind::Request => {
                if self.section.host.is_some() {
                    return Err(Malformed::HostRepeated);
                }
                self.section.host = Some(self.push(value));
                return Ok(());
            }
            HeaderId::Cookie if self.section.kind == Kind::Request => {
                self.crumb(value, never_indexed);
                return Ok(());
            }
            HeaderId::ContentLength => {
                let length = decimal(value).ok_or(Malformed::ContentLength)?;
                match self.content_length.replace(length) {
                    None => {}
                    Some(other) if other == length => return Ok(()),
                    Some(_) => return Err(Malformed::ContentLengthsDiffer),
                }
            }
            HeaderId::Expect => self.expect(value),
            _ => {}
        }
        self.store(id, id.name().as_bytes(), value, never_indexed);
        Ok(())
    }

    fn expect(&mut self, value: &[u8]) {
        for expectation in list::elements(value) {
            let is_continue = expectation.eq_ignore_ascii_case(b"100-continue");
            self.expectation = match (self.expectation, is_continue) {
                (Expectation::None | Expectation::Continue, true) => Expectation::Continue,
                _ => Expectation::Other,
            };
        }
    }

    /// Adds to the cookies. An empty one is left out: behind the others it would end them in a space, which HTTP/1.1
    /// does not keep.
    fn crumb(&mut self, value: &[u8], never_indexed: bool) {
        if value.is_empty() {
            return;
        }
        if self.is_full() && self.section.cookie.is_empty() {
            self.section.limit.get_or_insert(HeadLimit::Fields);
            return;
        }
        let cookie = &mut self.section.cookie;
        if !cookie.is_empty() {
            cookie.extend_from_slice(b"; ");
        }
        cookie.extend_from_slice(value);
        self.section.cookie_never_indexed |= never_indexed;
    }

    /// Whether there is no room for another field. All cookies are one, which is kept for the end.
    fn is_full(&self) -> bool {
        let kept = usize::from(!self.section.cookie.is_empty());
        self.fields.len() + kept >= self.section.fields_max
    }

    fn store(&mut self, id: HeaderId, name: &[u8], value: &[u8], never_indexed: bool) {
        if self.is_full() {
            self.section.limit.get_or_insert(HeadLimit::Fields);
            return;
        }
        if never_indexed {
            self.never_indexed.push(self.fields.len() as u32);
        }
        let start = self.bytes.len();
        let name = self.push(name);
        self.push(b": ");
        let value = self.push(value);
        self.push(b"\r\n");
        let line = Span::new(start, self.bytes.len());
        self.fields.push(Field { id, hop: id.hop_by_hop(), name, value, line });
    }
}

impl FieldSink for Head {
    fn field(&mut self, name: Name<'_>, value: &[u8], never_indexed: bool) -> Result<(), TooLarge> {
        if self.section.kind == Kind::Discarded || self.section.malformed.is_some() {
            return Ok(());
        }
        if let Err(malformed) = self.take(name, value, never_indexed) {
            self.section.malformed = Some(malformed);
        }
        if self.section.limit.is_some() { Err(TooLarge) } else { Ok(()) }
    }
}

fn check_name(name: &[u8]) -> Result<(), Malformed> {
    match name {
        [b':', ..] => return Err(Malformed::PseudoUnknown),
        [] => return Err(Malformed::FieldName),
        _ => {}
    }
    let mut capital = false;
    for &byte in name {
        if !text::is_token_byte(byte) {
            return Err(Malformed::FieldName);
        }
        capital |= byte.is_ascii_uppercase();
    }
    if capital { Err(Malformed::CapitalLetter) } else { Ok(()) }
}

fn check_value(value: &[u8]) -> Result<(), Malformed> {
    if let [b' ' | b'\t', ..] | [.., b' ' | b'\t'] = value {
        return Err(Malformed::FieldSpace);
    }
    if text::value_len(value) == value.len() { Ok(()) } else { Err(Malformed::FieldValue) }
}

fn status(value: &[u8]) -> Result<u16, Malformed> {
    match value {
        [high @ b'1'..=b'9', digits @ ..] if digits.len() == 2 && digits.iter().all(u8::is_ascii_digit) => {
            let number = |sum: u16, digit: &u8| sum * 10 + u16::from(digit - b'0');
            Ok(digits.iter().fold(u16::from(high - b'0'), number))
        }
        _ => Err(Malformed::Status),
    }
}

/// `1*DIGIT` up to 2^63 - 1, as in HTTP/1.1.
fn decimal(value: &[u8]) -> Option<u64> {
    const DIGITS_MAX: usize = 19;
    if value.is_empty() || value.len() > DIGITS_MAX || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // 19 digits stay below 2^64.
    let number = value.iter().fold(0, |number: u64, digit| number * 10 + u64::from(digit - b'0'));
    (number <= i64::MAX as u64).then_some(number)
}
