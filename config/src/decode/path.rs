//! Paths in `match`: `/users`, `/users/{id}`, `/static/*`. Compared with the decoded path, so `%XX` is decoded here
//! too; that is also how a literal `{`, `}` or `*` is written.

use crate::decode::Wrong;
use crate::pattern::{PathPattern, Segment};
use crate::wording::{either, shorten};

/// Bytes of the longest pattern.
pub(crate) const PATH_MAX: usize = 4096;
/// Segments of the longest pattern.
pub(crate) const SEGMENTS_MAX: usize = 128;
/// Bytes of the longest name of a capture.
const CAPTURE_MAX: usize = 64;
/// Namespaces of templates: no capture may have one of these names.
const RESERVED: [&str; 5] = ["jwt", "consumer", "request", "route", "rest"];

pub(crate) const LIMITS: &str = "begins with `/`; at most 4096 bytes and 128 segments";

pub(crate) fn parse(text: &str) -> Result<PathPattern, Wrong> {
    let shown = shorten(text);
    let Some(path) = text.strip_prefix('/') else {
        let regex = text.starts_with(['^', '~']);
        let hint = if regex {
            let source = text.trim_start_matches(['~', '*', ' ', '^']).trim_end_matches('$');
            format!("a regular expression is `{{ regex: \"{}\" }}`", shorten(source))
        } else if let Some(exact) = text.strip_prefix('=') {
            format!("write `{}`: a path without `*` is that path and no other", shorten(exact.trim()))
        } else if text.contains("://") {
            "write the path alone: the host belongs in `hosts`".to_owned()
        } else {
            format!("write `/{shown}`")
        };
        return wrong(format!("the path `{shown}` does not begin with `/`"), hint);
    };
    if text.len() > PATH_MAX || path.split('/').count() > SEGMENTS_MAX {
        return wrong(format!("the path `{shown}` is too long"), format!("a path {LIMITS}"));
    }
    if text.contains(['?', '#']) {
        return wrong(format!("`{shown}` is more than a path"), "compare the query with `query: { name: value }`");
    }
    let (path, rest) = match path.strip_suffix('*') {
        Some("") => return Ok(PathPattern::Prefix(String::new())),
        Some(path) if path.ends_with('/') => (path.strip_suffix('/').unwrap_or(path), true),
        _ => (path, false),
    };
    let mut segments = Vec::new();
    let mut captures: Vec<&str> = Vec::new();
    let last = path.split('/').count() - 1;
    for (i, written) in path.split('/').enumerate() {
        // Only an exact path or one with captures may end in `/`: that is an empty last segment.
        let may_be_empty = i == last && !rest;
        segments.push(segment(written, may_be_empty, &shown, &mut captures)?);
    }
    Ok(if !captures.is_empty() {
        PathPattern::Captured { segments, rest }
    } else if rest {
        PathPattern::Prefix(joined(&segments))
    } else {
        PathPattern::Exact(joined(&segments))
    })
}

/// Why a pattern is hardly meant, though it can be used.
pub(crate) fn doubt(pattern: &PathPattern) -> Option<Wrong> {
    let literals: Vec<&str> = match pattern {
        PathPattern::Exact(path) | PathPattern::Prefix(path) => path.split('/').collect(),
        PathPattern::Captured { segments, .. } => segments.iter().filter_map(Segment::as_literal).collect(),
        PathPattern::Regex(source) => {
            let never = source.starts_with(|c: char| c.is_ascii_alphanumeric()) && !source.contains('|');
            let message = "this regular expression never matches: every path begins with `/`";
            return never.then(|| (message.to_owned(), format!("write `/{}`", shorten(source))));
        }
    };
    if let Some(sign) = literals.iter().find_map(|literal| literal.chars().find(|c| matches!(c, ';' | '%'))) {
        let message = format!("no request can reach this path: one that holds `{sign}` is ambiguous and gets 400");
        let hint = "services read such a path in two ways; write the path without it, or a capture in its place";
        return Some((message, hint.to_owned()));
    }
    let name = literals.into_iter().find_map(|literal| literal.strip_prefix(':').filter(|name| !name.is_empty()))?;
    let name = shorten(name);
    Some((format!("`:{name}` is taken literally"), format!("a capture is written `{{{name}}}`")))
}

