//! What is allowed by wildcard is allowed one by one; which rules are looked at makes no difference.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use tidings_core::destination::{Pattern, Separator};
use tidings_core::security::{Action, Principal, Rule, Rules};

use super::{destinations, rules};

/// Segments of rules, subscriptions and destinations: few, so that they meet.
const RULE: &[&str] = &[
    "a", "b", "ab", "é", "%61", "*", "?", "a*", "*b", "?*", "*?", "a?", "**", "**", "{x}", "{y}",
];
const SUBSCRIPTION: &[&str] = &[
    "a", "b", "ab", "%61", "*", "?", "a*", "*b", "?*", "*?", "%*", "**", "**",
];
const DESTINATION: &[&str] = &["a", "b", "ab", "aab", "é", "aé", "%61", "%zz", "x", ""];
const HEADS: &[&str] = &["/topic", "/user", "/user"];

const CONDITIONS: &[&str] = &[
    "authenticated",
    "anonymous",
    "role a",
    "user = a",
    "user = {x}",
    "user = {y}",
    "claim teams contains {x}",
    "claim team = {y}",
    "claim org.team = {x}",
];

fn path(head: &str, segments: &[&str], separator: Separator) -> String {
    format!("{head}/{}", segments.join(&separator.as_char().to_string()))
}

fn separator() -> impl Strategy<Value = Separator> {
    prop_oneof![3 => Just(Separator::Slash), 1 => Just(Separator::Dot)]
}

fn rule_text(separator: Separator) -> impl Strategy<Value = String> {
    let pattern = (select(HEADS), prop::collection::vec(select(RULE), 1..5))
        .prop_map(move |(head, segments)| path(head, &segments, separator));
    let condition = (any::<bool>(), select(CONDITIONS)).prop_map(|(negated, condition)| {
        format!("{}{condition}", if negated { "not " } else { "" })
    });
    let conditions = prop::collection::vec(condition, 0..3);
    let frames = select(vec![
        "any",
        "subscribe",
        "send,subscribe",
        "send",
        "connect",
    ]);
    (
        select(vec!["allow", "allow", "deny"]),
        frames,
        prop_oneof![8 => pattern, 1 => Just(String::new())],
        conditions,
    )
        .prop_map(|(effect, frames, pattern, conditions)| {
            let pattern = if frames == "connect" {
                String::new()
            } else {
                pattern
            };
            let conditions = conditions.join(" and ");
            let word = if conditions.is_empty() { "" } else { "if " };
            format!("{effect} {frames} {pattern} {word}{conditions}")
        })
}

/// Texts that are no rules, since they ask for variables that they do not bind, are left out.
fn some_rules(separator: Separator) -> impl Strategy<Value = Vec<Rule>> {
    prop::collection::vec(rule_text(separator), 0..10).prop_map(move |texts| {
        let destinations = destinations(separator);
        let parsed = texts.iter().map(|text| Rule::parse(text, &destinations));
        parsed.filter_map(Result::ok).collect()
    })
}

fn principal() -> impl Strategy<Value = Principal> {
    select(vec![
        Principal::anonymous(),
        Principal::user("a").with_roles(["a"]),
        Principal::user("b")
            .with_claim("teams", json!(["a", "b", "%61"]))
            .with_claim("team", "a"),
        Principal::user("%61").with_claim("org", json!({"team": "ab"})),
    ])
}

fn destination(
    segments: &'static [&'static str],
    separator: Separator,
) -> impl Strategy<Value = String> {
    let head = select(HEADS);
    (head, prop::collection::vec(select(segments), 1..5))
        .prop_map(move |(head, segments)| path(head, &segments, separator))
}

