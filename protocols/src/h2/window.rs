//! Flow-control windows (RFC 9113 sections 5.2 and 6.9).

#[cfg(test)]
mod tests;

use super::frame::MAX_31_BITS;

/// The size of every window before anything else has been agreed on, in bytes (RFC 9113 section 6.9.2).
pub(super) const WINDOW_BYTES_DEFAULT: u32 = 65_535;

/// A window grew above 2^31 - 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Overflow;

/// What this end may send. Below 0 when the peer has made windows smaller (RFC 9113 section 6.9.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SendWindow(i32);

impl SendWindow {
    pub(super) const fn new(bytes: u32) -> Self {
        // Settings above 2^31 - 1 are refused where they are read.
        Self(bytes as i32)
    }

    pub(super) fn available(self) -> u32 {
        self.0.max(0) as u32
    }

    /// Takes a WINDOW_UPDATE, or a change of the initial window.
    pub(super) fn change(&mut self, by: i64) -> Result<(), Overflow> {
        let changed = i64::from(self.0) + by;
        if changed > i64::from(MAX_31_BITS) {
            return Err(Overflow);
        }
        // A change is at most 2^31 - 1 either way, and changes of the initial window cancel out: no lower than -2^31.
        self.0 = changed.max(i64::from(i32::MIN)) as i32;
        Ok(())
    }

    /// Takes `bytes`, of which no more may be asked for than are available.
    pub(super) fn take(&mut self, bytes: u32) {
        self.0 = self.0.saturating_sub_unsigned(bytes);
    }
}

/// What the peer may send, and what of it has been consumed here. Consumed bytes are given back half a window at a
/// time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ReceiveWindow {
    size: u32,
    /// What the peer may still send. Below 0 when this end has made windows smaller.
    available: i64,
    /// What has been consumed and not been given back.
    freed: u32,
}

/// More came than the window allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Exceeded;

impl ReceiveWindow {
    pub(super) const fn new(size: u32) -> Self {
        Self { size, available: size as i64, freed: 0 }
    }

    /// Takes note of the payload of a DATA frame, padding included.
    pub(super) fn receive(&mut self, bytes: u32) -> Result<(), Exceeded> {
        let left = self.available - i64::from(bytes);
        if left < 0 {
            return Err(Exceeded);
        }
        self.available = left;
        Ok(())
    }

    /// Takes note that bytes have been consumed; the increment of the WINDOW_UPDATE that is now due, if one is.
    #[must_use]
    pub(super) fn consume(&mut self, bytes: u32) -> Option<u32> {
        self.freed = self.freed.saturating_add(bytes);
        if self.freed == 0 || self.freed < self.size / 2 {
            return None;
        }
        let increment = self.freed;
        self.freed = 0;
        self.available += i64::from(increment);
        Some(increment)
    }

    /// Changes the size, which the peer has been told otherwise than by WINDOW_UPDATE.
    pub(super) fn resize(&mut self, size: u32) {
        self.available += i64::from(size) - i64::from(self.size);
        self.size = size;
    }
}
