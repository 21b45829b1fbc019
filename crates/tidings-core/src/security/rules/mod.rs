//! The access rules in their order, and the one place that decides.

mod index;
mod signs;
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
        self.indexes[action as usize].first(target, principal, |at, agreed| {
            applies(&self.rules[at], principal, action, target, agreed)
        })
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::json;

    use super::*;
    use crate::destination::Separator;

    const SEGMENTS: &[&str] = &["a", "b", "{x}", "*", "a*", "?b", "long*tail", "**"];
    const ASKED: &[&str] = &["a", "b", "ab", "long-tail", "*", "?", "**"];
    const CONDITIONS: &[&str] = &[
        "",
        " if authenticated",
        " if user = {x}",
        " if user = ann",
        " if role r",
        " if not role r",
        " if not role r and role s",
        " if claim c = 7",
        " if claim c = true",
        " if claim c contains w",
        " if claim c.d = w",
        " if claim c contains 1.5",
    ];

    fn text(segments: &'static [&'static str]) -> impl Strategy<Value = String> {
        prop::collection::vec(select(segments), 1..5)
            .prop_map(|segments| format!("/t/{}", segments.join("/")))
    }

    fn rule() -> impl Strategy<Value = String> {
        let condition = select(CONDITIONS);
        let head = select(vec![
            "allow any",
            "deny any",
            "deny subscribe",
            "allow send",
        ]);
        (head, text(SEGMENTS), condition)
            .prop_map(|(head, pattern, condition)| format!("{head} {pattern}{condition}"))
    }

    fn principal() -> impl Strategy<Value = Principal> {
        let name = select(vec!["", "a", "ann"]);
        let roles = prop::collection::vec(select(vec!["r", "s", "t"]), 0..3);
        let claim = select(vec![
            json!(null),
            json!(7),
            json!(true),
            json!("w"),
            json!("v w"),
            json!(["v", 1.5]),
            json!(["w"]),
            json!({"d": "w"}),
        ]);
        (name, roles, claim).prop_map(|(name, roles, claim)| {
            let known = Principal::user(name).with_roles(roles);
            known.with_claim("c", claim)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        /// Every rule in its order, each looked at whole: no index, no signs, nothing agreed upon.
        #[test]
        fn the_index_finds_what_a_plain_walk_finds(texts in prop::collection::vec(rule(), 0..16), asked in text(ASKED), who in prop::option::of(principal())) {
            let destinations = Destinations {
                topic_prefixes: vec!["/t/".to_owned()],
                queue_prefixes: Vec::new(),
                application_prefix: "/app/".to_owned(),
                user_prefix: "/user/".to_owned(),
                separator: Separator::Slash,
                max_bytes: 100,
                max_segments: 32,
            };
            let parsed = texts.iter().filter_map(|text| Rule::parse(text, &destinations).ok());
            let rules = Rules::new(parsed.collect(), &destinations);
            let principal = who.unwrap_or_else(Principal::anonymous);
            for action in Action::ALL {
                let segments = rules.layout.segments(action, &asked);
                let target = Target::new(&rules.layout, action, &asked, &segments, &None).expect("few segments");
                let plain = rules.rules.iter().position(|rule| applies(rule, &principal, action, &target, 0));
                prop_assert_eq!(rules.first(&principal, action, &target), plain);
            }
        }
    }
}
