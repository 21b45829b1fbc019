//! The routes of one kind: a hash for exact ones, a trie of segments for patterns.

use std::sync::Arc;

use hashbrown::HashMap;

use super::pattern::RoutePattern;
use super::segment::{Partial, Segment};

/// Patterns and what they lead to. At most one is found for a path.
#[derive(Debug, Clone)]
pub(crate) struct Table<V> {
    separator: char,
    routes: Vec<Route<V>>,
    exact: HashMap<Box<str>, usize>,
    trie: Node,
}

/// One entry of a [`Table`].
#[derive(Debug, Clone)]
pub(crate) struct Route<V> {
    pub(crate) pattern: Arc<RoutePattern>,
    pub(crate) value: V,
}

#[derive(Debug, Clone, Default)]
struct Node {
    literals: HashMap<Box<str>, Self>,
    /// Those with more text first.
    partials: Vec<(Partial, Self)>,
    any: Option<Box<Self>>,
    /// The route that ends here.
    end: Option<usize>,
    /// The route that takes all from here.
    rest: Option<usize>,
}

impl<V> Table<V> {
    pub(crate) fn new(separator: char) -> Self {
        Self {
            separator,
            routes: Vec::new(),
            exact: HashMap::new(),
            trie: Node::default(),
        }
    }

    /// Adds a route; gives back the pattern that stands in its way, if there is one.
    pub(crate) fn insert(
        &mut self,
        pattern: Arc<RoutePattern>,
        value: V,
    ) -> Result<(), Arc<RoutePattern>> {
        let index = self.routes.len();
        if pattern.is_exact() {
            if let Some(taken) = self.exact.insert(pattern.text().into(), index) {
                return Err(Arc::clone(&self.routes[taken].pattern));
            }
        } else {
            let mut routes = self.routes.iter();
            if let Some(taken) = routes.find(|route| route.pattern.ties_with(&pattern)) {
                return Err(Arc::clone(&taken.pattern));
            }
            self.trie.insert(pattern.segments(), index);
        }
        self.routes.push(Route { pattern, value });
        Ok(())
    }

    /// The one route for `path`.
    pub(crate) fn find(&self, path: &str) -> Option<&Route<V>> {
        let exact = self.exact.get(path).copied();
        let index = exact.or_else(|| self.find_from(&self.trie, Some(path)))?;
        Some(&self.routes[index])
    }

    /// What stands between segments.
    pub(crate) fn separator(&self) -> char {
        self.separator
    }

    /// The texts of the patterns.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().map(|route| route.pattern.text())
    }

    pub(crate) fn into_routes(self) -> Vec<Route<V>> {
        self.routes
    }

    pub(crate) fn map<W>(self, mut map: impl FnMut(V) -> W) -> Table<W> {
        let routes = self.routes.into_iter();
        Table {
            separator: self.separator,
            routes: routes
                .map(|Route { pattern, value }| Route {
                    pattern,
                    value: map(value),
                })
                .collect(),
            exact: self.exact,
            trie: self.trie,
        }
    }

    fn find_from(&self, node: &Node, path: Option<&str>) -> Option<usize> {
        let Some(path) = path else {
            return node.end.or(node.rest);
        };
        let (segment, behind) = match path.split_once(self.separator) {
            Some((segment, behind)) => (segment, Some(behind)),
            None => (path, None),
        };
        let literal = node.literals.get(segment);
        literal
            .and_then(|node| self.find_from(node, behind))
            .or_else(|| self.find_partial(node, segment, behind))
            .or_else(|| {
                let any = node.any.as_ref().filter(|_| !segment.is_empty())?;
                self.find_from(any, behind)
            })
            .or(node.rest)
    }

    /// Of parts with equally much text, the segments behind them decide.
    fn find_partial(&self, node: &Node, segment: &str, behind: Option<&str>) -> Option<usize> {
        let mut best: Option<(usize, usize)> = None;
        for (partial, child) in &node.partials {
            let text_bytes = partial.text_bytes();
            if best.is_some_and(|(most, _)| text_bytes < most) {
                break;
            }
            if !partial.matches(segment) {
                continue;
            }
            if let Some(found) = self.find_from(child, behind) {
                let pattern = |index: usize| &self.routes[index].pattern;
                if best.is_none_or(|(_, best)| pattern(found).goes_before(pattern(best))) {
                    best = Some((text_bytes, found));
                }
            }
        }
        best.map(|(_, index)| index)
    }
}

impl Node {
    fn insert(&mut self, segments: &[Segment], route: usize) {
        let Some((segment, behind)) = segments.split_first() else {
            self.end = Some(route);
            return;
        };
        match segment {
            Segment::Rest => self.rest = Some(route),
            Segment::Any { .. } => self.any.get_or_insert_default().insert(behind, route),
            Segment::Literal(text) => self
                .literals
                .entry(text.clone())
                .or_default()
                .insert(behind, route),
            Segment::Partial(partial) => self.partial(partial).insert(behind, route),
        }
    }

    fn partial(&mut self, partial: &Partial) -> &mut Self {
        let known = self.partials.iter().position(|(known, _)| known == partial);
        let at = known.unwrap_or_else(|| {
            let text_bytes = partial.text_bytes();
            let at = self
                .partials
                .partition_point(|(known, _)| known.text_bytes() >= text_bytes);
            self.partials.insert(at, (partial.clone(), Self::default()));
            at
        });
        &mut self.partials[at].1
    }
}
