//! What a verifier asks of a token.

use std::time::Duration;

use crate::Algorithm;

/// The claim with the user's name unless another is configured (RFC 7519, section 4.1.2).
pub const DEFAULT_NAME_CLAIM: &str = "sub";

/// The claim with the user's roles unless another is configured (RFC 9068, section 2.2.3.1).
pub const DEFAULT_ROLES_CLAIM: &str = "roles";

/// What a verifier asks of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierConfig {
    /// Whose tokens are accepted (`iss`), each by its own keys. Empty: the issuer is not asked for, and only keys
    /// without an issuer verify.
    pub issuers: Vec<String>,
    /// Whom a token must be for (`aud`): one of these. Empty: only tokens for nobody in particular (RFC 7519, section
    /// 4.1.3).
    pub audiences: Vec<String>,
    /// The algorithms that are accepted.
    pub algorithms: Vec<Algorithm>,
    /// By how much the clocks of the issuer and of this server may differ.
    pub leeway: Duration,
    /// Claims that must be there, beside `exp`.
    pub required_claims: Vec<String>,
    /// The claim with the user's name, a string.
    pub name_claim: String,
    /// The claim with the roles: an array of strings, or one string with spaces between (as `scope`, RFC 8693, section
    /// 4.2). A name with dots is first taken as it stands, then as a path such as `realm_access.roles`.
    pub roles_claim: String,
    /// How long a ticket may be valid in all, from `iat` to `exp`.
    pub max_ticket_lifetime: Duration,
}

impl Default for VerifierConfig {
    /// HS256, RS256, ES256 and EdDSA, of any issuer; 30 s of leeway, tickets of a minute.
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            audiences: Vec::new(),
            algorithms: vec![
                Algorithm::HS256,
                Algorithm::RS256,
                Algorithm::ES256,
                Algorithm::EdDSA,
            ],
            leeway: Duration::from_secs(30),
            required_claims: Vec::new(),
            name_claim: DEFAULT_NAME_CLAIM.to_owned(),
            roles_claim: DEFAULT_ROLES_CLAIM.to_owned(),
            max_ticket_lifetime: Duration::from_secs(60),
        }
    }
}

/// Why a configuration makes no verifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No token could pass.
    #[error("no algorithm is accepted; name those that your issuer signs with")]
    NoAlgorithm,
    /// A claim without a name.
    #[error("a claim has an empty name; name it, or leave the setting out")]
    EmptyClaim,
    /// An issuer or audience without a name.
    #[error("an issuer or audience is empty; name it, or leave it out")]
    EmptyName,
}

impl VerifierConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let mut claims = self
            .required_claims
            .iter()
            .chain([&self.name_claim, &self.roles_claim]);
        let mut names = self.issuers.iter().chain(&self.audiences);
        if self.algorithms.is_empty() {
            Err(ConfigError::NoAlgorithm)
        } else if claims.any(String::is_empty) {
            Err(ConfigError::EmptyClaim)
        } else if names.any(String::is_empty) {
            Err(ConfigError::EmptyName)
        } else {
            Ok(())
        }
    }
}
