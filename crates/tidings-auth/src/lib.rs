//! Who a client is, without I/O: the ready-made authenticators' tokens, keys and passcodes. No clock (time is an
//! argument, in milliseconds), no socket, no file; the server brings text and bytes, and has signatures of public keys
//! and passcodes checked where they hold nobody up.
//!
//! | module | what it answers |
//! |---|---|
//! | [`jwt`] | Whose is this token, and until when? |
//! | [`keys`] | Which key may verify a token of this issuer, and with which algorithm? |
//! | [`refresh`] | When is a published key set fetched again? |
//! | [`users`] | Whose passcode is this? |
//! | [`issue`] | How does a token for development and tests come about? |
//!
//! Start reading at [`jwt::Verifier::verify`]. Nothing that a token says becomes an address to fetch from: issuers and
//! where their keys are published stand in the configuration only.

mod algorithm;
pub mod issue;
pub mod jwt;
pub mod keys;
pub mod refresh;
pub mod users;

pub use algorithm::{Algorithm, UnknownAlgorithm};
