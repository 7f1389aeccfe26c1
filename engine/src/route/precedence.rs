//! Which of two routes is asked first. An order, so that no chain of ifs has to be kept right.

use ringgate_config::{PathPattern, Route, Segment};
use std::cmp::Reverse;

/// The rank of a route among those for the same host: smaller is asked first. Exact path, then captured (literal
/// segments before captures, compared from the left), then the longer prefix, then regex, then any path; more
/// predicates before fewer; then the order of the file.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug, Clone)]
pub(super) struct Precedence {
    path: PathRank,
    predicates: Reverse<usize>,
    position: usize,
}

/// What a rank is made of.
pub(super) enum Step {
    Path,
    Predicates,
    Position,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Debug, Clone)]
enum PathRank {
    Exact,
    Captured(Vec<SegmentRank>),
    Prefix(Reverse<usize>),
    Regex,
    Any,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Debug, Clone)]
enum SegmentRank {
    Literal,
    Capture,
    /// Any further segments, or none.
    Rest,
}

impl Precedence {
    /// The rank of the route at `position` in the file.
    pub(super) fn of(route: &Route, position: usize) -> Precedence {
        let m = &route.matches;
        let predicates = usize::from(!m.methods.is_empty()) + m.headers.len() + m.query.len();
        Precedence { path: PathRank::of(m.path.as_ref()), predicates: Reverse(predicates), position }
    }

    /// The first thing in which two ranks differ.
    pub(super) fn differs_in(&self, other: &Precedence) -> Step {
        match self {
            _ if self.path != other.path => Step::Path,
            _ if self.predicates != other.predicates => Step::Predicates,
            _ => Step::Position,
        }
    }

    /// The route's position in the file.
    pub(super) fn position(&self) -> usize {
        self.position
    }
}

impl PathRank {
    fn of(pattern: Option<&PathPattern>) -> PathRank {
        match pattern {
            None => PathRank::Any,
            Some(PathPattern::Exact(_)) => PathRank::Exact,
            Some(PathPattern::Captured { segments, rest }) => {
                let rest = rest.then_some(SegmentRank::Rest);
                PathRank::Captured(segments.iter().map(SegmentRank::of).chain(rest).collect())
            }
            Some(PathPattern::Prefix(prefix)) => PathRank::Prefix(Reverse(prefix.len())),
            Some(PathPattern::Regex(_)) => PathRank::Regex,
        }
    }
}

impl SegmentRank {
    fn of(segment: &Segment) -> SegmentRank {
        match segment {
            Segment::Literal(_) => SegmentRank::Literal,
            Segment::Capture(_) => SegmentRank::Capture,
        }
    }
}
