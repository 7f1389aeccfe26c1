//! SETTINGS, PING, GOAWAY, RST_STREAM, WINDOW_UPDATE and PRIORITY_UPDATE.

use super::{Connection, Event, Phase, Role};
use crate::h2::frame::{self, FRAME_BYTES_MAX, FRAME_BYTES_MIN, MAX_31_BITS, Setting, Settings};
use crate::h2::state::State;
use crate::h2::window::WINDOW_BYTES_DEFAULT;
use crate::h2::{BudgetName, Cause, EndedBy, ErrorCode, Priority, Rule, StreamEnd, StreamId};

/// A WINDOW_UPDATE of fewer bytes than this gives next to nothing.
pub(super) const SMALL_INCREMENT_BYTES: u32 = 256;

/// Priorities that are kept for streams still to come.
const EARLY_PRIORITIES_MAX: usize = 16;

/// What the peer has set (RFC 9113 section 6.5.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerSettings {
    /// Streams that this end may have open at once.
    pub max_streams: u32,
    /// What a stream's send window begins with, in bytes.
    pub initial_window: u32,
    /// Payload of a frame at most, in bytes.
    pub frame_bytes: u32,
    /// Field list at most, each field counted as name + value + 32 bytes, if the peer has said. Advisory.
    pub header_bytes: Option<u32>,
    /// Whether extended CONNECT may be sent (RFC 8441 section 3).
    pub extended_connect: bool,
    /// SETTINGS_NO_RFC7540_PRIORITIES, if the peer has said (RFC 9218 section 2.1).
    no_priorities: Option<u32>,
    /// Whether any SETTINGS have come.
    pub known: bool,
}

impl PeerSettings {
    pub(super) fn new(max_streams: u32) -> Self {
        Self {
            max_streams,
            initial_window: WINDOW_BYTES_DEFAULT,
            frame_bytes: FRAME_BYTES_MIN,
            header_bytes: None,
            extended_connect: false,
            no_priorities: None,
            known: false,
        }
    }
}

impl Connection {
    /// RFC 9113 section 6.5: applied in order, then acknowledged.
    pub(super) fn settings_frame(
        &mut self,
        settings: Settings<'_>,
        now_us: u64,
        out: &mut Vec<u8>,
    ) -> Result<Event, Cause> {
        if !self.peer.known {
            self.peer.known = true;
            // What has not been limited is not limited.
            self.peer.max_streams = u32::MAX;
            self.phase = Phase::Open;
        } else {
            self.spend(BudgetName::Settings, now_us)?;
        }
        for setting in settings.iter() {
            self.apply(setting)?;
        }
        frame::settings_ack(out);
        Ok(Event::Settings)
    }

    fn apply(&mut self, setting: Setting) -> Result<(), Cause> {
        let peer = &mut self.peer;
        match setting {
            Setting::HeaderTableSize(bytes) => self.encoder.set_table_size_max(bytes as usize),
            Setting::EnablePush(0) => {}
            Setting::EnablePush(1) if self.role == Role::Server => {}
            Setting::EnablePush(_) => return Err(Rule::PushEnabled.into()),
            Setting::MaxConcurrentStreams(streams) => peer.max_streams = streams,
            Setting::InitialWindowSize(bytes) if bytes > MAX_31_BITS => return Err(Rule::InitialWindow.into()),
            Setting::InitialWindowSize(bytes) => return self.initial_window(bytes),
            Setting::MaxFrameSize(bytes @ FRAME_BYTES_MIN..=FRAME_BYTES_MAX) => peer.frame_bytes = bytes,
            Setting::MaxFrameSize(_) => return Err(Rule::MaxFrameSize.into()),
            Setting::MaxHeaderListSize(bytes) => peer.header_bytes = Some(bytes),
            Setting::EnableConnectProtocol(0) if !peer.extended_connect => {}
            Setting::EnableConnectProtocol(1) => peer.extended_connect = true,
            Setting::EnableConnectProtocol(_) => return Err(Rule::ConnectProtocol.into()),
            Setting::NoRfc7540Priorities(value) => {
                let was = *peer.no_priorities.get_or_insert(value);
                if value > 1 || value != was {
                    return Err(Rule::NoPriorities.into());
                }
            }
            Setting::Unknown(_) => {}
        }
        Ok(())
    }

    /// Changes the windows of all streams by the difference; they may fall below 0 (RFC 9113 section 6.9.2).
    fn initial_window(&mut self, bytes: u32) -> Result<(), Cause> {
        let change = i64::from(bytes) - i64::from(self.peer.initial_window);
        self.peer.initial_window = bytes;
        if change == 0 {
            return Ok(());
        }
        for stream in self.streams.iter_mut() {
            stream.send.change(change).map_err(|_| Cause::from(Rule::WindowOverflow))?;
        }
        self.unpark_all();
        Ok(())
    }

