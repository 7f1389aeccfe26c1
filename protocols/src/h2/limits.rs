//! Every limit of a connection, with its default.

use super::budget::{self, BudgetName, Rate};
use crate::hpack::{ListLimits, TABLE_BYTES_DEFAULT};

/// How many times its limit a field list may be before the connection is ended instead of the request being answered
/// with 431. A list that large is made by compression, not by a client.
pub const LIST_HARD_FACTOR: usize = 4;

/// Informational (1xx) heads before the final one, as in HTTP/1.1.
pub const INFORMATIONAL_MAX: u32 = 100;

/// What this end allows. Times are in microseconds of the caller's clock, sizes in bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Field list of one head or trailer section, each field counted as name + value + 32
    /// (SETTINGS_MAX_HEADER_LIST_SIZE). Past it: 431, or for [`LIST_HARD_FACTOR`] times as much ENHANCE_YOUR_CALM. 32
    /// KiB.
    pub header_bytes: usize,
    /// Fields of one section. Past it: 431. 100.
    pub headers: usize,
    /// `:path` of a request. Past it: 414. 16 KiB.
    pub target_bytes: usize,
    /// The peer's compression table (SETTINGS_HEADER_TABLE_SIZE). 4 KiB.
    pub table_bytes: usize,
    /// This end's compression table at most, if the peer allows it. 4 KiB.
    pub encoder_table_bytes: usize,
    /// Streams that the peer may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS). Past it: REFUSED_STREAM. 128.
    pub streams: u32,
    /// Streams that this end opens at once before the peer's limit is known. 100, which RFC 9113 section 6.5.2 calls
    /// the least that is sensible.
    pub streams_assumed: u32,
    /// Receive window of a stream (SETTINGS_INITIAL_WINDOW_SIZE), at most 2^31 - 1. 64 KiB.
    pub stream_window: u32,
    /// Receive window of the connection, at least 65,535 and at most 2^31 - 1. 1 MiB.
    pub connection_window: u32,
    /// Frames that are received (SETTINGS_MAX_FRAME_SIZE), from 2^14 to 2^24 - 1. 16 KiB.
    pub frame_bytes: u32,
    /// Whether extended CONNECT is offered to clients (RFC 8441), and used if the peer offers it. Yes.
    pub extended_connect: bool,
    /// CONTINUATION frames of one field block. Past it: ENHANCE_YOUR_CALM. 16.
    pub continuations: u32,
    /// Bytes written by [`super::Connection::receive`], answers to control frames foremost, that have not been sent.
    /// Past it: ENHANCE_YOUR_CALM. 64 KiB.
    pub unsent_bytes: usize,
    /// From the start to the peer's preface and SETTINGS. 10 s.
    pub preface_us: u64,
    /// From sending SETTINGS to their acknowledgement. 10 s.
    pub settings_ack_us: u64,
    /// From HEADERS to END_HEADERS. 10 s.
    pub head_us: u64,
    /// How long the peer's window of a stream, or of the connection, may stay closed while data waits for it. 60 s.
    pub stall_us: u64,
    /// The budgets.
    pub rates: Rates,
}

/// What each budget allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rates([Rate; budget::COUNT]);

impl Default for Rates {
    fn default() -> Self {
        let mut rates = [BudgetName::Resets.default_rate(); budget::COUNT];
        for &name in BudgetName::ALL {
            rates[name as usize] = name.default_rate();
        }
        Self(rates)
    }
}

impl Rates {
    /// What a budget allows.
    pub fn get(&self, name: BudgetName) -> &Rate {
        &self.0[name as usize]
    }

    /// Changes what a budget allows.
    pub fn set(&mut self, name: BudgetName, rate: Rate) {
        self.0[name as usize] = rate;
    }
}

const SECOND_US: u64 = 1_000_000;

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 32 << 10,
            headers: 100,
            target_bytes: 16 << 10,
            table_bytes: TABLE_BYTES_DEFAULT,
            encoder_table_bytes: TABLE_BYTES_DEFAULT,
            streams: 128,
            streams_assumed: 100,
            stream_window: 64 << 10,
            connection_window: 1 << 20,
            frame_bytes: super::frame::FRAME_BYTES_MIN,
            extended_connect: true,
            continuations: 16,
            unsent_bytes: 64 << 10,
            preface_us: 10 * SECOND_US,
            settings_ack_us: 10 * SECOND_US,
            head_us: 10 * SECOND_US,
            stall_us: 60 * SECOND_US,
            rates: Rates::default(),
        }
    }
}

impl Limits {
    /// Both limits on a field list.
    pub(super) fn list(&self) -> ListLimits {
        ListLimits { soft: self.header_bytes, hard: self.header_bytes.saturating_mul(LIST_HARD_FACTOR) }
    }
}

/// A fixed limit past which the connection ends with ENHANCE_YOUR_CALM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cap {
    /// [`Limits::continuations`].
    Continuations,
    /// A field block as it was sent is larger than [`LIST_HARD_FACTOR`] times [`Limits::header_bytes`].
    BlockBytes,
    /// [`Limits::unsent_bytes`].
    Unsent,
    /// [`INFORMATIONAL_MAX`].
    Informational,
    /// [`Limits::stall_us`], for the whole connection.
    Stalled,
}

impl Cap {
    /// What there was too much of, fit for a log and for the debug data of GOAWAY.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Continuations => "too many CONTINUATION frames in one field block",
            Self::BlockBytes => "a field block is many times larger than this end's limit on field lists",
            Self::Unsent => "the answers to control frames are not being read",
            Self::Informational => "too many informational (1xx) heads before the final one",
            Self::Stalled => "the window of the connection stayed closed for too long while data was waiting",
        }
    }
}
