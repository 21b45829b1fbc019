//! Any bytes before a connection: no panic, a decision in time, and none that later bytes change.
//!
//! Run: `cargo +nightly fuzz run proxy_header`

#![no_main]

#[allow(dead_code)]
#[path = "../../crates/tidings-server/src/listen/proxy_header.rs"]
mod proxy_header;

#[path = "../../crates/tidings-server/src/listen/proxy_header_invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::check(data));
