//! What must happen in time. The caller keeps one deadline, and asks again when it has passed.

use super::{Connection, Event, Phase};
use crate::h2::{BudgetName, Cap, Cause, ConnectionError, Rule, StreamId};

impl Connection {
    /// When [`Connection::on_deadline`] should be called next, in microseconds; it may move either way with every other
    /// call, and a call that comes early does no harm.
    pub fn deadline(&self) -> Option<u64> {
        let limits = &self.limits;
        let preface = match self.phase {
            Phase::Failed(_) => return None,
            Phase::Preface | Phase::Settings => Some(self.started_us.saturating_add(limits.preface_us)),
            Phase::Open => None,
        };
        let settings = self.settings_sent_us.map(|at| at.saturating_add(limits.settings_ack_us));
        let head = self.block.map(|block| block.since_us.saturating_add(limits.head_us));
        let stalled = |since: Option<u64>| since.map(|at| at.saturating_add(limits.stall_us));
        let (parked, blocked) = (stalled(self.parked_since_us), stalled(self.blocked_since_us));
        [preface, settings, head, parked, blocked].into_iter().flatten().min()
    }

    /// Takes note that the deadline has passed. Gives streams that ended by it, one with each call, or the error that
    /// ends the connection.
    pub fn on_deadline(&mut self, now_us: u64, out: &mut Vec<u8>) -> Result<Option<Event>, ConnectionError> {
        if let Phase::Failed(error) = self.phase {
            return Err(error);
        }
        match self.overdue(now_us, out) {
            Ok(event) => Ok(event),
            Err(cause) => Err(self.fail(cause, out)),
        }
    }

    fn overdue(&mut self, now_us: u64, out: &mut Vec<u8>) -> Result<Option<Event>, Cause> {
        if let Some(cause) = self.failing.take() {
            return Err(cause);
        }
        let limits = self.limits.clone();
        let is_over = |since_us: u64, time_us: u64| now_us.saturating_sub(since_us) >= time_us;
        if self.phase != Phase::Open && is_over(self.started_us, limits.preface_us) {
            return Err(Rule::PrefaceTimeout.into());
        }
        if self.settings_sent_us.is_some_and(|at| is_over(at, limits.settings_ack_us)) {
            return Err(Rule::SettingsTimeout.into());
        }
        if self.block.is_some_and(|block| is_over(block.since_us, limits.head_us)) {
            return Err(Rule::HeadTimeout.into());
        }
        let is_blocked = self.streams.iter().any(|stream| stream.wants);
        if is_blocked && self.blocked_since_us.is_some_and(|at| is_over(at, limits.stall_us)) {
            return Err(Cap::Stalled.into());
        }
        if !self.parked_since_us.is_some_and(|at| is_over(at, limits.stall_us)) {
            return Ok(None);
        }
        let parked = self.streams.iter().filter_map(|stream| Some((stream.parked_since_us?, stream.id)));
        let oldest = parked.min();
        self.parked_since_us = oldest.map(|(at, _)| at);
        let Some((_, id)) = oldest.filter(|(at, _)| is_over(*at, limits.stall_us)) else { return Ok(None) };
        self.spend(BudgetName::Stalls, now_us)?;
        self.reset_for(id, Rule::Stalled.into(), now_us, out)?;
        Ok(Some(Event::Ended { stream: StreamId(id) }))
    }
}
