//! Escaping a message, and beside it what `serde_json` needs for the same with fewer characters to escape:
//! `cargo bench -p tidings-sockjs`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tidings_sockjs::frame::escape;

/// About 1 KB of each: a STOMP frame with JSON in it, text of two bytes a character, and of three that look like those
/// to be escaped.
fn messages() -> [(&'static str, String); 3] {
    let head = "MESSAGE\nsubscription:0\nmessage-id:1234\ndestination:/topic/prices\n\n";
    let body = r#"{"symbol":"ABC","price":12.34,"volume":1000}"#.repeat(21);
    [
        ("frame", format!("{head}{body}\0")),
        ("cyrillic", "Привет, мир! ".repeat(46)),
        ("dashes", "— “quoted” …".repeat(50)),
    ]
}

fn escaping(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("escape");
    for (name, message) in messages() {
        let mut out = Vec::with_capacity(4 * message.len());
        group.throughput(Throughput::Bytes(message.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                escape(black_box(&message), &mut out);
                out.len()
            });
        });
        group.bench_function(format!("{name}_by_serde_json"), |bencher| {
            bencher.iter(|| {
                out.clear();
                serde_json::to_writer(&mut out, black_box(&message)).expect("a Vec takes all");
                out.len()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, escaping);
criterion_main!(benches);
