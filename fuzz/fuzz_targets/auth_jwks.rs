//! Any bytes as a key set: no panic, and every key is used or skipped.
//!
//! Run: `cargo +nightly fuzz run auth_jwks`

#![no_main]

#[path = "../../crates/tidings-auth/tests/suite/invariants.rs"]
#[allow(dead_code, reason = "the other targets check the rest")]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::check_key_set(data));
