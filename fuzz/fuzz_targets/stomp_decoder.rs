//! Any bytes to the STOMP decoder: no panic, the same items in any pieces, and what was decoded survives encoding.
//!
//! Run: `cargo +nightly fuzz run stomp_decoder`

#![no_main]

#[path = "../../crates/tidings-stomp/tests/suite/invariants.rs"]
mod invariants;
#[path = "../../crates/tidings-stomp/tests/suite/stream.rs"]
mod stream;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::check(data));
