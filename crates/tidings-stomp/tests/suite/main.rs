//! What the crate promises, seen from outside.

mod client;
mod corpus;
mod decode_errors;
mod decode_limits;
mod decode_model;
mod decode_splits;
mod invariants;
mod requests;
mod round_trip;
mod server;
mod stream;
