//! Smooth weighted round robin: each turn every endpoint earns its weight, the richest is taken and pays the sum of
//! all weights. Over a sum of turns each gets its share, and the heavy ones are spread out.

/// The state of one shard for one cluster.
#[derive(Debug)]
pub(super) struct RoundRobin {
    weights: Vec<i64>,
    earned: Vec<i64>,
}

impl RoundRobin {
    pub(super) fn new(weights: impl Iterator<Item = u32>) -> RoundRobin {
        let weights: Vec<i64> = weights.map(i64::from).collect();
        RoundRobin { earned: vec![0; weights.len()], weights }
    }

    /// Goes on where another one was, if that has these same weights.
    pub(super) fn resume(&mut self, before: &RoundRobin) {
        if self.weights == before.weights {
            self.earned.clone_from(&before.earned);
        }
    }

    /// The endpoint whose turn it is among those that `usable` lets through; none if it lets none.
    pub(super) fn next(&mut self, usable: impl Fn(usize) -> bool) -> Option<usize> {
        let mut best: Option<usize> = None;
        let mut total = 0;
        for at in (0..self.weights.len()).filter(|at| usable(*at)) {
            self.earned[at] += self.weights[at];
            total += self.weights[at];
            if best.is_none_or(|b| self.earned[at] > self.earned[b]) {
                best = Some(at);
            }
        }
        if let Some(best) = best {
            self.earned[best] -= total;
        }
        best
    }
}
