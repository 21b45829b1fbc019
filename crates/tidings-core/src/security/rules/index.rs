//! Which rules can apply to a target at all.

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::target::Target;
use crate::security::rule::{Action, Rule, Unit};

/// The rules for one kind of frame by the segments that their patterns begin with, up to the first that is not certain:
/// a tree with a branch for each segment.
#[derive(Debug, Clone)]
pub(super) struct Index {
    /// The first one is the root.
    nodes: Vec<Node>,
}

/// Numbers of rules, ascending.
#[derive(Debug, Clone, Default)]
struct Node {
    children: HashMap<Box<str>, usize>,
    /// Those whose certain segments end here.
    own: Vec<usize>,
    /// Those and all of the branches.
    all: Vec<usize>,
}

impl Index {
    pub(super) fn new(rules: &[Rule], action: Action) -> Self {
        let mut index = Self {
            nodes: vec![Node::default()],
        };
        for (number, rule) in rules.iter().enumerate() {
            if let Some(path) = rule.path(action) {
                index.insert(number, &path.units[..path.certain]);
            }
        }
        index
    }

    fn insert(&mut self, number: usize, certain: &[Unit<Box<str>>]) {
        let mut at = 0;
        self.nodes[at].all.push(number);
        for unit in certain {
            let Unit::Literal(segment) = unit else { break };
            let next = self.nodes.len();
            let children = &mut self.nodes[at].children;
            let child = *children.entry(segment.clone()).or_insert(next);
            if child == next {
                self.nodes.push(Node::default());
            }
            at = child;
            self.nodes[at].all.push(number);
        }
        self.nodes[at].own.push(number);
    }

    /// The rules that can apply: those left out begin with a segment that the target does not have there.
    pub(super) fn candidates(&self, target: &Target<'_>) -> Candidates<'_> {
        let mut lists: SmallVec<[&[usize]; 8]> = SmallVec::new();
        let mut node = &self.nodes[0];
        let mut depth = 0;
        let last = loop {
            let segment = match target.units.get(depth) {
                Some(Unit::Literal(segment)) => *segment,
                Some(_) => break &node.all,
                None => break &node.own,
            };
            let Some(child) = node.children.get(segment) else {
                break &node.own;
            };
            if !node.own.is_empty() {
                lists.push(&node.own);
            }
            node = &self.nodes[*child];
            depth += 1;
        };
        if !last.is_empty() {
            lists.push(last);
        }
        Candidates { lists, depth }
    }
}

/// Rules in their order.
pub(super) struct Candidates<'i> {
    lists: SmallVec<[&'i [usize]; 8]>,
    /// How many segments of the target all of them agree with, as far as they are certain.
    pub(super) depth: usize,
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if let [list] = &mut self.lists[..] {
            return list.split_off_first().copied();
        }
        let heads = self.lists.iter().enumerate();
        let next = heads.filter_map(|(at, list)| Some((*list.first()?, at)));
        let (number, at) = next.min()?;
        self.lists[at] = &self.lists[at][1..];
        if self.lists[at].is_empty() {
            self.lists.swap_remove(at);
        }
        Some(number)
    }
}
