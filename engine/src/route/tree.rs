//! Paths by their segments: a tree whose edges are literal segments and captures. Asked for the routes that take a path,
//! it names them in order of precedence, and looks at no more of the path than the longest pattern is deep.

use ahash::AHashMap;
use memchr::memchr;
use std::ops::ControlFlow;

/// What a segment of a pattern asks for.
#[derive(Clone, Copy)]
pub(super) enum Step<'p> {
    Literal(&'p [u8]),
    /// Any segment that is not empty.
    Capture,
}

/// Routes by the segments of their paths. A path is taken apart at each `/` behind its first one.
#[derive(Debug)]
pub(super) struct Tree {
    /// The first one is the root.
    nodes: Vec<Node>,
    /// Bytes of the longest literal: a longer segment is none of them, and isn't looked for.
    literal_max: usize,
}

#[derive(Debug, Default)]
struct Node {
    /// The root's own parent is the root.
    parent: usize,
    literals: Literals,
    capture: Option<usize>,
    /// Routes whose path ends here, in order of precedence.
    ends: Vec<usize>,
    /// Routes that take whatever follows, or nothing, in order of precedence.
    rests: Vec<usize>,
}

/// The nodes behind a node's literal segments. Most nodes have one, or very many.
#[derive(Debug, Default)]
enum Literals {
    #[default]
    None,
    One(Box<[u8]>, usize),
    Many(Box<AHashMap<Box<[u8]>, usize>>),
}

impl Tree {
    pub(super) fn new() -> Tree {
        Tree { nodes: vec![Node::default()], literal_max: 0 }
    }

    /// Adds a route. Those with the same path must be added in order of precedence.
    pub(super) fn insert<'p>(&mut self, steps: impl Iterator<Item = Step<'p>>, rest: bool, route: usize) {
        let at = steps.fold(0, |at, step| self.child(at, step));
        let node = &mut self.nodes[at];
        if rest { &mut node.rests } else { &mut node.ends }.push(route);
    }

    /// The node behind a step from the node `at`, made if there is none.
    fn child(&mut self, at: usize, step: Step<'_>) -> usize {
        let next = self.nodes.len();
        let node = &mut self.nodes[at];
        let child = match step {
            Step::Literal(text) => {
                self.literal_max = self.literal_max.max(text.len());
                node.literals.get_or_insert(text, next)
            }
            Step::Capture => *node.capture.get_or_insert(next),
        };
        if child == next {
            self.nodes.push(Node { parent: at, ..Node::default() });
        }
        child
    }

    /// Asks of the routes that take `path`, in order of precedence: at each segment literals come before captures, and
    /// both before a route that takes the rest.
    pub(super) fn in_order<B>(&self, path: &[u8], ask: &mut impl FnMut(usize) -> ControlFlow<B>) -> ControlFlow<B> {
        match path.strip_prefix(b"/") {
            Some(segments) if self.nodes.len() > 1 => self.from(0, Some(segments), ask),
            _ => ControlFlow::Continue(()),
        }
    }

    /// As [`Tree::in_order`], from a node on; `left` is what follows the slash, if there is one.
    fn from<B>(&self, at: usize, left: Option<&[u8]>, ask: &mut impl FnMut(usize) -> ControlFlow<B>) -> ControlFlow<B> {
        let node = &self.nodes[at];
        match left {
            None => node.ends.iter().try_for_each(|route| ask(*route))?,
            Some(_) if node.is_leaf() => {}
            Some(left) => {
                let (segment, left) = split(left, memchr(b'/', left));
                if let Some(child) = self.literal(node, segment) {
                    self.from(child, left, ask)?;
                }
                if let Some(child) = node.capture.filter(|_| !segment.is_empty()) {
                    self.from(child, left, ask)?;
                }
            }
        }
        node.rests.iter().try_for_each(|route| ask(*route))
    }

    /// Asks of the routes that take the rest behind literal segments with which `path` begins, the longest first.
    pub(super) fn longest_first<B>(
        &self,
        path: &[u8],
        ask: &mut impl FnMut(usize) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut at = 0;
        let mut left = path.strip_prefix(b"/");
        while let Some(text) = left.filter(|_| !self.nodes[at].is_leaf()) {
            // A slash further on would only end a segment that is too long.
            let near = text.get(..=self.literal_max).unwrap_or(text);
            let (segment, behind) = split(text, near.iter().position(|b| *b == b'/'));
            let Some(child) = self.literal(&self.nodes[at], segment) else { break };
            (at, left) = (child, behind);
        }
        loop {
            let node = &self.nodes[at];
            node.rests.iter().try_for_each(|route| ask(*route))?;
            if at == 0 {
                return ControlFlow::Continue(());
            }
            at = node.parent;
        }
    }

    fn literal(&self, node: &Node, segment: &[u8]) -> Option<usize> {
        if segment.len() > self.literal_max { None } else { node.literals.get(segment) }
    }
}

/// The text before the slash, and what follows it.
fn split(text: &[u8], slash: Option<usize>) -> (&[u8], Option<&[u8]>) {
    match slash {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

impl Node {
    fn is_leaf(&self) -> bool {
        matches!(self.literals, Literals::None) && self.capture.is_none()
    }
}

impl Literals {
    #[inline]
    fn get(&self, segment: &[u8]) -> Option<usize> {
        match self {
            Literals::None => None,
            Literals::One(text, node) => (**text == *segment).then_some(*node),
            Literals::Many(map) => map.get(segment).copied(),
        }
    }

    fn get_or_insert(&mut self, text: &[u8], new: usize) -> usize {
        match self {
            Literals::None => *self = Literals::One(text.into(), new),
            Literals::One(known, node) if **known == *text => return *node,
            Literals::One(known, node) => {
                let both = [(std::mem::take(known), *node), (text.into(), new)];
                *self = Literals::Many(Box::new(both.into_iter().collect()));
            }
            Literals::Many(map) => return *map.entry(text.into()).or_insert(new),
        }
        new
    }
}
