//! What can go wrong with a connection or with one of its streams, and the code that the peer is told.

use super::{BudgetName, Cap, Malformed};
use crate::hpack::DecodeError;
use std::fmt;

/// An error code as it stands in RST_STREAM and GOAWAY (RFC 9113 section 7). Unknown ones are kept as they came.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode(pub u32);

macro_rules! error_codes {
    ($($id:ident = $code:literal $text:literal),+ $(,)?) => {
        impl ErrorCode {
            $(#[doc = concat!("`", stringify!($id), "`: ", $text)] pub const $id: Self = Self($code);)+

            /// Its name in RFC 9113 section 7, or `UNKNOWN`.
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($code => stringify!($id),)+
                    _ => "UNKNOWN",
                }
            }
        }
    };
}

error_codes! {
    NO_ERROR = 0x0 "nothing is wrong, as in a graceful shutdown.",
    PROTOCOL_ERROR = 0x1 "a rule without a code of its own was broken.",
    INTERNAL_ERROR = 0x2 "the sender failed.",
    FLOW_CONTROL_ERROR = 0x3 "more was sent than the window allowed.",
    SETTINGS_TIMEOUT = 0x4 "SETTINGS were not acknowledged in time.",
    STREAM_CLOSED = 0x5 "a frame came for a half-closed stream.",
    FRAME_SIZE_ERROR = 0x6 "a frame has a size that it must not have.",
    REFUSED_STREAM = 0x7 "the stream was not processed at all.",
    CANCEL = 0x8 "the stream is no longer needed.",
    COMPRESSION_ERROR = 0x9 "a field block can't be decoded.",
    CONNECT_ERROR = 0xa "the connection of a CONNECT was reset.",
    ENHANCE_YOUR_CALM = 0xb "the peer causes too much work.",
    INADEQUATE_SECURITY = 0xc "the transport is not secure enough.",
    HTTP_1_1_REQUIRED = 0xd "HTTP/1.1 must be used instead.",
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:#x})", self.name(), self.0)
    }
}

macro_rules! rules {
    ($($id:ident $code:ident $text:literal),+ $(,)?) => {
        /// A rule of framing, flow control or stream states that the peer broke.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Rule {
            $(#[doc = $text] $id,)+
        }

        impl Rule {
            /// The code that the peer is told.
            pub const fn code(self) -> ErrorCode {
                match self {
                    $(Self::$id => ErrorCode::$code,)+
                }
            }

            /// What was found and what was expected, fit for a log.
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$id => $text,)+
                }
            }
        }
    };
}

