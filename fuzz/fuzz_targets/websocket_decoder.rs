//! Whatever arrives, and however it is cut, the WebSocket decoder makes the same of it, within its limits.
//!
//! ```text
//! cargo +nightly fuzz run websocket_decoder -- -max_total_time=60
//! ```
//!
//! The corpus also runs as an ordinary test: `cargo test -p tidings-websocket --test fuzz_corpus`.

#![no_main]

#[path = "../../crates/tidings-websocket/tests/gathered/mod.rs"]
mod gathered;

libfuzzer_sys::fuzz_target!(|input: &[u8]| gathered::check_any_input(input));
