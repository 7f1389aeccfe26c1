//! Tests of HPACK: the RFC's examples, round trips, and blocks that must be refused.

mod hostile;
mod policy;
mod rfc7541;
mod round_trip;

use super::*;

pub(super) const LIMITS: ListLimits = ListLimits { soft: 1 << 20, hard: 1 << 22 };

/// One field as owned text, and whether it is never indexed.
pub(super) type Line = (Vec<u8>, Vec<u8>, bool);

/// Keeps what it is given, up to `room` fields.
pub(super) struct Kept {
    pub(super) lines: Vec<Line>,
    pub(super) room: usize,
}

impl Default for Kept {
    fn default() -> Self {
        Self { lines: Vec::new(), room: usize::MAX }
    }
}

impl FieldSink for Kept {
    fn field(&mut self, name: Name<'_>, value: &[u8], never_indexed: bool) -> Result<(), TooLarge> {
        if self.lines.len() == self.room {
            return Err(TooLarge);
        }
        assert_eq!(Name::of(name.text()), name);
        self.lines.push((name.text().to_vec(), value.to_vec(), never_indexed));
        Ok(())
    }
}

pub(super) fn decode(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<Line>, DecodeError> {
    let mut kept = Kept::default();
    let decoded = decoder.decode(block, LIMITS, &mut kept)?;
    assert!(decoded.complete);
    let size: usize = kept.lines.iter().map(|(name, value, _)| name.len() + value.len() + 32).sum();
    assert_eq!(decoded.size, size);
    Ok(kept.lines)
}

pub(super) fn line(name: &str, value: &str) -> Line {
    (name.as_bytes().to_vec(), value.as_bytes().to_vec(), false)
}

/// Bytes from hexadecimal digits; spaces are passed over.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter_map(crate::wire::text::hex_digit).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
