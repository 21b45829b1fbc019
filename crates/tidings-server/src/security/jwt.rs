//! Signed tokens: the verifier, the keys that it uses now, and who fetches new ones.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use hyper::Uri;
use tidings_auth::jwt::{Verifier, VerifierConfig, VerifyError};
use tidings_auth::keys::{Jwks, KeyError, Keys};
use tidings_auth::{Algorithm, UnknownAlgorithm};
use tidings_core::security::{AuthenticationError, Principal};
use tokio::task::JoinSet;
use tracing::debug;

use super::desk::Desk;
use super::key_source::Source;
use super::policy::PolicyError;
use crate::config::{self, KeySource};
use crate::node::lock;
use crate::outgoing::{Fetcher, Trust, parse_protected};

/// Checks tokens.
pub(super) struct Jwt {
    shared: Arc<Shared>,
    /// Those who fetch keys; they end with it.
    _fetching: JoinSet<()>,
}

/// What tokens are checked with.
pub(super) struct Shared {
    verifier: Verifier,
    keys: ArcSwap<Keys>,
    /// Held while keys are replaced, so that two sources lose nothing of each other's.
    replacing: Mutex<()>,
    sources: Vec<Arc<Source>>,
    desk: Arc<Desk>,
}

impl Jwt {
    /// Reads keys from files, and begins to fetch those that have urls. What `before` has fetched counts until then.
    pub(super) fn load(
        config: &config::Jwt,
        desk: &Arc<Desk>,
        before: Option<&Self>,
    ) -> Result<Self, PolicyError> {
        let mut keys = Keys::new();
        let mut sources = Vec::new();
        for one in &config.issuers {
            let issuer = &*one.issuer;
            match &one.keys {
                KeySource::Secret => add_secret(&mut keys, Some(issuer), config)?,
                KeySource::File(path) => add_file(&mut keys, issuer, path)?,
                KeySource::Url(url) => {
                    let url = parse_protected(url).map_err(PolicyError::url)?;
                    let jwks = before.and_then(|before| before.fetched(issuer, &url));
                    let source = Source::new(issuer, url, config);
                    if let Some(jwks) = jwks {
                        keys.replace(&jwks);
                        source.remember(jwks);
                    }
                    sources.push(Arc::new(source));
                }
            }
        }
        if config.issuers.is_empty() {
            add_secret(&mut keys, None, config)?;
        }
        let shared = Arc::new(Shared {
            verifier: verifier(config)?,
            keys: ArcSwap::from_pointee(keys),
            replacing: Mutex::default(),
            sources,
            desk: Arc::clone(desk),
        });
        let trust = match &config.ca {
            Some(file) => Trust::with_file(file).map_err(PolicyError::ca)?,
            None => Trust::default(),
        };
        let fetcher = Fetcher::new(Arc::new(trust));
        let mut fetching = JoinSet::new();
        for source in &shared.sources {
            let shared = Arc::clone(&shared);
            fetching.spawn(Arc::clone(source).keep_fresh(shared, fetcher.clone()));
        }
        Ok(Self {
            shared,
            _fetching: fetching,
        })
    }

    /// Whose token it is. What takes long is done elsewhere.
    pub(super) fn check(
        &self,
        token: Arc<str>,
        is_ticket: bool,
        now_ms: u64,
    ) -> impl Future<Output = Result<Principal, AuthenticationError>> + Send + use<> {
        let shared = Arc::clone(&self.shared);
        async move { shared.check(&token, is_ticket, now_ms).await }
    }

    fn fetched(&self, issuer: &str, url: &Uri) -> Option<Jwks> {
        let mut sources = self.shared.sources.iter();
        sources.find(|one| one.is(issuer, url))?.latest()
    }
}

