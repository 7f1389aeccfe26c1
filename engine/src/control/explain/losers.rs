//! The routes that do not take the request, the nearest first, and why.

use super::super::printable::printable;
use crate::model::RequestHead;
use crate::route::{Decides, Misses, RouteTable, Turn, query_values};
use ringgate_config::{Config, PathPattern, Route, ValuePattern};
use std::cmp::Ordering::Equal;

/// Hosts or methods that a reason names before it says how many there are besides.
const NAMED_MAX: usize = 3;

/// A route that does not take the request.
pub(super) struct Loser<'c> {
    pub(super) route: &'c Route,
    pub(super) nearness: Nearness,
    pub(super) reasons: Vec<Reason>,
}

/// How far a route was from taking the request.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy, Debug)]
pub(super) enum Nearness {
    /// It would, but another one comes first.
    Later,
    /// Host and path are right.
    Further,
    /// The host is right.
    Path,
    Host,
}

/// Why a route does not take the request.
pub(super) struct Reason {
    /// `host`, `path`, `method`, `header`, `query` or `later`.
    pub(super) what: &'static str,
    pub(super) text: String,
}

/// The ways in which the path is read: as it stands, and fully decoded where a service could take it for another one.
#[derive(Clone, Copy)]
pub(super) struct Paths<'p> {
    pub(super) sent: &'p [u8],
    pub(super) decoded: Option<&'p [u8]>,
}

/// Every route but the winner, the nearest first: those that match, in the order in which they would be asked; those of
/// which least is missing; then by host and path, in the order of the file.
pub(super) fn all<'c>(
    config: &'c Config,
    table: &RouteTable,
    head: &RequestHead<'_>,
    paths: Paths<'_>,
    winner: Option<usize>,
) -> Vec<Loser<'c>> {
    let first = winner.and_then(|index| Some((config.routes.get(index)?, index)));
    let first = first.and_then(|(route, index)| Some((route, Turn::of(route, index, head)?)));
    let mut found = Vec::with_capacity(config.routes.len());
    for (index, route) in config.routes.iter().enumerate().filter(|(index, _)| Some(*index) != winner) {
        let mut misses = table.misses(index, route, head, paths.sent);
        let half = half(table, index, route, head, paths, &mut misses);
        let turn = Turn::of(route, index, head);
        found.push((route, Nearness::of(&misses, half.is_some()), misses, turn, half));
    }
    found.sort_by(|a, b| {
        // Sorting is stable: behind these the order of the file.
        let further =
            if a.1 <= Nearness::Further { a.2.further().cmp(&b.2.further()).then(a.3.cmp(&b.3)) } else { Equal };
        a.1.cmp(&b.1).then(further)
    });
    let losers = found.into_iter().map(|(route, nearness, misses, turn, half)| {
        let mut reasons: Vec<Reason> = half.into_iter().collect();
        match (&first, turn) {
            (Some((winner, first)), Some(turn)) if misses.none() => {
                reasons.push(later(winner, route, first.decided_by(&turn)));
            }
            _ => reasons.extend(missed(route, head, &misses)),
        }
        Loser { route, nearness, reasons }
    });
    losers.collect()
}

/// Where a route takes the path in one of two readings only, the reason that it gives; the path is then no miss.
fn half(
    table: &RouteTable,
    index: usize,
    route: &Route,
    head: &RequestHead<'_>,
    paths: Paths<'_>,
    misses: &mut Misses,
) -> Option<Reason> {
    let decoded = table.misses(index, route, head, paths.decoded?);
    let when = match (misses.host, misses.path, decoded.path) {
        (false, true, false) => "only when fully decoded",
        (false, false, true) => "only as it stands",
        _ => return None,
    };
    misses.path = false;
    Some(Reason { what: "path", text: format!("path is {} {when}", path_text(route.matches.path.as_ref())) })
}

impl Nearness {
    /// `half`: the path is right in one of two readings only.
    fn of(misses: &Misses, half: bool) -> Nearness {
        match misses {
            _ if misses.none() && !half => Nearness::Later,
            Misses { host: true, .. } => Nearness::Host,
            Misses { path: true, .. } => Nearness::Path,
            _ => Nearness::Further,
        }
    }
}

