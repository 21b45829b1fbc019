//! What is written, and how often.

use std::fmt;
use std::sync::Arc;

use tidings_core::disconnect::Reason;
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Metadata, Subscriber};

use super::*;

/// Keeps the fields of each event of the target, written as `name=value`.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        *self.0 += &format!("{field}={value:?} ");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // As a careless writer would.
        *self.0 += &format!("{field}={value} ");
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "tidings::audit"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = String::new();
        event.record(&mut Line(&mut line));
        lock(&self.0).push(line.trim_end().to_owned());
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// What the log has once `act` is done, on a clock that only `act` moves.
fn lines_of(config: &config::Audit, act: impl AsyncFnOnce(&Audit)) -> Vec<String> {
    let lines = Lines::default();
    let audit = Audit::new(config, Telemetry::new());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tracing::subscriber::with_default(lines.clone(), || runtime.block_on(act(&audit)));
    let lines = lock(&lines.0);
    lines.clone()
}

fn denied(destination: &str) -> Deed<'_> {
    Deed::Denied {
        action: "subscribe",
        destination,
        rule: None,
    }
}

fn user(name: &str) -> Actor<'_> {
    Actor {
        user: Some(name),
        ..Actor::default()
    }
}

fn from(address: [u8; 4]) -> Actor<'static> {
    Actor {
        user: Some("whoever it says"),
        address: Some(address.into()),
        ..Actor::default()
    }
}

const FAILED: Deed<'_> = Deed::AuthenticationFailed {
    reason: Reason::BadCredentials,
    method: "login",
};

#[test]
fn a_line_says_who_did_what_by_which_rule_and_from_where() {
    let lines = lines_of(&config::Audit::default(), async |audit| {
        let ada = Actor {
            user: Some("ada"),
            session: Some("5e55"),
            api_key: None,
            address: Some([192, 0, 2, 1].into()),
        };
        audit.record(
            ada,
            &Deed::Denied {
                action: "send",
                destination: "/topic/admin",
                rule: Some("rule 3"),
            },
        );
        audit.record(from([192, 0, 2, 2]), &FAILED);
        let back_end = Actor {
            api_key: Some("back end"),
            ..Actor::default()
        };
        audit.record(
            back_end,
            &Deed::Revoked {
                what: Withdrawn::User,
                target: "ada",
                sessions: 2,
            },
        );
        audit.record(
            back_end,
            &Deed::Administered {
                operation: "disconnect",
                target: "5e55",
            },
        );
    });
    assert_eq!(
        lines,
        [
            "event=denied user=ada session=5e55 address=192.0.2.1 code=forbidden action=send destination=/topic/admin rule=rule 3",
            "event=authentication-failed user=whoever it says address=192.0.2.2 code=bad-credentials method=login",
            "event=revoked api_key=back end what=user target=ada sessions=2",
            "event=administered api_key=back end operation=disconnect target=5e55",
        ]
    );
}

#[test]
fn nobody_forges_a_line_or_hides_in_one() {
    let forged = "/topic/a\n2026-01-01 INFO tidings::audit: event=revoked\r\u{1b}[2J\u{0}\u{202e}";
    let endless = "é".repeat(1_000);
    let lines = lines_of(&config::Audit::default(), async |audit| {
        audit.record(user("a\u{85}\u{2028}b"), &denied(forged));
        audit.record(user("ada"), &denied(&endless));
    });
    assert_eq!(
        lines[0],
        r"event=denied user=a\u{85}\u{2028}b code=forbidden action=subscribe destination=/topic/a\u{a}2026-01-01 INFO tidings::audit: event=revoked\u{d}\u{1b}[2J\u{0}\u{202e}"
    );
    assert_eq!(
        lines[1],
        format!(
            "event=denied user=ada code=forbidden action=subscribe destination={}... (2000 bytes)",
            "é".repeat(256)
        )
    );
}

