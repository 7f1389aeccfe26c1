//! Hosts in `match`: `api.example.com`, `*.example.com`, addresses; without a port, in any case.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::decode::Wrong;
use crate::pattern::HostPattern;
use crate::wording::shorten;

pub(crate) const LIMITS: &str = "a host name or IP address without a port; `*.` may stand in front of a name";
/// RFC 1035 section 2.3.4, without the root's dot.
const HOST_MAX: usize = 253;
const LABEL_MAX: usize = 63;

pub(crate) fn parse(text: &str) -> Result<HostPattern, Wrong> {
    let shown = shorten(text);
    let wrong = |hint: &str| Err((format!("`{shown}` is not a host"), hint.to_owned()));
    let host = text.to_ascii_lowercase();
    if let Some(inner) = host.strip_prefix('[') {
        return match inner.strip_suffix(']').map(str::parse::<Ipv6Addr>) {
            Some(Ok(address)) => Ok(HostPattern::Exact(format!("[{address}]"))),
            _ => wrong("an IPv6 address stands in brackets, without a port: `\"[::1]\"`"),
        };
    }
    if host.contains("://") || host.contains('/') {
        return wrong("name the host alone, without scheme and path");
    }
    if host.parse::<Ipv6Addr>().is_ok() {
        return wrong("an IPv6 address stands in brackets: `\"[::1]\"`");
    }
    if host.contains(':') {
        return wrong("leave the port out: hosts are compared without it");
    }
    if host == "*" {
        return wrong("a route without `hosts` takes every host");
    }
    if !host.is_ascii() {
        return wrong("write an international name in its ASCII form: `xn--...`");
    }
    if host.ends_with('.') {
        return wrong("leave the dot at the end out");
    }
    let (wildcard, name) = match host.strip_prefix("*.") {
        Some(name) => (true, name),
        None => (false, host.as_str()),
    };
    if name.contains('*') {
        return wrong("`*` may only be the whole first label: `*.example.com`");
    }
    if name.len() > HOST_MAX || !name.split('.').all(is_label) {
        return wrong(
            "a host is labels of letters, digits, `-` and `_`, at most 63 each and 253 in all, with dots between",
        );
    }
    let number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if number && (wildcard || name.parse::<Ipv4Addr>().is_err()) {
        return wrong("a name never ends in a number, and this is no IPv4 address");
    }
    Ok(if wildcard { HostPattern::Wildcard(format!(".{name}")) } else { HostPattern::Exact(host) })
}

/// A host as the service gets it: with or without a port, as written.
pub(crate) fn parse_with_port(text: &str) -> Result<String, Wrong> {
    let wrong = |hint: &str| Err((format!("`{}` can't be sent as `host`", shorten(text)), hint.to_owned()));
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let digits = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    if !port.is_none_or(|port| digits(port) && port.parse::<u16>().is_ok()) {
        return wrong("a port is a number from 0 to 65535");
    }
    match parse(host) {
        Ok(HostPattern::Exact(_)) => Ok(text.to_owned()),
        Ok(HostPattern::Wildcard(_)) => wrong("name one host, without `*`"),
        Err((_, hint)) => wrong(&hint),
    }
}

fn is_label(label: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=LABEL_MAX).contains(&label.len()) && label.bytes().all(good)
}
