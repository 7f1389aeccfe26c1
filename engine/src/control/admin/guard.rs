//! Who may ask: whoever reaches the socket may read, and only who owns it or has the token may change anything.
//!
//! A page in a browser on this machine reaches the socket too. It is told apart by Host (a name of its own that leads
//! here) and by Origin.

use super::answer::{Refusal, refusal};
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, ORIGIN, WWW_AUTHENTICATE};
use hyper::{StatusCode, Uri};
use ringgate_config::{Address, Secret};
use std::net::SocketAddr;
use subtle::ConstantTimeEq;

/// The port that a Host without one means.
const HTTP_PORT: u16 = 80;

/// Refuses what a page of another site may have sent.
///
/// # Errors
/// 400 without a Host, 421 for a foreign one, 403 for a foreign Origin.
pub(super) fn is_ours(at: &Address, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let host = only(headers, &HOST);
    if let Address::Tcp(at) = at {
        let Some(host) = host else {
            return Err(refusal(StatusCode::BAD_REQUEST, "malformed_request", "exactly one Host field is needed"));
        };
        let named = uri.authority().map(|authority| authority.as_str());
        if !is_name_of(*at, host) || !named.is_none_or(|named| is_name_of(*at, named)) {
            let message = format!("Host must be {at} or localhost:{}", at.port());
            return Err(refusal(StatusCode::MISDIRECTED_REQUEST, "wrong_host", message));
        }
    }
    // A Unix socket has no origin: no page can have come from there.
    let own = host.filter(|_| matches!(at, Address::Tcp(_))).map(|host| format!("http://{host}"));
    let is_own = |origin: &[u8]| own.as_ref().is_some_and(|own| own.as_bytes().eq_ignore_ascii_case(origin));
    if headers.get_all(ORIGIN).iter().all(|origin| is_own(origin.as_bytes())) {
        return Ok(());
    }
    Err(refusal(StatusCode::FORBIDDEN, "foreign_origin", "the admin API takes no calls from pages of other sites"))
}

/// Whether a Host means the socket at this address.
fn is_name_of(at: SocketAddr, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let ip = if at.is_ipv6() { format!("[{}]", at.ip()) } else { at.ip().to_string() };
    [ip.as_str(), "localhost", "127.0.0.1", "[::1]"].iter().any(|name| {
        let port = host.strip_prefix(name);
        port.is_some_and(|port| port == format!(":{}", at.port()) || port.is_empty() && at.port() == HTTP_PORT)
    })
}

/// Refuses who may not change anything. Who reaches the Unix socket is the process's own user, or root.
///
/// # Errors
/// 401 without the right token, 403 where there is none that would be right.
pub(super) fn may_change(at: &Address, token: Option<&Secret>, headers: &HeaderMap) -> Result<(), Refusal> {
    if matches!(at, Address::Unix(_)) {
        return Ok(());
    }
    // An empty one would be no secret.
    let Some(token) = token.map(Secret::reveal).filter(|token| !token.is_empty()) else {
        let message = "calls that change something need a token, and this gateway has none: set admin.token, or let \
                       admin.address be a Unix socket";
        return Err(refusal(StatusCode::FORBIDDEN, "no_token", message));
    };
    match only(headers, &AUTHORIZATION).and_then(bearer) {
        Some(given) if given.as_bytes().ct_eq(token.as_bytes()).into() => Ok(()),
        Some(_) => Err(unauthorized(
            "the token is not the one in admin.token",
            "Bearer realm=\"ringgate admin\", error=\"invalid_token\"",
        )),
        None => Err(unauthorized(
            "calls that change something need `Authorization: Bearer TOKEN`, with the token in admin.token",
            "Bearer realm=\"ringgate admin\"",
        )),
    }
}

fn unauthorized(message: &str, challenge: &str) -> Refusal {
    refusal(StatusCode::UNAUTHORIZED, "unauthorized", message).with(WWW_AUTHENTICATE, challenge)
}

/// The token in a value of Authorization (RFC 6750 section 2.1; the scheme in any case, RFC 9110 section 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}

/// The value of a field that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_the_address_or_a_name_of_this_machine_with_the_port() {
        let four = "127.0.0.2:8001".parse().expect("an address");
        for host in ["127.0.0.2:8001", "127.0.0.1:8001", "localhost:8001", "LocalHost:8001", "[::1]:8001"] {
            assert!(is_name_of(four, host), "{host}");
        }
        let foreign = ["", "127.0.0.2", "127.0.0.2:80", "127.0.0.2:18001", "localhost", "localhost.:8001", "evil:8001"];
        for host in foreign.into_iter().chain(["127.0.0.2:8001.evil", "localhost.evil:8001", "x@localhost:8001"]) {
            assert!(!is_name_of(four, host), "{host}");
        }
        let six = "[::1]:80".parse().expect("an address");
        assert!(is_name_of(six, "[::1]") && is_name_of(six, "[::1]:80") && is_name_of(six, "localhost"));
    }

    #[test]
    fn a_bearer_token_has_one_form() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for value in ["", "abc", "Bearer", "Basic abc", "Bearerabc"] {
            assert_eq!(bearer(value), None, "{value}");
        }
    }

    #[test]
    fn an_empty_token_opens_nothing() {
        let at = Address::Tcp("127.0.0.1:1".parse().expect("an address"));
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, "Bearer ".parse().expect("a value"));
        for token in [None, Some(Secret::new(String::new()))] {
            let refused = may_change(&at, token.as_ref(), &headers).expect_err("refused");
            assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        }
    }
}