rules! {
    Preface PROTOCOL_ERROR "the connection does not begin with the preface of HTTP/2 (RFC 9113 section 3.4)",
    PrefaceSettings PROTOCOL_ERROR "the first frame is not SETTINGS (RFC 9113 section 3.4)",
    FrameTooLarge FRAME_SIZE_ERROR "a frame is larger than SETTINGS_MAX_FRAME_SIZE allows (RFC 9113 section 4.2)",
    FrameLength FRAME_SIZE_ERROR "a frame does not have the length of its type (RFC 9113 section 6)",
    FrameTooShort FRAME_SIZE_ERROR "a frame is too short for the fields of its type (RFC 9113 section 4.2)",
    StreamZero PROTOCOL_ERROR "a frame of a stream is on stream 0 (RFC 9113 section 6)",
    StreamNotZero PROTOCOL_ERROR "a frame of the connection is on a stream (RFC 9113 section 6)",
    Padding PROTOCOL_ERROR "a frame has more padding than payload (RFC 9113 sections 6.1, 6.2)",
    BlockInterrupted PROTOCOL_ERROR "another frame came between the frames of a field block (RFC 9113 section 4.3)",
    Continuation PROTOCOL_ERROR "CONTINUATION does not follow an open field block (RFC 9113 section 6.10)",
    StreamIdle PROTOCOL_ERROR "a frame came for a stream that is idle (RFC 9113 section 5.1)",
    StreamParity PROTOCOL_ERROR "a stream was opened with an identifier of the other side (RFC 9113 section 5.1.1)",
    StreamOrder PROTOCOL_ERROR
        "a stream was opened with a lower identifier than one before it (RFC 9113 section 5.1.1)",
    StreamClosed STREAM_CLOSED "a frame came for a stream that its sender had closed (RFC 9113 section 5.1)",
    StreamsExceeded REFUSED_STREAM
        "more streams are open than SETTINGS_MAX_CONCURRENT_STREAMS allows (RFC 9113 section 5.1.2)",
    Push PROTOCOL_ERROR "PUSH_PROMISE came although push is disabled (RFC 9113 section 8.4)",
    PushEnabled PROTOCOL_ERROR "SETTINGS_ENABLE_PUSH is neither 0 nor 1, or a server set it (RFC 9113 section 6.5.2)",
    InitialWindow FLOW_CONTROL_ERROR "SETTINGS_INITIAL_WINDOW_SIZE is above 2^31 - 1 (RFC 9113 section 6.5.2)",
    MaxFrameSize PROTOCOL_ERROR "SETTINGS_MAX_FRAME_SIZE is not within 2^14 and 2^24 - 1 (RFC 9113 section 6.5.2)",
    ConnectProtocol PROTOCOL_ERROR
        "SETTINGS_ENABLE_CONNECT_PROTOCOL is neither 0 nor 1, or was taken back (RFC 8441 section 3)",
    NoPriorities PROTOCOL_ERROR
        "SETTINGS_NO_RFC7540_PRIORITIES is neither 0 nor 1, or was changed (RFC 9218 section 2.1)",
    SettingsAckUnexpected PROTOCOL_ERROR "SETTINGS were acknowledged that had not been sent (RFC 9113 section 6.5.3)",
    SettingsTimeout SETTINGS_TIMEOUT "SETTINGS were not acknowledged in time (RFC 9113 section 6.5.3)",
    WindowIncrementZero PROTOCOL_ERROR "WINDOW_UPDATE has an increment of 0 (RFC 9113 section 6.9)",
    WindowOverflow FLOW_CONTROL_ERROR "a flow-control window grew above 2^31 - 1 (RFC 9113 section 6.9.1)",
    WindowExceeded FLOW_CONTROL_ERROR "more data came than the flow-control window allowed (RFC 9113 section 6.9.1)",
    GoAwayGrew PROTOCOL_ERROR "a second GOAWAY has a higher last stream than the first (RFC 9113 section 6.8)",
    PriorityUpdate PROTOCOL_ERROR
        "PRIORITY_UPDATE names a stream that can't be, or came from a server (RFC 9218 section 7.1)",
    DataBeforeHead PROTOCOL_ERROR "DATA came before the head of its message (RFC 9113 section 8.1)",
    HeadTooLarge CANCEL "the field list is larger than this end's limit (RFC 9113 section 10.5.1)",
    PrefaceTimeout PROTOCOL_ERROR "the preface did not come in time",
    HeadTimeout ENHANCE_YOUR_CALM "a field block was not completed in time",
    Stalled CANCEL "the peer kept a flow-control window closed for too long while data was waiting",
}

/// Why a connection or a stream was ended by this end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// A rule of framing, flow control or stream states.
    Rule(Rule),
    /// A message that is not well-formed (RFC 9113 section 8.1.1).
    Malformed(Malformed),
    /// A field block that can't be decoded.
    Block(DecodeError),
    /// A budget that is used up.
    Budget(BudgetName),
    /// A fixed limit that was passed.
    Cap(Cap),
}

impl Cause {
    /// The code that the peer is told.
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Rule(rule) => rule.code(),
            Self::Malformed(_) => ErrorCode::PROTOCOL_ERROR,
            Self::Block(DecodeError::ListTooLarge) | Self::Budget(_) | Self::Cap(_) => ErrorCode::ENHANCE_YOUR_CALM,
            Self::Block(_) => ErrorCode::COMPRESSION_ERROR,
        }
    }

    /// What was found and what was expected, fit for a log.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.message(),
            Self::Malformed(malformed) => malformed.message(),
            Self::Block(error) => error.message(),
            Self::Budget(name) => name.message(),
            Self::Cap(cap) => cap.message(),
        }
    }
}

impl From<Rule> for Cause {
    fn from(rule: Rule) -> Self {
        Self::Rule(rule)
    }
}

/// The connection is at its end: GOAWAY has been written, and once that is sent it must be closed (RFC 9113 section
/// 5.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionError(pub Cause);

impl ConnectionError {
    /// The code that the peer is told.
    pub const fn code(self) -> ErrorCode {
        self.0.code()
    }
}

impl<C: Into<Cause>> From<C> for ConnectionError {
    fn from(cause: C) -> Self {
        Self(cause.into())
    }
}

impl From<BudgetName> for Cause {
    fn from(name: BudgetName) -> Self {
        Self::Budget(name)
    }
}

impl From<Cap> for Cause {
    fn from(cap: Cap) -> Self {
        Self::Cap(cap)
    }
}

impl From<DecodeError> for Cause {
    fn from(error: DecodeError) -> Self {
        Self::Block(error)
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code().name(), self.0.message())
    }
}

impl std::error::Error for ConnectionError {}
