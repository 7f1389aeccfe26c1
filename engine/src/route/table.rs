//! The table: hosts first, then the routes of that host in order of precedence, falling through to wider hosts.

use super::path::CompiledPath;
use super::precedence::Precedence;
use super::predicates::Predicates;
use crate::model::{Fault, RequestHead};
use ahash::AHashMap;
use ringgate_config::{Config, HostPattern};
use ringgate_protocols::wire::{Method, path};

/// Bytes of a host name at most (RFC 1035 section 2.3.4); a longer one is in no table.
const HOST_BYTES_MAX: usize = 255;

/// All routes, compiled.
#[derive(Debug, Default)]
pub(crate) struct RouteTable {
    /// Routes by exact host, in lower case.
    exact: AHashMap<Box<[u8]>, Vec<Entry>>,
    /// Routes by `.example.com`, for `*.example.com`.
    wildcard: AHashMap<Box<[u8]>, Vec<Entry>>,
    any: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    precedence: Precedence,
    path: CompiledPath,
    predicates: Predicates,
    /// Index into the configuration's routes.
    route: usize,
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
        let mut table = RouteTable::default();
        for (index, route) in config.routes.iter().enumerate() {
            let entry = || -> Result<Entry, regex::Error> {
                Ok(Entry {
                    precedence: Precedence::of(route, index),
                    path: CompiledPath::compile(route.matches.path.as_ref())?,
                    predicates: Predicates::compile(&route.matches),
                    route: index,
                })
            };
            for host in &route.matches.hosts {
                let list = match host {
                    HostPattern::Exact(name) => table.exact.entry(name.as_bytes().into()),
                    HostPattern::Wildcard(suffix) => table.wildcard.entry(suffix.as_bytes().into()),
                };
                list.or_default().push(entry()?);
            }
            if route.matches.hosts.is_empty() {
                table.any.push(entry()?);
            }
        }
        for list in table.exact.values_mut().chain(table.wildcard.values_mut()) {
            list.sort_by(|a, b| a.precedence.cmp(&b.precedence));
        }
        table.any.sort_by(|a, b| a.precedence.cmp(&b.precedence));
        Ok(table)
    }

    /// The route for a request.
    ///
    /// # Errors
    /// [`Fault::AmbiguousPath`] if the path gives different routes as it stands and fully decoded.
    pub(crate) fn find(&self, head: &RequestHead<'_>) -> Result<Matched, Fault> {
        if matches!(head.method, Method::Trace | Method::Connect) {
            return Ok(Matched::MethodNotAllowed(Vec::new()));
        }
        let sent = head.path();
        if path::ambiguous(sent) {
            let mut decoded = Vec::with_capacity(sent.len());
            path::normalise(sent, &mut decoded);
            let (one, other) = (self.find_path(head, sent), self.find_path(head, &decoded));
            return if one == other { Ok(one) } else { Err(Fault::AmbiguousPath) };
        }
        if sent.contains(&b'%') {
            let mut decoded = Vec::with_capacity(sent.len());
            path::decode(sent, &mut decoded);
            return Ok(self.find_path(head, &decoded));
        }
        Ok(self.find_path(head, sent))
    }

    fn find_path(&self, head: &RequestHead<'_>, path: &[u8]) -> Matched {
        let mut missed = Vec::new();
        let mut folded = [0u8; HOST_BYTES_MAX];
        let host = if self.exact.is_empty() && self.wildcard.is_empty() {
            b""
        } else {
            fold(head.host_name().unwrap_or(b""), &mut folded)
        };
        let wildcards = suffixes(host).filter_map(|suffix| self.wildcard.get(suffix));
        let lists = self.exact.get(host).into_iter().chain(wildcards).chain([&self.any]);
        for list in lists {
            for entry in list {
                if entry.path.matches(path) && entry.predicates.others(head) {
                    if entry.predicates.method(head) {
                        return Matched::Route(entry.route);
                    }
                    missed.extend(entry.predicates.methods.iter().cloned());
                }
            }
        }
        if missed.is_empty() {
            return Matched::NotFound;
        }
        missed.sort();
        missed.dedup();
        Matched::MethodNotAllowed(missed)
    }
}

/// The host in lower case, without the dot that may end an absolute name.
fn fold<'a>(host: &[u8], into: &'a mut [u8; HOST_BYTES_MAX]) -> &'a [u8] {
    let host = host.strip_suffix(b".").unwrap_or(host);
    let Some(folded) = into.get_mut(..host.len()) else { return b"" };
    folded.copy_from_slice(host);
    folded.make_ascii_lowercase();
    folded
}

/// `.b.c` and `.c` for `a.b.c`: the longer wildcard first.
fn suffixes(host: &[u8]) -> impl Iterator<Item = &[u8]> {
    host.iter().enumerate().filter(|(at, byte)| **byte == b'.' && *at > 0).map(|(at, _)| &host[at..])
}
