//! docs/access-rules.md: each rule can be read, and each outcome is what it says.

use std::fs;

use serde_json::json;
use tidings_core::destination::Separator;
use tidings_core::security::{Principal, Rules};

use super::rules;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/access-rules.md");

/// The language and the text of each block of the page.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let fenced = page.split("\n```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n')).collect()
}

#[test]
fn every_rule_of_the_page_can_be_read() {
    let page = fs::read_to_string(PAGE).expect("the page exists");
    let mut count = 0;
    for (language, text) in blocks(&page) {
        let separator = match language {
            "rules" => Separator::Slash,
            "rules-with-dots" => Separator::Dot,
            _ => continue,
        };
        let lines: Vec<_> = text.lines().collect();
        let displayed: Vec<_> = rules(&lines, separator)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(displayed, lines);
        count += lines.len();
    }
    assert!(count >= 20, "only {count} rules on the page");
}

#[test]
fn every_outcome_of_the_page_is_what_rules_decide() {
    let page = fs::read_to_string(PAGE).expect("the page exists");
    let blocks = blocks(&page);
    let of = |language| {
        blocks
            .iter()
            .find(|block| block.0 == language)
            .expect("such a block")
            .1
    };
    let lines: Vec<_> = of("rules").lines().collect();
    let rules = rules(&lines, Separator::Slash);
    for line in of("decisions").lines() {
        let (frame, expected) = line.split_once(": ").expect("an outcome");
        assert_eq!(outcome(&rules, frame), expected, "{frame}");
    }
}

fn outcome(rules: &Rules, frame: &str) -> String {
    let ann = Principal::user("ann").with_claim("teams", json!(["red", "blue"]));
    let (action, destination) = frame.split_once(' ').unwrap_or((frame, ""));
    let action = action.parse().expect("a known action");
    let decision = rules.decide(&ann, action, destination);
    let said = if decision.is_allowed {
        "allowed"
    } else {
        "refused"
    };
    match decision.number {
        Some(number) => format!("{said} by {number}"),
        None => format!("{said}, since none applies"),
    }
}
