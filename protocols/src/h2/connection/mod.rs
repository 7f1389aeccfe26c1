//! One connection: the protocol as a state machine.
//!
//! `receive` reads frames and hands what they mean to the files named after it (`headers`, `data`, `control`); `send`
//! and `turns` write; `shutdown` and `time` end things. None of them waits, and none of them looks at a clock.

mod control;
mod data;
mod headers;
mod receive;
mod send;
mod shutdown;
mod time;
mod turns;

pub use control::PeerSettings;
pub use receive::{Event, Received};
pub use send::{BlockWriter, OpenError, SendError};
pub use turns::Turn;

use super::budget::{self, Budget, BudgetName};
use super::closed::ClosedStreams;
use super::frame::{self, MAX_31_BITS, PREFACE, Setting};
use super::schedule::Schedule;
use super::state::State;
use super::store::Store;
use super::stream::Stream;
use super::window::{ReceiveWindow, SendWindow, WINDOW_BYTES_DEFAULT};
use super::{Cause, ConnectionError, ErrorCode, Limits, Priority, StreamEnd, StreamId};
use crate::hpack::{Decoder, Encoder, TABLE_BYTES_DEFAULT};
use std::sync::Arc;

/// Which side of the connection this end is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The peer opens streams.
    Server,
    /// This end opens streams.
    Client,
}

/// What has come of the connection so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// A server before the client's preface.
    Preface,
    /// Before the peer's first SETTINGS.
    Settings,
    /// In use.
    Open,
    /// At its end: GOAWAY has been written.
    Failed(ConnectionError),
}

/// One HTTP/2 connection, without its socket.
///
/// Received bytes go into [`Connection::receive`], and everything that is to be sent is appended to the `out` that each
/// call is given; frames must be sent in that order. Times are microseconds of whatever clock the caller has, as long
/// as it never goes back.
#[derive(Debug)]
pub struct Connection {
    role: Role,
    limits: Arc<Limits>,
    phase: Phase,
    streams: Store,
    closed: ClosedStreams,
    schedule: Schedule,
    decoder: Decoder,
    encoder: Encoder,
    /// By [`BudgetName`] as a number.
    budgets: [Budget; budget::COUNT],
    /// An open field block; its bytes are in `block_bytes`.
    block: Option<headers::OpenBlock>,
    block_bytes: Vec<u8>,
    /// A DATA frame whose payload has not all come.
    data: Option<data::OpenData>,
    peer: PeerSettings,
    send: SendWindow,
    receive: ReceiveWindow,
    /// When the SETTINGS that have not been acknowledged were sent.
    settings_sent_us: Option<u64>,
    started_us: u64,
    /// The highest stream that the peer has opened.
    last_peer: u32,
    /// The stream that this end opens next.
    next_local: u32,
    /// Streams that the peer, and that this end, has open: those that count against limits on streams.
    open_peer: u32,
    open_local: u32,
    drain: shutdown::Drain,
    /// Bytes that receiving has written and that have not been sent.
    unsent: usize,
    /// Late frames that need no budget, because streams have closed in the meantime.
    late_allowance: u32,
    /// No stream has been waiting for its window since before that; none has at all if there is none.
    parked_since_us: Option<u64>,
    /// Since when data has been waiting for the connection's window.
    blocked_since_us: Option<u64>,
    /// When turns were last given out.
    turn_us: u64,
    /// What went wrong where no error could be returned; the next call that can returns it.
    failing: Option<Cause>,
    /// Memory for names that are not in lower case.
    lower_case: Vec<u8>,
    /// Priorities for streams that have not been opened yet (RFC 9218 section 7.1), the newest last.
    early_priorities: Vec<(u32, Priority)>,
}

impl Connection {
    /// A server's end. Appends SETTINGS, which may be sent before the client's preface has come. The preface itself
    /// must be among the received bytes.
    pub fn server(limits: Arc<Limits>, now_us: u64, out: &mut Vec<u8>) -> Self {
        Self::new(Role::Server, limits, now_us, out)
    }

    /// A client's end. Appends preface and SETTINGS; requests may follow at once.
    pub fn client(limits: Arc<Limits>, now_us: u64, out: &mut Vec<u8>) -> Self {
        Self::new(Role::Client, limits, now_us, out)
    }

