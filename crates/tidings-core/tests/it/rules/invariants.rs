//! What holds for any text of a rule whatsoever. The fuzz target runs this very file.

use tidings_core::destination::{Destinations, Separator};
use tidings_core::security::{Action, Principal, Rule, Rules};

/// Reads the text as a rule: it survives being displayed, and decides about anything without a panic.
pub(crate) fn check(text: &[u8]) {
    let Ok(text) = str::from_utf8(text) else {
        return;
    };
    for separator in [Separator::Slash, Separator::Dot] {
        let destinations = destinations(separator);
        match Rule::parse(text, &destinations) {
            Ok(rule) => {
                let displayed = rule.to_string();
                let again = Rule::parse(&displayed, &destinations);
                assert_eq!(again.as_ref(), Ok(&rule), "{displayed}");
                decide(&Rules::new(vec![rule], &destinations), text);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

fn decide(rules: &Rules, text: &str) {
    let principals = [
        Principal::anonymous(),
        Principal::user("ann")
            .with_roles(["staff"])
            .with_claim("scope", "a b"),
    ];
    for principal in &principals {
        for action in Action::ALL {
            for to in text
                .split(' ')
                .chain(["", "/", "/user/%", "/user/%zz/x", text])
            {
                let decision = rules.decide(principal, action, to);
                assert_eq!(decision.rule.is_some(), decision.number.is_some());
                assert!(decision.rule.is_some() || !decision.is_allowed);
            }
        }
    }
}

fn destinations(separator: Separator) -> Destinations {
    Destinations {
        topic_prefixes: vec!["/topic/".to_owned()],
        queue_prefixes: vec!["/queue/".to_owned()],
        application_prefix: "/app/".to_owned(),
        user_prefix: "/user/".to_owned(),
        separator,
        max_bytes: 1024,
        max_segments: 32,
    }
}
