//! Any bytes as a token: no panic, limits hold, and verifying in steps says what verifying at once says.
//!
//! Run: `cargo +nightly fuzz run auth_token`
//!
//! The corpora of this target, `auth_jwks` and `auth_users` also run as ordinary tests: `cargo test -p tidings-auth corpus`.

#![no_main]

#[path = "../../crates/tidings-auth/tests/suite/invariants.rs"]
#[allow(dead_code, reason = "the other targets check the rest")]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::check_token(data));
