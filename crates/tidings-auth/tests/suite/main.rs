//! Tokens, keys, key sets and users files as an operator and a stranger bring them.

mod algorithms;
mod claims;
mod corpus;
mod examples;
mod forgeries;
mod invariants;
mod issuing;
mod key_sets;
mod keys;
mod refresh_model;
mod signing;
mod times;
mod users;
