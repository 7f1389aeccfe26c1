//! The calls of the admin API: one table, from which the index, `404` and `405` follow too.

use super::super::diary::{LogLevel, detail, warn};
use super::super::event::Event;
use super::answer::{self, Answer, Refusal, good, json, refusal};
use super::change::{Asked, Change, Done};
use super::guard;
use super::server::Shared;
use super::show;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::ALLOW;
use hyper::{Method, Request, StatusCode};
use ringgate_config::Address;
use ringgate_protocols::wire::path::decode;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Bytes of a request's body; more give 413.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long a body may take to come; longer gives 408.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a change is waited for before the answer says that it is still going on.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(15);

/// A call of this path panics, in tests.
#[cfg(test)]
pub(super) const PANIC_PATH: &str = "/panic";

/// Who is on a connection, and what it was accepted on.
pub(super) struct Peer {
    pub(super) at: Arc<Address>,
    pub(super) who: String,
}

/// One call.
pub(super) struct Call {
    pub(super) method: &'static str,
    /// A segment in braces takes any one.
    pub(super) path: &'static str,
    pub(super) does: &'static str,
    verb: Verb,
}

#[derive(Clone, Copy)]
enum Verb {
    Index,
    Alive,
    Readiness,
    Metrics,
    Config,
    Routes,
    Upstreams,
    Connections,
    Certificates,
    Level,
    SetLevel,
    Reload,
    Ready(bool),
    Endpoint { drained: bool },
}

const fn call(method: &'static str, path: &'static str, verb: Verb, does: &'static str) -> Call {
    Call { method, path, does, verb }
}

/// Every call. GET reads, everything else changes something.
pub(super) const CALLS: &[Call] = &[
    call("GET", "/", Verb::Index, "these calls"),
    call("GET", "/livez", Verb::Alive, "200 while the process lives"),
    call("GET", "/readyz", Verb::Readiness, "200 while the gateway asks for traffic, else 503 with the reason"),
    call("GET", "/metrics", Verb::Metrics, "metrics in the text format of Prometheus"),
    call("GET", "/config", Verb::Config, "the configuration in force, and what came of the last reload"),
    call("GET", "/routes", Verb::Routes, "the routes, in the order of the file"),
    call("GET", "/upstreams", Verb::Upstreams, "the services and the state of their endpoints"),
    call("GET", "/connections", Verb::Connections, "client connections and their limit"),
    call("GET", "/certificates", Verb::Certificates, "the certificates in use, and when they expire"),
    call("GET", "/log-level", Verb::Level, "the level up to which lines are written to stderr"),
    call("PUT", "/log-level", Verb::SetLevel, "changes it: {\"level\":\"error|warn|info|debug\"}"),
    call("POST", "/reload", Verb::Reload, "reads the file anew and answers with what came of it; ?wait=no: at once"),
    call("POST", "/drain", Verb::Ready(false), "says not ready from now on, and goes on serving"),
    call("DELETE", "/drain", Verb::Ready(true), "says ready again"),
    call("POST", ENDPOINT, Verb::Endpoint { drained: true }, "takes an endpoint out: it gets no new requests"),
    call("DELETE", ENDPOINT, Verb::Endpoint { drained: false }, "takes it back in"),
];

const ENDPOINT: &str = "/upstreams/{upstream}/endpoints/{address}/drain";

/// Answers a request.
pub(super) async fn answer(request: Request<Incoming>, peer: &Peer, shared: &Shared) -> Answer {
    #[cfg(test)]
    assert!(request.uri().path() != PANIC_PATH, "injected");
    let asked = format!("{} {}", request.method(), request.uri().path());
    let answer = guarded(request, peer, shared).await.unwrap_or_else(Answer::from);
    detail(&format!("admin: {asked:?} by {}: {}", peer.who, answer.status().as_u16()));
    answer
}

/// Answers a request, or refuses it.
async fn guarded(request: Request<Incoming>, peer: &Peer, shared: &Shared) -> Result<Answer, Refusal> {
    let (head, body) = request.into_parts();
    guard::is_ours(&peer.at, &head.uri, &head.headers)?;
    let (call, captured) = find(&head.method, head.uri.path())?;
    if call.method == "GET" {
        return Ok(read(call.verb, shared));
    }
    let config = shared.board.read().config.clone();
    let token = config.admin.as_ref().and_then(|admin| admin.token.as_ref());
    guard::may_change(&peer.at, token, &head.headers).inspect_err(|_| {
        warn(&format!("admin: {} {:?} was refused to {}", call.method, head.uri.path(), peer.who));
    })?;
    let body = whole(body).await?;
    let change = change(call.verb, captured, head.uri.query(), &body)?;
    Ok(ask(change, peer, shared).await)
}

