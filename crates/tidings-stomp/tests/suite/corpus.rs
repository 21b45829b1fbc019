//! The fuzz corpus as an ordinary test.

use std::fs;
use std::path::Path;

use super::invariants::check;

#[test]
fn every_file_of_the_fuzz_corpus_keeps_the_invariants() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/stomp_decoder");
    let files = fs::read_dir(&corpus).expect("the corpus is part of the repository");
    let mut count = 0;
    for file in files {
        check(&fs::read(file.expect("a readable folder").path()).expect("a readable file"));
        count += 1;
    }
    assert!(count >= 10, "only {count} files in the corpus");
}
