//! The corpora of the fuzz targets as ordinary tests. To add to them, see `fuzz/fuzz_targets/auth_token.rs`.

use std::fs;
use std::path::Path;

use crate::invariants::{check_key_set, check_token, check_users_file};

fn check_all(name: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(name);
    let mut count = 0;
    for entry in fs::read_dir(corpus).expect("the corpus is part of the repository") {
        check(&fs::read(entry.expect("a readable folder").path()).expect("a readable file"));
        count += 1;
    }
    assert!(count >= 8, "the corpus has only {count} inputs");
}

#[test]
fn every_token_of_the_corpus_keeps_the_invariants() {
    check_all("auth_token", check_token);
}

#[test]
fn every_key_set_of_the_corpus_keeps_the_invariants() {
    check_all("auth_jwks", check_key_set);
}

#[test]
fn every_users_file_of_the_corpus_keeps_the_invariants() {
    check_all("auth_users", check_users_file);
}
