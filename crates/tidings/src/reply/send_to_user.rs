//! To a user's sessions.

use std::sync::Arc;

use tidings_core::application::{Effect, Recipient, Response};

use super::send_to::addressed;
use super::{IntoPayload, IntoReply};
use crate::message::Parts;

/// Sends a payload to all sessions of the sender's user that have subscribed to this behind the user prefix: `/queue/x`
/// reaches those that subscribed to `/user/queue/x`. Without a user it reaches the sender's session. `{name}` stands for
/// the destination variable of that name.
///
/// ```
/// use tidings::prelude::*;
///
/// async fn hello() -> SendToUser<&'static str> {
///     SendToUser("/queue/greetings", "hello, all of you")
/// }
///
/// async fn tell(Path(friend): Path<String>, text: String) -> impl IntoReply {
///     (
///         SendToUser("/queue/talk", text).user(friend),
///         SendToUser("/queue/receipts", "told").sender_only(),
///     )
/// }
/// # let router: Router = Router::new().message("hello", hello).message("tell/{friend}", tell);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct SendToUser<T, D = &'static str>(pub D, pub T);

/// A [`SendToUser`] for others than all sessions of the sender's user.
#[derive(Debug, Clone)]
#[must_use]
pub struct SendToUserDirected<T, D = &'static str> {
    reply: SendToUser<T, D>,
    whom: Whom,
}

#[derive(Debug, Clone)]
enum Whom {
    SenderOnly,
    User(Box<str>),
}

impl<T, D> SendToUser<T, D> {
    /// To the sender's session alone.
    pub fn sender_only(self) -> SendToUserDirected<T, D> {
        self.directed(Whom::SenderOnly)
    }

    /// To all sessions of another user.
    pub fn user(self, name: impl Into<Box<str>>) -> SendToUserDirected<T, D> {
        self.directed(Whom::User(name.into()))
    }

    fn directed(self, whom: Whom) -> SendToUserDirected<T, D> {
        SendToUserDirected { reply: self, whom }
    }
}

impl<T: IntoPayload, D: AsRef<str>> IntoReply for SendToUser<T, D> {
    fn into_reply(self, parts: &Parts, response: &mut Response) {
        let recipient = match &parts.session.user {
            Some(user) => Recipient::User((&**user).into()),
            None => sender(parts),
        };
        self.reply(recipient, parts, response);
    }
}

impl<T: IntoPayload, D: AsRef<str>> IntoReply for SendToUserDirected<T, D> {
    fn into_reply(self, parts: &Parts, response: &mut Response) {
        let recipient = match self.whom {
            Whom::SenderOnly => sender(parts),
            Whom::User(user) => Recipient::User(user),
        };
        self.reply.reply(recipient, parts, response);
    }
}

impl<T: IntoPayload, D: AsRef<str>> SendToUser<T, D> {
    fn reply(self, recipient: Recipient, parts: &Parts, response: &mut Response) {
        let Self(destination, payload) = self;
        match addressed(destination.as_ref(), payload, parts) {
            Ok((destination, message)) => response.effects.push(Effect::SendTo {
                recipient,
                path: behind_prefix(&destination).into(),
                message,
            }),
            Err(failure) => failure.into_reply(parts, response),
        }
    }
}

fn sender(parts: &Parts) -> Recipient {
    Recipient::Session(Arc::clone(&parts.session.id))
}

/// The user prefix ends in a separator, so what is behind it starts with none.
pub(crate) fn behind_prefix(destination: &str) -> &str {
    destination.strip_prefix('/').unwrap_or(destination)
}
