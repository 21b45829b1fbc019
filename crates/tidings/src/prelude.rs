//! What most handlers need: `use tidings::prelude::*;`

pub use bytes::Bytes;
pub use tidings_core::application::{
    Application, Broker, Effect, Event, Failure, Outgoing, Recipient, Reply, Request, RequestKind,
    Response, Session,
};
pub use tidings_core::destination::Separator;
pub use tidings_core::disconnect::Reason;
pub use tidings_core::security::Principal;
pub use tidings_stomp::{Command, Frame, Headers};

#[cfg(feature = "macros")]
pub use crate::debug_handler;
pub use crate::extract::{
    Attribute, Destination, FromMessage, FromMessageParts, FromRef, Header, HeaderName, Path,
    SessionId, State, User, Valid, Validate,
};
pub use crate::handler::parallel;
pub use crate::reply::{Headed, IntoPayload, IntoReply, NoReply, ReplyStream, SendTo, SendToUser};
pub use crate::{EventStream, Json, Message, MessagingTemplate, Next, Parts, Router};
