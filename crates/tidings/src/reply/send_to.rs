//! To a topic or a queue.

use std::borrow::Cow;

use tidings_core::application::{Effect, Failure, Outgoing, Response};

use super::placeholder::fill;
use super::{IntoPayload, IntoReply};
use crate::message::Parts;

/// Sends a payload to a destination of the broker. `{name}` in it stands for the destination variable of that name; what
/// a client wrote there can't bring other placeholders in, and the server refuses wildcards.
///
/// ```
/// use tidings::prelude::*;
///
/// async fn trade(order: String) -> (SendTo<String>, SendTo<&'static str>) {
///     (SendTo("/topic/trades/{symbol}", order), SendTo("/queue/audit", "a trade"))
/// }
/// # let router: Router = Router::new().message("trade/{symbol}", trade);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct SendTo<T, D = &'static str>(pub D, pub T);

impl<T: IntoPayload, D: AsRef<str>> IntoReply for SendTo<T, D> {
    fn into_reply(self, parts: &Parts, response: &mut Response) {
        let Self(destination, payload) = self;
        match addressed(destination.as_ref(), payload, parts) {
            Ok((destination, message)) => response.effects.push(Effect::Send {
                destination: destination.into(),
                message,
            }),
            Err(failure) => failure.into_reply(parts, response),
        }
    }
}

/// The destination and what to send there.
pub(super) fn addressed<'d>(
    destination: &'d str,
    payload: impl IntoPayload,
    parts: &Parts,
) -> Result<(Cow<'d, str>, Outgoing), Failure> {
    let destination = fill(destination, parts)?;
    let message = payload.into_payload()?;
    Ok((destination, message))
}
