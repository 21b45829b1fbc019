//! Rejections: what a client hears when an extractor can't give what its handler takes.

use tidings_core::application::{Failure, Response};
use tidings_core::disconnect::Reason;

use crate::message::Parts;
use crate::reply::IntoReply;

/// Longest text of a rejection: it quotes what the client sent, which may be long.
const MAX_DETAILS_BYTES: usize = 512;

/// A failure whose details are cut where they are too long to be sent back.
pub(crate) fn failure(reason: Reason, details: &str) -> Failure {
    let mut details = details.to_owned();
    if details.len() > MAX_DETAILS_BYTES {
        details.truncate(details.floor_char_boundary(MAX_DETAILS_BYTES));
        details.push('…');
    }
    Failure { reason, details }
}

macro_rules! rejection_is_failure {
    ($rejection:ty) => {
        impl From<$rejection> for tidings_core::application::Failure {
            fn from(rejection: $rejection) -> Self {
                $crate::rejection::failure(rejection.reason(), &rejection.to_string())
            }
        }

        impl $crate::reply::IntoReply for $rejection {
            fn into_reply(
                self,
                parts: &$crate::message::Parts,
                response: &mut tidings_core::application::Response,
            ) {
                tidings_core::application::Failure::from(self).into_reply(parts, response);
            }
        }
    };
}
pub(crate) use rejection_is_failure;

/// The body can't be read as [`Json`](crate::Json).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonRejection {
    /// No body at all; an [`Option`] takes that.
    #[error("the body is empty: send JSON")]
    Empty,
    /// A `content-type` that is not JSON. None at all passes.
    #[error("the content-type is {found}: send application/json")]
    ContentType {
        /// What it is.
        found: String,
    },
    /// Not JSON, or not of the form that is taken.
    #[error("the body does not fit at {field}: {error}")]
    Form {
        /// Where: `orders[2].price`; `.` is the whole.
        field: String,
        /// What is wrong.
        error: serde_json::Error,
    },
}

impl JsonRejection {
    /// The code of this rejection.
    pub fn reason(&self) -> Reason {
        Reason::InvalidPayload
    }
}

rejection_is_failure!(JsonRejection);

/// The body can't be read as a [`String`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextRejection {
    /// A `charset` that is not UTF-8.
    #[error("the charset is {found}: send utf-8")]
    Charset {
        /// What it is.
        found: String,
    },
    /// Octets that are not UTF-8.
    #[error("the body is not UTF-8 from octet {valid_up_to} on: send text in UTF-8")]
    NotUtf8 {
        /// How many octets are.
        valid_up_to: usize,
    },
}

impl TextRejection {
    /// The code of this rejection.
    pub fn reason(&self) -> Reason {
        Reason::InvalidPayload
    }
}

rejection_is_failure!(TextRejection);

/// A header can't be given: see [`Header`](crate::extract::Header).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderRejection {
    /// It is not there; an [`Option`] takes that.
    #[error("the header {name} is missing: send it")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// It has a value that makes no sense.
    #[error("the header {name} makes no sense: {error}")]
    Invalid {
        /// Its name.
        name: &'static str,
        /// What is wrong.
        error: String,
    },
}

impl HeaderRejection {
    /// The code of this rejection.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Missing { .. } => Reason::MissingHeader,
            Self::Invalid { .. } => Reason::InvalidHeader,
        }
    }
}

rejection_is_failure!(HeaderRejection);

/// The session has no [`User`](crate::extract::User), or nobody vouches for its
/// [`Principal`](tidings_core::security::Principal); an [`Option`] takes that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody is logged in: log in when you connect")]
pub struct PrincipalRejection;

impl PrincipalRejection {
    /// The code of this rejection.
    pub fn reason(&self) -> Reason {
        Reason::Unauthenticated
    }
}

rejection_is_failure!(PrincipalRejection);

/// What [`Valid`](crate::extract::Valid) says no to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValidRejection<R> {
    /// The extractor gave nothing.
    Extractor(R),
    /// It gave what is not valid: this is why.
    Invalid(String),
}

impl<R: IntoReply> IntoReply for ValidRejection<R> {
    fn into_reply(self, parts: &Parts, response: &mut Response) {
        match self {
            Self::Extractor(rejection) => rejection.into_reply(parts, response),
            Self::Invalid(details) => {
                failure(Reason::InvalidPayload, &details).into_reply(parts, response);
            }
        }
    }
}
