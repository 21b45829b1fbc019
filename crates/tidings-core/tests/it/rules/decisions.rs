use serde_json::json;
use tidings_core::destination::Separator;
use tidings_core::security::{Action, Principal, Rules};

use super::{destinations, rule, rules};

/// Rules; then `WHO ACTION DESTINATION -> number of the rule that decides and what it says`, or `deny` by default.
struct Table {
    separator: Separator,
    rules: &'static [&'static str],
    outcomes: &'static [&'static str],
}

const TABLES: &[Table] = &[
    Table {
        separator: Separator::Slash,
        rules: &[
            "deny any /topic/secret/** if not role staff",
            "allow connect if authenticated",
            "allow subscribe /topic/team/{team} if claim teams contains {team}",
            "allow send /app/** if authenticated",
            "allow send,subscribe /user/{name}/** if user = {name}",
            "allow subscribe /user/queue/**",
            "allow subscribe /topic/secret/**",
            "allow any /topic/public/*",
        ],
        outcomes: &[
            "nobody CONNECT -> deny",
            "ann CONNECT -> 2 allow",
            "staff CONNECT -> 2 allow",
            "nobody subscribe /topic/secret/a -> 1 deny",
            "ann subscribe /topic/secret -> 1 deny",
            "staff subscribe /topic/secret/a -> 7 allow",
            "staff subscribe /topic/secret/** -> 7 allow",
            "staff send /topic/secret/a -> deny",
            "ann subscribe /topic/** -> 1 deny",
            "staff subscribe /topic/** -> deny",
            "ann subscribe /topic/*/a -> 1 deny",
            "ann subscribe /topic/s* -> 1 deny",
            "ann subscribe /topic/t* -> deny",
            "ann subscribe /topic/team/red -> 3 allow",
            "ann subscribe /topic/team/blue -> 3 allow",
            "ann subscribe /topic/team/green -> deny",
            "ann subscribe /topic/team/Red -> deny",
            "ann subscribe /topic/team/* -> deny",
            "ann subscribe /topic/team/re? -> deny",
            "ann subscribe /topic/team/red/x -> deny",
            "ann send /topic/team/red -> deny",
            "nobody subscribe /topic/team/red -> deny",
            "ann SEND /app/x/y -> 4 allow",
            "ann SEND /app -> 4 allow",
            "ann SEND /APP/x -> deny",
            "nobody SEND /app/x -> deny",
            "ann SUBSCRIBE /app/x -> deny",
            "ann send /user/ann/queue/x -> 5 allow",
            "ann send /user/%61nn/queue/x -> 5 allow",
            "ann send /user/bob/queue/x -> deny",
            "ann send /user/%zz/queue/x -> deny",
            "a/b send /user/a%2Fb/queue/x -> 5 allow",
            "a/b send /user/a%2fb/queue/x -> 5 allow",
            "a/b send /user/a/b/queue/x -> deny",
            "100% send /user/100%25/queue/x -> 5 allow",
            "100% send /user/100%/queue/x -> deny",
            "ann subscribe /user/ann/queue/x -> 5 allow",
            "ann subscribe /user/%61nn/queue/x -> 5 allow",
            "ann subscribe /user/ann/** -> 5 allow",
            "ann subscribe /user/*/queue/x -> deny",
            "ann subscribe /user/** -> deny",
            "nobody subscribe /user/queue/x -> 6 allow",
            "nobody subscribe /user/queue/** -> 6 allow",
            "nobody subscribe /user/queue/*/x -> 6 allow",
            "nobody subscribe /user/%71ueue/x -> deny",
            "empty send /user//queue/x -> deny",
            "nobody send /topic/public/a -> 8 allow",
            "nobody subscribe /topic/public/* -> 8 allow",
            "nobody subscribe /topic/public/?b* -> 8 allow",
            "nobody subscribe /topic/public/** -> deny",
            "nobody send /topic/public/a* -> 8 allow",
            "nobody subscribe /** -> deny",
            "nobody subscribe -> deny",
        ],
    },
    Table {
        separator: Separator::Slash,
        rules: &[
            "deny send /user/bob/** if not user = ann",
            "deny subscribe /topic/{tenant}/** if not claim tenant = {tenant}",
            "deny any if claim org.blocked = true",
            "allow subscribe /topic/{tenant}/**/{last} if claim scope contains {last}",
            "allow subscribe /topic/**/news/** if anonymous",
            "deny subscribe /topic/red/x?",
            "allow any",
        ],
        outcomes: &[
            "nobody send /user/bob/x -> 1 deny",
            "ann send /user/bob/x -> 7 allow",
            "nobody send /user/%62ob/x -> 1 deny",
            "nobody send /user/%62o%62/x -> 1 deny",
            "nobody send /user/bobby/x -> 7 allow",
            "nobody subscribe /user/bob/x -> 7 allow",
            "ann subscribe /topic/red/x -> 7 allow",
            "ann subscribe /topic/blue/x -> 2 deny",
            "ann subscribe /topic/*/x -> 2 deny",
            "ann subscribe /topic/** -> 2 deny",
            "ann subscribe /topic -> 7 allow",
            "ann subscribe /topic/red/a/b/read -> 4 allow",
            "ann subscribe /topic/red/**/read -> 4 allow",
            "ann subscribe /topic/red/*/read -> 4 allow",
            "ann subscribe /topic/red/** -> 6 deny",
            "ann subscribe /topic/red/*/x? -> 7 allow",
            "ann subscribe /topic/red/y* -> 7 allow",
            "ann subscribe /topic/red/*y -> 6 deny",
            "ann subscribe /topic/red/x1 -> 6 deny",
            "ann subscribe /topic/red/xé -> 6 deny",
            "ann subscribe /topic/red/x12 -> 7 allow",
            "blocked connect -> 3 deny",
            "blocked send /app/x -> 3 deny",
            "nobody connect -> 7 allow",
        ],
    },
    Table {
        separator: Separator::Slash,
        rules: &[
            "deny send /topic/{a}/** if claim level = {a}",
            "deny send /user/{name}/x if not user = {name}",
            "allow subscribe \"/topic/a b/*\" if user = \"a/b\"",
            "allow subscribe /topic/{x} if not role {x}",
            "allow send",
        ],
        outcomes: &[
            "ann send /topic/5/x -> 1 deny",
            "ann send /topic/05/x -> 5 allow",
            "ann send /user/%zz/x -> 2 deny",
            "ann send /user//x -> 2 deny",
            "ann send /user/ann/x -> 5 allow",
            "empty send /user//x -> 2 deny",
            "a/b subscribe /topic/a_b/c -> deny",
            "staff subscribe /topic/staff -> deny",
            "staff subscribe /topic/other -> 4 allow",
            "staff subscribe /topic/* -> deny",
            "staff subscribe /topic/o? -> deny",
        ],
    },
    Table {
        separator: Separator::Slash,
        rules: &[
            "deny subscribe /topic/{a}/{b}/** if user = {b}",
            "allow subscribe /user/**/{x} if user = {x}",
            "allow subscribe /topic/**",
        ],
        outcomes: &[
            "ann subscribe /topic/**/a/y -> 1 deny",
            "ann subscribe /topic/x/a/** -> 3 allow",
            "ann subscribe /topic/x/ann/** -> 1 deny",
            "ann subscribe /user/**/ann -> 2 allow",
            "ann subscribe /user/%61nn -> 2 allow",
            "ann subscribe /user/**/%61nn -> deny",
            "%61 subscribe /user/x/%61 -> 2 allow",
            "%61 subscribe /user/%61 -> deny",
            "%61 subscribe /user/**/%61 -> deny",
            "%61 subscribe /user/**/%61/** -> deny",
        ],
    },
    Table {
        separator: Separator::Dot,
        rules: &[
            "deny send /user/bob.smith/** if not role staff",
            "allow send /user/{name}/** if user = {name}",
            "allow subscribe /user/queue/* if authenticated",
            "allow subscribe /topic/team.{team}.** if claim teams contains {team}",
            "allow send /topic/*.*",
        ],
        outcomes: &[
            "ann send /user/ann/queue/x.y -> 2 allow",
            "ann send /user/bob/queue.x -> deny",
            "ann send /user/bob.smith/queue/x -> 1 deny",
            "ann send /user/bob%2Esmith/queue/x -> 1 deny",
            "bob.smith send /user/bob.smith/queue.x -> 1 deny",
            "a/b send /user/a%2Fb/x -> 2 allow",
            "ann subscribe /user/queue/x -> 3 allow",
            "ann subscribe /user/queue/x/y -> 3 allow",
            "ann subscribe /user/queue/x.y -> deny",
            "ann subscribe /topic/team.red -> 4 allow",
            "ann subscribe /topic/team.red.x.** -> 4 allow",
            "ann subscribe /topic/team.* -> deny",
            "ann subscribe /us* -> deny",
            "nobody send /topic/a.b/c -> 5 allow",
            "nobody send /topic/a.b.c -> deny",
        ],
    },
];

