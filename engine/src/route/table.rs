//! The table: hosts first, then the routes of that host in order of precedence, falling through to wider hosts.

use super::captures::Captures;
use super::paths::Paths;
use super::precedence::Precedence;
use super::rule::Rule;
use crate::model::{Fault, RequestHead};
use ahash::AHashMap;
use memchr::memchr;
use ringgate_config::{Config, HostPattern};
use ringgate_protocols::wire::{Method, path};
use std::borrow::Cow;
use std::ops::ControlFlow;

/// Bytes of a host name at most (RFC 1035 section 2.3.4); a longer one is in no table.
const HOST_BYTES_MAX: usize = 255;

/// All routes, compiled. What [`RouteTable::find`] costs does not grow with their number, but for regular expressions.
#[derive(Debug)]
pub(crate) struct RouteTable {
    /// By the route's index in the configuration.
    rules: Vec<Rule>,
    /// Places in `hosts` by exact host, in lower case.
    exact: AHashMap<Box<[u8]>, usize>,
    /// Places in `hosts` by `.example.com`, for `*.example.com`.
    wildcard: AHashMap<Box<[u8]>, usize>,
    /// Bytes of the longest wildcard: a longer suffix of a host isn't looked for.
    wildcard_max: usize,
    hosts: Vec<Paths>,
    /// Routes without a host.
    any: Paths,
}

/// What the table says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Matched {
    /// The index of the route that wins.
    Route(usize),
    /// Only the method missed: these would have been taken.
    MethodNotAllowed(Vec<Box<[u8]>>),
    NotFound,
}

impl RouteTable {
    /// Compiles the routes.
    ///
    /// # Errors
    /// A regex that is too large, which the loader has refused already.
    pub(crate) fn compile(config: &Config) -> Result<RouteTable, regex::Error> {
        let mut table = RouteTable {
            rules: config.routes.iter().map(Rule::compile).collect::<Result<_, _>>()?,
            exact: AHashMap::new(),
            wildcard: AHashMap::new(),
            wildcard_max: 0,
            hosts: Vec::new(),
            any: Paths::new(),
        };
        let ranked = config.routes.iter().enumerate().map(|(index, route)| Precedence::of(route, index));
        let mut ranked: Vec<Precedence> = ranked.collect();
        ranked.sort_unstable();
        // In order of precedence, so that every list of the index is in that order too.
        for index in ranked.iter().map(Precedence::position) {
            let matches = &config.routes[index].matches;
            for host in &matches.hosts {
                table.host(host).insert(matches.path.as_ref(), index);
            }
            if matches.hosts.is_empty() {
                table.any.insert(matches.path.as_ref(), index);
            }
        }
        Ok(table)
    }

    fn host(&mut self, host: &HostPattern) -> &mut Paths {
        let new = self.hosts.len();
        let place = match host {
            HostPattern::Exact(name) => *self.exact.entry(name.as_bytes().into()).or_insert(new),
            HostPattern::Wildcard(suffix) => {
                self.wildcard_max = self.wildcard_max.max(suffix.len());
                *self.wildcard.entry(suffix.as_bytes().into()).or_insert(new)
            }
        };
        if place == new {
            self.hosts.push(Paths::new());
        }
        &mut self.hosts[place]
    }

    /// The route for a request.
    ///
    /// # Errors
    /// [`Fault::AmbiguousPath`] if the path gives different routes as it stands and fully decoded.
    pub(crate) fn find(&self, head: &RequestHead<'_>) -> Result<Matched, Fault> {
        let reading = read(head.path());
        if matches!(head.method, Method::Trace | Method::Connect) {
            return Ok(Matched::MethodNotAllowed(match &reading {
                Reading::One(path) => self.methods(head, &[path]),
                Reading::Two { sent, decoded } => self.methods(head, &[sent, decoded]),
            }));
        }
        match reading {
            Reading::One(path) => Ok(self.find_path(head, &path)),
            Reading::Two { sent, decoded } => {
                let (one, other) = (self.find_path(head, sent), self.find_path(head, &decoded));
                if one == other { Ok(one) } else { Err(Fault::AmbiguousPath) }
            }
        }
    }

    pub(super) fn rule(&self, index: usize) -> Option<&Rule> {
        self.rules.get(index)
    }

    /// What the captures of a route stand for in `path`, which that route takes: best as [`captured_path`] gives it.
    pub(crate) fn captures<'p>(&'p self, route: usize, path: &'p [u8]) -> Captures<'p> {
        self.rules.get(route).map_or_else(Captures::none, |rule| rule.path.captures(path))
    }

