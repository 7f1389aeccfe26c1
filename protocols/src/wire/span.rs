//! A stretch of the caller's buffer.

/// Two byte offsets into a buffer that the caller keeps.
///
/// Offsets are 32 bits wide: a head longer than 4 GiB is refused before any span into it is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The span `start..end`. Offsets beyond 32 bits become `u32::MAX`, for which [`Span::of`] gives nothing.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start: narrow(start), end: narrow(end) }
    }

    /// The bytes meant, or an empty slice where the span lies outside of `bytes`. Never panics.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Length in bytes; 0 for a span that ends before it starts.
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// Whether no byte is meant.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

const fn narrow(offset: usize) -> u32 {
    if offset > u32::MAX as usize { u32::MAX } else { offset as u32 }
}
