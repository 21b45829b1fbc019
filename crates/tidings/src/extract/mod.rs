//! Extractors: the arguments of handlers.
//!
//! | extractor | gives | rejects |
//! |---|---|---|
//! | [`Json<T>`](crate::Json) | the body by serde | another `content-type`, another form, no body |
//! | [`String`] | the body as text | what is not UTF-8 |
//! | [`Bytes`] | the body | |
//! | [`Message`] | all | |
//! | [`Valid<E>`](Valid) | what extractor `E` gives | what [`Validate`] says no to |
//! | [`Path<T>`](Path) | the destination variables by serde | values of another form |
//! | [`Header<N>`](Header) | one header | no such header, a value that makes no sense |
//! | [`Headers`] | all headers | |
//! | [`User`], [`Arc<Principal>`](tidings_core::security::Principal) | who is logged in: the name; roles and claims | nobody is |
//! | [`SessionId`], [`Arc<Session>`](tidings_core::application::Session) | whose session it is | |
//! | [`Attribute<T>`](Attribute) | what the application keeps with the session | |
//! | [`Destination`], [`RequestKind`] | what was asked | |
//! | [`State<T>`](State) | the router's state, or a part of it | |
//!
//! The first four take the body, so one of them may stand, as the last argument. `Option<E>` gives `None` where what `E`
//! gives is not there, `Result<E, E::Rejection>` gives its rejection to the handler.
//!
//! An extractor of one's own implements [`FromMessageParts`], or [`FromMessage`] if it takes the body:
//!
//! ```
//! use std::sync::Arc;
//! use tidings::prelude::*;
//!
//! /// The name of who is logged in, if that is an operator.
//! struct Operator(Arc<str>);
//!
//! impl<S: Sync> FromMessageParts<S> for Operator {
//!     type Rejection = Failure;
//!
//!     async fn from_message_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
//!         let principal = Arc::<Principal>::from_message_parts(parts, state).await?;
//!         match &principal.name {
//!             Some(name) if principal.has_role("operator") => Ok(Self(name.clone())),
//!             _ => Err(Failure {
//!                 reason: Reason::Forbidden,
//!                 details: "you are no operator: ask one".to_owned(),
//!             }),
//!         }
//!     }
//! }
//!
//! let router: Router = Router::new().message("restart", async |Operator(name): Operator| {
//!     format!("{name} restarts")
//! });
//! ```

mod body;
mod destination;
mod header;
mod json;
mod optional;
mod path;
mod session;
mod state;
mod valid;

use std::future::Future;

use bytes::Bytes;

use crate::message::{Message, Parts};
use crate::reply::IntoReply;

pub use self::destination::Destination;
pub use self::header::{Header, HeaderName};
pub use self::path::{Path, PathRejection};
pub use self::session::{Attribute, SessionId, User};
pub use self::state::{FromRef, State};
pub use self::valid::{Valid, Validate};
pub use crate::rejection::{
    HeaderRejection, JsonRejection, PrincipalRejection, TextRejection, ValidRejection,
};
pub use tidings_core::application::RequestKind;
pub use tidings_stomp::Headers;

/// An argument of handlers that leaves the body alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no extractor that may stand before the last argument",
    label = "can't be taken from the parts of a message",
    note = "only the last argument may take the body: `Json<T>`, `String`, `Bytes`, `Message`",
    note = "one's own extractors implement `FromMessageParts<S>`, see the module `tidings::extract`",
    note = "the state `S` here is `{S}`; if the router's is another: `#[debug_handler(state = T)]`"
)]
pub trait FromMessageParts<S>: Sized {
    /// Why it can't be given, as the client will hear it.
    type Rejection: IntoReply + Send;

    /// Takes this from a message.
    fn from_message_parts(
        parts: &mut Parts,
        state: &S,
    ) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;

    /// Whether `rejection` says that there is nothing, so that an [`Option`] is `None`; where there is something of the
    /// wrong form it should be false, so that the client hears of it.
    fn is_absent(rejection: &Self::Rejection) -> bool {
        let _ = rejection;
        true
    }
}

/// The last argument of a handler, which may take the body. `M` keeps apart those which do ([`ViaBody`]) and those which
/// don't ([`ViaParts`]); extractors of one's own leave it out.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no extractor",
    label = "can't be taken from a message",
    note = "extractors are `Json<T>` with `T: Deserialize`, `String`, `Bytes`, `Message`, `Path<T>`, `Header<N>`, `Headers`, `User`, `Arc<Principal>`, `State<T>`, ...: see the module `tidings::extract`",
    note = "one's own extractors implement `FromMessage<S>` or `FromMessageParts<S>`",
    note = "the state `S` here is `{S}`; if the router's is another: `#[debug_handler(state = T)]`"
)]
pub trait FromMessage<S, M = ViaBody>: Sized {
    /// Why it can't be given, as the client will hear it.
    type Rejection: IntoReply + Send;

    /// Takes this from a message.
    fn from_message(
        parts: &mut Parts,
        body: Bytes,
        state: &S,
    ) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;

    /// As [`FromMessageParts::is_absent`].
    fn is_absent(rejection: &Self::Rejection) -> bool {
        let _ = rejection;
        true
    }
}

/// Marks extractors that take the body.
#[derive(Debug)]
pub enum ViaBody {}

/// Marks extractors that leave the body alone.
#[derive(Debug)]
pub enum ViaParts {}

impl<S: Sync, T: FromMessageParts<S>> FromMessage<S, ViaParts> for T {
    type Rejection = T::Rejection;

    async fn from_message(parts: &mut Parts, _: Bytes, state: &S) -> Result<Self, T::Rejection> {
        T::from_message_parts(parts, state).await
    }

    fn is_absent(rejection: &T::Rejection) -> bool {
        <T as FromMessageParts<S>>::is_absent(rejection)
    }
}

impl<S: Sync> FromMessage<S> for Message {
    type Rejection = std::convert::Infallible;

    async fn from_message(parts: &mut Parts, body: Bytes, _: &S) -> Result<Self, Self::Rejection> {
        let parts = parts.clone();
        Ok(Self { parts, body })
    }
}
