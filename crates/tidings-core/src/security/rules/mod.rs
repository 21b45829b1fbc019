//! The access rules in their order, and the one place that decides.

mod index;
mod target;

use super::Principal;
use super::rule::{Action, Layout, Rule, contains, meet};
use crate::destination::Destinations;
use index::Index;
use target::Target;

/// Who may do what: rules in their order, of which the first that applies decides. Where none does, it is denied.
#[derive(Debug, Clone)]
pub struct Rules {
    rules: Vec<Rule>,
    /// By the number of the action.
    indexes: [Index; 3],
    layout: Layout,
    is_open: bool,
}

/// What was decided, and by which rule.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Decision<'r> {
    /// Whether it may be done.
    pub is_allowed: bool,
    /// The rule that says so; `None` where no rule applied.
    pub rule: Option<&'r Rule>,
    /// The place of that rule, from 1.
    pub number: Option<usize>,
}

impl Rules {
    /// These rules, read with the same `destinations`.
    pub fn new(rules: Vec<Rule>, destinations: &Destinations) -> Self {
        Self {
            indexes: Action::ALL.map(|action| Index::new(&rules, action)),
            rules,
            layout: Layout::new(destinations),
            is_open: false,
        }
    }

    /// Everybody may do everything: for development.
    pub fn allow_all() -> Self {
        Self {
            rules: Vec::new(),
            indexes: Action::ALL.map(|action| Index::new(&[], action)),
            layout: Layout::default(),
            is_open: true,
        }
    }

    /// The rules in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Says whether `principal` may do this: the only place where that is decided.
    ///
    /// A SUBSCRIBE with wildcards is allowed only where every destination is allowed that it can match: by the first
    /// rule that allows them all, unless an earlier one may deny one of them. CONNECT has no destination, whatever is
    /// said here. That the destination is well formed is for [`Destinations::classify`] to say.
    pub fn decide(&self, principal: &Principal, action: Action, destination: &str) -> Decision<'_> {
        if self.is_open {
            return Decision::default_of(true);
        }
        let destination = if action == Action::Connect {
            ""
        } else {
            destination
        };
        let segments = self.layout.segments(action, destination);
        let escaped = self.layout.escaped(action, destination, &segments);
        let target = Target::new(&self.layout, action, destination, &segments, &escaped);
        let decided = target.and_then(|target| self.first(principal, action, &target));
        decided.map_or(Decision::default_of(false), |at| self.decision(at))
    }

    /// The first rule that decides.
    fn first(&self, principal: &Principal, action: Action, target: &Target<'_>) -> Option<usize> {
        let mut candidates = self.indexes[action as usize].candidates(target);
        let agreed = candidates.depth;
        candidates.find(|at| applies(&self.rules[*at], principal, action, target, agreed))
    }

    fn decision(&self, at: usize) -> Decision<'_> {
        let rule = &self.rules[at];
        Decision {
            is_allowed: rule.is_allow(),
            rule: Some(rule),
            number: Some(at + 1),
        }
    }
}

impl Decision<'_> {
    fn default_of(is_allowed: bool) -> Self {
        Self {
            is_allowed,
            rule: None,
            number: None,
        }
    }
}

/// Whether the rule decides: one that denies if it may apply to any destination, one that allows if it surely does to
/// all. Its certain segments are not looked at as far as they have been `agreed` upon.
fn applies(
    rule: &Rule,
    principal: &Principal,
    action: Action,
    target: &Target<'_>,
    agreed: usize,
) -> bool {
    let Some(path) = rule.path(action) else {
        return false;
    };
    let agreed = agreed.min(path.certain);
    let (pattern, asked) = (&path.units[agreed..], &target.units[agreed..]);
    let holds = || rule.holds(principal, |index| target.value(path.variables[index]));
    if rule.is_allow() {
        contains(pattern, asked) && holds() == Some(true)
    } else {
        meet(pattern, asked) && holds() != Some(false)
    }
}
