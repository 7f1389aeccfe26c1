//! Whether a path fits a pattern.

use regex::Regex;
use ringgate_config::{PathPattern, Segment};

/// A path pattern, compiled.
#[derive(Debug)]
pub(super) enum CompiledPath {
    Any,
    Exact(Box<[u8]>),
    Captured { segments: Vec<CompiledSegment>, rest: bool },
    Prefix(Box<[u8]>),
    Regex(Regex),
}

#[derive(Debug)]
pub(super) enum CompiledSegment {
    Literal(Box<[u8]>),
    Capture,
}

impl CompiledPath {
    pub(super) fn compile(pattern: Option<&PathPattern>) -> Result<CompiledPath, regex::Error> {
        Ok(match pattern {
            None => CompiledPath::Any,
            Some(PathPattern::Exact(path)) => CompiledPath::Exact(path.as_bytes().into()),
            Some(PathPattern::Captured { segments, rest }) => CompiledPath::Captured {
                segments: segments.iter().map(CompiledSegment::compile).collect(),
                rest: *rest,
            },
            Some(PathPattern::Prefix(prefix)) => CompiledPath::Prefix(prefix.as_bytes().into()),
            Some(PathPattern::Regex(source)) => CompiledPath::Regex(ringgate_config::path_regex(source)?),
        })
    }

    /// Whether `path` fits. A prefix `/static` takes `/static`, `/static/` and all below, not `/statics`; `/*` takes
    /// everything, the `*` of OPTIONS too.
    #[inline]
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        match self {
            CompiledPath::Any => true,
            CompiledPath::Exact(exact) => **exact == *path,
            CompiledPath::Prefix(prefix) => {
                prefix.is_empty()
                    || path.strip_prefix(&**prefix).is_some_and(|rest| rest.first().is_none_or(|b| *b == b'/'))
            }
            CompiledPath::Captured { segments, rest } => captured(segments, *rest, path),
            CompiledPath::Regex(regex) => std::str::from_utf8(path).is_ok_and(|path| regex.is_match(path)),
        }
    }
}

impl CompiledSegment {
    fn compile(segment: &Segment) -> CompiledSegment {
        match segment {
            Segment::Literal(text) => CompiledSegment::Literal(text.as_bytes().into()),
            Segment::Capture(_) => CompiledSegment::Capture,
        }
    }

    fn matches(&self, segment: &[u8]) -> bool {
        match self {
            CompiledSegment::Literal(text) => **text == *segment,
            CompiledSegment::Capture => !segment.is_empty(),
        }
    }
}

fn captured(segments: &[CompiledSegment], rest: bool, path: &[u8]) -> bool {
    let Some(path) = path.strip_prefix(b"/") else { return false };
    let mut parts = path.split(|b| *b == b'/');
    let fits = segments.iter().all(|s| parts.next().is_some_and(|part| s.matches(part)));
    fits && (rest || parts.next().is_none())
}
