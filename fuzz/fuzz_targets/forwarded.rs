//! Anything that a client sends as a header of proxies: no panic, and nothing of it counts.
//!
//! Run: `cargo +nightly fuzz run forwarded`

#![no_main]

#[allow(dead_code)]
#[path = "../../crates/tidings-server/src/http/forwarded.rs"]
mod forwarded;

#[path = "../../crates/tidings-server/src/http/forwarded_invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::check(data));
