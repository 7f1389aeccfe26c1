//! The routes of one host, by their paths: who takes a path is named in order of precedence, without asking the others.

use super::rule::Rule;
use super::tree::{Step, Tree};
use ahash::AHashMap;
use ringgate_config::{PathPattern, Segment};
use std::ops::ControlFlow;

/// The routes of one host.
#[derive(Debug)]
pub(super) struct Paths {
    exact: AHashMap<Box<[u8]>, Vec<usize>>,
    /// Bytes of the longest exact path: a longer one isn't looked for.
    exact_max: usize,
    captured: Tree,
    prefixes: Tree,
    /// In order of precedence. Each is asked: expressions have no order that could be searched.
    regex: Vec<usize>,
    /// Routes for any path, in order of precedence.
    any: Vec<usize>,
}

impl Paths {
    pub(super) fn new() -> Paths {
        Paths {
            exact: AHashMap::new(),
            exact_max: 0,
            captured: Tree::new(),
            prefixes: Tree::new(),
            regex: Vec::new(),
            any: Vec::new(),
        }
    }

    /// Adds a route. Routes must be added in order of precedence.
    pub(super) fn insert(&mut self, pattern: Option<&PathPattern>, route: usize) {
        match pattern {
            None => self.any.push(route),
            Some(PathPattern::Exact(path)) => {
                self.exact_max = self.exact_max.max(path.len());
                self.exact.entry(path.as_bytes().into()).or_default().push(route);
            }
            Some(PathPattern::Captured { segments, rest }) => {
                let steps = segments.iter().map(|segment| match segment {
                    Segment::Literal(text) => Step::Literal(text.as_bytes()),
                    Segment::Capture(_) => Step::Capture,
                });
                self.captured.insert(steps, *rest, route);
            }
            Some(PathPattern::Prefix(prefix)) => {
                // The loader lets nothing through that is neither empty nor begins with a slash.
                let segments = prefix.strip_prefix('/').map(|inside| inside.split('/'));
                let steps = segments.into_iter().flatten().map(|segment| Step::Literal(segment.as_bytes()));
                self.prefixes.insert(steps, true, route);
            }
            Some(PathPattern::Regex(_)) => self.regex.push(route),
        }
    }

    /// Asks of the routes that take `path`, in order of precedence, until there is an answer.
    #[inline]
    pub(super) fn candidates<B>(
        &self,
        path: &[u8],
        rules: &[Rule],
        ask: &mut impl FnMut(usize) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        if path.len() <= self.exact_max
            && let Some(routes) = self.exact.get(path)
        {
            routes.iter().try_for_each(|route| ask(*route))?;
        }
        self.captured.in_order(path, ask)?;
        self.prefixes.longest_first(path, ask)?;
        if !self.regex.is_empty()
            && let Ok(text) = std::str::from_utf8(path)
        {
            let taking = self.regex.iter().filter(|route| rules[**route].path.is_match(text));
            taking.copied().try_for_each(&mut *ask)?;
        }
        self.any.iter().try_for_each(|route| ask(*route))
    }
}
