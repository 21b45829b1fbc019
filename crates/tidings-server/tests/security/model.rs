//! Access rules as plainly as they can be said: one exact destination, the rules from the top, the first that applies.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// A rule, which is also written as a configuration has it.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) allows: bool,
    /// `any`, `send` or `subscribe`.
    action: &'static str,
    /// Empty: all destinations.
    pattern: &'static str,
    condition: &'static str,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    /// None for who showed nothing.
    pub(crate) name: Option<&'static str>,
    pub(crate) is_staff: bool,
    pub(crate) teams: Vec<&'static str>,
}

impl Rule {
    pub(crate) fn text(&self) -> String {
        let Self {
            allows,
            action,
            pattern,
            condition,
        } = self;
        let word = if *allows { "allow" } else { "deny" };
        match *pattern {
            "" => format!("{word} {action}{condition}"),
            pattern => format!("{word} {action} {pattern}{condition}"),
        }
    }

    fn applies(&self, who: &Who, action: &str, destination: &str) -> bool {
        let mut bound = None;
        let is_meant = self.action == "any" || self.action == action;
        is_meant && matches(self.pattern, destination, &mut bound) && self.holds(who, bound)
    }

    fn holds(&self, who: &Who, bound: Option<&str>) -> bool {
        match self.condition {
            "" => true,
            " if authenticated" => who.name.is_some(),
            " if anonymous" => who.name.is_none(),
            " if role staff" => who.is_staff,
            " if not role staff" => !who.is_staff,
            " if user = {x}" => who.name.is_some() && who.name == bound,
            " if claim teams contains {x}" => bound.is_some_and(|team| who.teams.contains(&team)),
            " if not claim teams contains {x}" => {
                bound.is_none_or(|team| !who.teams.contains(&team))
            }
            other => panic!("no such condition: {other}"),
        }
    }
}

/// Whether they allow it.
pub(crate) fn allow(rules: &[Rule], who: &Who, action: &str, destination: &str) -> bool {
    // A name of a user may be written with escapes; the only one here is that of `b`.
    let destination = &*destination.replace("%62", "b");
    let mut rules = rules.iter();
    let first = rules.find(|rule| rule.applies(who, action, destination));
    first.is_some_and(|rule| rule.allows)
}

fn matches<'d>(pattern: &str, destination: &'d str, bound: &mut Option<&'d str>) -> bool {
    if pattern.is_empty() {
        return true;
    }
    let pattern: Vec<_> = pattern.split('/').collect();
    let destination: Vec<_> = destination.split('/').collect();
    segments(&pattern, &destination, bound)
}

fn segments<'d>(pattern: &[&str], destination: &[&'d str], bound: &mut Option<&'d str>) -> bool {
    match (pattern, destination) {
        ([], []) => true,
        (["**", rest @ ..], _) => {
            (0..=destination.len()).any(|taken| segments(rest, &destination[taken..], bound))
        }
        (["{x}", rest @ ..], [first, others @ ..]) => {
            *bound = Some(first);
            segments(rest, others, bound)
        }
        (["*", rest @ ..], [_, others @ ..]) => segments(rest, others, bound),
        ([own, rest @ ..], [first, others @ ..]) if own == first => segments(rest, others, bound),
        _ => false,
    }
}

/// Whether a subscription to a pattern is one to the destination as well.
pub(crate) fn takes_in(pattern: &str, destination: &str) -> bool {
    let wildcards: Vec<_> = pattern
        .split('/')
        .map(|one| if one == "?" { "*" } else { one })
        .collect();
    matches(&wildcards.join("/"), destination, &mut None)
}

/// Rules that allow whatever anybody asks for here.
pub(crate) fn generous() -> Vec<Rule> {
    let of = |pattern| Rule {
        allows: true,
        action: "any",
        pattern,
        condition: "",
    };
    ["/topic/**", "/queue/*", "/user/**", "/app/**"]
        .map(of)
        .into()
}

const PLAIN: &[&str] = &[
    "",
    "/topic/**",
    "/topic/a/*",
    "/topic/*/c",
    "/topic/b/d",
    "/queue/*",
    "/queue/a",
    "/user/queue/*",
    "/user/queue/n",
    "/user/**",
    "/app/**",
];

const BINDING: &[&str] = &[
    "/topic/{x}/*",
    "/topic/{x}/d",
    "/topic/{x}/**",
    "/user/{x}/queue/*",
    "/queue/{x}",
];

fn rule() -> impl Strategy<Value = Rule> {
    let plain: &'static [&'static str] = &[
        "",
        " if authenticated",
        " if anonymous",
        " if role staff",
        " if not role staff",
    ];
    let binding: &'static [&'static str] = &[
        " if user = {x}",
        " if claim teams contains {x}",
        " if not claim teams contains {x}",
    ];
    let about = prop_oneof![
        3 => (select(PLAIN), select(plain)),
        2 => (select(BINDING), select(binding)),
    ];
    let action = select(vec!["any", "send", "subscribe"]);
    (prop::bool::weighted(0.65), action, about).prop_map(
        |(allows, action, (pattern, condition))| {
            // Without a pattern `any` is about CONNECT too, which is for other tests.
            let action = if pattern.is_empty() && action == "any" {
                "send"
            } else {
                action
            };
            Rule {
                allows,
                action,
                pattern,
                condition,
            }
        },
    )
}

pub(crate) fn rules() -> impl Strategy<Value = Vec<Rule>> {
    // Where hardly anything is allowed, hardly anything can be lost.
    (prop::collection::vec(rule(), 0..7), any::<bool>()).prop_map(|(mut rules, is_generous)| {
        rules.extend(generous().into_iter().filter(|_| is_generous));
        rules
    })
}

pub(crate) fn rights() -> impl Strategy<Value = (bool, Vec<&'static str>)> {
    (any::<bool>(), subsequence(vec!["a", "b"], 0..=2))
}
