//! Back ends that are asked before a client may do something.

use std::future::ready;
use std::sync::Arc;

use hyper::StatusCode;
use tidings_core::application::{Failure, InterceptFuture, Session};
use tidings_core::disconnect::Reason;
use tidings_stomp::{Command, Frame, Headers};

use super::back_end::{BackEnd, Fault};
use super::percent::decoded;
use super::request::{Telling, all_headers, stomp_headers};
use super::response::{Answer, USER, complaint};
use super::{Webhooks, given_up, reason, too_long};

/// Who is asked before a client may connect, and before it may subscribe to something of the broker's.
#[derive(Default)]
pub(super) struct Permissions {
    pub(super) connect: Option<BackEnd>,
    pub(super) subscribe: Option<BackEnd>,
    /// What is for the application is answered by a route; nobody is asked twice.
    pub(super) application_prefix: String,
}

impl Permissions {
    /// Who may have to be asked about frames of this command.
    pub(super) fn back_end(&self, command: Command) -> Option<&BackEnd> {
        match command {
            Command::Connect | Command::Stomp => self.connect.as_ref(),
            Command::Subscribe => self.subscribe.as_ref(),
            _ => None,
        }
    }

    /// Who is to be asked about this one.
    fn asked_about(&self, frame: &Frame) -> Option<&BackEnd> {
        let destination = frame.header("destination").unwrap_or_default();
        let is_answered = frame.command == Command::Subscribe
            && destination.starts_with(&self.application_prefix);
        self.back_end(frame.command).filter(|_| !is_answered)
    }
}

impl Webhooks {
    /// Asks whether a frame may pass. Without somebody to ask it may.
    pub(super) fn permit(&self, frame: Frame, session: &Session) -> InterceptFuture {
        let is_connect = frame.command != Command::Subscribe;
        let Some(target) = self.permissions.asked_about(&frame).cloned() else {
            return Box::pin(ready(Ok(frame)));
        };
        let written = if is_connect {
            all_headers(&frame.headers)
        } else {
            stomp_headers(&frame.headers)
        };
        let Ok(stomp_headers) = written else {
            return Box::pin(ready(Err(too_long())));
        };
        let telling = Telling {
            kind: if is_connect {
                "may-connect"
            } else {
                "may-subscribe"
            },
            destination: frame.header("destination"),
            session: Some(&session.id),
            user: session.user.as_deref(),
            stomp_headers: stomp_headers.as_deref(),
            ..Telling::default()
        };
        let post = self.back_ends.write(&target, telling);
        let back_ends = Arc::clone(&self.back_ends);
        let asked = self.runtime.spawn(async move {
            let answer = back_ends.ask(&target, post).await;
            decide(frame, is_connect, answer)
        });
        Box::pin(async move { asked.await.unwrap_or_else(|_| Err(given_up())) })
    }
}

fn decide(frame: Frame, is_connect: bool, answer: Result<Answer, Fault>) -> Result<Frame, Failure> {
    let answer = answer.map_err(|fault| Failure {
        reason: reason(fault),
        details: fault.to_string(),
    })?;
    if !answer.status.is_success() {
        // A back end that is out of order, or has too much to do, refuses nobody for good.
        let status = answer.status;
        let reason = match status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
            true => Reason::Refused,
            false => Reason::ApplicationUnavailable,
        };
        let details = complaint(&answer);
        return Err(Failure { reason, details });
    }
    match answer.headers.get(USER) {
        Some(user) if is_connect => match user.to_str().ok().and_then(decoded) {
            Some(user) => Ok(known_as(frame, &user)),
            None => Err(Failure {
                reason: Reason::ApplicationFailed,
                details: "the application names a user that can't be read; tell who runs it"
                    .to_owned(),
            }),
        },
        _ => Ok(frame),
    }
}

/// The frame with this login.
fn known_as(mut frame: Frame, user: &str) -> Frame {
    let others = frame.headers.iter().filter(|(name, _)| *name != "login");
    let mut headers: Headers = others.collect();
    headers.push("login", user);
    frame.headers = headers;
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_status_that_blames_the_client_refuses_for_good() {
        for (statuses, code) in [
            (&[400, 401, 403, 404, 422][..], "refused"),
            (&[302, 429, 500, 503], "application-unavailable"),
        ] {
            for status in statuses {
                let answer = Answer {
                    status: StatusCode::from_u16(*status).expect("a status"),
                    headers: hyper::HeaderMap::new(),
                    body: bytes::Bytes::new(),
                };
                let frame = Frame::new(Command::Subscribe);
                let failure = decide(frame, false, Ok(answer)).expect_err("it is no");
                assert_eq!(failure.reason.name(), code, "{status}");
            }
        }
    }
}
