//! Access rules: what they say, and that nothing slips through.

mod corpus;
mod decisions;
mod errors;
mod invariants;
mod page;
mod soundness;

use tidings_core::destination::{Destinations, Separator};
use tidings_core::security::{Rule, Rules};

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

fn rule(text: &str, destinations: &Destinations) -> Rule {
    Rule::parse(text, destinations).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn rules(texts: &[impl AsRef<str>], separator: Separator) -> Rules {
    let destinations = destinations(separator);
    let rules = texts.iter().map(|text| rule(text.as_ref(), &destinations));
    Rules::new(rules.collect(), &destinations)
}
