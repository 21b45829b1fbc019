//! The fuzz corpora as ordinary tests.

use std::fs;
use std::path::Path;

use super::{payload_invariants, request_invariants};

#[test]
fn every_request_of_the_fuzz_corpus_keeps_the_invariants() {
    run("sockjs_request", request_invariants::check);
}

#[test]
fn every_payload_of_the_fuzz_corpus_keeps_the_invariants() {
    run("sockjs_payload", payload_invariants::check);
}

fn run(target: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let files = fs::read_dir(&corpus).expect("the corpus is part of the repository");
    let mut count = 0;
    for file in files {
        check(&fs::read(file.expect("a readable folder").path()).expect("a readable file"));
        count += 1;
    }
    assert!(count >= 10, "only {count} files in the corpus");
}