/// The call for a method and a path, with what the path holds in place of braces.
fn find(method: &Method, path: &str) -> Result<(&'static Call, Vec<String>), Refusal> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let mut allowed = Vec::new();
    for call in CALLS {
        let Some(captured) = captures(call.path, path) else { continue };
        if call.method == method {
            return Ok((call, captured));
        }
        allowed.push(call.method);
        allowed.extend((call.method == "GET").then_some("HEAD"));
    }
    Err(match allowed.is_empty() {
        true => refusal(StatusCode::NOT_FOUND, "not_found", "no such call: GET / names those that there are"),
        false => {
            let allowed = allowed.join(", ");
            let message = format!("this path takes {allowed}");
            refusal(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message).with(ALLOW, allowed)
        }
    })
}

/// What `path` holds where the pattern has braces, percent-decoded; none if it does not fit, or is no text.
fn captures(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut captured = Vec::new();
    let (mut wanted, mut segments) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), segments.next()) {
            (None, None) => return Some(captured),
            (Some(wanted), Some(segment)) if wanted.starts_with('{') => {
                let mut decoded = Vec::new();
                decode(segment.as_bytes(), &mut decoded);
                captured.push(String::from_utf8(decoded).ok()?);
            }
            (wanted, segment) if wanted == segment => {}
            _ => return None,
        }
    }
}

