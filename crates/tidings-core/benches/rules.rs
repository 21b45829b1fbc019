//! Deciding one frame against 200 rules, of which the last decides.
//!
//! `cargo bench -p tidings-core --bench rules`

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;
use tidings_core::destination::{Destinations, Separator};
use tidings_core::security::{Action, Principal, Rule, Rules};

const RULES: usize = 200;

struct Shape {
    name: &'static str,
    /// The rules ahead of the last.
    others: fn(usize) -> String,
    last: &'static str,
    action: Action,
    destination: &'static str,
}

const SHAPES: [Shape; 14] = [
    Shape {
        name: "topics of their own",
        others: |n| format!("allow send,subscribe /topic/room-{n}/** if role member-{n}"),
        last: "allow send,subscribe /topic/lobby/** if authenticated",
        action: Action::Send,
        destination: "/topic/lobby/table/7",
    },
    Shape {
        name: "variable and claim",
        others: |n| {
            format!("allow subscribe /topic/kind-{n}/{{team}}/** if claim teams contains {{team}}")
        },
        last: "allow subscribe /topic/team/{team}/** if claim teams contains {team}",
        action: Action::Subscribe,
        destination: "/topic/team/blue/news",
    },
    Shape {
        name: "own name with an escape",
        others: |n| format!("allow send /user/robot-{n}/** if role operator"),
        last: "allow send /user/{name}/** if user = {name}",
        action: Action::Send,
        destination: "/user/a%6En/queue/x",
    },
    Shape {
        name: "nothing applies",
        others: |n| format!("allow send /topic/room-{n}/**"),
        last: "allow send /topic/lobby/**",
        action: Action::Send,
        destination: "/topic/elsewhere/x",
    },
    Shape {
        name: "wildcard, topics of their own",
        others: |n| format!("deny subscribe /topic/room-{n}/** if role stranger"),
        last: "allow subscribe /topic/lobby/**",
        action: Action::Subscribe,
        destination: "/topic/lobby/*",
    },
    Shape {
        name: "connect by role",
        others: |n| format!("allow connect if role member-{n}"),
        last: "allow connect if authenticated",
        action: Action::Connect,
        destination: "",
    },
    Shape {
        name: "worst: no segment certain",
        others: |n| format!("allow send /topic/*/x{n}"),
        last: "allow send /topic/*/*",
        action: Action::Send,
        destination: "/topic/lobby/table",
    },
    Shape {
        name: "worst: variable and role each",
        others: |n| {
            format!("deny send /topic/{{room}}/** if role banned-{n} and claim room = {{room}}")
        },
        last: "allow send /topic/**",
        action: Action::Send,
        destination: "/topic/lobby/table/7",
    },
    Shape {
        name: "worst: claim of one value each",
        others: |n| format!("deny send /topic/** if claim tenant = tenant-{n}"),
        last: "allow send /topic/**",
        action: Action::Send,
        destination: "/topic/lobby/table/7",
    },
    Shape {
        name: "worst: claim of four values each",
        others: |n| format!("deny send /topic/** if claim teams contains team-{n}"),
        last: "allow send /topic/**",
        action: Action::Send,
        destination: "/topic/lobby/table/7",
    },
    Shape {
        name: "worst: glob each",
        others: |n| format!("allow send /topic/lob*-{n}/**"),
        last: "allow send /topic/**",
        action: Action::Send,
        destination: "/topic/lobby/table/7",
    },
    Shape {
        name: "worst: the same ahead of what differs",
        others: |n| format!("allow send /topic/*/table/**/x{n}"),
        last: "allow send /topic/**",
        action: Action::Send,
        destination: "/topic/lobby/table/7",
    },
    Shape {
        name: "worst: wildcard over every rule",
        others: |n| format!("allow subscribe /topic/room-{n}/**"),
        last: "allow subscribe /topic/**",
        action: Action::Subscribe,
        destination: "/topic/*/news",
    },
    Shape {
        name: "worst: wildcard meets every rule",
        others: |n| format!("deny subscribe /topic/room-{n}/** if role banned-{n}"),
        last: "allow subscribe /topic/**",
        action: Action::Subscribe,
        destination: "/topic/*/news",
    },
];

fn rules(shape: &Shape) -> Rules {
    let destinations = Destinations {
        topic_prefixes: vec!["/topic/".to_owned()],
        queue_prefixes: vec!["/queue/".to_owned()],
        application_prefix: "/app/".to_owned(),
        user_prefix: "/user/".to_owned(),
        separator: Separator::Slash,
        max_bytes: 1024,
        max_segments: 32,
    };
    let texts = (1..RULES).map(shape.others).chain([shape.last.to_owned()]);
    let rules = texts.map(|text| Rule::parse(&text, &destinations).expect("a good rule"));
    Rules::new(rules.collect(), &destinations)
}

#[expect(
    clippy::print_stdout,
    reason = "the machine is shared: the shortest time is what can be compared"
)]
fn deciding(criterion: &mut Criterion) {
    let principal = Principal::user("ann")
        .with_roles(["reader", "writer"])
        .with_claim("iss", "https://login.example.com")
        .with_claim("tenant", "acme")
        .with_claim("room", "kitchen")
        .with_claim("teams", json!(["red", "green", "white", "blue"]));
    for shape in &SHAPES {
        let rules = rules(shape);
        let decide = || {
            rules.decide(
                black_box(&principal),
                shape.action,
                black_box(shape.destination),
            )
        };
        let expected = (shape.name != "nothing applies").then_some(RULES);
        assert_eq!(decide().number, expected, "{}", shape.name);
        criterion.bench_function(shape.name, |b| b.iter(decide));
        println!("{}: {:.0} ns", shape.name, nanoseconds(decide));
    }
}

/// The shortest of many rounds: what the machine can do when nothing else runs.
fn nanoseconds<T>(decide: impl Fn() -> T) -> f64 {
    const ROUND: u32 = 100;
    let round = || {
        let start = Instant::now();
        for _ in 0..ROUND {
            black_box(decide());
        }
        start.elapsed()
    };
    let best = (0..2_000).map(|_| round()).min().unwrap_or(Duration::ZERO);
    best.as_nanos() as f64 / f64::from(ROUND)
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = deciding
}
criterion_main!(benches);
