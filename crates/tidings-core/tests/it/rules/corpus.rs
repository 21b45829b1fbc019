//! The fuzz corpus as an ordinary test, and more texts of its kind.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::select;

use super::invariants::check;

#[test]
fn every_text_of_the_fuzz_corpus_keeps_the_invariants() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/access_rule");
    let files = fs::read_dir(&corpus).expect("the corpus is part of the repository");
    let mut count = 0;
    for file in files {
        check(&fs::read(file.expect("a readable folder").path()).expect("a readable file"));
        count += 1;
    }
    assert!(count >= 10, "only {count} files in the corpus");
}

const WORDS: &[&str] = &[
    "allow",
    "deny",
    "any",
    "send",
    "send,subscribe",
    "connect",
    ",",
    "if",
    "and",
    "not",
    "=",
    "\"",
    "\"a b\"",
    "\"\\\"",
    "claim",
    "a.b",
    "contains",
    "role",
    "user",
    "authenticated",
    "{x}",
    "{",
    "\"{x}\"",
    "\"\"",
    "/topic/{x}/**",
    "/user/%zz/x",
    "/user/{x}/y",
    "**",
    "/**/{x}/**",
    "\u{7}",
    "é",
    "\t",
];

proptest! {
    #[test]
    fn any_text_keeps_the_invariants(text in "\\PC{0,60}") {
        check(text.as_bytes());
    }

    #[test]
    fn any_words_keep_the_invariants(words in prop::collection::vec(select(WORDS), 0..14)) {
        check(words.join(" ").as_bytes());
    }

    #[test]
    fn any_values_keep_the_invariants(name in "[a-z{}\"\\\\ .]{0,6}", value in "\\PC{0,8}", role in "[a-z{}\"\\\\\t ]{0,6}") {
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let text = format!("allow any {} if claim {} = {} and not role {}", quoted(&value), quoted(&name), quoted(&value), quoted(&role));
        check(text.as_bytes());
        check(format!("allow any if claim {name} = {value} and not role {role}").as_bytes());
    }
}
