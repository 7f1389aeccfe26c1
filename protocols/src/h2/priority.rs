//! Priorities of responses (RFC 9218).

#[cfg(test)]
mod tests;

use crate::wire::list;

/// How urgent a response is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Priority {
    /// From 0, the most urgent, to 7 (RFC 9218 section 4.1).
    pub urgency: u8,
    /// Whether parts of it are of use, so that it may share with others (RFC 9218 section 4.2).
    pub incremental: bool,
}

/// The urgency of what states none.
const URGENCY_DEFAULT: u8 = 3;

impl Default for Priority {
    /// What a request has that says nothing: urgency 3, and a share for each. RFC 9218 section 4.2 would have such
    /// responses sent one after the other; clients that say nothing know nothing of that, and a long download would
    /// keep all their other requests waiting.
    fn default() -> Self {
        Self { urgency: URGENCY_DEFAULT, incremental: true }
    }
}

impl Priority {
    /// Reads the value of a `priority` field or of PRIORITY_UPDATE: a dictionary of RFC 8941 of which `u` and `i` are
    /// looked at. What is not understood is passed over, as RFC 9218 section 4 demands.
    pub fn parse(value: &[u8]) -> Self {
        let mut priority = Self { urgency: URGENCY_DEFAULT, incremental: false };
        for member in list::elements(value) {
            match member {
                [b'u', b'=', digit @ b'0'..=b'7'] => priority.urgency = digit - b'0',
                b"i" | b"i=?1" => priority.incremental = true,
                b"i=?0" => priority.incremental = false,
                _ => {}
            }
        }
        priority
    }
}
