//! What the control thread is told, by whomever.

use super::admin::Asked;
use super::reload::Loaded;
use super::shards::FromShard;
use crate::secure::Change;

/// Something that has happened.
pub(super) enum Event {
    Shard(FromShard),
    Signal(i32),
    /// A configuration was read for a reload.
    Loaded(Box<Loaded>),
    /// Files of certificates were looked at.
    Looked(Vec<Change>),
    /// Somebody wants a change by the admin API.
    Admin(Box<Asked>),
    /// The access log is written to its end; so many lines of it were lost.
    Logged(u64),
}

impl From<FromShard> for Event {
    fn from(event: FromShard) -> Event {
        Event::Shard(event)
    }
}
