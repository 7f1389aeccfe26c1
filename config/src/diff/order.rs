//! Where the order of the file matters: between routes of equal rank that may take the same request. The rank is the
//! router's: host, path, number of predicates; only then the order of the file.

use std::collections::HashMap;

use crate::document::{Match, Route};
use crate::pattern::{PathPattern, Segment};

/// Routes of one rank that are compared each with each; of more, neighbours alone.
const COMPARED_MAX: usize = 100;

/// Routes of one rank for one host: only these can be decided between by the order of the file.
#[derive(PartialEq, Eq, Hash)]
struct Rank {
    /// `None`: any host.
    host: Option<String>,
    path: PathRank,
    predicates: usize,
}

/// Paths that can take the same request at the same rank. An exact path or a prefix can do so only with its like;
/// a path with captures with those that have the same literals in the same places.
#[derive(PartialEq, Eq, Hash)]
enum PathRank {
    Any,
    Exact(String),
    Captured(Vec<Option<String>>, bool),
    Prefix(String),
    Regex,
}

/// Routes that both documents have, and that stand behind another one in the new document which stood behind them in
/// the old one, though only the order decides between the two: each with that other route. At most once for each route.
pub(super) fn moved<'c>(old: &[Route], new: &'c [Route]) -> Vec<(&'c str, &'c str)> {
    let before: HashMap<&str, (usize, &Route)> =
        old.iter().enumerate().map(|(place, route)| (route.name.as_str(), (place, route))).collect();
    let kept: Vec<(usize, &Route)> =
        new.iter().filter_map(|route| before.get(route.name.as_str()).map(|&(place, _)| (place, route))).collect();
    if kept.is_sorted_by_key(|&(place, _)| place) {
        return Vec::new();
    }
    let mut ranks: HashMap<Rank, Vec<usize>> = HashMap::new();
    for (index, &(_, route)) in kept.iter().enumerate() {
        for rank in ranks_of(&route.matches) {
            ranks.entry(rank).or_default().push(index);
        }
    }
    let mut moved: Vec<Option<usize>> = vec![None; kept.len()];
    for group in ranks.values() {
        for (at, &index) in group.iter().enumerate() {
            let nearest = group[..at].iter().rev().take(if group.len() > COMPARED_MAX { 1 } else { COMPARED_MAX });
            let passed = nearest.copied().find(|&other| passes(kept[index], kept[other]));
            // The nearest one of all groups, so that the answer doesn't depend on the order of a hash map.
            moved[index] = moved[index].max(passed);
        }
    }
    let name = |index: usize| kept[index].1.name.as_str();
    let pairs = moved.iter().enumerate().filter_map(|(index, other)| other.map(|other| (name(index), name(other))));
    pairs.collect()
}

/// Whether the first of two stood before the second, and both may take the same request.
fn passes((place, route): (usize, &Route), (other_place, other): (usize, &Route)) -> bool {
    let (ours, theirs) = (&route.matches.methods, &other.matches.methods);
    let apart = !ours.is_empty() && !theirs.is_empty() && !ours.iter().any(|method| theirs.contains(method));
    place < other_place && !apart
}

fn ranks_of(matches: &Match) -> Vec<Rank> {
    let predicates = usize::from(!matches.methods.is_empty()) + matches.headers.len() + matches.query.len();
    let rank = |host| Rank { host, path: path_rank(matches.path.as_ref()), predicates };
    match matches.hosts.is_empty() {
        true => vec![rank(None)],
        false => matches.hosts.iter().map(|host| rank(Some(host.to_string()))).collect(),
    }
}

fn path_rank(path: Option<&PathPattern>) -> PathRank {
    match path {
        None => PathRank::Any,
        Some(PathPattern::Exact(path)) => PathRank::Exact(path.clone()),
        Some(PathPattern::Captured { segments, rest }) => {
            PathRank::Captured(segments.iter().map(Segment::as_literal).map(|s| s.map(str::to_owned)).collect(), *rest)
        }
        Some(PathPattern::Prefix(prefix)) => PathRank::Prefix(prefix.clone()),
        Some(PathPattern::Regex(_)) => PathRank::Regex,
    }
}
