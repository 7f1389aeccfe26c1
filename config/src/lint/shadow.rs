//! Routes that can never win. A route is shadowed if for each of its hosts there is another route that is asked before
//! it and takes everything that it takes.
//!
//! Wider hosts are asked later, so only routes for the very same host count. Among those, by the precedence of paths:
//! the same path; `/{a}/*` before a prefix, a regular expression or no path; a prefix before a regular expression that
//! begins like it; `/*` before every regular expression and no path. The work for each route is bounded, so that the
//! whole is linear: in a contrived file some shadowed routes are not found, and none is named wrongly.

use std::collections::{BTreeMap, HashMap};

use crate::document::{Match, Route};
use crate::lint::implies::{count, implies};
use crate::pattern::{HostPattern, PathPattern, Segment};

#[cfg(test)]
mod tests;

/// Routes of the same host and path that are compared with one.
const COMPARED_MAX: usize = 32;
/// Nodes of the tree of captures that are looked at for one route.
const VISITED_MAX: usize = 64;

/// The shadowed routes by their index, in order, each with those that shadow it on one of its hosts, in order.
pub(super) fn shadowed(routes: &[Route]) -> Vec<(usize, Vec<usize>)> {
    let mut hosts: HashMap<Option<&HostPattern>, Vec<usize>> = HashMap::new();
    for (index, route) in routes.iter().enumerate() {
        for host in hosts_of(&route.matches) {
            hosts.entry(host).or_default().push(index);
        }
    }
    let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for together in hosts.into_values().filter(|together| together.len() > 1) {
        let before = Before::new(&together, routes);
        for index in together {
            let by = routes.get(index).and_then(|route| before.find(index, route, routes));
            found.entry(index).or_default().extend(by);
        }
    }
    let everywhere = |(index, mut by): (usize, Vec<usize>)| {
        let whole = routes.get(index).is_some_and(|route| hosts_of(&route.matches).count() == by.len());
        by.sort_unstable();
        by.dedup();
        whole.then_some((index, by))
    };
    found.into_iter().filter_map(everywhere).collect()
}

/// The hosts of a route; `None` for a route that takes every host.
fn hosts_of(matches: &Match) -> impl Iterator<Item = Option<&HostPattern>> {
    let any = matches.hosts.is_empty().then_some(None);
    matches.hosts.iter().map(Some).chain(any)
}

/// The routes for one host, by what they take.
#[derive(Default)]
struct Before<'r> {
    /// Those with this very path, whatever its captures are called, by their predicates.
    same: HashMap<Path<'r>, Same>,
    /// Those that end in `/*`, captures before it or not.
    rests: Tree<'r>,
}

/// A path without the names of its captures.
#[derive(PartialEq, Eq, Hash)]
enum Path<'r> {
    Any,
    Captured(Vec<Option<&'r str>>, bool),
    Other(&'r PathPattern),
}

/// The routes of one path, in the order of the file.
#[derive(Default)]
struct Same {
    all: Vec<usize>,
    /// Of more than are compared one by one: those with the same predicates, so that many routes with the same path
    /// and different values are told apart.
    alike: HashMap<Vec<String>, Vec<usize>>,
}

/// Paths that end in `/*`, segment by segment.
#[derive(Default)]
struct Tree<'r> {
    literals: HashMap<&'r str, Tree<'r>>,
    capture: Option<Box<Tree<'r>>>,
    /// The routes whose path ends here; as many as are compared.
    ends: Vec<usize>,
}

