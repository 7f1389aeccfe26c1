//! The process's listeners: opened before anything else changes, closed when a configuration has no more use for them.

use super::diary::warn;
use super::report::address_text;
use super::shards::ListenerHere;
use crate::proxy::EntranceId;
use ringgate_config::{Address as ConfigAddress, Config, Listener};
use ringgate_rt::Address;
use ringgate_rt::listener::{self, Bound, FileId};
use std::io;
use std::time::{Duration, Instant};

/// How long the shards may take to close a listener that was removed.
const CLOSING: Duration = Duration::from_secs(10);

/// A listener, as it was bound.
#[derive(Clone, Debug)]
pub struct Started {
    /// Its name in the configuration.
    pub name: String,
    /// Its address, with the port that the system gave.
    pub address: Address,
}

/// The listeners that there are.
pub(super) struct Listeners {
    open: Vec<Open>,
    next: EntranceId,
    shards: usize,
    /// Sockets that were open when the process began, until a listener takes them.
    inherited: Vec<(String, Bound)>,
    /// Addresses of listeners that were removed, and when.
    gone: Vec<(Address, Instant)>,
}

#[derive(Clone)]
struct Open {
    id: EntranceId,
    configured: ConfigAddress,
    started: Started,
    /// The socket was open when the process began; its address may be spelled in another way than the configuration's.
    inherited: bool,
    /// Of a Unix socket that was bound here: somebody may remove it, or put another in its place.
    file: Option<FileId>,
}

/// Another set of listeners: what is new in it is bound, nothing else has changed.
pub(super) struct Prepared {
    open: Vec<Open>,
    next: EntranceId,
    /// Names of inherited sockets that listeners take.
    claimed: Vec<String>,
    /// What each shard is to know of it.
    pub(super) here: Vec<Vec<ListenerHere>>,
}

impl Listeners {
    /// None yet, for so many shards.
    pub(super) fn new(shards: usize, inherited: Vec<(String, Bound)>) -> Listeners {
        Listeners { open: Vec::new(), next: 0, shards, inherited, gone: Vec::new() }
    }

    /// The listeners as bound, in the order of the file.
    pub(super) fn started(&self) -> Vec<Started> {
        self.open.iter().map(|open| open.started.clone()).collect()
    }

    /// Inherited sockets that no listener has taken.
    pub(super) fn unclaimed<'a>(&'a self, prepared: &'a Prepared) -> impl Iterator<Item = &'a str> {
        self.inherited.iter().map(|(name, _)| name.as_str()).filter(|name| !prepared.claimed.iter().any(|c| c == name))
    }

    /// Opens what this configuration has and is not open yet.
    ///
    /// # Errors
    /// An address that can't be bound; it says which. Whatever was opened is closed again.
    pub(super) fn prepare(&self, config: &Config) -> io::Result<Prepared> {
        let mut prepared = Prepared {
            open: Vec::new(),
            next: self.next,
            claimed: Vec::new(),
            here: std::iter::repeat_with(Vec::new).take(self.shards).collect(),
        };
        for listener in &config.listeners {
            let name = listener.name.clone();
            match self.open.iter().find(|open| open.serves(listener)) {
                Some(open) if prepared.open.iter().any(|taken| taken.id == open.id) => {
                    let what = format!("listener {name}: another listener has {} already", listener.address);
                    return Err(io::Error::new(io::ErrorKind::AddrInUse, what));
                }
                Some(open) => {
                    let started = Started { name, address: open.started.address.clone() };
                    prepared.keep(Open { started, ..open.clone() });
                }
                None => match self.inherited(listener) {
                    Some((given, bound)) => {
                        prepared.claimed.push(given.clone());
                        prepared.add(listener, vec![bound.try_clone()?], true);
                    }
                    None => prepared.add(listener, self.bind(listener)?, false),
                },
            }
        }
        Ok(prepared)
    }

