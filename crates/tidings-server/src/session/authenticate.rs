//! Who a client is: what it shows, and who is asked about that.

use std::rc::Rc;
use std::sync::Arc;

use tidings_core::application::Failure;
use tidings_core::disconnect::Reason;
use tidings_core::security::{
    AuthenticationError, Credential, Credentials, Principal, TokenSource,
};
use tidings_stomp::{Command, Frame};

use super::application::{self, hold};
use super::awaited::Awaited;
use crate::audit::{Actor, Deed};
use crate::peer::{Peer, Proof};
use crate::refusal::Refusal;
use crate::worker::{Connection, Phase, Worker};

/// Where CONNECT may repeat the value of `security.csrf_cookie`: as Spring's clients say it, and as others do.
const CSRF_HEADERS: [&str; 2] = ["X-CSRF-TOKEN", "X-XSRF-TOKEN"];

/// What a client has shown until now.
pub(super) enum Shown {
    /// Enough: this is who it is.
    Proven(Arc<Principal>),
    /// What somebody has to be asked about.
    Credentials(Credentials),
}

/// Whom the credentials prove, or why nobody.
pub(super) type Proven = Result<Principal, AuthenticationError>;

/// What a client shows with CONNECT, or has shown before. What the application around this server says counts most, then
/// what CONNECT itself proves, then what the HTTP request did, then a certificate; a mere `login` is a claim that what was
/// proven before outweighs.
pub(super) fn shown(connection: &Connection, frame: &Frame) -> Result<Shown, Refusal> {
    let peer = &connection.peer;
    if let Some(identity) = &peer.identity {
        return Ok(Shown::Proven(Arc::clone(identity.principal())));
    }
    if let Some(credential) = token(frame, TokenSource::Connect).or_else(|| passcode(frame)) {
        return Ok(Shown::Credentials(of_peer(peer, credential)));
    }
    if let Some(proof) = &peer.proof {
        repeats(frame, proof)?;
        return Ok(Shown::Proven(Arc::clone(&proof.principal)));
    }
    if let Some(subject) = peer.certificate.clone() {
        let certificate = Credential::Certificate { subject };
        return Ok(Shown::Credentials(of_peer(peer, certificate)));
    }
    Ok(Shown::Credentials(of_peer(peer, login(frame))))
}

fn of_peer(peer: &Peer, credential: Credential) -> Credentials {
    Credentials::new(credential, peer.address.map(|address| address.ip()))
}

/// The bearer token of the frame (RFC 6750, section 2.1; the scheme in any case, RFC 9110, section 11.1).
pub(super) fn token(frame: &Frame, source: TokenSource) -> Option<Credential> {
    let mut headers = frame.headers.iter();
    let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
    let token = bearer(value)?.into();
    Some(Credential::Token { token, source })
}

/// What stands behind `Bearer`.
pub(crate) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn passcode(frame: &Frame) -> Option<Credential> {
    let passcode = frame.header("passcode").filter(|code| !code.is_empty())?;
    Some(Credential::Login {
        login: frame.header("login").unwrap_or_default().into(),
        passcode: Some(passcode.into()),
    })
}

fn login(frame: &Frame) -> Credential {
    match frame.header("login").filter(|login| !login.is_empty()) {
        Some(login) => Credential::Login {
            login: login.into(),
            passcode: None,
        },
        None => Credential::None,
    }
}

/// Whether CONNECT comes from a page that can read the cookies of this site, where that has to be shown.
fn repeats(frame: &Frame, proof: &Proof) -> Result<(), Refusal> {
    let Some(token) = &proof.csrf_token else {
        return Ok(());
    };
    let is_one = |name: &str| {
        CSRF_HEADERS
            .iter()
            .any(|one| one.eq_ignore_ascii_case(name))
    };
    let mut shown = frame.headers.iter().filter(|(name, _)| is_one(name));
    if shown.any(|(_, shown)| token.is(shown.as_bytes())) {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::BadCredentials,
        "the session is proven by a cookie, and CONNECT does not repeat the CSRF token; send it as X-CSRF-TOKEN",
    ))
}

/// Asks who a client is; nothing more is taken from it until that is known.
pub(super) fn ask(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    credentials: Credentials,
    act: impl FnOnce(&Rc<Worker>, &Rc<Connection>, Proven) + 'static,
) {
    let node = &worker.node;
    let answer = node.security.authenticate(credentials);
    let mut answer = Awaited::new(Box::pin(async move { Outcome(answer.await) }));
    if let Some(Outcome(proven)) = answer.poll_once() {
        return act(worker, connection, proven);
    }
    let timeout = node.security.config().authentication_timeout;
    let (to, on) = (Rc::clone(worker), Rc::clone(connection));
    hold(worker, connection, async move {
        let Outcome(proven) = answer.in_time(timeout).await;
        if on.phase() == Phase::Open {
            act(&to, &on, proven);
        }
    });
}

/// How a client tried to prove who it is.
fn method(frame: &Frame) -> &'static str {
    if frame.command == Command::Send {
        "renewal"
    } else if token(frame, TokenSource::Connect).is_some() {
        "token"
    } else if frame.header("login").is_some() {
        "login"
    } else {
        "none"
    }
}

/// An authenticator that panics, or does not answer, is out of order.
struct Outcome(Proven);

impl From<Failure> for Outcome {
    fn from(_: Failure) -> Self {
        let text = "who the client is could not be found out in time".to_owned();
        Self(Err(AuthenticationError::Unavailable(text)))
    }
}

/// Says why a client is not let in, or not let stay.
pub(super) fn fail(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    frame: &Frame,
    error: &AuthenticationError,
) {
    let refusal = Refusal::new(error.reason(), error.to_string());
    record(worker, connection, frame, refusal.reason);
    if frame.command == Command::Send {
        application::refuse_frame(worker, connection, frame, &refusal);
    } else {
        application::refuse(worker, connection, frame, &refusal);
    }
}

/// Leaves a trace of somebody who is not let in, or not let stay, by what the frame shows.
pub(super) fn record(worker: &Worker, connection: &Connection, frame: &Frame, reason: Reason) {
    let application = connection.application.borrow();
    let session = application.session().and_then(|session| session.known());
    let actor = Actor::client(session.map(|known| &**known), &connection.peer);
    let actor = Actor {
        user: actor.user.or(frame.header("login")),
        ..actor
    };
    let deed = Deed::AuthenticationFailed {
        reason,
        method: method(frame),
    };
    worker.node.audit.record(actor, &deed);
}
