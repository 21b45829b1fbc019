//! The url where an issuer publishes its keys, and who asks there.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hyper::Uri;
use tidings_auth::keys::{Jwks, MAX_JWKS_BYTES};
use tidings_auth::refresh::{Refresh, RefreshConfig};
use tidings_core::security::AuthenticationError;
use tokio::sync::{Notify, watch};
use tracing::{info, warn};

use super::jwt::Shared;
use crate::clock;
use crate::config;
use crate::node::lock;
use crate::outgoing::{FetchLimits, Fetcher};

/// What one fetch may cost.
const LIMITS: FetchLimits = FetchLimits {
    timeout: Duration::from_secs(10),
    max_bytes: MAX_JWKS_BYTES,
};

/// Where the keys of one issuer are. The url is the configuration's: nothing in a token says where to ask.
pub(super) struct Source {
    issuer: String,
    url: Uri,
    /// Its times count from here.
    began: Instant,
    refresh: Mutex<Refresh>,
    /// Somebody wants the keys earlier than they were due.
    wanted: Notify,
    /// Counts the fetches that have ended.
    ended: watch::Sender<u64>,
    latest: Mutex<Option<Jwks>>,
}

impl Source {
    pub(super) fn new(issuer: &str, url: Uri, config: &config::Jwt) -> Self {
        Self {
            issuer: issuer.to_owned(),
            url,
            began: clock::now(),
            refresh: Mutex::new(Refresh::new(RefreshConfig {
                interval: config.refresh_interval,
                min_interval: config.min_refresh_interval,
                ..RefreshConfig::default()
            })),
            wanted: Notify::new(),
            ended: watch::Sender::new(0),
            latest: Mutex::default(),
        }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn is(&self, issuer: &str, url: &Uri) -> bool {
        self.issuer == issuer && self.url == *url
    }

    /// What was fetched last.
    pub(super) fn latest(&self) -> Option<Jwks> {
        lock(&self.latest).clone()
    }

    pub(super) fn remember(&self, jwks: Jwks) {
        *lock(&self.latest) = Some(jwks);
    }

    /// Fetches when it is time, for ever.
    pub(super) async fn keep_fresh(self: Arc<Self>, shared: Arc<Shared>, fetcher: Fetcher) {
        loop {
            self.wait().await;
            lock(&self.refresh).started(self.now_ms());
            let is_success = self.fetch(&fetcher, &shared).await;
            lock(&self.refresh).fetched(self.now_ms(), is_success);
            self.ended.send_modify(|count| *count += 1);
        }
    }

    async fn wait(&self) {
        loop {
            let due = {
                let refresh = lock(&self.refresh);
                if refresh.needs_fetch(self.now_ms()) {
                    return;
                }
                refresh.next_at_ms().unwrap_or_default()
            };
            let due = self.began + Duration::from_millis(due);
            tokio::select! {
                () = tokio::time::sleep_until(due.into()) => {}
                () = self.wanted.notified() => {}
            }
        }
    }

    async fn fetch(&self, fetcher: &Fetcher, shared: &Shared) -> bool {
        let (issuer, url) = (&*self.issuer, &self.url);
        let fetched = match fetcher.get(url, LIMITS).await {
            Ok(fetched) if fetched.status.is_success() => fetched,
            Ok(fetched) => {
                let status = fetched.status.as_u16();
                warn!(issuer, %url, status, "the keys of an issuer were not fetched; the old ones stay");
                return false;
            }
            Err(error) => {
                warn!(issuer, %url, %error, "the keys of an issuer were not fetched; the old ones stay");
                return false;
            }
        };
        match Jwks::parse(&fetched.bytes, Some(issuer)) {
            Ok(jwks) => {
                info!(
                    issuer,
                    keys = jwks.count(),
                    "the keys of an issuer were fetched"
                );
                // In this order: a reload in between takes over what is remembered, and must find what has been used.
                self.remember(jwks.clone());
                shared.replace(&jwks);
                true
            }
            Err(error) => {
                warn!(issuer, %url, %error, "the keys of an issuer can't be read; the old ones stay");
                false
            }
        }
    }

    /// Returns when keys have been fetched since a token named one that was not known. Where that was not long ago, nothing is
    /// fetched, whatever tokens come.
    pub(super) async fn fetch_for_unknown_key(&self) -> Result<(), AuthenticationError> {
        let mut ended = self.ended.subscribe();
        let is_coming = {
            let mut refresh = lock(&self.refresh);
            refresh.unknown_kid(self.now_ms()) || refresh.next_at_ms().is_none()
        };
        self.wanted.notify_one();
        if is_coming {
            // Fails only as the source ends.
            let _ = ended.changed().await;
        }
        match lock(&self.latest).is_some() {
            true => Ok(()),
            false => Err(AuthenticationError::Unavailable(
                "the keys of the token's issuer are not known at the moment".to_owned(),
            )),
        }
    }

    fn now_ms(&self) -> u64 {
        let elapsed = clock::now().saturating_duration_since(self.began);
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }
}