    /// Goes on with these.
    pub(super) fn commit(&mut self, prepared: Prepared) {
        let now = Instant::now();
        self.gone.retain(|(_, when)| now.duration_since(*when) < CLOSING);
        let stays = |open: &Open| prepared.open.iter().any(|kept| kept.id == open.id);
        let gone = self.open.iter().filter(|open| !stays(open));
        self.gone.extend(gone.map(|open| (open.started.address.clone(), now)));
        self.inherited.retain(|(name, _)| !prepared.claimed.contains(name));
        (self.open, self.next) = (prepared.open, prepared.next);
    }

    /// The inherited socket that is meant for a listener: by its name, or by its address.
    fn inherited(&self, listener: &Listener) -> Option<&(String, Bound)> {
        let address = target(&listener.address);
        self.inherited.iter().find(|(name, bound)| *name == listener.name || *bound.address() == address)
    }

    /// A listener's sockets: one for each shard, or a single one.
    fn bind(&self, listener: &Listener) -> io::Result<Vec<Bound>> {
        let address = target(&listener.address);
        // A listener that is about to go, or has just gone, may still be on the port: that is no second instance.
        let gone = self.gone.iter().map(|(address, _)| address);
        let own = self.open.iter().map(|open| &open.started.address).chain(gone).any(|own| same_port(own, &address));
        let bound = if own { listener::bind_beside } else { listener::bind };
        bound(&address, self.shards).map_err(|error| {
            let hint = match error.kind() {
                io::ErrorKind::AddrInUse => "; is another instance running?",
                io::ErrorKind::PermissionDenied => "; ports below 1024 need CAP_NET_BIND_SERVICE",
                _ => "",
            };
            let what = format!("listener {}: can't listen on {}: {error}{hint}", listener.name, listener.address);
            io::Error::new(error.kind(), what)
        })
    }
}

impl Open {
    /// Whether this is the listener that the configuration means: its address, and where the system is to choose the
    /// port its name too.
    fn serves(&self, listener: &Listener) -> bool {
        if self.inherited && self.configured == listener.address && self.started.name == listener.name {
            return true;
        }
        match (&listener.address, &self.started.address) {
            (ConfigAddress::Tcp(asked), _) if asked.port() == 0 => {
                self.configured == listener.address && self.started.name == listener.name
            }
            (ConfigAddress::Tcp(asked), Address::Tcp(bound)) => asked == bound,
            (ConfigAddress::Unix(asked), Address::Unix(bound)) => {
                asked == bound && (self.inherited || self.file == FileId::at(bound))
            }
            _ => false,
        }
    }
}

impl Prepared {
    fn keep(&mut self, open: Open) {
        for here in &mut self.here {
            here.push(ListenerHere { id: open.id, name: open.started.name.clone(), bound: None, shared: false });
        }
        self.open.push(open);
    }

    fn add(&mut self, listener: &Listener, mut sockets: Vec<Bound>, inherited: bool) {
        let Some(address) = sockets.first().map(|socket| socket.address().clone()) else { return };
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        let shared = sockets.len() < self.here.len() || matches!(address, Address::Unix(_));
        for here in &mut self.here {
            here.push(ListenerHere { id, name: listener.name.clone(), bound: sockets.pop(), shared });
        }
        let file = match &address {
            Address::Unix(path) => FileId::at(path),
            Address::Tcp(_) => None,
        };
        if inherited && address != target(&listener.address) {
            warn(&format!(
                "listener {}: the inherited socket is on {}, not on {}",
                listener.name,
                address_text(&address),
                listener.address
            ));
        }
        let started = Started { name: listener.name.clone(), address };
        self.open.push(Open { id, configured: listener.address.clone(), started, inherited, file });
    }
}

fn target(address: &ConfigAddress) -> Address {
    match address {
        ConfigAddress::Tcp(at) => Address::Tcp(*at),
        ConfigAddress::Unix(path) => Address::Unix(path.clone()),
    }
}

fn same_port(one: &Address, other: &Address) -> bool {
    match (one, other) {
        (Address::Tcp(one), Address::Tcp(other)) => one.port() == other.port() && one.port() != 0,
        _ => false,
    }
}
