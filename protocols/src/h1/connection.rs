//! The `Connection` field: whether the connection goes on, and which fields stop here (RFC 9110 section 7.6.1).

#[cfg(test)]
mod tests;

use super::HeadError;
use crate::wire::{Fields, HeaderId, Span, Version, list};

/// Options of all `Connection` fields together. Each may be the name of a field to look for among all fields, so their
/// number bounds the work that a head can cause.
const OPTIONS_MAX: usize = 32;

/// What the `Connection` fields say.
#[derive(Clone, Copy, Default)]
pub(super) struct Connection {
    close: bool,
    keep_alive: bool,
    upgrade: bool,
}

impl Connection {
    /// Reads all `Connection` fields, and marks the fields that they nominate.
    ///
    /// Options that name a field for all recipients are passed over ([`HeaderId::nominable`]).
    pub(super) fn read(bytes: &[u8], fields: &mut Fields) -> Result<Self, HeadError> {
        let mut connection = Self::default();
        if !fields.has(HeaderId::Connection) {
            return Ok(connection);
        }
        let mut left = OPTIONS_MAX;
        for index in 0..fields.len() {
            let Some(value) = fields.value_at(index, HeaderId::Connection) else {
                continue;
            };
            for option in list::elements(value.of(bytes)) {
                left = left.checked_sub(1).ok_or(HeadError::ConnectionOptions)?;
                connection.option(option, bytes, fields);
            }
        }
        Ok(connection)
    }

    fn option(&mut self, option: &[u8], bytes: &[u8], fields: &mut Fields) {
        if option.eq_ignore_ascii_case(b"close") {
            self.close = true;
            return;
        }
        match HeaderId::of(option) {
            HeaderId::KeepAlive => self.keep_alive = true,
            HeaderId::Upgrade => self.upgrade = true,
            id if id.hop_by_hop() || !id.nominable() => {}
            id => fields.mark(bytes, id, option),
        }
    }

    /// Whether the sender keeps the connection open after this message (RFC 9112 section 9.3).
    pub(super) fn keeps_alive(self, version: Version) -> bool {
        match version {
            Version::Http11 => !self.close,
            Version::Http10 => self.keep_alive && !self.close,
        }
    }

    /// The protocols of `Upgrade`, where the field is in force (RFC 9110 section 7.8): HTTP/1.1, and nominated.
    pub(super) fn upgrade(self, version: Version, fields: &Fields) -> Option<Span> {
        if !self.upgrade || version != Version::Http11 {
            return None;
        }
        let value = fields.get(HeaderId::Upgrade)?.value;
        (!value.is_empty()).then_some(value)
    }
}
