//! What a route asks of a request besides host and path.

use crate::model::RequestHead;
use ringgate_config::{Match, ValuePattern};
use ringgate_protocols::wire::path;

/// A route's predicates, compiled.
#[derive(Debug)]
pub(super) struct Predicates {
    pub(super) methods: Vec<Box<[u8]>>,
    headers: Vec<(Box<[u8]>, ValuePattern)>,
    query: Vec<(Box<[u8]>, ValuePattern)>,
}

impl Predicates {
    pub(super) fn compile(matches: &Match) -> Predicates {
        let named = |list: &[(String, ValuePattern)]| {
            list.iter().map(|(name, value)| (name.as_bytes().into(), value.clone())).collect()
        };
        Predicates {
            methods: matches.methods.iter().map(|m| m.as_bytes().into()).collect(),
            headers: named(&matches.headers),
            query: named(&matches.query),
        }
    }

    /// Whether the method is one of those named. No method named: any.
    pub(super) fn method(&self, head: &RequestHead<'_>) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|m| **m == *head.method_text())
    }

    /// Whether every header and query predicate holds.
    pub(super) fn others(&self, head: &RequestHead<'_>) -> bool {
        self.headers.iter().all(|(name, pattern)| {
            head.fields.named(head.bytes, name).any(|field| pattern.matches(field.value.of(head.bytes)))
        }) && self.query.iter().all(|(name, pattern)| query_has(head.query().unwrap_or(b""), name, pattern))
    }
}

/// Whether a parameter of the query, decoded, has this name and such a value.
fn query_has(query: &[u8], name: &[u8], pattern: &ValuePattern) -> bool {
    query.split(|b| *b == b'&').any(|pair| {
        let mut halves = pair.splitn(2, |b| *b == b'=');
        let key = decoded(halves.next().unwrap_or(b""));
        let value = decoded(halves.next().unwrap_or(b""));
        key == name && pattern.matches(&value)
    })
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let mut out = Vec::with_capacity(spaced.len());
    path::decode(&spaced, &mut out);
    out
}
