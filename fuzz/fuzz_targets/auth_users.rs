//! Any bytes as a users file: no panic, and no more users than lines.
//!
//! Run: `cargo +nightly fuzz run auth_users`

#![no_main]

#[path = "../../crates/tidings-auth/tests/suite/invariants.rs"]
#[allow(dead_code, reason = "the other targets check the rest")]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::check_users_file(data));
