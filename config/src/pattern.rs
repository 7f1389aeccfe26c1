//! What a request is compared with: hosts, paths, values. Parsing is here; matching a whole route is the engine's.

use std::fmt;

use regex::Regex;

#[cfg(test)]
mod tests;

/// A host, without a port, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// `api.example.com`, `127.0.0.1`, `[::1]`.
    Exact(String),
    /// `*.example.com`, kept as the suffix `.example.com`.
    Wildcard(String),
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostPattern::Exact(host) => f.write_str(host),
            HostPattern::Wildcard(suffix) => write!(f, "*{suffix}"),
        }
    }
}

/// A path, percent-decoded. Literals hold no `/`, no dot segments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathPattern {
    /// `/users`: this path and no other.
    Exact(String),
    /// `/users/{id}`: segment for segment. A pattern that ends in `/` has an empty literal as its last segment.
    Captured {
        /// What stands between the slashes; at least one of them is a capture.
        segments: Vec<Segment>,
        /// Whether `/*` follows: any further segments, or none.
        rest: bool,
    },
    /// `/static/*`, kept as `/static`; `/*`, kept as the empty string. Also matches `/static` itself.
    Prefix(String),
    /// `{ regex: "..." }`: the source as written. Compile it with [`path_regex`].
    Regex(String),
}

/// What stands between two slashes of a path with captures.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// This text.
    Literal(String),
    /// Any one segment, kept under this name.
    Capture(String),
}

impl Segment {
    /// The text, if it is one.
    pub fn as_literal(&self) -> Option<&str> {
        match self {
            Segment::Literal(text) => Some(text),
            Segment::Capture(_) => None,
        }
    }
}

/// The largest compiled program of a path's regular expression, and the largest cache of its lazy DFA, in bytes.
pub(crate) const REGEX_BYTES_MAX: usize = 1 << 20;

/// Compiles the regular expression of a [`PathPattern::Regex`], anchored at both ends. Loading has already done so
/// once: an error here means that the source didn't come from a loaded file.
///
/// # Errors
/// When the source is no regular expression, or its program is larger than 1 MiB.
pub fn path_regex(source: &str) -> Result<Regex, regex::Error> {
    // Alone first: `a)(b` only balances between the parentheses that anchor it.
    if source.contains(')') {
        compile(source)?;
    }
    compile(&format!(r"\A(?:{source})\z"))
}

fn compile(source: &str) -> Result<Regex, regex::Error> {
    regex::RegexBuilder::new(source).size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).build()
}

/// A header's or a query parameter's value: exact text, or text in which `*` stands for any run of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ValuePattern {
    /// The text between the `*`s: one part means exact, n parts mean n - 1 stars.
    parts: Vec<String>,
}

impl ValuePattern {
    /// The value that is exactly this text, `*` included.
    pub fn exact(text: &str) -> ValuePattern {
        ValuePattern { parts: vec![text.to_owned()] }
    }

    /// The value in whose text each `*` stands for any run of bytes, the empty one included.
    pub fn wildcard(text: &str) -> ValuePattern {
        let mut parts: Vec<String> = text.split('*').map(str::to_owned).collect();
        let last = parts.len() - 1;
        let mut index = 0;
        // `**` says no more than `*`: between two stars nothing is left to look for.
        parts.retain(|part| {
            let end = index == 0 || index == last;
            index += 1;
            end || !part.is_empty()
        });
        ValuePattern { parts }
    }

    /// The text, if it holds no wildcard.
    pub fn as_exact(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [exact] => Some(exact),
            _ => None,
        }
    }

    /// Whether the whole of `value` fits. Case counts. Never backtracks: at most one pass per part.
    pub fn matches(&self, value: &[u8]) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|exact| exact.as_bytes() == value);
        };
        let Some(value) = value.strip_prefix(first.as_bytes()) else {
            return false;
        };
        let Some(mut value) = value.strip_suffix(last.as_bytes()) else {
            return false;
        };
        for part in middle {
            let Some(at) = find(value, part.as_bytes()) else {
                return false;
            };
            value = &value[at + part.len()..];
        }
        true
    }
}

impl fmt::Display for ValuePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join("*"))
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return Some(0);
    }
    haystack.windows(needle.len()).position(|window| window == needle)
}