fn principal(who: &str) -> Principal {
    match who {
        "nobody" => Principal::anonymous(),
        "empty" => {
            let mut principal = Principal::user("x");
            principal.name = Some("".into());
            principal
        }
        "ann" => Principal::user("ann")
            .with_claim("teams", json!(["red", "blue", 7]))
            .with_claim("tenant", "red")
            .with_claim("scope", "read write")
            .with_claim("level", 5),
        "staff" => Principal::user("sue").with_roles(["staff"]),
        "blocked" => Principal::user("eve").with_claim("org", json!({"blocked": true})),
        name => Principal::user(name),
    }
}

#[test]
fn the_first_rule_that_applies_decides() {
    for table in TABLES {
        let rules = rules(table.rules, table.separator);
        for outcome in table.outcomes {
            let (asked, expected) = outcome.split_once(" -> ").expect("an arrow");
            let mut words = asked.split(' ');
            let who = principal(words.next().expect("who"));
            let action: Action = words
                .next()
                .expect("an action")
                .parse()
                .expect("a known one");
            let decision = rules.decide(&who, action, words.next().unwrap_or(""));
            let says = if decision.is_allowed { "allow" } else { "deny" };
            let found = match decision.number {
                Some(number) => format!("{number} {says}"),
                None => says.to_owned(),
            };
            assert_eq!(found, expected, "{asked}");
            let rule = decision.number.map(|number| table.rules[number - 1]);
            assert_eq!(decision.rule.map(ToString::to_string).as_deref(), rule);
        }
    }
}

