//! Who hears a message: values (groups of subscribers) by pattern, found by destination.

use std::ptr;

use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::destination::{Pattern, Separator, is_wildcard, segment_matches};

/// Values by [`Pattern`].
///
/// Exact patterns stand in a hash map, patterns with wildcards in a trie of their segments. Visiting a destination
/// costs one look-up, and the paths through the trie that match the destination so far; other patterns cost nothing.
/// Only segments of mixed text and wildcards (`a*`) are compared one by one with their siblings.
///
/// All patterns of one map are of one [`Separator`].
#[derive(Debug)]
pub struct PatternMap<V> {
    separator: Separator,
    exact: HashMap<Box<str>, V>,
    root: Node<V>,
    patterns: usize,
}

/// What follows a path of segments.
#[derive(Debug)]
struct Node<V> {
    value: Option<V>,
    literal: HashMap<Box<str>, Self>,
    /// `*` alone and segments that mix wildcards and text.
    wild: Vec<(Box<str>, Self)>,
    /// `**`
    rest: Option<Box<Self>>,
}

/// Nodes that match the segments so far, with whether they also match any more segments. Each stands here once.
type Paths<'a, V> = SmallVec<[(&'a Node<V>, bool); 8]>;

impl<V> PatternMap<V> {
    /// An empty map for patterns of this separator.
    pub fn new(separator: Separator) -> Self {
        Self {
            separator,
            exact: HashMap::new(),
            root: Node::default(),
            patterns: 0,
        }
    }

    /// The value of `pattern`, made first if there is none.
    pub fn get_or_insert_with(&mut self, pattern: &Pattern, make: impl FnOnce() -> V) -> &mut V {
        if pattern.is_exact() {
            return self
                .exact
                .entry(pattern.as_str().into())
                .or_insert_with(make);
        }
        let node = pattern.segments().fold(&mut self.root, Node::child_or_new);
        if node.value.is_none() {
            self.patterns += 1;
        }
        node.value.get_or_insert_with(make)
    }

    /// The value of `pattern`.
    pub fn get(&self, pattern: &Pattern) -> Option<&V> {
        if pattern.is_exact() {
            return self.exact.get(pattern.as_str());
        }
        let node = pattern.segments().try_fold(&self.root, Node::child)?;
        node.value.as_ref()
    }

    /// The value of `pattern`.
    pub fn get_mut(&mut self, pattern: &Pattern) -> Option<&mut V> {
        if pattern.is_exact() {
            return self.exact.get_mut(pattern.as_str());
        }
        let node = pattern
            .segments()
            .try_fold(&mut self.root, Node::child_mut)?;
        node.value.as_mut()
    }

    /// Takes the value of `pattern` out, and frees what only led to it.
    pub fn remove(&mut self, pattern: &Pattern) -> Option<V> {
        if pattern.is_exact() {
            return self.exact.remove(pattern.as_str());
        }
        let value = self.root.remove(&mut pattern.segments())?;
        self.patterns -= 1;
        Some(value)
    }

    /// Calls `each` with every value whose pattern matches `destination`, once each, in no order.
    pub fn visit(&self, destination: &str, mut each: impl FnMut(&V)) {
        if let Some(value) = self.exact.get(destination) {
            each(value);
        }
        if self.patterns == 0 {
            return;
        }
        let mut paths = Paths::new();
        self.root.enter(false, &mut paths);
        for segment in self.separator.segments(destination) {
            paths = advance(&paths, segment);
            if paths.is_empty() {
                return;
            }
        }
        for (node, _) in &paths {
            if let Some(value) = &node.value {
                each(value);
            }
        }
    }

    /// How many patterns have a value.
    pub fn len(&self) -> usize {
        self.exact.len() + self.patterns
    }

    /// Whether no pattern has a value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where `segment` leads from `paths`.
fn advance<'a, V>(paths: &Paths<'a, V>, segment: &str) -> Paths<'a, V> {
    let mut next = Paths::new();
    let mut repeats = false;
    for (node, any_more) in paths {
        if *any_more {
            next.push((node, true));
            repeats = true;
        }
        if let Some(child) = node.literal.get(segment) {
            child.enter(false, &mut next);
        }
        for (wild, child) in &node.wild {
            if segment_matches(wild, segment) {
                child.enter(false, &mut next);
            }
        }
    }
    // A `**` node may stay and be entered anew through its parent; a node of any other kind has only its parent.
    if repeats && next.len() > 1 {
        next.sort_unstable_by_key(|(node, _)| ptr::from_ref(*node).addr());
        next.dedup_by_key(|(node, _)| ptr::from_ref(*node).addr());
    }
    next
}

impl<V> Node<V> {
    /// Adds this node, and the `**` beneath it, which also matches nothing.
    fn enter<'a>(&'a self, any_more: bool, paths: &mut Paths<'a, V>) {
        paths.push((self, any_more));
        if let Some(rest) = &self.rest {
            rest.enter(true, paths);
        }
    }

    fn child(&self, segment: &str) -> Option<&Self> {
        if segment == "**" {
            self.rest.as_deref()
        } else if segment.contains(is_wildcard) {
            let found = self.wild.iter().find(|(text, _)| **text == *segment);
            found.map(|(_, node)| node)
        } else {
            self.literal.get(segment)
        }
    }

    fn child_mut(&mut self, segment: &str) -> Option<&mut Self> {
        if segment == "**" {
            self.rest.as_deref_mut()
        } else if segment.contains(is_wildcard) {
            let found = self.wild.iter_mut().find(|(text, _)| **text == *segment);
            found.map(|(_, node)| node)
        } else {
            self.literal.get_mut(segment)
        }
    }

    fn child_or_new(&mut self, segment: &str) -> &mut Self {
        if segment == "**" {
            self.rest.get_or_insert_default()
        } else if segment.contains(is_wildcard) {
            let found = self.wild.iter().position(|(text, _)| **text == *segment);
            let index = found.unwrap_or_else(|| {
                self.wild.push((segment.into(), Self::default()));
                self.wild.len() - 1
            });
            &mut self.wild[index].1
        } else {
            self.literal.entry(segment.into()).or_default()
        }
    }

    /// Takes the value at the end of `path`, and drops the nodes of the path that are left with nothing.
    fn remove<'p>(&mut self, path: &mut impl Iterator<Item = &'p str>) -> Option<V> {
        let Some(segment) = path.next() else {
            return self.value.take();
        };
        let child = self.child_mut(segment)?;
        let value = child.remove(path);
        if child.is_empty() {
            self.drop_child(segment);
        }
        value
    }

    fn drop_child(&mut self, segment: &str) {
        if segment == "**" {
            self.rest = None;
        } else if segment.contains(is_wildcard) {
            self.wild.retain(|(text, _)| **text != *segment);
        } else {
            self.literal.remove(segment);
        }
    }

    fn is_empty(&self) -> bool {
        self.value.is_none()
            && self.literal.is_empty()
            && self.wild.is_empty()
            && self.rest.is_none()
    }
}

impl<V> Default for Node<V> {
    fn default() -> Self {
        Self {
            value: None,
            literal: HashMap::new(),
            wild: Vec::new(),
            rest: None,
        }
    }
}