impl<'r> Before<'r> {
    fn new(together: &[usize], routes: &'r [Route]) -> Before<'r> {
        let mut before = Before::default();
        for &index in together {
            if let Some(route) = routes.get(index) {
                before.add(index, &route.matches);
            }
        }
        before.same.values_mut().for_each(|same| same.finish(routes));
        before
    }

    fn add(&mut self, index: usize, matches: &'r Match) {
        self.same.entry(Path::of(matches)).or_default().all.push(index);
        match &matches.path {
            Some(PathPattern::Captured { segments, rest: true }) => {
                self.rests.add(index, segments.iter().map(Segment::as_literal));
            }
            Some(PathPattern::Prefix(prefix)) => self.rests.add(index, segments_of(prefix).map(Some)),
            _ => {}
        }
    }

    /// A route that is asked before this one and takes everything that this one takes.
    fn find(&self, index: usize, route: &Route, routes: &[Route]) -> Option<usize> {
        let matches = &route.matches;
        let covers = |other: &usize| {
            let other = routes.get(*other).filter(|_| *other != index);
            other.is_some_and(|other| implies(matches, &other.matches))
        };
        let same = self.same.get(&Path::of(matches)).and_then(|same| same.find(index, route, routes, &covers));
        same.or_else(|| {
            // What begins every path that the route takes, and whether prefixes are asked before it.
            let (segments, prefixes): (Vec<&str>, bool) = match &matches.path {
                Some(PathPattern::Prefix(prefix)) => (segments_of(prefix).collect(), false),
                Some(PathPattern::Regex(source)) => (beginning(source), true),
                None => (Vec::new(), true),
                Some(PathPattern::Exact(_) | PathPattern::Captured { .. }) => return None,
            };
            let mut room = VISITED_MAX;
            self.rests.find(&segments, &mut room, &|other| {
                let path = routes.get(*other).and_then(|other| other.matches.path.as_ref());
                (prefixes || matches!(path, Some(PathPattern::Captured { .. }))) && covers(other)
            })
        })
    }
}

impl<'r> Path<'r> {
    fn of(matches: &'r Match) -> Path<'r> {
        match &matches.path {
            None => Path::Any,
            Some(PathPattern::Captured { segments, rest }) => {
                Path::Captured(segments.iter().map(Segment::as_literal).collect(), *rest)
            }
            Some(path) => Path::Other(path),
        }
    }
}

impl Same {
    /// All routes are there.
    fn finish(&mut self, routes: &[Route]) {
        if self.all.len() <= COMPARED_MAX {
            return;
        }
        for &index in &self.all {
            let Some(route) = routes.get(index) else { continue };
            let alike = self.alike.entry(values_of(&route.matches)).or_default();
            if alike.len() < COMPARED_MAX {
                alike.push(index);
            }
        }
    }

    /// With the same path, more predicates come first, and then the order of the file: only one with as many
    /// predicates can take the same requests and be asked before.
    fn find(&self, index: usize, route: &Route, routes: &[Route], covers: &dyn Fn(&usize) -> bool) -> Option<usize> {
        let alike = if self.alike.is_empty() { None } else { self.alike.get(&values_of(&route.matches)) };
        let first = self.all.iter().take(COMPARED_MAX);
        let predicates = count(&route.matches);
        let as_many = |other: &usize| routes.get(*other).is_some_and(|other| count(&other.matches) == predicates);
        let before = alike.into_iter().flatten().chain(first).filter(|other| **other < index && as_many(other));
        before.copied().find(|other| covers(other))
    }
}

/// The predicates of a route as one value, of its methods only that there are some: as many predicates, all others the
/// same.
fn values_of(matches: &Match) -> Vec<String> {
    let headers = matches.headers.iter().map(|(name, value)| format!("h{name}:{value}"));
    let query = matches.query.iter().map(|(name, value)| format!("q{name}={value}"));
    let methods = (!matches.methods.is_empty()).then(|| "m".to_owned());
    let mut values: Vec<String> = headers.chain(query).chain(methods).collect();
    values.sort();
    values
}

impl<'r> Tree<'r> {
    fn add(&mut self, index: usize, segments: impl Iterator<Item = Option<&'r str>>) {
        let mut node = self;
        for segment in segments {
            node = match segment {
                Some(literal) => node.literals.entry(literal).or_default(),
                None => node.capture.get_or_insert_default(),
            };
        }
        if node.ends.len() < COMPARED_MAX {
            node.ends.push(index);
        }
    }

    /// A route whose path takes everything that begins with these segments.
    fn find(&self, segments: &[&str], room: &mut usize, fits: &dyn Fn(&usize) -> bool) -> Option<usize> {
        *room = room.checked_sub(1)?;
        if let Some(found) = self.ends.iter().copied().find(|end| fits(end)) {
            return Some(found);
        }
        let (first, rest) = segments.split_first()?;
        let literal = self.literals.get(first).and_then(|node| node.find(rest, room, fits));
        // A capture takes no empty segment.
        let capture = self.capture.as_deref().filter(|_| !first.is_empty());
        literal.or_else(|| capture.and_then(|node| node.find(rest, room, fits)))
    }
}

/// The segments of a prefix: none for `/*`.
fn segments_of(prefix: &str) -> impl Iterator<Item = &str> {
    prefix.split('/').skip(1)
}

/// The whole segments with which every path begins that fits a regular expression, as far as can be told: those of
/// plain text in front.
fn beginning(source: &str) -> Vec<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '~' | ',' | '=' | '@' | '!' | '&');
    if source.contains('|') || !source.starts_with('/') {
        return Vec::new();
    }
    let (text, behind) = source.split_at(source.find(|c| !plain(c)).unwrap_or(source.len()));
    let Some((whole, _)) = text.rsplit_once('/').filter(|_| !behind.is_empty()) else {
        return segments_of(text).collect();
    };
    // What is repeated, or left out, may be the slash itself: `/a/*`.
    let loose = text.ends_with('/') && behind.starts_with(['?', '*', '{']);
    let whole = if loose { whole.rsplit_once('/').map_or("", |(head, _)| head) } else { whole };
    segments_of(whole).collect()
}
