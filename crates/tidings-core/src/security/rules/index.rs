//! Which rules can apply to a target at all.

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::signs::{Hasher, Sign, Trait};
use super::target::Target;
use crate::security::Principal;
use crate::security::rule::{Action, Rule, Unit};

/// As few rules are looked at whole sooner than signs are made for them.
const FEW: usize = 4;

/// The rules for one kind of frame by the segments that their patterns begin with, up to the first that is not certain:
/// a tree with a branch for each segment.
#[derive(Debug, Clone)]
pub(super) struct Index {
    /// The first one is the root.
    nodes: Vec<Node>,
    hasher: Hasher,
}

#[derive(Debug, Clone, Default)]
struct Node {
    children: HashMap<Box<str>, usize>,
    /// Those whose certain segments end here.
    own: Vec<Entry>,
    /// Those, and what denies in the branches: what allows there allows no wildcard here.
    all: Vec<Entry>,
}

/// A rule in a list, which ascends by the numbers.
#[derive(Debug, Clone, Copy)]
struct Entry {
    number: u32,
    needed: Trait,
    sign: Sign,
}

impl Index {
    pub(super) fn new(rules: &[Rule], action: Action) -> Self {
        let mut index = Self {
            nodes: vec![Node::default()],
            hasher: Hasher::default(),
        };
        let mut uses: HashMap<Sign, usize> = HashMap::new();
        for path in rules.iter().filter_map(|rule| rule.path(action)) {
            for sign in index.hasher.signs(path) {
                *uses.entry(sign).or_default() += 1;
            }
        }
        for (number, rule) in (0..).zip(rules) {
            let Some(path) = rule.path(action) else {
                continue;
            };
            let rarest = index.hasher.signs(path).min_by_key(|sign| uses[sign]);
            let entry = Entry {
                number,
                needed: index.hasher.needed(rule.requirement()),
                sign: rarest.unwrap_or_default(),
            };
            index.insert(entry, &path.units[..path.certain], rule.is_allow());
        }
        index
    }

    fn insert(&mut self, entry: Entry, certain: &[Unit<Box<str>>], is_allow: bool) {
        let mut at = 0;
        for unit in certain {
            let Unit::Literal(segment) = unit else { break };
            if !is_allow {
                self.nodes[at].all.push(entry);
            }
            let next = self.nodes.len();
            let children = &mut self.nodes[at].children;
            let child = *children.entry(segment.clone()).or_insert(next);
            if child == next {
                self.nodes.push(Node::default());
            }
            at = child;
        }
        self.nodes[at].all.push(entry);
        self.nodes[at].own.push(entry);
    }

    /// The first rule of which `applies` is true, which is told how many segments of the target its certain ones agree
    /// with. Those left out begin with a segment that the target does not have there, or lack a sign.
    pub(super) fn first(
        &self,
        target: &Target<'_>,
        principal: &Principal,
        applies: impl Fn(usize, usize) -> bool,
    ) -> Option<usize> {
        let (lists, depth) = self.candidates(target);
        let seen = (lists.iter().map(|list| list.len()).sum::<usize>() > FEW)
            .then(|| (self.hasher.traits(principal), self.hasher.marks(target)));
        let may_apply = |entry: &Entry| {
            seen.as_ref().is_none_or(|(traits, marks)| {
                traits.have(entry.needed) && entry.sign.is_in(marks.as_ref())
            })
        };
        lists.iter().fold(None, |found: Option<usize>, list| {
            let earlier = list
                .iter()
                .take_while(|entry| found.is_none_or(|found| (entry.number as usize) < found));
            earlier
                .filter(|entry| may_apply(entry))
                .map(|entry| entry.number as usize)
                .find(|number| applies(*number, depth))
                .or(found)
        })
    }

    /// Lists of rules, and how many segments of the target all of them agree with, as far as they are certain.
    fn candidates(&self, target: &Target<'_>) -> (SmallVec<[&[Entry]; 8]>, usize) {
        let mut lists: SmallVec<[&[Entry]; 8]> = SmallVec::new();
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
            lists.push(&node.own);
            node = &self.nodes[*child];
            depth += 1;
        };
        lists.push(last);
        (lists, depth)
    }
}