/// A destination that the pattern often matches: its wildcards filled in.
fn filled(pattern: &str, separator: Separator, picks: &[usize]) -> String {
    let mut picks = picks.iter().copied().cycle();
    let mut pick = |from: &[&'static str]| from[picks.next().unwrap_or(0) % from.len()];
    let mut filled = Vec::new();
    let (head, rest) = pattern.split_at(pattern[1..].find('/').map_or(0, |at| at + 2));
    for segment in rest.split(separator.as_char()) {
        if segment == "**" {
            let many = [&[][..], &["a"], &["b", "ab"], &["%61"], &["a", "a/b"]];
            let count = pick(&["0", "1", "2", "3", "4"]);
            let index = count.parse::<usize>().unwrap_or(0);
            filled.extend(many[index].iter().map(|one| (*one).to_owned()));
        } else {
            let star = pick(&["", "a", "b", "61", "é", "a/b"]);
            let one = pick(&["a", "b", "é", "x"]);
            filled.push(segment.replace('*', star).replace('?', one));
        }
    }
    format!("{head}{}", filled.join(&separator.as_char().to_string()))
}

type Case = (Separator, Vec<Rule>, Principal, String, Vec<usize>);

fn case() -> impl Strategy<Value = Case> {
    separator().prop_flat_map(|separator| {
        (
            Just(separator),
            some_rules(separator),
            principal(),
            destination(SUBSCRIPTION, separator),
            prop::collection::vec(any::<usize>(), 1..8),
        )
    })
}

/// Each rule alone, in their order, is the plain walk: what the first that decides alone says, all say.
fn one_by_one(
    rules: &[Rule],
    separator: Separator,
    principal: &Principal,
    action: Action,
    to: &str,
) -> (bool, Option<usize>) {
    for (index, rule) in rules.iter().enumerate() {
        let alone = Rules::new(vec![rule.clone()], &destinations(separator));
        let decision = alone.decide(principal, action, to);
        if decision.rule.is_some() {
            return (decision.is_allowed, Some(index + 1));
        }
    }
    (false, None)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn what_is_allowed_by_wildcard_is_allowed_one_by_one((separator, parsed, principal, pattern, picks) in case()) {
        let rules = Rules::new(parsed, &destinations(separator));
        let Ok(subscribed) = Pattern::parse(&pattern, separator) else { return Ok(()); };
        let by_wildcard = rules.decide(&principal, Action::Subscribe, &pattern);
        if !by_wildcard.is_allowed { return Ok(()); }
        for from in 0..picks.len() {
            let one = filled(&pattern, separator, &picks[from..]);
            if !subscribed.matches(&one) { continue; }
            let decision = rules.decide(&principal, Action::Subscribe, &one);
            prop_assert!(decision.is_allowed, "{pattern} is allowed by {:?}, {one} is not: {:?}", by_wildcard.number, decision.number);
        }
    }

    /// A rule without variables, alone: allowed where the pattern says so, and only there.
    #[test]
    fn a_destination_is_matched_as_patterns_match(
        (separator, segments, to) in separator().prop_flat_map(|separator| (Just(separator), destination(SUBSCRIPTION, separator), destination(DESTINATION, separator))),
    ) {
        let Ok(pattern) = Pattern::parse(&segments, separator) else { return Ok(()); };
        let rules = rules(&[format!("allow subscribe {segments}")], separator);
        let decision = rules.decide(&Principal::anonymous(), Action::Subscribe, &to);
        prop_assert_eq!(decision.is_allowed, pattern.matches(&to));
        let denying = super::rules(&[format!("deny subscribe {segments}"), "allow any".to_owned()], separator);
        let decision = denying.decide(&Principal::anonymous(), Action::Subscribe, &to);
        prop_assert_eq!(decision.is_allowed, !pattern.matches(&to));
    }

    #[test]
    fn together_rules_decide_as_one_by_one(
        (separator, parsed, principal, pattern, picks) in case(),
        action in select(Action::ALL.to_vec()),
    ) {
        let rules = Rules::new(parsed.clone(), &destinations(separator));
        for to in [pattern.clone(), filled(&pattern, separator, &picks), String::new(), "/**".to_owned(), "**".to_owned()] {
            let decision = rules.decide(&principal, action, &to);
            let expected = one_by_one(&parsed, separator, &principal, action, &to);
            prop_assert_eq!((decision.is_allowed, decision.number), expected, "{}", to);
        }
    }

    #[test]
    fn a_rule_is_read_back_from_what_it_displays((separator, text) in separator().prop_flat_map(|separator| (Just(separator), rule_text(separator)))) {
        let destinations = destinations(separator);
        if let Ok(rule) = Rule::parse(&text, &destinations) {
            let displayed = rule.to_string();
            prop_assert_eq!(Rule::parse(&displayed, &destinations), Ok(rule));
        }
    }
}