#[test]
fn who_causes_too_much_is_counted_instead_and_nobody_else_is() {
    let config = config::Audit {
        max_per_minute: 2,
        ..config::Audit::default()
    };
    let lines = lines_of(&config, async |audit| {
        for _ in 0..5 {
            audit.record(user("ada"), &denied("/topic/a"));
        }
        audit.record(user("bob"), &denied("/topic/b"));
        audit.record(user("ada"), &FAILED);
        tokio::time::advance(PERIOD / 2).await;
        audit.record(user("ada"), &denied("/topic/c"));
        assert_eq!(audit.telemetry.audit_suppressed.get(), 3);
        assert!(
            audit
                .telemetry
                .render()
                .contains("tidings_audit_events_total{event=\"denied\"} 7")
        );
    });
    let denied = |user, destination| {
        format!(
            "event=denied user={user} code=forbidden action=subscribe destination={destination}"
        )
    };
    assert_eq!(
        lines,
        [
            denied("ada", "/topic/a"),
            denied("ada", "/topic/a"),
            denied("bob", "/topic/b"),
            "event=authentication-failed user=ada code=bad-credentials method=login".to_owned(),
            "event=suppressed user=ada of=denied suppressed=3".to_owned(),
            denied("ada", "/topic/c"),
        ]
    );
}

#[test]
fn what_was_suppressed_is_told_even_if_its_cause_never_comes_back() {
    let config = config::Audit {
        max_per_minute: 1,
        ..config::Audit::default()
    };
    let lines = lines_of(&config, async |audit| {
        for _ in 0..3 {
            audit.record(from([192, 0, 2, 1]), &FAILED);
        }
        tokio::time::advance(PERIOD).await;
        audit.record(user("bob"), &denied("/topic/b"));
    });
    assert_eq!(
        lines[1],
        "event=suppressed address=192.0.2.1 of=authentication-failed suppressed=2"
    );
}

#[test]
fn who_calls_itself_by_ever_new_names_is_one_address() {
    let config = config::Audit {
        max_per_minute: 3,
        ..config::Audit::default()
    };
    let lines = lines_of(&config, async |audit| {
        for number in 0..100 {
            let name = number.to_string();
            let actor = Actor {
                user: Some(&name),
                ..from([192, 0, 2, 1])
            };
            audit.record(actor, &FAILED);
        }
    });
    assert_eq!(lines.len(), 3);
}

#[test]
fn all_together_write_no_more_than_the_total() {
    let config = config::Audit {
        max_total_per_minute: 5,
        ..config::Audit::default()
    };
    let lines = lines_of(&config, async |audit| {
        for number in 0..100 {
            audit.record(from([10, 0, 0, number]), &FAILED);
        }
        assert_eq!(lock(&audit.tallies).causes.len(), 5);
        tokio::time::advance(PERIOD).await;
        audit.record(from([10, 0, 0, 0]), &FAILED);
    });
    assert_eq!(lines.len(), 5 + 2);
    assert_eq!(lines[5], "event=suppressed of=all suppressed=95");
}

#[test]
fn no_more_causes_are_remembered_than_the_limit_and_the_worst_stay() {
    let config = config::Audit {
        max_per_minute: 2,
        max_total_per_minute: 0,
    };
    lines_of(&config, async |audit| {
        for _ in 0..3 {
            audit.record(from([192, 0, 2, 1]), &FAILED);
        }
        for number in 0..MAX_CAUSES + 9 {
            let [.., high, low] = number.to_be_bytes();
            audit.record(from([10, 0, high, low]), &FAILED);
        }
        assert!(lock(&audit.tallies).causes.len() <= MAX_CAUSES);
        audit.record(from([192, 0, 2, 1]), &FAILED);
        assert_eq!(audit.telemetry.audit_suppressed.get(), 2);
    });
}

#[test]
fn what_operators_do_is_always_written() {
    let config = config::Audit {
        max_per_minute: 1,
        max_total_per_minute: 1,
    };
    let lines = lines_of(&config, async |audit| {
        for _ in 0..10 {
            audit.record(
                Actor::default(),
                &Deed::Administered {
                    operation: "disconnect",
                    target: "5e55",
                },
            );
        }
    });
    assert_eq!(lines.len(), 10);
}
