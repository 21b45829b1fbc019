//! A back end that is asked who a client is.

use std::future::ready;
use std::sync::Arc;

use hyper::StatusCode;
use serde::Serialize;
use tidings_core::security::{
    AuthenticateFuture, AuthenticationError, Authenticator, Credential, Credentials, Principal,
    TokenSource,
};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tracing::warn;

use super::back_end::{BackEnd, BackEnds, Fault};
use super::identity;
use super::request::Telling;
use super::response::{Answer, complaint};
use crate::clock;
use crate::node::Node;
use crate::server::RunError;

/// The authenticator that asks `webhook.authenticate_url`; none where there is no such url. Requests are made on `runtime`.
/// It shares places and breakers with the other webhooks of the node, and needs none.
///
/// # Errors
/// `webhook` was not checked by [`Config::load`](crate::config::Config::load), or the file of `webhook.ca` holds no
/// certificates.
pub(crate) fn authenticator(
    node: &Node,
    runtime: &Handle,
) -> Result<Option<Arc<dyn Authenticator>>, RunError> {
    let Some(url) = &node.config.webhook.authenticate_url else {
        return Ok(None);
    };
    let back_ends = BackEnds::of(node)?;
    let back_end = super::back_end(&back_ends, url)?;
    Ok(Some(Arc::new(WebhookAuthenticator {
        back_ends,
        back_end,
        runtime: runtime.clone(),
    })))
}

struct WebhookAuthenticator {
    back_ends: Arc<BackEnds>,
    back_end: BackEnd,
    runtime: Handle,
}

/// What a client shows, as a back end reads it.
#[derive(Serialize, Default)]
struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passcode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

impl Authenticator for WebhookAuthenticator {
    fn authenticate(&self, credentials: Credentials) -> AuthenticateFuture {
        let Some(body) = written(&credentials) else {
            let unknown = "the application is never asked about credentials of this kind";
            return Box::pin(ready(Err(AuthenticationError::Rejected(
                unknown.to_owned(),
            ))));
        };
        let telling = Telling {
            kind: "authenticate",
            content_type: Some("application/json"),
            body: body.into(),
            ..Telling::default()
        };
        let post = self.back_ends.write(&self.back_end, telling);
        let (back_ends, back_end) = (Arc::clone(&self.back_ends), self.back_end.clone());
        // Ends with the future: a client that is gone takes no place from others.
        let mut asked = JoinSet::new();
        let asking = async move {
            let answer = back_ends.ask(&back_end, post).await;
            decide(answer, clock::system_ms())
        };
        asked.spawn_on(asking, &self.runtime);
        Box::pin(async move {
            match asked.join_next().await {
                Some(Ok(decided)) => decided,
                _ => Err(unavailable("the question was given up")),
            }
        })
    }
}

/// None where a back end would not know what it is asked.
fn written(credentials: &Credentials) -> Option<Vec<u8>> {
    let mut shown = Shown {
        address: credentials
            .address
            .map(|address| address.to_canonical().to_string()),
        ..Shown::default()
    };
    match &credentials.credential {
        Credential::None => {}
        Credential::Login { login, passcode } => {
            shown.login = Some(login);
            shown.passcode = passcode.as_deref();
        }
        Credential::Token { token, source } => {
            shown.token = Some(token);
            shown.source = Some(match source {
                TokenSource::Connect => "connect",
                TokenSource::Authorization => "authorization",
                TokenSource::Cookie => "cookie",
                TokenSource::Ticket => "ticket",
                TokenSource::Renewal => "renewal",
                _ => return None,
            });
        }
        Credential::Certificate { subject } => shown.certificate = Some(subject),
        _ => return None,
    }
    serde_json::to_vec(&shown).ok()
}

fn decide(answer: Result<Answer, Fault>, now_ms: u64) -> Result<Principal, AuthenticationError> {
    let answer = answer.map_err(|fault| unavailable(fault.summary()))?;
    let status = answer.status;
    if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
        return Err(AuthenticationError::Rejected(complaint(&answer)));
    }
    if status != StatusCode::OK {
        return Err(unavailable(complaint(&answer)));
    }
    let read = identity::read(&answer.body, now_ms);
    let principal = read.map_err(|error| {
        warn!(%error, "a back end does not say who a client is");
        unavailable("the answer of the application can't be read")
    })?;
    match principal.expires_at_ms {
        Some(at) if at <= now_ms => Err(AuthenticationError::Expired),
        _ => Ok(principal),
    }
}

fn unavailable(cause: impl Into<String>) -> AuthenticationError {
    AuthenticationError::Unavailable(cause.into())
}

#[cfg(test)]
mod tests;
