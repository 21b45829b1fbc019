//! What an HTTP request shows of who sends it: a cookie, `Authorization`, or a ticket in its query.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use tidings_core::disconnect::Reason;
use tidings_core::security::{
    AuthenticationError, Credential, Credentials, Principal, TokenSource,
};

use super::answer::sentence;
use super::{Carrier, Entrance};
use crate::audit::{Actor, Deed};
use crate::config::Secret;
use crate::endpoint::Service;
use crate::node::Node;
use crate::peer::Proof;
use crate::session::bearer;

/// The credential of a request.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) credential: Credential,
    csrf_token: Option<Secret>,
}

/// The credential of a request to an endpoint of STOMP, if it has one that counts. `Authorization` goes before the cookie,
/// which browsers send by themselves, and that before a ticket.
pub(super) fn shown(entrance: &Entrance, carrier: &Carrier, parts: &Parts) -> Option<Shown> {
    let is_stomp = matches!(entrance.endpoint.service, Service::Stomp);
    let security = &entrance.node.security;
    if !is_stomp || carrier.peer.identity.is_some() || !security.asks_for_proof() {
        return None;
    }
    let security = security.config();
    let token = |token: &str, source| {
        let filled = Some(token).filter(|token| !token.is_empty())?;
        let token = filled.into();
        Some(Credential::Token { token, source })
    };
    let of_cookie = || {
        let name = security.cookie.as_deref()?;
        token(cookie(&parts.headers, name)?, TokenSource::Cookie)
    };
    let of_ticket = || {
        let name = security.ticket_parameter.as_deref()?;
        token(parameter(parts.uri.query()?, name)?, TokenSource::Ticket)
    };
    let credential = authorization(&parts.headers)
        .or_else(of_cookie)
        .or_else(of_ticket)?;
    let csrf_cookie = security.csrf_cookie.as_deref().filter(|_| {
        let Credential::Token { source, .. } = &credential else {
            return false;
        };
        *source == TokenSource::Cookie
    });
    // Without the cookie nothing can be repeated, and nothing will match.
    let csrf_token =
        csrf_cookie.map(|name| Secret(cookie(&parts.headers, name).unwrap_or_default().to_owned()));
    Some(Shown {
        credential,
        csrf_token,
    })
}

impl Shown {
    /// Whether browsers send it by themselves, whichever page asks.
    pub(super) fn is_ambient(&self) -> bool {
        matches!(
            self.credential,
            Credential::Token {
                source: TokenSource::Cookie,
                ..
            }
        )
    }

    /// Tells it from another one without keeping it.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        match &self.credential {
            Credential::Token { token, .. } => digest.update(token.as_bytes()),
            Credential::Login { login, passcode } => {
                digest.update(login.len().to_le_bytes());
                digest.update(login.as_bytes());
                digest.update(passcode.as_deref().unwrap_or_default().as_bytes());
            }
            _ => {}
        }
        digest.finalize().into()
    }

    /// Whom it proves.
    ///
    /// # Errors
    /// The answer to a request that proves nobody.
    pub(super) async fn prove(
        self,
        node: &Node,
        carrier: &Carrier,
    ) -> Result<Arc<Proof>, Box<Response<Body>>> {
        let digest = self.digest();
        let address = carrier.peer.address.map(|address| address.ip());
        let credentials = Credentials::new(self.credential, address);
        let mut answer = node.security.authenticate(credentials);
        let answer = poll_fn(|context| {
            catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)))
                .unwrap_or_else(|_| Poll::Ready(no_answer()))
        });
        let timeout = node.security.config().authentication_timeout;
        let proven = tokio::time::timeout(timeout, answer).await;
        let stands = |principal| match node.security.refuses(&principal, node.now_ms()) {
            true => Err(AuthenticationError::Revoked),
            false => Ok(principal),
        };
        match proven.unwrap_or_else(|_| no_answer()).and_then(stands) {
            Ok(principal) => Ok(Arc::new(Proof {
                principal: Arc::new(principal),
                csrf_token: self.csrf_token,
                digest,
            })),
            Err(error) => {
                node.telemetry.disconnected(error.reason());
                let deed = Deed::AuthenticationFailed {
                    reason: error.reason(),
                    method: "handshake",
                };
                node.audit.record(Actor::client(None, &carrier.peer), &deed);
                Err(Box::new(refusal(&error)))
            }
        }
    }
}

/// An authenticator that panics, or does not answer, is out of order.
fn no_answer() -> Result<Principal, AuthenticationError> {
    let text = "who the client is could not be found out in time".to_owned();
    Err(AuthenticationError::Unavailable(text))
}

/// As a client of HTTP reads it (RFC 6750, section 3).
fn refusal(error: &AuthenticationError) -> Response<Body> {
    let status = match error.reason() {
        Reason::AuthenticationUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNAUTHORIZED,
    };
    let mut response = sentence(status, &error.to_string());
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    } else {
        let seconds = HeaderValue::from_static("5");
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// `Bearer` (RFC 6750, section 2.1) and `Basic` (RFC 7617, section 2); another scheme is not for us.
fn authorization(headers: &HeaderMap) -> Option<Credential> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    if let Some(token) = bearer(value) {
        return Some(Credential::Token {
            token: token.into(),
            source: TokenSource::Authorization,
        });
    }
    let (scheme, encoded) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (login, passcode) = decoded.split_once(':')?;
    // An empty one proves nothing, as in CONNECT: some directories take it for a login of nobody, and let that in.
    let passcode = Some(passcode).filter(|passcode| !passcode.is_empty());
    Some(Credential::Login {
        login: login.into(),
        passcode: passcode.map(Into::into),
    })
}

/// The value of the first cookie of this name (RFC 6265, section 5.4).
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let value = pairs.find_map(|(own, value)| (own == name).then_some(value))?;
    let unquoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    Some(unquoted.unwrap_or(value))
}

/// The value of a parameter whose characters need no escapes, as those of tokens do not.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(own, value)| (own == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(*name, HeaderValue::from_str(value).expect("a value"));
        }
        headers
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let all = headers(&[("cookie", "a=1; session=abc.def"), ("cookie", "b=\"2\"")]);
        assert_eq!(cookie(&all, "session"), Some("abc.def"));
        assert_eq!(cookie(&all, "b"), Some("2"));
        assert_eq!(cookie(&all, "sess"), None);
        assert_eq!(cookie(&all, "Session"), None);
    }

    #[test]
    fn authorization_is_a_token_or_a_login() {
        let of = |value: &str| authorization(&headers(&[("authorization", value)]));
        let token = |text: &str| {
            Some(Credential::Token {
                token: text.into(),
                source: TokenSource::Authorization,
            })
        };
        assert!(of("Bearer abc") == token("abc"));
        assert!(of("bearer   abc ") == token("abc"));
        let login = Credential::Login {
            login: "ann".into(),
            passcode: Some("a:b".into()),
        };
        assert!(of("Basic YW5uOmE6Yg==") == Some(login));
        let claim = Credential::Login {
            login: "ann".into(),
            passcode: None,
        };
        assert!(of("Basic YW5uOg==") == Some(claim));
        for none in [
            "",
            "Bearer",
            "Bearer ",
            "Digest abc",
            "Basic ???",
            "Basic YW5u",
        ] {
            assert!(of(none).is_none(), "{none}");
        }
    }

    #[test]
    fn a_ticket_is_one_parameter_of_the_query() {
        assert_eq!(parameter("a=1&ticket=x.y.z", "ticket"), Some("x.y.z"));
        assert_eq!(parameter("nticket=1", "ticket"), None);
    }
}