fn joined(segments: &[Segment]) -> String {
    let text = |segment: &Segment| match segment {
        Segment::Literal(text) | Segment::Capture(text) => format!("/{text}"),
    };
    segments.iter().map(text).collect()
}

fn segment<'t>(
    written: &'t str,
    may_be_empty: bool,
    path: &str,
    captures: &mut Vec<&'t str>,
) -> Result<Segment, Wrong> {
    if written.is_empty() && !may_be_empty {
        return wrong(format!("the path `{path}` holds an empty segment"), "write one `/` between two segments");
    }
    if let Some(name) =
        written.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).filter(|name| !name.contains(['{', '}']))
    {
        capture(name, captures)?;
        return Ok(Segment::Capture(name.to_owned()));
    }
    if written.contains('*') {
        return wrong(
            format!("`*` may only stand alone at the end of a path, not in `{}`", shorten(written)),
            "write `/static/*` for what lies below, `{name}` for any one segment, `{ regex: \"...\" }` for the rest",
        );
    }
    if written.contains(['{', '}']) {
        return wrong(
            format!("a capture is a whole segment, not a part of one as in `{}`", shorten(written)),
            "write `/users/{id}`, or `{ regex: \"...\" }` for parts of a segment; `%7B` and `%7D` stand for braces",
        );
    }
    let literal = decode(written)?;
    if literal == "." || literal == ".." {
        return wrong(format!("the path `{path}` holds a dot segment"), "write the path that it leads to");
    }
    if literal.contains(['/', '\\']) {
        return wrong(
            format!("`{}` holds an encoded slash or a backslash", shorten(written)),
            "such a path is ambiguous and is refused: a segment is what stands between two slashes",
        );
    }
    if literal.chars().any(char::is_control) {
        return wrong(
            format!("`{}` holds a control character", shorten(written)),
            "no path that is accepted holds one",
        );
    }
    Ok(Segment::Literal(literal))
}

fn capture<'t>(name: &'t str, captures: &mut Vec<&'t str>) -> Result<(), Wrong> {
    let starts = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    let good = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if name.contains(':') {
        return wrong(
            format!("`{{{}}}` does not name a capture", shorten(name)),
            "a capture takes any one segment: write `{name}`, or the whole path as `{ regex: \"...\" }`",
        );
    }
    if !starts || !good || name.len() > CAPTURE_MAX {
        return wrong(
            format!("`{{{}}}` does not name a capture", shorten(name)),
            "a capture's name is letters, digits and `_`, at most 64, and begins with no digit",
        );
    }
    if RESERVED.contains(&name) {
        let hint = format!("templates use {} for other things: choose another name", either(&RESERVED));
        return wrong(format!("a capture can't be named `{name}`"), hint);
    }
    if captures.contains(&name) {
        return wrong(format!("the capture `{{{name}}}` is given twice"), "give each capture its own name");
    }
    captures.push(name);
    Ok(())
}

/// `%XX` as the byte that it stands for.
fn decode(written: &str) -> Result<String, Wrong> {
    let mut bytes = Vec::with_capacity(written.len());
    let mut rest = written.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
            let message = format!("`{}` holds a `%` without two hexadecimal digits", shorten(written));
            return wrong(message, "write `%25` for the sign itself");
        };
        bytes.extend(u8::try_from(high * 16 + low));
    }
    String::from_utf8(bytes).or_else(|_| {
        let message = format!("`{}` does not decode to UTF-8", shorten(written));
        wrong(message, "only paths that are UTF-8 can be written here")
    })
}

fn wrong<R>(message: impl Into<String>, hint: impl Into<String>) -> Result<R, Wrong> {
    Err((message.into(), hint.into()))
}