#[test]
fn without_rules_all_is_denied_and_for_development_all_is_allowed() {
    let none = rules(&[""; 0], Separator::Slash);
    let open = Rules::allow_all();
    for action in Action::ALL {
        for destination in ["", "/topic/a", "/**", &"/a".repeat(40)] {
            let principal = Principal::anonymous();
            assert!(!none.decide(&principal, action, destination).is_allowed);
            let decision = open.decide(&principal, action, destination);
            assert!(decision.is_allowed && decision.rule.is_none());
        }
    }
}

#[test]
fn more_segments_than_destinations_may_have_are_denied() {
    let rules = rules(&["allow any"], Separator::Slash);
    let decide = |segments: usize| {
        let destination = format!("/topic{}", "/a".repeat(segments - 2));
        rules
            .decide(&Principal::anonymous(), Action::Send, &destination)
            .is_allowed
    };
    assert!(decide(32));
    assert!(!decide(33));
}

#[test]
fn a_blank_in_a_pattern_is_quoted() {
    let destinations = destinations(Separator::Slash);
    let rules = Rules::new(
        vec![rule("allow send \"/topic/a b/*\"", &destinations)],
        &destinations,
    );
    let decide = |to| {
        rules
            .decide(&Principal::anonymous(), Action::Send, to)
            .is_allowed
    };
    assert!(decide("/topic/a b/c"));
    assert!(!decide("/topic/a_b/c"));
}

#[test]
fn actions_are_named_as_frames_are() {
    for action in Action::ALL {
        let name = action.to_string();
        assert_eq!(name.parse(), Ok(action));
        assert_eq!(name.to_uppercase().parse(), Ok(action));
    }
    let error = "STOMP".parse::<Action>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`STOMP` is nothing that rules know: write connect, send or subscribe"
    );
}
