//! Responses and trailers as a whole (RFC 9113 sections 8.1 and 8.3.2).

use super::{Head, Malformed};

impl Head {
    /// Decides what a complete response head is; `end` if it ends its stream.
    pub(in crate::h2) fn end_response(&mut self, end: bool) -> Result<(), Malformed> {
        self.end_section();
        match self.status {
            0 => Err(Malformed::PseudoMissing),
            101 => Err(Malformed::SwitchingProtocols),
            100..=199 if end => Err(Malformed::InformationalEnd),
            _ => Ok(()),
        }
    }

    /// Decides what a complete trailer section is; `end` if it ends its stream, as it must.
    pub(in crate::h2) fn end_trailers(&mut self, end: bool) -> Result<(), Malformed> {
        self.end_section();
        if end { Ok(()) } else { Err(Malformed::TrailersNotLast) }
    }

    /// Whether it is a response that comes before the final one.
    pub fn is_informational(&self) -> bool {
        matches!(self.status, 100..=199)
    }
}