fn read(verb: Verb, shared: &Shared) -> Answer {
    let status = shared.board.read();
    match verb {
        Verb::Alive => good(&json!({ "status": "alive" })),
        Verb::Readiness => match status.unready() {
            None => good(&json!({ "status": "ready" })),
            Some(why) => json(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": why })),
        },
        Verb::Metrics => answer::metrics(shared.registry.exposition()),
        Verb::Config => show::config(&status),
        Verb::Routes => show::routes(&status),
        Verb::Upstreams => show::upstreams(&status, &shared.registry),
        Verb::Connections => show::connections(&status, &shared.registry),
        Verb::Certificates => show::certificates(&status),
        Verb::Level => good(&json!({ "level": LogLevel::current().name() })),
        _ => index(),
    }
}

fn index() -> Answer {
    let calls = CALLS.iter().map(
        |call| json!({ "method": call.method, "path": call.path, "does": call.does, "changes": call.method != "GET" }),
    );
    good(&json!({ "ringgate": env!("CARGO_PKG_VERSION"), "calls": calls.collect::<Vec<Value>>() }))
}

/// A request's body, whole.
async fn whole(body: Incoming) -> Result<Bytes, Refusal> {
    let too_large = || {
        let message = format!("a body may have {BODY_BYTES_MAX} bytes");
        refusal(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
    };
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(too_large());
    }
    match timeout(BODY_TIMEOUT, Limited::new(body, BODY_BYTES_MAX).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(refusal(StatusCode::BAD_REQUEST, "malformed_body", "the body could not be read")),
        Err(_) => Err(refusal(StatusCode::REQUEST_TIMEOUT, "request_timeout", "the body did not come in time")),
    }
}

/// What a changing call is to change.
fn change(verb: Verb, captured: Vec<String>, query: Option<&str>, body: &[u8]) -> Result<Change, Refusal> {
    let bad = |message: &str| Err(refusal(StatusCode::BAD_REQUEST, "bad_request", message));
    let wait = match (verb, query) {
        (_, None | Some("")) | (Verb::Reload, Some("wait=yes")) => true,
        (Verb::Reload, Some("wait=no")) => false,
        (Verb::Reload, Some(_)) => return bad("the query may be wait=no or wait=yes"),
        _ => return bad("this call takes no query"),
    };
    if !matches!(verb, Verb::SetLevel) && !body.is_empty() {
        return bad("this call takes no body");
    }
    match (verb, captured.as_slice()) {
        (Verb::Ready(ready), _) => Ok(Change::Ready(ready)),
        (Verb::SetLevel, _) => match level(body) {
            Some(level) => Ok(Change::LogLevel(level)),
            None => bad("the body must be {\"level\":\"error\"}, or warn, info, debug in its place"),
        },
        (Verb::Endpoint { drained }, [upstream, address]) => {
            Ok(Change::Endpoint { upstream: upstream.clone(), address: address.clone(), drained })
        }
        _ => Ok(Change::Reload { wait }),
    }
}

fn level(body: &[u8]) -> Option<LogLevel> {
    let Value::Object(members) = serde_json::from_slice(body).ok()? else { return None };
    let only = members.len() == 1;
    members.get("level").filter(|_| only)?.as_str().and_then(LogLevel::named)
}

/// Asks the control thread for a change, and waits until it is made.
async fn ask(change: Change, peer: &Peer, shared: &Shared) -> Answer {
    let stopping = || Answer::from(refusal(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the gateway is stopping"));
    let (answer, done) = oneshot::channel();
    let asked = Asked { change: change.clone(), who: peer.who.clone(), answer };
    if !shared.tell(Event::Admin(Box::new(asked))) {
        return stopping();
    }
    match timeout(CHANGE_TIMEOUT, done).await {
        Ok(Ok(Done::Changed)) => good(&changed(&change, shared)),
        Ok(Ok(Done::Reloaded(outcome))) => show::reloaded(&shared.board.read(), &outcome),
        Ok(Ok(Done::WillReload { after })) => {
            let message = match after {
                true => "another reload is going on; the file is read anew when that is done",
                false => "the file is being read",
            };
            json(StatusCode::ACCEPTED, &json!({ "status": "accepted", "coalesced": after, "message": message }))
        }
        Ok(Ok(Done::NoSuchEndpoint)) => {
            refusal(StatusCode::NOT_FOUND, "no_endpoint", "no such upstream, or no such endpoint: see GET /upstreams")
                .into()
        }
        Ok(Ok(Done::Stopping) | Err(_)) => stopping(),
        Err(_) => {
            let message = "not done yet: GET /config says what comes of a reload";
            json(StatusCode::ACCEPTED, &json!({ "status": "accepted", "message": message }))
        }
    }
}

/// What is so after a change.
fn changed(change: &Change, shared: &Shared) -> Value {
    match change {
        Change::Ready(ready) => {
            let why = shared.board.read().unready().unwrap_or("ready");
            json!({ "drained": !ready, "status": why })
        }
        Change::LogLevel(level) => json!({ "level": level.name() }),
        Change::Endpoint { upstream, address, drained } => {
            json!({ "upstream": upstream, "endpoint": address, "state": show::state(*drained) })
        }
        Change::Reload { .. } => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_give_what_stands_in_place_of_braces() {
        let taken = |path| captures(ENDPOINT, path);
        let taken_of = |one: &str, other: &str| Some(vec![one.to_owned(), other.to_owned()]);
        assert_eq!(taken("/upstreams/users/endpoints/127.0.0.1%3A9001/drain"), taken_of("users", "127.0.0.1:9001"));
        assert_eq!(taken("/upstreams/a%2Fb/endpoints/unix:%2Frun%2Fx.sock/drain"), taken_of("a/b", "unix:/run/x.sock"));
        for path in [
            "/upstreams/users/endpoints/a/b/drain",
            "/upstreams/users/endpoints/a/drain/",
            "/upstreams/%ff/endpoints/a/drain",
        ] {
            assert_eq!(taken(path), None, "{path}");
        }
        assert_eq!(captures("/", "/"), Some(Vec::new()));
        assert_eq!(captures("/", "//"), None);
    }

    #[test]
    fn a_level_is_asked_for_in_one_way() {
        assert_eq!(level(b"{\"level\":\"warn\"}"), Some(LogLevel::Warn));
        for body in ["", "warn", "{}", "[]", "{\"level\":1}", "{\"level\":\"WARN\"}", "{\"level\":\"warn\",\"x\":1}"] {
            assert_eq!(level(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn no_two_calls_are_the_same() {
        for (at, call) in CALLS.iter().enumerate() {
            let same = |other: &&Call| other.method == call.method && captures(other.path, call.path).is_some();
            assert_eq!(CALLS[..at].iter().find(same).map(|other| other.path), None, "{} {}", call.method, call.path);
        }
    }
}
