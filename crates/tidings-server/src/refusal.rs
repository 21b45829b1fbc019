//! Why a frame was not done, as the client will read it.

use tidings_core::application::Failure;
use tidings_core::disconnect::Reason;
use tidings_stomp::RequestError;
use tidings_stomp::connection::ErrorReply;

/// A frame that was refused: it becomes an ERROR, and the end of the connection (STOMP 1.2, "ERROR"), unless the application
/// has refused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    /// The cause, then what to do, split by a colon or semicolon where there is both.
    details: String,
    /// Then the session may go on.
    is_by_application: bool,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, details: impl Into<String>) -> Self {
        Self {
            reason,
            details: details.into(),
            is_by_application: false,
        }
    }

    /// The application refuses.
    pub(crate) fn by_application(failure: Failure) -> Self {
        Self {
            reason: failure.reason,
            details: failure.details,
            is_by_application: true,
        }
    }

    /// What the application refuses, if it does.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.is_by_application.then(|| Failure {
            reason: self.reason,
            details: self.details.clone(),
        })
    }

    /// The whole text.
    pub(crate) fn details(&self) -> &str {
        &self.details
    }

    pub(crate) fn reply<'a>(&'a self, receipt_id: Option<&'a str>) -> ErrorReply<'a> {
        ErrorReply {
            code: self.reason.name(),
            message: self.details.split([';', ':']).next().unwrap_or_default(),
            receipt_id,
            details: &self.details,
            headers: &[],
        }
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        let reason = Reason::from_name(error.code()).unwrap_or(Reason::InvalidHeader);
        Self::new(reason, error.to_string())
    }
}

macro_rules! refusals {
    ($($error:path),+ $(,)?) => {
        $(impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self::new(error.reason(), error.to_string())
            }
        })+
    };
}

refusals!(
    tidings_core::destination::DestinationError,
    tidings_core::message::ExpiryError,
    tidings_core::queue::QueueFull,
    tidings_core::queue::ReserveError,
    tidings_core::queue::TooManyQueues,
    tidings_core::transaction::TransactionError,
    tidings_core::user::TooManySessions,
);
