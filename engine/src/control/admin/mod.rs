//! The admin API: what the gateway is and does, as JSON over HTTP, and calls that change it.
//!
//! It runs on a thread of its own, on tokio and hyper, and has nothing of a shard's: answers are made from the
//! [`Status`](status::Status) that the control thread publishes, and changes are asked of the control thread as events.

mod answer;
mod calls;
mod change;
mod guard;
mod server;
mod show;
mod socket;
mod status;

use crate::observe::Registry;
pub(super) use change::Asked;
use change::Waiting;
use ringgate_config::{Address, Config};
use ringgate_rt::listener::FileId;
use server::{Door, Server, Shared};
pub(super) use status::{Board, Status};
use std::io;
use std::sync::{Arc, mpsc};

use super::event::Event;

/// The admin API, as the control thread has it.
pub(super) struct Admin {
    pub(super) board: Board,
    waiting: Waiting,
    shared: Arc<Shared>,
    /// None until a configuration asks for it.
    server: Option<Server>,
    open: Option<Open>,
}

/// Where it listens.
struct Open {
    configured: Address,
    bound: Address,
    /// Of a Unix socket: somebody may remove it, or put another in its place.
    file: Option<FileId>,
    /// Dropped: the listener is closed, and connections as their calls end.
    _door: Door,
}

/// What another configuration asks for: bound if it is new, nothing else has changed.
pub(super) enum Prepared {
    Keep,
    Close,
    Open(Box<(Address, Door)>),
}

/// The file of a Unix socket.
fn file_of(address: &Address) -> Option<FileId> {
    match address {
        Address::Unix(path) => FileId::at(path),
        Address::Tcp(_) => None,
    }
}

impl Admin {
    /// It does not listen yet.
    pub(super) fn new(status: Status, tell: mpsc::Sender<Event>, registry: Arc<Registry>) -> Admin {
        let board = Board::new(status);
        let shared = Arc::new(Shared::new(board.clone(), tell, registry));
        Admin { board, waiting: Waiting::default(), shared, server: None, open: None }
    }

    /// Binds what this configuration asks for and is not open yet.
    ///
    /// # Errors
    /// An address that can't be bound, or no thread to serve it. Then nothing has changed.
    pub(super) fn prepare(&mut self, config: &Config) -> io::Result<Prepared> {
        let Some(admin) = &config.admin else { return Ok(Prepared::Close) };
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.configured == admin.address && open.file == file_of(&admin.address))
        {
            return Ok(Prepared::Keep);
        }
        if self.server.is_none() {
            self.server = Some(Server::start()?);
        }
        let Some(server) = &self.server else { return Ok(Prepared::Keep) };
        Ok(Prepared::Open(Box::new((admin.address.clone(), server.bind(&admin.address)?))))
    }

    /// Goes on with that.
    pub(super) fn commit(&mut self, prepared: Prepared) {
        match prepared {
            Prepared::Keep => {}
            Prepared::Close => self.open = None,
            Prepared::Open(opened) => {
                let (configured, mut door) = *opened;
                if let Some(server) = &self.server {
                    server.serve(&mut door, self.shared.clone());
                }
                let file = file_of(&configured);
                self.open = Some(Open { configured, bound: door.address().clone(), file, _door: door });
            }
        }
    }

    /// Where it listens, with the port that the system gave.
    pub(super) fn address(&self) -> Option<&Address> {
        self.open.as_ref().map(|open| &open.bound)
    }
}

#[cfg(test)]
mod tests;
