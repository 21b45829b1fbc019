//! Any payload to SockJS: no panic, and what was read survives writing.
//!
//! Run: `cargo +nightly fuzz run sockjs_payload`

#![no_main]

#[path = "../../crates/tidings-sockjs/tests/suite/payload_invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::check(data));