    /// What this end has set is in force (RFC 9113 section 6.5.3).
    pub(super) fn settings_acknowledged(&mut self) -> Result<(), Cause> {
        if self.settings_sent_us.take().is_none() {
            return Err(Rule::SettingsAckUnexpected.into());
        }
        self.decoder.set_table_size_max(self.limits.table_bytes);
        let window = self.limits.stream_window.min(MAX_31_BITS);
        for stream in self.streams.iter_mut() {
            stream.receive.resize(window);
        }
        Ok(())
    }

    pub(super) fn ping_frame(
        &mut self,
        ack: bool,
        payload: [u8; 8],
        now_us: u64,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, Cause> {
        self.spend(BudgetName::Pings, now_us)?;
        if ack {
            let is_ours = self.drain_ponged(payload, out);
            return Ok((!is_ours).then_some(Event::Pong(payload)));
        }
        frame::ping(true, payload, out);
        Ok(None)
    }

    /// Appends PING; its echo comes as [`Event::Pong`], if the peer sends one.
    pub fn ping(&mut self, payload: [u8; 8], out: &mut Vec<u8>) {
        frame::ping(false, payload, out);
    }

    /// RFC 9113 section 6.8: streams above the last one have not been processed.
    pub(super) fn goaway_frame(&mut self, last_stream: u32, code: ErrorCode, now_us: u64) -> Result<Event, Cause> {
        self.spend(BudgetName::GoAways, now_us)?;
        if self.drain.received.is_some_and(|before| last_stream > before) {
            return Err(Rule::GoAwayGrew.into());
        }
        self.drain.received = Some(last_stream);
        if self.role == Role::Client {
            let end = StreamEnd { code: ErrorCode::REFUSED_STREAM, by: EndedBy::PeerGoAway, unprocessed: true };
            let left_out = |id: &u32| *id > last_stream;
            let mut ended = 0;
            for stream in self.streams.iter_mut().filter(|stream| left_out(&stream.id)) {
                if stream.state != State::Closed {
                    stream.state = State::Closed;
                    stream.wants = false;
                    stream.parked_since_us = None;
                    stream.end = Some(end);
                    ended += 1;
                }
            }
            for _ in 0..ended {
                self.count_closed(false);
            }
        }
        Ok(Event::GoAway { code })
    }

    pub(super) fn reset_frame(&mut self, id: u32, code: ErrorCode, now_us: u64) -> Result<Option<Event>, Cause> {
        if self.is_idle(id) {
            return Err(Rule::StreamIdle.into());
        }
        let is_peers = self.is_peers(id);
        match self.streams.get(id).map(|stream| stream.state) {
            None | Some(State::Closed) => {
                self.late(now_us)?;
                Ok(None)
            }
            Some(_) => {
                if is_peers {
                    self.spend(BudgetName::Resets, now_us)?;
                }
                self.end_stream(id, Some(StreamEnd::by_peer(code)));
                Ok(Some(Event::Ended { stream: StreamId(id) }))
            }
        }
    }

    pub(super) fn window_update_frame(
        &mut self,
        id: u32,
        increment: u32,
        now_us: u64,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, Cause> {
        if id != 0 && self.is_idle(id) {
            return Err(Rule::StreamIdle.into());
        }
        if increment < SMALL_INCREMENT_BYTES {
            self.spend(BudgetName::SmallWindowUpdates, now_us)?;
        }
        if id == 0 {
            return self.connection_window_update(increment).map(|()| None);
        }
        let Some(stream) = self.streams.get_mut(id).filter(|stream| stream.state != State::Closed) else {
            return self.late(now_us).map(|()| None);
        };
        if increment == 0 {
            return self.stream_error(id, Rule::WindowIncrementZero.into(), now_us, out);
        }
        if stream.send.change(increment.into()).is_err() {
            return self.stream_error(id, Rule::WindowOverflow.into(), now_us, out);
        }
        self.unpark(id);
        Ok(None)
    }

    fn connection_window_update(&mut self, increment: u32) -> Result<(), Cause> {
        if increment == 0 {
            return Err(Rule::WindowIncrementZero.into());
        }
        self.send.change(increment.into()).map_err(|_| Cause::from(Rule::WindowOverflow))?;
        self.blocked_since_us = None;
        Ok(())
    }

    /// RFC 9218 section 7.1.
    pub(super) fn priority_update(&mut self, id: u32, value: &[u8], now_us: u64) -> Result<(), Cause> {
        if self.role == Role::Client || id == 0 || !self.is_peers(id) {
            return Err(Rule::PriorityUpdate.into());
        }
        self.spend(BudgetName::Priorities, now_us)?;
        let priority = Priority::parse(value);
        if self.is_idle(id) {
            self.early_priorities.retain(|(early, _)| *early != id);
            if self.early_priorities.len() == EARLY_PRIORITIES_MAX {
                self.early_priorities.remove(0);
            }
            self.early_priorities.push((id, priority));
            return Ok(());
        }
        self.reprioritise(StreamId(id), priority);
        Ok(())
    }
}
