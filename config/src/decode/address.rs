//! Addresses: `0.0.0.0:8080`, `[::]:8080`, `unix:/path`. `localhost` means 127.0.0.1 without asking a resolver.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::address::{Address, EndpointAddress};
use crate::decode::Wrong;
use crate::wording::shorten;

pub(crate) const LISTENER_LIMITS: &str = "`IP:PORT`, `[IPv6]:PORT` or `unix:PATH`";
pub(crate) const ENDPOINT_LIMITS: &str = "`IP:PORT`, `[IPv6]:PORT` or `unix:PATH`; port 1 to 65535";
/// `sun_path` holds 108 bytes, the last of them NUL (unix(7)).
pub(crate) const UNIX_PATH_MAX: usize = 107;

/// What a text means as an address.
enum Parsed {
    Tcp(SocketAddr),
    Unix(PathBuf),
    /// A host name: needs a resolver.
    Name,
}

/// What a listener binds. A relative path starts in `directory`.
pub(crate) fn listener(text: &str, directory: &Path) -> Result<Address, Wrong> {
    bound(text, directory, "0.0.0.0")
}

/// As [`listener`], with an IP address to show in hints.
pub(crate) fn bound(text: &str, directory: &Path, model: &str) -> Result<Address, Wrong> {
    match parse(text, directory, model)? {
        Parsed::Tcp(address) => Ok(Address::Tcp(address)),
        Parsed::Unix(path) => Ok(Address::Unix(path)),
        Parsed::Name => Err((
            format!("`{}` does not begin with an IP address", shorten(text)),
            format!("a listener binds an address of this machine: write `{model}:8080`, for example"),
        )),
    }
}

/// What an endpoint is reached at; `None`: a host name.
pub(crate) fn endpoint(text: &str, directory: &Path) -> Result<Option<EndpointAddress>, Wrong> {
    match parse(text, directory, "127.0.0.1")? {
        Parsed::Tcp(address) if address.port() == 0 => {
            Err(("an endpoint can't have port 0".to_owned(), "write the port on which the service listens".to_owned()))
        }
        Parsed::Tcp(address) => Ok(Some(EndpointAddress::Tcp(address))),
        Parsed::Unix(path) => Ok(Some(EndpointAddress::Unix(path))),
        Parsed::Name => Ok(None),
    }
}

/// `model` is an IP address to show in hints.
fn parse(text: &str, directory: &Path, model: &str) -> Result<Parsed, Wrong> {
    let shown = shorten(text);
    if let Some(path) = text.strip_prefix("unix:") {
        return unix(path, directory).map(Parsed::Unix);
    }
    if let Ok(address) = text.parse() {
        return Ok(Parsed::Tcp(address));
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let rest = rest.trim_end_matches('/');
        return Err((
            format!("`{shown}` is a URL, not an address"),
            format!("leave `{}://` out: `{}`", shorten(scheme), shorten(rest)),
        ));
    }
    if text.starts_with(['/', '.']) {
        return Err((format!("`{shown}` is not an address"), format!("write `unix:{shown}` for a Unix socket")));
    }
    if text.parse::<IpAddr>().is_ok() {
        let hint = match text.contains(':') {
            true => "an IPv6 address stands in brackets, the port behind them: `[::1]:8080`".to_owned(),
            false => format!("write `{text}:8080`, for example"),
        };
        return Err((format!("`{shown}` has no port"), hint));
    }
    if text.ends_with([']', ':']) {
        let hint = format!("write `{}:8080`, for example", shown.trim_end_matches(':'));
        return Err((format!("`{shown}` has no port"), hint));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(match text.parse::<u16>() {
            Ok(port) => (format!("`{shown}` has no IP address"), format!("write `{model}:{port}`, for example")),
            Err(_) => {
                (format!("`{shown}` is not an address"), "write `IP:PORT`, `[IPv6]:PORT` or `unix:PATH`".to_owned())
            }
        });
    };
    let Some(port) = parse_port(port) else {
        return Err((format!("`{}` is not a port", shorten(port)), "a port is a number from 0 to 65535".to_owned()));
    };
    match host {
        "localhost" => Ok(Parsed::Tcp((Ipv4Addr::LOCALHOST, port).into())),
        "" | "*" => Err((format!("`{shown}` has no IP address"), format!("write `{model}:{port}`, for example"))),
        _ if host.contains(':') => {
            Err((format!("`{shown}` is not an address"), format!("an IPv6 address needs brackets: `[::1]:{port}`")))
        }
        _ if is_host_name(host) => Ok(Parsed::Name),
        _ => Err((
            format!("`{}` is not an IP address", shorten(host)),
            "write `IP:PORT`, `[IPv6]:PORT` or `unix:PATH`".to_owned(),
        )),
    }
}

/// Digits alone: `u16::from_str` would take a `+` too.
fn parse_port(text: &str) -> Option<u16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A name and not a mistyped IPv4 address: the last label of a name is never a number.
fn is_host_name(host: &str) -> bool {
    let label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let numeric = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    host.len() <= 253 && !numeric && host.split('.').all(label)
}

fn unix(written: &str, directory: &Path) -> Result<PathBuf, Wrong> {
    if written.is_empty() {
        return Err((
            "`unix:` names no path".to_owned(),
            "write `unix:/run/ringgate/http.sock`, for example".to_owned(),
        ));
    }
    if written.starts_with('@') {
        let hint = "name a path in the file system: its permissions decide who may connect".to_owned();
        return Err(("abstract Unix sockets are not supported".to_owned(), hint));
    }
    let path = directory.join(written);
    let length = path.as_os_str().len();
    if length > UNIX_PATH_MAX || written.contains('\0') {
        let message =
            format!("`{}` is too long for a Unix socket: {length} bytes", shorten(&path.display().to_string()));
        return Err((message, format!("the system allows {UNIX_PATH_MAX} bytes, directory of this file included")));
    }
    Ok(path)
}
