//! Any text as an access rule: no panic, and what was read survives being displayed.
//!
//! ```text
//! cargo +nightly fuzz run access_rule
//! ```
//!
//! The corpus also runs as an ordinary test: `cargo test -p tidings-core --test it fuzz_corpus`.

#![no_main]

#[path = "../../crates/tidings-core/tests/it/rules/invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|text: &[u8]| invariants::check(text));
