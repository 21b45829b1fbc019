use tidings_core::destination::Separator;
use tidings_core::security::{Rule, RuleError};

use super::destinations;

/// A text, and what is said of it.
const TEXTS: &[(&str, &str)] = &[
    (
        "",
        "column 1: the rule ends too early: write `allow` or `deny`",
    ),
    (
        "  permit any",
        "column 3: `permit` makes no sense here: write `allow` or `deny`",
    ),
    (
        "\"allow\" any",
        "column 1: `allow` makes no sense here: write `allow` or `deny`",
    ),
    (
        "allow",
        "column 6: the rule ends too early: write `any`, or some of `connect`, `send` and `subscribe` with a comma \
         and no space between them",
    ),
    (
        "allow send, subscribe",
        "column 7: `send,` makes no sense here: write `any`, or some of `connect`, `send` and `subscribe` with a \
         comma and no space between them",
    ),
    (
        "allow any /topic/a b",
        "column 20: `b` makes no sense here: write `if` and a condition, or nothing more (a pattern with a space in \
         it is quoted)",
    ),
    (
        "allow connect /topic/a",
        "column 15: `/topic/a` can't be: connect has no destination; leave the pattern out, or write a rule of its \
         own for connect",
    ),
    (
        "allow send if",
        "column 14: the rule ends too early: write `authenticated`, `anonymous`, `role NAME`, `user = NAME`, \
         `claim NAME = VALUE` or `claim NAME contains VALUE`, with `not` ahead of it if it is not to hold",
    ),
    (
        "allow send if é",
        "column 15: `é` makes no sense here: write `authenticated`, `anonymous`, `role NAME`, `user = NAME`, \
         `claim NAME = VALUE` or `claim NAME contains VALUE`, with `not` ahead of it if it is not to hold",
    ),
    (
        "allow send if authenticated or role a",
        "column 29: `or` makes no sense here: write `and` and another condition, or nothing more",
    ),
    (
        "allow send if role",
        "column 19: the rule ends too early: write the name of a role",
    ),
    (
        "allow send if user=ann",
        "column 15: `user=ann` makes no sense here: write `authenticated`, `anonymous`, `role NAME`, `user = NAME`, \
         `claim NAME = VALUE` or `claim NAME contains VALUE`, with `not` ahead of it if it is not to hold",
    ),
    (
        "allow send if user ann",
        "column 20: `ann` makes no sense here: write `=` with a space on both sides",
    ),
    (
        "allow send if claim a is b",
        "column 23: `is` makes no sense here: write `=` with a space on both sides, or `contains`",
    ),
    (
        "allow send if claim a =",
        "column 24: the rule ends too early: write a word, a \"quoted string\" or a {variable} of the pattern",
    ),
    (
        "allow send if claim {a} = b",
        "column 21: `{a}` makes no sense here: write the name of a claim (quoted if it has a space or begins with a \
         brace)",
    ),
    (
        "allow send /é if role \"a",
        "column 23: the quoted string is broken: end it with \", write \\\" for \" and \\\\ for \\ in it",
    ),
    (
        "allow send if role \"a\\n\"",
        "column 20: the quoted string is broken: end it with \", write \\\" for \" and \\\\ for \\ in it",
    ),
    (
        "allow send if role \"a\"b",
        "column 20: the quoted string is broken: end it with \", write \\\" for \" and \\\\ for \\ in it",
    ),
    (
        "allow any\nallow any",
        "column 10: a control character: write each rule on one line, without it",
    ),
    (
        "allow send /topic/a**",
        "column 12: `/topic/a**`: ** stands beside other characters: give it a segment of its own, or write *",
    ),
    (
        "allow send /topic/*********",
        "column 12: `/topic/*********`: ** stands beside other characters: give it a segment of its own, or write *",
    ),
    (
        "allow send /topic/?????????",
        "column 12: `/topic/?????????`: the pattern has more than 8 wildcards: use fewer",
    ),
    (
        "allow send /topic/a{b}",
        "column 12: `a{b}` is no variable: write {name} as a whole segment, its name of letters, digits, _ and -",
    ),
    (
        "allow send /topic/{}",
        "column 12: `{}` is no variable: write {name} as a whole segment, its name of letters, digits, _ and -",
    ),
    (
        "allow send /topic/{a}/{a}",
        "column 12: {a} stands twice in the pattern: give each variable a name of its own",
    ),
    (
        "allow send /**/{a}/**",
        "column 12: {a} stands between two **, where its segment is not certain: put it ahead of the first or behind \
         the last",
    ),
    (
        "allow send /{1}/{2}/{3}/{4}/{5}/{6}/{7}/{8}/{9}",
        "column 12: the pattern has more than 8 variables: write * for those that no condition needs",
    ),
    (
        "allow send /topic/{a} if user = {b}",
        "column 33: the pattern has no {b}: put it there as a segment, or quote the value if it is meant as it stands",
    ),
    (
        "allow send if role {a",
        "column 20: `{a` is no variable: write {name} as a whole segment, its name of letters, digits, _ and -",
    ),
    (
        "allow any /user/50%/x",
        "column 11: `50%`: % begins an escape of two hexadecimal digits in the name of a user: write %25 for % itself",
    ),
];

#[test]
fn an_error_names_the_word_its_column_and_what_may_stand_there() {
    let destinations = destinations(Separator::Slash);
    for (text, expected) in TEXTS {
        let error = Rule::parse(text, &destinations).expect_err(text);
        assert_eq!(error.to_string(), *expected, "{text}");
    }
}

#[test]
fn a_rule_has_a_longest_text_and_a_deepest_pattern() {
    let destinations = destinations(Separator::Slash);
    let long = |bytes: usize| format!("allow send /topic/{}", "a".repeat(bytes - 18));
    assert!(Rule::parse(&long(Rule::MAX_BYTES), &destinations).is_ok());
    assert_eq!(
        Rule::parse(&long(Rule::MAX_BYTES + 1), &destinations),
        Err(RuleError::TooLong)
    );
    let deep = |segments: usize| format!("allow send {}", "/a".repeat(segments - 1));
    assert!(Rule::parse(&deep(32), &destinations).is_ok());
    let error = Rule::parse(&deep(33), &destinations)
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("the pattern has more than 32 segments: use fewer"),
        "{error}"
    );
}

#[test]
fn a_rule_is_displayed_with_single_spaces_and_as_few_quotes_as_may_be() {
    let destinations = destinations(Separator::Slash);
    for (text, displayed) in [
        ("  allow\t any  ", "allow any"),
        (
            "deny any \"/topic/a\" if not role \"staff\"",
            "deny any /topic/a if not role staff",
        ),
        (
            "allow subscribe,send if user = \"a b\"",
            "allow send,subscribe if user = \"a b\"",
        ),
        (
            "allow send \"if\" if role \"{a}\"",
            "allow send \"if\" if role \"{a}\"",
        ),
        (
            "allow send {a} if user = {a}",
            "allow send {a} if user = {a}",
        ),
        (
            "allow send if claim \"a b\" contains \"\" and claim x.y = \"\\\"\\\\\"",
            "allow send if claim \"a b\" contains \"\" and claim x.y = \"\\\"\\\\\"",
        ),
    ] {
        let rule = Rule::parse(text, &destinations).expect(text);
        assert_eq!(rule.to_string(), displayed);
        assert_eq!(Rule::parse(displayed, &destinations), Ok(rule));
    }
}
