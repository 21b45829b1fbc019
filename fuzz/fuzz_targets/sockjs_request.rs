//! Any request to SockJS: no panic, an answer of sense, no header that the client smuggles in, bodies as long as promised.
//!
//! Run: `cargo +nightly fuzz run sockjs_request`

#![no_main]

#[path = "../../crates/tidings-sockjs/tests/suite/request_invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::check(data));
