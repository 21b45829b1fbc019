//! Visiting one destination costs the same among many subscriptions as among few.
//!
//! `cargo bench -p tidings-core --bench matching`

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tidings_core::destination::{Pattern, Separator};
use tidings_core::subscription::PatternMap;

const DESTINATION: &str = "/topic/prices/500/eur";

type Shape = (&'static str, [u32; 2], fn(u32) -> String);

const SHAPES: [Shape; 3] = [
    ("exact", [1_000, 1_000_000], |n| {
        format!("/topic/prices/{n}/eur")
    }),
    ("pattern, own branch each", [1_000, 100_000], |n| {
        format!("/topic/prices/{n}/*")
    }),
    ("pattern, shared branch", [1_000, 100_000], |n| {
        format!("/topic/*/{n}/**")
    }),
];

fn map(count: u32, text: fn(u32) -> String) -> PatternMap<u32> {
    let mut map = PatternMap::new(Separator::Slash);
    for n in 0..count {
        let pattern = Pattern::parse(&text(n), Separator::Slash).expect("a good pattern");
        map.get_or_insert_with(&pattern, || n);
    }
    map
}

fn visit(map: &PatternMap<u32>) -> u32 {
    let mut sum = 0;
    map.visit(black_box(DESTINATION), |value| sum += *value);
    sum
}

/// The shortest of many rounds: what the machine can do when nothing else runs.
fn nanoseconds(map: &PatternMap<u32>) -> f64 {
    const ROUND: u32 = 1_000;
    let round = || {
        let start = Instant::now();
        for _ in 0..ROUND {
            black_box(visit(map));
        }
        start.elapsed()
    };
    let best = (0..500).map(|_| round()).min().unwrap_or(Duration::ZERO);
    best.as_nanos() as f64 / f64::from(ROUND)
}

#[expect(
    clippy::print_stdout,
    reason = "the ratio is what this benchmark is for"
)]
fn matching(criterion: &mut Criterion) {
    for (shape, counts, text) in SHAPES {
        let maps = counts.map(|count| map(count, text));
        for (map, count) in maps.iter().zip(counts) {
            assert_eq!(visit(map), 500);
            criterion.bench_function(BenchmarkId::new(shape, count).to_string().as_str(), |b| {
                b.iter(|| visit(map))
            });
        }
        let [few, many] = [nanoseconds(&maps[0]), nanoseconds(&maps[1])];
        println!(
            "{shape}: {few:.1} ns of {}, {many:.1} ns of {}: ratio {:.2}",
            counts[0],
            counts[1],
            many / few
        );
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = matching
}
criterion_main!(benches);
