//! Tokens (JWT, RFC 7519, as signed by JWS, RFC 7515): whose they are, and until when.
//!
//! [`Verifier::inspect`] is cheap and says whether the rest is not; [`Verifier::check`] is the rest. A server answers
//! HMAC where it stands and has signatures of public keys checked by another thread.

mod claims;
mod config;
mod error;
mod unverified;

use tidings_core::security::Principal;

use crate::keys::{Keys, Refusal};
pub use config::{ConfigError, DEFAULT_NAME_CLAIM, DEFAULT_ROLES_CLAIM, VerifierConfig};
pub use error::VerifyError;
pub use unverified::{MAX_TOKEN_BYTES, Unverified};

/// Verifies tokens.
#[derive(Debug, Clone)]
pub struct Verifier {
    config: VerifierConfig,
}

impl Verifier {
    /// A verifier that does as the configuration says.
    ///
    /// # Errors
    /// The configuration names no algorithm, or an empty claim.
    pub fn new(config: VerifierConfig) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self { config })
    }

    /// What it does.
    pub fn config(&self) -> &VerifierConfig {
        &self.config
    }

    /// Reads a token without believing it: its form, algorithm and issuer. Takes a few microseconds.
    ///
    /// # Errors
    /// [`VerifyError::Rejected`]: it is longer than [`MAX_TOKEN_BYTES`], no JWT, asks for an extension (`crit`), or names
    /// an algorithm or an issuer that is not among the configured ones.
    pub fn inspect(&self, token: &str) -> Result<Unverified, VerifyError> {
        let unverified = unverified::read(token)?;
        if !self.config.algorithms.contains(&unverified.algorithm()) {
            return Err(VerifyError::rejected(
                "its algorithm is not among jwt.algorithms",
            ));
        }
        if !self.config.issuers.is_empty() {
            self.known_issuer(&unverified)?;
        }
        Ok(unverified)
    }

    /// Checks the signature of what [`inspect`](Self::inspect) has read, then its times and claims. `now_ms` is the time
    /// in milliseconds since the epoch; a ticket (a token in a query) must be short-lived too.
    ///
    /// # Errors
    /// [`VerifyError::UnknownKey`]: ask the issuer for its keys, as far as [`Refresh`](crate::refresh::Refresh) lets
    /// you, and check again. [`VerifyError::Expired`], and [`VerifyError::Rejected`] for everything else.
    pub fn check(
        &self,
        unverified: &Unverified,
        keys: &Keys,
        now_ms: u64,
        is_ticket: bool,
    ) -> Result<Principal, VerifyError> {
        self.check_signature(unverified, keys)?;
        let expires_at_ms =
            claims::check_times(unverified.claims(), &self.config, now_ms, is_ticket)?;
        claims::check_audience(unverified.claims(), &self.config)?;
        claims::check_required(unverified.claims(), &self.config)?;
        claims::principal(unverified.claims(), &self.config, expires_at_ms)
    }

    /// [`inspect`](Self::inspect) and [`check`](Self::check) in one.
    ///
    /// # Errors
    /// Those of both.
    pub fn verify(
        &self,
        token: &str,
        keys: &Keys,
        now_ms: u64,
        is_ticket: bool,
    ) -> Result<Principal, VerifyError> {
        self.check(&self.inspect(token)?, keys, now_ms, is_ticket)
    }

    fn known_issuer<'a>(&'a self, unverified: &Unverified) -> Result<&'a str, VerifyError> {
        let Some(issuer) = unverified.issuer() else {
            return Err(VerifyError::rejected(
                "it names no issuer (iss), and jwt.issuers asks for one",
            ));
        };
        let mut known = self.config.issuers.iter();
        known
            .find(|one| *one == issuer)
            .map(String::as_str)
            .ok_or_else(|| VerifyError::rejected("its issuer (iss) is not among jwt.issuers"))
    }

    /// Asks for the issuer again: what is checked here may have been inspected by another verifier, before a reload.
    fn check_signature(&self, unverified: &Unverified, keys: &Keys) -> Result<(), VerifyError> {
        let issuer = match self.config.issuers.is_empty() {
            true => None,
            false => Some(self.known_issuer(unverified)?),
        };
        let algorithm = unverified.algorithm();
        if !self.config.algorithms.contains(&algorithm) {
            return Err(VerifyError::rejected(
                "its algorithm is not among jwt.algorithms",
            ));
        }
        keys.verify(
            issuer,
            unverified.kid(),
            algorithm,
            unverified.message(),
            unverified.signature(),
        )
        .map_err(|refusal| match refusal {
            Refusal::Unknown => VerifyError::UnknownKey {
                issuer: issuer.map(Into::into),
                kid: unverified.kid().map(Into::into),
            },
            Refusal::WrongAlgorithm => {
                VerifyError::rejected("the key that it names (kid) is for another algorithm")
            }
            Refusal::Ambiguous => {
                VerifyError::rejected("more than one key fits, and it does not say which (kid)")
            }
            Refusal::BadSignature => {
                VerifyError::rejected("its signature is not by the key of its issuer")
            }
        })
    }
}
