//! What the crate promises, seen from outside: the protocol section by section, models, an echo service.

mod ask;
mod corpus;
mod echo;
mod headers;
mod json;
mod life_cycle;
mod pages;
mod payload_invariants;
mod request_invariants;
mod sending;
mod session_model;
mod shared_chunks;
mod transports;
mod urls;
