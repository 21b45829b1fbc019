//! The fuzz target's corpus as an ordinary test. To add to it, see `fuzz/fuzz_targets/websocket_decoder.rs`.

mod gathered;

use std::{fs, path::Path};

#[test]
fn every_input_of_the_corpus_reads_the_same_however_it_is_cut() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/websocket_decoder");
    let mut count = 0;
    for entry in fs::read_dir(corpus).expect("the corpus is part of the repository") {
        let input = fs::read(entry.expect("a readable folder").path()).expect("a readable file");
        let wire = input.get(1..).unwrap_or_default();
        for settings in input.first().copied().into_iter().chain(0..64) {
            gathered::check_any_input(&[&[settings][..], wire].concat());
        }
        count += 1;
    }
    assert!(count >= 20, "the corpus has only {count} inputs");
}