    fn new(role: Role, limits: Arc<Limits>, now_us: u64, out: &mut Vec<u8>) -> Self {
        let full = |name: &BudgetName| Budget::new(limits.rates.get(*name), now_us);
        let mut budgets = [full(&BudgetName::Resets); budget::COUNT];
        for name in BudgetName::ALL {
            budgets[*name as usize] = full(name);
        }
        let connection = Self {
            role,
            phase: if role == Role::Server { Phase::Preface } else { Phase::Settings },
            streams: Store::default(),
            closed: ClosedStreams::default(),
            schedule: Schedule::default(),
            decoder: Decoder::new(),
            encoder: Encoder::new(limits.encoder_table_bytes),
            budgets,
            block: None,
            block_bytes: Vec::new(),
            data: None,
            peer: PeerSettings::new(limits.streams_assumed),
            send: SendWindow::new(WINDOW_BYTES_DEFAULT),
            receive: ReceiveWindow::new(limits.connection_window.clamp(WINDOW_BYTES_DEFAULT, MAX_31_BITS)),
            settings_sent_us: Some(now_us),
            started_us: now_us,
            last_peer: 0,
            next_local: 1,
            open_peer: 0,
            open_local: 0,
            drain: shutdown::Drain::default(),
            unsent: 0,
            late_allowance: 0,
            parked_since_us: None,
            blocked_since_us: None,
            turn_us: now_us,
            failing: None,
            lower_case: Vec::new(),
            early_priorities: Vec::new(),
            limits,
        };
        connection.start(out);
        connection
    }

    /// Writes what a connection begins with (RFC 9113 section 3.4). Values that are the defaults are left out.
    fn start(&self, out: &mut Vec<u8>) {
        if self.role == Role::Client {
            out.extend_from_slice(PREFACE);
        }
        let limits = &self.limits;
        let mut settings = Vec::with_capacity(8);
        if limits.table_bytes != TABLE_BYTES_DEFAULT {
            settings.push(Setting::HeaderTableSize(narrow(limits.table_bytes)));
        }
        match self.role {
            Role::Client => settings.push(Setting::EnablePush(0)),
            Role::Server => settings.push(Setting::MaxConcurrentStreams(limits.streams)),
        }
        if limits.stream_window != WINDOW_BYTES_DEFAULT {
            settings.push(Setting::InitialWindowSize(limits.stream_window.min(MAX_31_BITS)));
        }
        if limits.frame_bytes != frame::FRAME_BYTES_MIN {
            settings.push(Setting::MaxFrameSize(self.frame_bytes_max()));
        }
        settings.push(Setting::MaxHeaderListSize(narrow(limits.header_bytes)));
        if self.role == Role::Server {
            if limits.extended_connect {
                settings.push(Setting::EnableConnectProtocol(1));
            }
            settings.push(Setting::NoRfc7540Priorities(1));
        }
        frame::settings(&settings, out);
        let window = limits.connection_window.clamp(WINDOW_BYTES_DEFAULT, MAX_31_BITS);
        if window > WINDOW_BYTES_DEFAULT {
            frame::window_update(0, window - WINDOW_BYTES_DEFAULT, out);
        }
    }

    /// Which side this end is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// What the peer has set.
    pub fn peer(&self) -> &PeerSettings {
        &self.peer
    }

    /// How many streams there are, those included that are closed and not yet released.
    pub fn stream_count(&self) -> usize {
        self.streams.len()
    }

    /// All streams that have not been released, in no order.
    pub fn streams(&self) -> impl Iterator<Item = StreamId> {
        self.streams.iter().map(|stream| StreamId(stream.id))
    }

    /// How a stream ended, if it did before its messages were complete. To be asked before the stream is released.
    pub fn stream_end(&self, stream: StreamId) -> Option<StreamEnd> {
        self.streams.get(stream.0)?.end
    }

    /// How urgent a stream's response is.
    pub fn priority(&self, stream: StreamId) -> Option<Priority> {
        self.streams.get(stream.0).map(|stream| stream.priority)
    }

