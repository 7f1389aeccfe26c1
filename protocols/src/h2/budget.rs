//! Budgets: how much of each thing that is legal, cheap to send and useless in numbers a peer may do.

#[cfg(test)]
mod tests;

/// How much a budget allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// So many at once; all of them come back evenly over `window_us`.
    pub window: u32,
    /// Microseconds over which an empty window fills up again.
    pub window_us: u64,
    /// So many over the connection's whole life, less what good conduct earns back ([`Budget::replenish`]).
    pub lifetime: u64,
}

/// What is left of one budget of one connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    window_left: u32,
    lifetime_left: u64,
    /// When `window_left` was right, in the caller's microseconds.
    at_us: u64,
}

impl Budget {
    /// A full budget.
    pub const fn new(rate: &Rate, now_us: u64) -> Self {
        Self { window_left: rate.window, lifetime_left: rate.lifetime, at_us: now_us }
    }

    /// Takes `amount`. False if there is not so much left: the budget is then past, and stays as it was.
    #[must_use]
    pub fn consume(&mut self, amount: u32, rate: &Rate, now_us: u64) -> bool {
        if self.window_left < rate.window {
            self.refill(rate, now_us);
        } else {
            self.at_us = now_us;
        }
        if self.window_left < amount || self.lifetime_left < u64::from(amount) {
            return false;
        }
        self.window_left -= amount;
        self.lifetime_left -= u64::from(amount);
        true
    }

    /// Gives back `amount` of the lifetime's share, for something good that the peer did. The window is left to time.
    pub fn replenish(&mut self, amount: u64, rate: &Rate) {
        self.lifetime_left = self.lifetime_left.saturating_add(amount).min(rate.lifetime);
    }

    /// Gives back `amount` of both shares: for something that only answers what this end did.
    pub fn refund(&mut self, amount: u32, rate: &Rate) {
        self.window_left = self.window_left.saturating_add(amount).min(rate.window);
        self.replenish(amount.into(), rate);
    }

    fn refill(&mut self, rate: &Rate, now_us: u64) {
        let elapsed_us = now_us.saturating_sub(self.at_us);
        if elapsed_us >= rate.window_us {
            self.window_left = rate.window;
            self.at_us = now_us;
            return;
        }
        // Below 2^32 times 2^64: only as wide as that if someone configures windows of centuries.
        let filled = u128::from(elapsed_us) * u128::from(rate.window) / u128::from(rate.window_us);
        if filled == 0 {
            return;
        }
        let used_us = filled * u128::from(rate.window_us) / u128::from(rate.window);
        // Both fit: `filled` is below `rate.window`, and `used_us` at most `elapsed_us`.
        self.window_left = self.window_left.saturating_add(filled as u32).min(rate.window);
        self.at_us += used_us as u64;
    }
}

macro_rules! budgets {
    ($($id:ident $key:literal $window:literal / $seconds:literal s, $lifetime:literal: $text:literal),+ $(,)?) => {
        /// What has a budget. Past it, the connection ends with ENHANCE_YOUR_CALM.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum BudgetName {
            $(
                #[doc = concat!($text, ". By default ", stringify!($window), " in ", stringify!($seconds), " s, ",
                    stringify!($lifetime), " in all.")]
                $id,
            )+
        }

        impl BudgetName {
            /// All budgets, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$id),+];

            /// Its name in configuration, metrics and logs.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$id => $key,)+
                }
            }

            /// What it allows by default.
            pub const fn default_rate(self) -> Rate {
                match self {
                    $(Self::$id => Rate { window: $window, window_us: $seconds * 1_000_000, lifetime: $lifetime },)+
                }
            }

            /// What there was too much of, fit for a log and for the debug data of GOAWAY.
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$id => concat!("too many: ", $text),)+
                }
            }
        }
    };
}

// A page of a browser that is left resets its streams, a hundred at once at most. Chromium may send a frame of a
// reserved type with each request (RFC 8701 for HTTP/2). gRPC measures the path with a PING for data that it has
// received, one each round trip: PINGs and small WINDOW_UPDATEs come back with the data that is sent. A client with
// large cookies needs a CONTINUATION for each request. Nothing needs the others in numbers. The lifetime's share comes back with finished streams where a long-lived connection needs it.
budgets! {
    Resets "resets" 200 / 10 s, 10_000: "streams that the peer opened and reset before they were answered",
    ProvokedResets "provoked_resets" 100 / 10 s, 2_000: "streams that had to be reset for an error of the peer",
    RefusedStreams "refused_streams" 400 / 10 s, 20_000: "streams opened beyond the limit on streams",
    EmptyFrames "empty_frames" 100 / 10 s, 10_000: "DATA frames without data that end nothing",
    UnknownFrames "unknown_frames" 1_000 / 10 s, 100_000: "frames of unknown types",
    Pings "pings" 100 / 10 s, 1_000_000: "PING frames",
    GoAways "go_aways" 10 / 10 s, 100: "GOAWAY frames",
    Settings "settings" 20 / 10 s, 1_000: "SETTINGS frames",
    Priorities "priorities" 300 / 10 s, 100_000: "PRIORITY and PRIORITY_UPDATE frames",
    SmallWindowUpdates "small_window_updates" 1_000 / 10 s, 100_000: "WINDOW_UPDATE frames that give next to nothing",
    Drips "drips" 500 / 10 s, 50_000: "pieces of answers that windows kept needlessly small",
    LateFrames "late_frames" 2_000 / 10 s, 200_000: "frames on streams that are closed",
    Stalls "stalls" 20 / 60 s, 1_000: "streams given up because their window stayed closed",
    Continuations "continuations" 2_000 / 10 s, 1_000_000: "CONTINUATION frames",
}

/// How many budgets there are.
pub(super) const COUNT: usize = BudgetName::ALL.len();
