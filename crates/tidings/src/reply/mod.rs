//! Replies: what handlers give.
//!
//! | reply | what becomes of it |
//! |---|---|
//! | `()`, [`NoReply`] | nothing |
//! | [`Json`], [`String`], `&'static str`, [`Bytes`], [`Outgoing`] | of a message handler: to `/topic/` and the path, so what was sent to `/app/news` goes to `/topic/news`; of a subscribe handler: once, to that subscription alone |
//! | [`SendTo`] | to a topic or a queue |
//! | [`SendToUser`] | to a user's sessions |
//! | [`ReplyStream`] | each item of a stream, as the client keeps up |
//! | tuples, [`Vec`] | each of them, in order |
//! | [`Option`] | it, or nothing |
//! | [`Result`] | it, or the error, which is a reply as well |
//! | [`Failure`] | the client is told what went wrong |
//!
//! Errors of one's own become replies with [`IntoReply`]:
//!
//! ```
//! use tidings::prelude::*;
//!
//! enum OrderError {
//!     SoldOut,
//! }
//!
//! impl IntoReply for OrderError {
//!     fn into_reply(self, parts: &Parts, response: &mut Response) {
//!         SendToUser("/queue/errors", "sold out").sender_only().into_reply(parts, response);
//!     }
//! }
//!
//! let router: Router = Router::new()
//!     .message("order", async || -> Result<NoReply, OrderError> { Err(OrderError::SoldOut) });
//! ```

mod payload;
mod placeholder;
mod send_to;
mod send_to_user;
mod stream;

use std::convert::Infallible;

use bytes::Bytes;
use serde::Serialize;
use tidings_core::application::{Effect, Failure, Outgoing, RequestKind, Response};

use crate::json::Json;
use crate::message::Parts;

pub use self::payload::{Headed, IntoPayload, PayloadError};
pub use self::send_to::SendTo;
pub(crate) use self::send_to_user::behind_prefix;
pub use self::send_to_user::{SendToUser, SendToUserDirected};
pub(crate) use self::stream::Mapped;
pub use self::stream::ReplyStream;

/// Where a message handler's reply goes that names no destination, before its path.
const DEFAULT_PREFIX: &str = "/topic/";

/// What a handler gives, and what becomes of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no reply",
    label = "can't be a handler's reply, or a part of one",
    note = "replies are `()`, `Json<T>` with `T: Serialize`, `String`, `&'static str`, `Bytes`, `SendTo`, `SendToUser`, `Failure`, and `Option`, `Result`, `Vec`, tuples of them: see the module `tidings::reply`",
    note = "one's own replies and errors implement `IntoReply`"
)]
pub trait IntoReply {
    /// Adds to `response` what is to be done in answer to the message of `parts`.
    fn into_reply(self, parts: &Parts, response: &mut Response);
}

/// Nothing is sent, whatever else the handler could give: `Result<NoReply, E>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoReply;

impl IntoReply for NoReply {
    fn into_reply(self, _: &Parts, _: &mut Response) {}
}

impl IntoReply for () {
    fn into_reply(self, _: &Parts, _: &mut Response) {}
}

impl IntoReply for Infallible {
    fn into_reply(self, _: &Parts, _: &mut Response) {
        match self {}
    }
}

/// Of several failures the first is told.
impl IntoReply for Failure {
    fn into_reply(self, _: &Parts, response: &mut Response) {
        response.failure.get_or_insert(self);
    }
}

impl IntoReply for Response {
    fn into_reply(self, parts: &Parts, response: &mut Response) {
        response.effects.extend(self.effects);
        response.streams.extend(self.streams);
        self.failure.into_reply(parts, response);
    }
}

impl<T: IntoReply> IntoReply for Option<T> {
    fn into_reply(self, parts: &Parts, response: &mut Response) {
        if let Some(reply) = self {
            reply.into_reply(parts, response);
        }
    }
}

impl<T: IntoReply, E: IntoReply> IntoReply for Result<T, E> {
    fn into_reply(self, parts: &Parts, response: &mut Response) {
        match self {
            Ok(reply) => reply.into_reply(parts, response),
            Err(error) => error.into_reply(parts, response),
        }
    }
}

impl<T: IntoReply> IntoReply for Vec<T> {
    fn into_reply(self, parts: &Parts, response: &mut Response) {
        for reply in self {
            reply.into_reply(parts, response);
        }
    }
}

macro_rules! tuple {
    ($($part:ident)+) => {
        #[expect(non_snake_case, reason = "a part is called as its type")]
        impl<$($part: IntoReply),+> IntoReply for ($($part,)+) {
            fn into_reply(self, parts: &Parts, response: &mut Response) {
                let ($($part,)+) = self;
                $($part.into_reply(parts, response);)+
            }
        }
    };
}

tuple!(T1);
tuple!(T1 T2);
tuple!(T1 T2 T3);
tuple!(T1 T2 T3 T4);
tuple!(T1 T2 T3 T4 T5);
tuple!(T1 T2 T3 T4 T5 T6);
tuple!(T1 T2 T3 T4 T5 T6 T7);
tuple!(T1 T2 T3 T4 T5 T6 T7 T8);

macro_rules! to_default {
    ($($payload:ty $(, $parameter:ident: $bound:ident)?;)*) => {
        $(impl$(<$parameter: $bound>)? IntoReply for $payload {
            fn into_reply(self, parts: &Parts, response: &mut Response) {
                reply_default(self, parts, response);
            }
        })*
    };
}

to_default! {
    Json<T>, T: Serialize;
    Headed<T>, T: IntoPayload;
    String;
    &'static str;
    Bytes;
    Outgoing;
}

fn reply_default(payload: impl IntoPayload, parts: &Parts, response: &mut Response) {
    let message = match payload.into_payload() {
        Ok(message) => message,
        Err(error) => return error.into_reply(parts, response),
    };
    response.effects.push(match parts.kind() {
        RequestKind::Subscribe => Effect::Reply(message),
        RequestKind::Message => Effect::Send {
            destination: format!("{DEFAULT_PREFIX}{}", parts.path()).into(),
            message,
        },
    });
}