impl Shared {
    async fn check(
        self: Arc<Self>,
        token: &str,
        is_ticket: bool,
        now_ms: u64,
    ) -> Result<Principal, AuthenticationError> {
        let before = self.keys.load_full();
        match Arc::clone(&self).verify(token, is_ticket, now_ms).await? {
            Err(VerifyError::UnknownKey { issuer, kid }) => {
                let source = issuer.as_deref().and_then(|issuer| self.source(issuer));
                let Some(source) = source else {
                    return Err(told(VerifyError::UnknownKey { issuer, kid }));
                };
                // Others may have fetched it while this token waited to be checked.
                if Arc::ptr_eq(&before, &self.keys.load()) {
                    source.fetch_for_unknown_key().await?;
                }
                let again = Arc::clone(&self).verify(token, is_ticket, now_ms).await?;
                let is_fresh = !Arc::ptr_eq(&before, &self.keys.load());
                match again {
                    // Nothing was fetched since, so the issuer may sign with a key that is newer than what is known.
                    Err(VerifyError::UnknownKey { .. }) if !is_fresh => {
                        Err(AuthenticationError::Unavailable(
                            "the key of the token is not known yet".to_owned(),
                        ))
                    }
                    again => again.map_err(told),
                }
            }
            verified => verified.map_err(told),
        }
    }

    async fn verify(
        self: Arc<Self>,
        token: &str,
        is_ticket: bool,
        now_ms: u64,
    ) -> Result<Result<Principal, VerifyError>, AuthenticationError> {
        let unverified = match self.verifier.inspect(token) {
            Ok(unverified) => unverified,
            Err(error) => return Ok(Err(error)),
        };
        let check = {
            let (shared, is_costly) = (Arc::clone(&self), unverified.is_costly());
            let check = move || {
                let keys = shared.keys.load();
                shared.verifier.check(&unverified, &keys, now_ms, is_ticket)
            };
            if !is_costly {
                return Ok(check());
            }
            check
        };
        self.desk.run(check).await
    }

    fn source(&self, issuer: &str) -> Option<&Arc<Source>> {
        self.sources.iter().find(|one| one.issuer() == issuer)
    }

    /// Takes the keys that an issuer publishes now.
    pub(super) fn replace(&self, jwks: &Jwks) {
        let _replacing = lock(&self.replacing);
        let mut keys = Keys::clone(&self.keys.load());
        keys.replace(jwks);
        self.keys.store(Arc::new(keys));
    }
}

/// The operator reads why; the client less.
pub(super) fn told(error: VerifyError) -> AuthenticationError {
    debug!(%error, "a token proves nobody");
    error.into()
}

fn verifier(config: &config::Jwt) -> Result<Verifier, PolicyError> {
    let algorithms = config.algorithms.iter().map(|name| {
        name.parse()
            .map_err(|UnknownAlgorithm| PolicyError::Algorithm(name.clone()))
    });
    let algorithms = algorithms.collect::<Result<Vec<_>, _>>()?;
    let issuers = config.issuers.iter().map(|one| one.issuer.clone());
    let verifier = Verifier::new(VerifierConfig {
        issuers: issuers.collect(),
        audiences: config.audiences.clone(),
        algorithms: match algorithms.is_empty() {
            true => Algorithm::ALL.to_vec(),
            false => algorithms,
        },
        leeway: config.leeway,
        required_claims: config.required_claims.clone(),
        name_claim: config.name_claim.clone(),
        roles_claim: config.roles_claim.clone(),
        max_ticket_lifetime: config.max_ticket_lifetime,
    });
    verifier.map_err(PolicyError::Verifier)
}

/// The secret, for as many hashes as it is long enough for.
fn add_secret(
    keys: &mut Keys,
    issuer: Option<&str>,
    config: &config::Jwt,
) -> Result<(), PolicyError> {
    let Some(secret) = &config.secret else {
        return Ok(());
    };
    let secret = secret.0.as_bytes();
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        match keys.add_secret(issuer, None, algorithm, secret) {
            Err(KeyError::WeakSecret { .. }) if algorithm != Algorithm::HS256 => {}
            added => added.map_err(PolicyError::Secret)?,
        }
    }
    Ok(())
}

fn add_file(keys: &mut Keys, issuer: &str, path: &Path) -> Result<(), PolicyError> {
    let unreadable = |source| PolicyError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let bad = |cause: String| PolicyError::BadFile {
        path: path.to_owned(),
        cause,
    };
    if path.extension().is_some_and(|extension| extension == "pem") {
        let text = String::from_utf8(bytes).map_err(|error| bad(error.to_string()))?;
        let added = keys.add_pem(Some(issuer), None, None, &text);
        added.map_err(|error| bad(error.to_string()))
    } else {
        let jwks = Jwks::parse(&bytes, Some(issuer)).map_err(|error| bad(error.to_string()))?;
        keys.replace(&jwks);
        Ok(())
    }
}