    /// The error that has ended the connection.
    pub fn error(&self) -> Option<ConnectionError> {
        match self.phase {
            Phase::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Takes note that everything written so far has been sent.
    pub fn sent(&mut self) {
        self.unsent = 0;
    }

    /// Gives memory back: for a connection that has been idle for a while. This end's compression table begins anew,
    /// which costs the next heads some bytes; the peer's stays, since the peer may refer to it.
    pub fn shrink(&mut self) {
        self.streams.shrink();
        self.decoder.shrink();
        self.encoder.shrink();
        self.lower_case = Vec::new();
        if self.block.is_none() {
            self.block_bytes = Vec::new();
        }
        if self.streams.len() == 0 {
            self.schedule = Schedule::default();
        }
    }

    /// The largest frame that the peer may send.
    fn frame_bytes_max(&self) -> u32 {
        self.limits.frame_bytes.clamp(frame::FRAME_BYTES_MIN, frame::FRAME_BYTES_MAX)
    }

    /// Whether a stream of that identifier is opened by the peer.
    fn is_peers(&self, stream: u32) -> bool {
        (stream % 2 == 1) == (self.role == Role::Server)
    }

    /// Whether nothing has been sent on that stream by the side that would open it.
    fn is_idle(&self, stream: u32) -> bool {
        if self.is_peers(stream) { stream > self.last_peer } else { stream >= self.next_local }
    }

    fn spend(&mut self, name: BudgetName, now_us: u64) -> Result<(), Cause> {
        let rate = self.limits.rates.get(name);
        let within = self.budgets[name as usize].consume(1, rate, now_us);
        if within { Ok(()) } else { Err(Cause::Budget(name)) }
    }

    fn refund(&mut self, name: BudgetName, amount: u32) {
        self.budgets[name as usize].refund(amount, self.limits.rates.get(name));
    }

    /// Ends the connection (RFC 9113 section 5.4.1).
    fn fail(&mut self, cause: Cause, out: &mut Vec<u8>) -> ConnectionError {
        let error = ConnectionError(cause);
        frame::goaway(self.last_processed(), error.code(), cause.message(), out);
        self.phase = Phase::Failed(error);
        error
    }

    /// Ends a stream because of something that the peer did (RFC 9113 section 5.4.2).
    fn reset_for(&mut self, stream: u32, cause: Cause, now_us: u64, out: &mut Vec<u8>) -> Result<(), Cause> {
        frame::reset(stream, cause.code(), out);
        match self.streams.get(stream) {
            Some(_) => self.end_stream(stream, Some(StreamEnd::by_error(cause))),
            None => self.closed.reset_here(stream),
        }
        self.spend(BudgetName::ProvokedResets, now_us)
    }

    /// Closes a stream before its time. It stays until it is released.
    fn end_stream(&mut self, id: u32, end: Option<StreamEnd>) {
        let is_peers = self.is_peers(id);
        let Some(stream) = self.streams.get_mut(id) else { return };
        let was_closed = stream.state == State::Closed;
        stream.state = State::Closed;
        stream.wants = false;
        stream.parked_since_us = None;
        if stream.end.is_none() {
            stream.end = end;
        }
        if !was_closed {
            self.count_closed(is_peers);
        }
    }

    /// Takes note that an END_STREAM has gone one way or the other, and that this may have closed the stream.
    fn ended_regularly(&mut self, id: u32, end: impl FnOnce(&mut State)) {
        let is_peers = self.is_peers(id);
        let Some(stream) = self.streams.get_mut(id) else { return };
        let was_closed = stream.state == State::Closed;
        end(&mut stream.state);
        if stream.state != State::Closed || was_closed {
            return;
        }
        stream.wants = false;
        stream.parked_since_us = None;
        self.count_closed(is_peers);
        for name in EARNED_BY_STREAMS {
            self.budgets[name as usize].replenish(1, self.limits.rates.get(name));
        }
    }

    fn count_closed(&mut self, is_peers: bool) {
        let open = if is_peers { &mut self.open_peer } else { &mut self.open_local };
        *open = open.saturating_sub(1);
        self.late_allowance = (self.late_allowance + LATE_PER_STREAM).min(LATE_ALLOWANCE_MAX);
    }

    /// Adds a stream that one side has just opened.
    fn add_stream(&mut self, id: u32, priority: Option<Priority>) -> &mut Stream {
        // Until the peer has acknowledged a smaller window, it may fill the larger one.
        let window = match self.settings_sent_us {
            Some(_) => self.limits.stream_window.max(WINDOW_BYTES_DEFAULT),
            None => self.limits.stream_window,
        };
        let mut stream = Stream::new(id, self.peer.initial_window, window.min(MAX_31_BITS));
        // What came in PRIORITY_UPDATE overrides the field (RFC 9218 section 7).
        let early = self.early_priorities.iter().position(|(early, _)| *early == id);
        let early = early.map(|at| self.early_priorities.remove(at).1);
        stream.priority = early.or(priority).unwrap_or_default();
        *(if self.is_peers(id) { &mut self.open_peer } else { &mut self.open_local }) += 1;
        self.streams.insert(stream)
    }
}

/// Budgets of which a stream that comes to its regular end earns the lifetime's share back.
const EARNED_BY_STREAMS: [BudgetName; 5] = [
    BudgetName::Resets,
    BudgetName::ProvokedResets,
    BudgetName::RefusedStreams,
    BudgetName::UnknownFrames,
    BudgetName::Continuations,
];

/// Frames on a closed stream that need no budget: a WINDOW_UPDATE for its last data, a RST_STREAM that crossed, DATA
/// that was on its way.
const LATE_PER_STREAM: u32 = 4;

/// As many of them as may be saved up.
const LATE_ALLOWANCE_MAX: u32 = 10_000;

/// As a value of SETTINGS.
fn narrow(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// The code with which a caller gives up a stream whose own message is complete, or is not.
fn code_of_release(complete: bool) -> ErrorCode {
    if complete { ErrorCode::NO_ERROR } else { ErrorCode::CANCEL }
}
