//! Whether the predicates of one route hold wherever those of another do.

use crate::document::Match;
use crate::pattern::ValuePattern;

/// How many predicates a route has, as precedence counts them.
pub(super) fn count(matches: &Match) -> usize {
    usize::from(!matches.methods.is_empty()) + matches.headers.len() + matches.query.len()
}

/// Whether every request that fits `narrow` fits `wide`, hosts and paths aside. `false` where that can't be told.
pub(super) fn implies(narrow: &Match, wide: &Match) -> bool {
    let methods = wide.methods.is_empty()
        || !narrow.methods.is_empty() && narrow.methods.iter().all(|method| wide.methods.contains(method));
    methods && all(&narrow.headers, &wide.headers) && all(&narrow.query, &wide.query)
}

fn all(narrow: &[(String, ValuePattern)], wide: &[(String, ValuePattern)]) -> bool {
    wide.iter().all(|(name, wide)| narrow.iter().any(|(given, narrow)| given == name && holds(narrow, wide)))
}

/// Whether every value that fits the one fits the other: they are the same, or the one is a text that fits the other.
fn holds(narrow: &ValuePattern, wide: &ValuePattern) -> bool {
    narrow == wide || narrow.as_exact().is_some_and(|text| wide.matches(text.as_bytes()))
}
