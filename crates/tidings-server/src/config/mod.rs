//! Configuration: what the operator wrote, checked once.

mod checked;

pub use checked::*;
