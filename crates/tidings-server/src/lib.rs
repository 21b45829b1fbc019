//! The server of Tidings.

pub mod config;