    /// As [`RouteTable::find`], if the path is read so.
    pub(crate) fn find_path(&self, head: &RequestHead<'_>, path: &[u8]) -> Matched {
        let mut missed = false;
        let mut ask = |route: usize| {
            let predicates = &self.rules[route].predicates;
            if predicates.others(head) {
                if predicates.method(head) {
                    return ControlFlow::Break(route);
                }
                missed = true;
            }
            ControlFlow::Continue(())
        };
        if let ControlFlow::Break(route) = self.candidates(head, path, &mut ask) {
            return Matched::Route(route);
        }
        // Their names are gathered in a second pass: a request that a later route takes must not pay for them.
        if missed { Matched::MethodNotAllowed(self.methods(head, &[path])) } else { Matched::NotFound }
    }

    /// The methods, sorted, of all routes that would take the request on one of these paths but for its method; empty
    /// if one of them takes any, or there is none.
    fn methods(&self, head: &RequestHead<'_>, paths: &[&[u8]]) -> Vec<Box<[u8]>> {
        let mut methods = Vec::new();
        let mut ask = |route: usize| {
            let predicates = &self.rules[route].predicates;
            if predicates.others(head) {
                if predicates.methods.is_empty() {
                    return ControlFlow::Break(());
                }
                methods.extend(predicates.methods.iter().cloned());
            }
            ControlFlow::Continue(())
        };
        if paths.iter().any(|path| self.candidates(head, path, &mut ask).is_break()) {
            return Vec::new();
        }
        methods.sort();
        methods.dedup();
        methods
    }

    /// Asks of the routes that take the request's host and `path`, in order of precedence, until there is an answer.
    pub(super) fn candidates<B>(
        &self,
        head: &RequestHead<'_>,
        path: &[u8],
        ask: &mut impl FnMut(usize) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        if !self.hosts.is_empty() {
            let mut folded = [0u8; HOST_BYTES_MAX];
            let host = fold(head.host_name().unwrap_or(b""), &mut folded);
            let wildcards = suffixes(host, self.wildcard_max).filter_map(|suffix| self.wildcard.get(suffix));
            for place in self.exact.get(host).into_iter().chain(wildcards) {
                self.hosts[*place].candidates(path, &self.rules, ask)?;
            }
        }
        self.any.candidates(path, &self.rules, ask)
    }
}

/// The path of a request as routes see it.
pub(crate) enum Reading<'h> {
    /// Percent-decoded.
    One(Cow<'h, [u8]>),
    /// A service could take it for another one: as it stands, and fully decoded.
    Two { sent: &'h [u8], decoded: Vec<u8> },
}

/// How routes see a path that was sent.
#[inline]
pub(crate) fn read(sent: &[u8]) -> Reading<'_> {
    if path::ambiguous(sent) {
        let mut decoded = Vec::with_capacity(sent.len());
        path::normalise(sent, &mut decoded);
        return Reading::Two { sent, decoded };
    }
    if memchr(b'%', sent).is_some() {
        let mut decoded = Vec::with_capacity(sent.len());
        path::decode(sent, &mut decoded);
        return Reading::One(Cow::Owned(decoded));
    }
    Reading::One(Cow::Borrowed(sent))
}

/// The path of a request that captures are taken from: decoded; where it can be read in two ways that give the same
/// route, fully decoded, so that no capture holds a segment that leads elsewhere.
pub(crate) fn captured_path<'h>(head: &RequestHead<'h>) -> Cow<'h, [u8]> {
    match read(head.path()) {
        Reading::One(path) => path,
        Reading::Two { decoded, .. } => Cow::Owned(decoded),
    }
}

/// The host that a request is for, as the table knows hosts.
pub(super) fn folded(head: &RequestHead<'_>) -> Vec<u8> {
    fold(head.host_name().unwrap_or(b""), &mut [0; HOST_BYTES_MAX]).to_vec()
}

/// The host in lower case, without the dot that may end an absolute name.
fn fold<'a>(host: &[u8], into: &'a mut [u8; HOST_BYTES_MAX]) -> &'a [u8] {
    let host = host.strip_suffix(b".").unwrap_or(host);
    let Some(folded) = into.get_mut(..host.len()) else { return b"" };
    folded.copy_from_slice(host);
    folded.make_ascii_lowercase();
    folded
}

/// `.b.c` and `.c` for `a.b.c`: the longer wildcard first, none of more than `longest` bytes.
fn suffixes(host: &[u8], longest: usize) -> impl Iterator<Item = &[u8]> {
    let from = host.len().saturating_sub(longest).max(1);
    let dots = host.iter().enumerate().skip(from).filter(|(_, byte)| **byte == b'.');
    dots.map(|(at, _)| &host[at..])
}
