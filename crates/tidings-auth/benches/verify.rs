//! What a token costs, from text to principal, per kind of key; and beside it only reading it, which sessions wait for:
//! `cargo bench -p tidings-auth`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;
use tidings_auth::Algorithm;

#[path = "../tests/suite/signing.rs"]
#[allow(dead_code, reason = "what the tests need beside")]
mod signing;

use signing::{NOW_MS, keys_for, sign, verifier, with};

fn verify(criterion: &mut Criterion) {
    let claims = with(
        signing::good_claims(),
        json!({"jti": "6f1c1a52-5d0e-4c55-9d1c-2f4a4f3f0c11", "roles": ["staff", "editor"], "email": "ann@example.org"}),
    );
    let verifier = verifier();
    let mut group = criterion.benchmark_group("verify");
    for algorithm in [
        Algorithm::HS256,
        Algorithm::ES256,
        Algorithm::EdDSA,
        Algorithm::RS256,
    ] {
        let (token, keys) = (sign(algorithm, &claims), keys_for(algorithm));
        group.bench_function(algorithm.name(), |bencher| {
            bencher.iter(|| {
                verifier
                    .verify(black_box(&token), &keys, NOW_MS, false)
                    .expect("a good token")
            });
        });
    }
    let token = sign(Algorithm::HS256, &claims);
    group.bench_function("inspect", |bencher| {
        bencher.iter(|| verifier.inspect(black_box(&token)).expect("a token"));
    });
    group.finish();
}

criterion_group!(benches, verify);
criterion_main!(benches);