/// What does not hold. Behind a wrong host the path says nothing any more, nor do further predicates behind a wrong path.
fn missed(route: &Route, head: &RequestHead<'_>, misses: &Misses) -> Vec<Reason> {
    let matches = &route.matches;
    let mut reasons = Vec::new();
    if misses.host {
        let hosts: Vec<String> = matches.hosts.iter().map(ToString::to_string).collect();
        reasons.push(Reason { what: "host", text: format!("host is not {}", either(&hosts)) });
        return reasons;
    }
    if misses.path {
        reasons.push(Reason { what: "path", text: format!("path is not {}", path_text(matches.path.as_ref())) });
        return reasons;
    }
    if misses.method {
        let found = printable(head.method_text());
        reasons.push(Reason { what: "method", text: format!("method {found} is not {}", either(&matches.methods)) });
    }
    for (name, wanted) in misses.headers.iter().filter_map(|place| matches.headers.get(*place)) {
        let fields = head.fields.named(head.bytes, name.as_bytes());
        let found: Vec<Vec<u8>> = fields.map(|field| field.value.of(head.bytes).to_vec()).collect();
        reasons.push(Reason { what: "header", text: format!("header {name}{}", differs(&found, wanted)) });
    }
    for (name, wanted) in misses.query.iter().filter_map(|place| matches.query.get(*place)) {
        let found = query_values(head.query().unwrap_or(b""), name.as_bytes());
        let name = printable(name.as_bytes());
        reasons.push(Reason { what: "query", text: format!("query {name}{}", differs(&found, wanted)) });
    }
    reasons
}

/// `: "silver" is not "gold"`, or ` is missing, not "gold"`.
fn differs(found: &[Vec<u8>], wanted: &ValuePattern) -> String {
    let wanted = printable(wanted.to_string().as_bytes());
    let found: Vec<String> = found.iter().map(|value| format!("\"{}\"", printable(value))).collect();
    match found.as_slice() {
        [] => format!(" is missing: it must be \"{wanted}\""),
        found => format!(": {} is not \"{wanted}\"", either(found)),
    }
}

/// Why a route that matches too comes after the winner.
fn later(winner: &Route, loser: &Route, decides: Decides) -> Reason {
    let [first, second] = [winner, loser].map(|route| &route.matches);
    let hosts = |route: &Route| {
        let hosts: Vec<String> = route.matches.hosts.iter().map(ToString::to_string).collect();
        if hosts.is_empty() { "any host".to_owned() } else { format!("host {}", either(&hosts)) }
    };
    let predicates = |n: usize| if n == 1 { "1 predicate".to_owned() } else { format!("{n} predicates") };
    let count = |m: &ringgate_config::Match| usize::from(!m.methods.is_empty()) + m.headers.len() + m.query.len();
    let why = match decides {
        Decides::Host => format!("{} after {}", hosts(loser), hosts(winner)),
        Decides::Path => paths(first.path.as_ref(), second.path.as_ref()),
        Decides::Predicates => format!("{} after {}", predicates(count(second)), predicates(count(first))),
        Decides::Position => "same rank, later in the file".to_owned(),
    };
    Reason { what: "later", text: format!("also matches, but comes later: {why}") }
}

fn paths(first: Option<&PathPattern>, second: Option<&PathPattern>) -> String {
    let [first_kind, second_kind] = [first, second].map(kind);
    let shown = path_text(second);
    match (first_kind == second_kind, second) {
        (false, _) => format!("{second_kind} after {first_kind}"),
        (true, Some(PathPattern::Prefix(_))) => format!("the shorter prefix {shown}"),
        (true, _) => format!("{shown} has a capture where {} has a literal segment", path_text(first)),
    }
}

fn kind(pattern: Option<&PathPattern>) -> &'static str {
    match pattern {
        None => "any path",
        Some(PathPattern::Exact(_)) => "an exact path",
        Some(PathPattern::Captured { .. }) => "a path with captures",
        Some(PathPattern::Prefix(_)) => "a prefix",
        Some(PathPattern::Regex(_)) => "a regular expression",
    }
}

/// A pattern as the file writes it, decoded.
pub(super) fn path_text(pattern: Option<&PathPattern>) -> String {
    let text = match pattern {
        None => "any path".to_owned(),
        Some(PathPattern::Exact(path)) => path.clone(),
        Some(PathPattern::Captured { segments, rest }) => {
            let texts = segments.iter().map(|segment| match segment {
                ringgate_config::Segment::Literal(text) => format!("/{text}"),
                ringgate_config::Segment::Capture(name) => format!("/{{{name}}}"),
            });
            texts.collect::<String>() + if *rest { "/*" } else { "" }
        }
        Some(PathPattern::Prefix(prefix)) => format!("{prefix}/*"),
        Some(PathPattern::Regex(source)) => format!("regex {source}"),
    };
    printable(text.as_bytes())
}

/// `a`, `a or b`, `a, b or c`, `a, b, c or 7 others`.
fn either(texts: &[String]) -> String {
    match texts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if texts.len() <= NAMED_MAX => format!("{} or {last}", first.join(", ")),
        _ => {
            let (named, others) = texts.split_at(NAMED_MAX);
            let word = if others.len() == 1 { "other" } else { "others" };
            format!("{} or {} {word}", named.join(", "), others.len())
        }
    }
}
