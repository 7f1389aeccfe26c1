//! What a route's path pattern found in a request's path. Worked out only when an action asks.

use regex::Regex;
use ringgate_config::Segment;

/// What the captures of a pattern stand for in one path. Values are parts of the path that it was made from: decoded,
/// if that was.
#[derive(Debug)]
pub(crate) struct Captures<'p> {
    path: &'p [u8],
    kind: Kind<'p>,
    rest: Option<&'p [u8]>,
}

#[derive(Debug)]
enum Kind<'p> {
    None,
    Segments(&'p [Segment]),
    Regex(&'p Regex, regex::Captures<'p>),
}

impl<'p> Captures<'p> {
    /// Those of a path that captures nothing.
    pub(crate) fn none() -> Captures<'p> {
        Captures { path: b"", kind: Kind::None, rest: None }
    }

    pub(super) fn of_segments(segments: &'p [Segment], rest: bool, path: &'p [u8]) -> Captures<'p> {
        let path = inside(path);
        let behind = path.splitn(segments.len() + 1, |b| *b == b'/').nth(segments.len());
        Captures { path, kind: Kind::Segments(segments), rest: rest.then(|| behind.unwrap_or(b"")) }
    }

    pub(super) fn of_prefix(prefix: &str, path: &'p [u8]) -> Captures<'p> {
        let rest = path.strip_prefix(prefix.as_bytes()).map(inside);
        Captures { path, kind: Kind::None, rest: rest.or(Some(b"")) }
    }

    pub(super) fn of_regex(regex: &'p Regex, path: &'p [u8]) -> Captures<'p> {
        let text = std::str::from_utf8(path).ok();
        let found = text.and_then(|text| regex.captures(text));
        Captures { path, kind: found.map_or(Kind::None, |found| Kind::Regex(regex, found)), rest: None }
    }

    /// The value of a capture of this name; of a group of this name in a regular expression. None if the pattern has no
    /// such capture, or the group took no part.
    pub(crate) fn get(&self, name: &str) -> Option<&'p [u8]> {
        match &self.kind {
            Kind::None => None,
            Kind::Segments(segments) => {
                let at = segments.iter().position(|s| matches!(s, Segment::Capture(own) if own == name))?;
                self.path.split(|b| *b == b'/').nth(at)
            }
            Kind::Regex(_, captures) => captures.name(name).map(|found| found.as_str().as_bytes()),
        }
    }

    /// Every capture that has a value, by name, in the order of the pattern; `rest` last.
    pub(crate) fn all(&self) -> Vec<(&'p str, &'p [u8])> {
        let names: Vec<&str> = match &self.kind {
            Kind::None => Vec::new(),
            Kind::Segments(segments) => {
                let name = |segment: &'p Segment| match segment {
                    Segment::Literal(_) => None,
                    Segment::Capture(name) => Some(name.as_str()),
                };
                segments.iter().filter_map(name).collect()
            }
            Kind::Regex(regex, _) => regex.capture_names().flatten().collect(),
        };
        let named = names.into_iter().filter_map(|name| Some((name, self.get(name)?)));
        named.chain(self.rest.map(|rest| ("rest", rest))).collect()
    }

    /// What `/*` stands for, without a leading slash; empty if nothing follows. None if the pattern does not end so.
    pub(crate) fn rest(&self) -> Option<&'p [u8]> {
        self.rest
    }
}

/// A path without its leading slash.
fn inside(path: &[u8]) -> &[u8] {
    path.strip_prefix(b"/").unwrap_or(path)
}
