//! Addresses as the file writes them: `0.0.0.0:8080`, `[::]:8080`, `unix:/path`.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

/// What a listener binds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// An IP address and a port; port 0 lets the kernel choose one.
    Tcp(SocketAddr),
    /// The path of a Unix socket; a relative one has been joined to the directory of the file that names it.
    Unix(PathBuf),
}

/// What an upstream's endpoint is reached at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EndpointAddress {
    /// An IP address and a port other than 0.
    Tcp(SocketAddr),
    /// The path of a Unix socket; a relative one has been joined to the directory of the file that names it.
    Unix(PathBuf),
}

impl Address {
    /// The address in the one form that all ways to write it share: a path without `.`, `..` and doubled slashes, as far
    /// as that can be told without looking at the file system.
    pub(crate) fn normalised(&self) -> Address {
        match self {
            Address::Tcp(address) => Address::Tcp(*address),
            Address::Unix(path) => Address::Unix(lexically(path)),
        }
    }
}

fn lexically(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        let under = matches!(plain.components().next_back(), Some(Component::Normal(_)));
        match component {
            Component::CurDir => {}
            Component::ParentDir if under => {
                plain.pop();
            }
            Component::ParentDir if plain.has_root() => {}
            component => plain.push(component),
        }
    }
    plain
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => address.fmt(f),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Display for EndpointAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EndpointAddress::Tcp(address) => address.fmt(f),
            EndpointAddress::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
