//! One route, compiled: what it asks of a request.

use super::captures::Captures;
use super::predicates::Predicates;
use regex::Regex;
use ringgate_config::{PathPattern, Route, Segment};

/// What a route asks of a request, its hosts left out: those are keys of the table.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) path: RulePath,
    pub(super) predicates: Predicates,
}

/// A path pattern, compiled as far as the index does not hold it.
#[derive(Debug)]
pub(super) struct RulePath {
    pattern: Option<PathPattern>,
    /// Of [`PathPattern::Regex`].
    regex: Option<Regex>,
}

impl Rule {
    pub(super) fn compile(route: &Route) -> Result<Rule, regex::Error> {
        let pattern = route.matches.path.clone();
        let regex = match &pattern {
            Some(PathPattern::Regex(source)) => Some(ringgate_config::path_regex(source)?),
            _ => None,
        };
        Ok(Rule { path: RulePath { pattern, regex }, predicates: Predicates::compile(&route.matches) })
    }
}

impl RulePath {
    /// Whether the regular expression takes the path; false if the route has none.
    #[inline]
    pub(super) fn is_match(&self, path: &str) -> bool {
        self.regex.as_ref().is_some_and(|regex| regex.is_match(path))
    }

    /// Whether the pattern takes `path`, by itself: the index gives the same answer for many patterns at a time. A prefix
    /// `/static` takes `/static`, `/static/` and all below, not `/statics`; `/*` takes everything, the `*` of OPTIONS too.
    pub(super) fn takes(&self, path: &[u8]) -> bool {
        match &self.pattern {
            None => true,
            Some(PathPattern::Exact(exact)) => exact.as_bytes() == path,
            Some(PathPattern::Prefix(prefix)) => {
                let rest = path.strip_prefix(prefix.as_bytes());
                prefix.is_empty() || rest.is_some_and(|rest| rest.first().is_none_or(|b| *b == b'/'))
            }
            Some(PathPattern::Captured { segments, rest }) => takes_segments(segments, *rest, path),
            Some(PathPattern::Regex(_)) => std::str::from_utf8(path).is_ok_and(|path| self.is_match(path)),
        }
    }

    /// What the pattern's captures stand for in a path that it takes.
    pub(super) fn captures<'p>(&'p self, path: &'p [u8]) -> Captures<'p> {
        match (&self.pattern, &self.regex) {
            (Some(PathPattern::Captured { segments, rest }), _) => Captures::of_segments(segments, *rest, path),
            (Some(PathPattern::Prefix(prefix)), _) => Captures::of_prefix(prefix, path),
            (_, Some(regex)) => Captures::of_regex(regex, path),
            _ => Captures::none(),
        }
    }
}

fn takes_segments(segments: &[Segment], rest: bool, path: &[u8]) -> bool {
    let Some(path) = path.strip_prefix(b"/") else { return false };
    let mut parts = path.split(|b| *b == b'/');
    let takes = |segment: &Segment, part: &[u8]| match segment {
        Segment::Literal(text) => text.as_bytes() == part,
        Segment::Capture(_) => !part.is_empty(),
    };
    let fits = segments.iter().all(|segment| parts.next().is_some_and(|part| takes(segment, part)));
    fits && (rest || parts.next().is_none())
}
