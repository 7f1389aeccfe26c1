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
        self.headers.iter().all(|(name, pattern)| header_has(head, name, pattern))
            && self.query.iter().all(|(name, pattern)| query_has(head.query().unwrap_or(b""), name, pattern))
    }

    /// Whether nothing but header fields of which nothing is `told` keeps the predicates from holding.
    pub(super) fn hang_on(&self, head: &RequestHead<'_>, told: &dyn Fn(&str) -> bool) -> bool {
        let (headers, query) = self.missing(head);
        let untold = |place: &usize| {
            let name = self.headers.get(*place).and_then(|(name, _)| std::str::from_utf8(name).ok());
            name.is_some_and(|name| !told(name))
        };
        query.is_empty() && headers.iter().all(untold)
    }

    /// The places of the header predicates, and of the query predicates, that do not hold.
    pub(super) fn missing(&self, head: &RequestHead<'_>) -> (Vec<usize>, Vec<usize>) {
        let places = |list: &[(Box<[u8]>, ValuePattern)], holds: &dyn Fn(&[u8], &ValuePattern) -> bool| {
            let missing = list.iter().enumerate().filter(|(_, (name, pattern))| !holds(name, pattern));
            missing.map(|(place, _)| place).collect()
        };
        let query = head.query().unwrap_or(b"");
        (
            places(&self.headers, &|name, pattern| header_has(head, name, pattern)),
            places(&self.query, &|name, pattern| query_has(query, name, pattern)),
        )
    }
}

/// Whether a field of this name has such a value.
fn header_has(head: &RequestHead<'_>, name: &[u8], pattern: &ValuePattern) -> bool {
    head.fields.named(head.bytes, name).any(|field| pattern.matches(field.value.of(head.bytes)))
}

/// The values of the parameters with this name, decoded.
pub(crate) fn query_values(query: &[u8], name: &[u8]) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    any_pair(query, |key, value| {
        if key == name {
            values.push(value.to_vec());
        }
        false
    });
    values
}

/// Whether a parameter of the query, decoded, has this name and such a value.
fn query_has(query: &[u8], name: &[u8], pattern: &ValuePattern) -> bool {
    any_pair(query, |key, value| key == name && pattern.matches(value))
}

/// Whether something holds for any of the query's parameters, each decoded.
fn any_pair(query: &[u8], mut holds: impl FnMut(&[u8], &[u8]) -> bool) -> bool {
    query.split(|b| *b == b'&').any(|pair| {
        let mut halves = pair.splitn(2, |b| *b == b'=');
        let key = decoded(halves.next().unwrap_or(b""));
        let value = decoded(halves.next().unwrap_or(b""));
        holds(&key, &value)
    })
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let mut out = Vec::with_capacity(spaced.len());
    path::decode(&spaced, &mut out);
    out
}
