//! Sending from outside of any handler.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tidings_core::application::{Broker, Recipient, Reply, ReplyError, SendError};
use tidings_core::disconnect::Reason;

use crate::reply::{IntoPayload, PayloadError, behind_prefix};

/// Sends messages at any time, from any thread: from a scheduled job, an HTTP handler, or a task that a message handler
/// began. Cheap to clone; it goes well into a router's state. The program is trusted: no access rule is asked about what it
/// sends.
///
/// ```
/// use std::time::Duration;
/// use tidings::prelude::*;
/// use tidings::template::TemplateError;
///
/// fn tick(template: &MessagingTemplate) -> Result<(), TemplateError> {
///     template.send("/topic/prices", Json(17.5).expires_after(Duration::from_secs(1)))?;
///     let told = template.send_to_user("ann", "/queue/alerts", "a price fell")?;
///     if told == 0 {
///         // Ann is not connected to this node, or listens to no alerts.
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct MessagingTemplate {
    broker: Arc<dyn Broker>,
}

impl MessagingTemplate {
    /// Sends through this broker.
    pub fn new(broker: Arc<dyn Broker>) -> Self {
        Self { broker }
    }

    /// Sends to a topic or a queue.
    ///
    /// # Errors
    /// The payload can't be written, or the broker does not take it.
    pub fn send(&self, destination: &str, payload: impl IntoPayload) -> Result<(), TemplateError> {
        let message = payload.into_payload()?;
        Ok(self.broker.send(destination, message)?)
    }

    /// As [`send`](Self::send), and says how many sessions on this node it was brought to. Of a queue that is none, since
    /// its consumers take a message when they can.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_counted(
        &self,
        destination: &str,
        payload: impl IntoPayload,
    ) -> Result<usize, TemplateError> {
        let message = payload.into_payload()?;
        Ok(self.broker.send_counted(destination, message)?.await)
    }

    /// Sends to all sessions of `user` that have subscribed to `destination` behind the user prefix: `/queue/x` reaches
    /// those that subscribed to `/user/queue/x`. Says how many that were on this node.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_to_user(
        &self,
        user: &str,
        destination: &str,
        payload: impl IntoPayload,
    ) -> Result<usize, TemplateError> {
        self.send_to(&Recipient::User(user.into()), destination, payload)
    }

    /// Sends to one session, if it has subscribed to `destination` behind the user prefix. Says how many that were on
    /// this node: one or none.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_to_session(
        &self,
        session: &str,
        destination: &str,
        payload: impl IntoPayload,
    ) -> Result<usize, TemplateError> {
        self.send_to(&Recipient::Session(session.into()), destination, payload)
    }

    /// The ids of the user's sessions on this node, in no order and whatever they have subscribed to; none where the user is
    /// not connected.
    pub fn sessions_of(&self, user: &str) -> Vec<Arc<str>> {
        self.broker.sessions_of(user)
    }

    /// At most `limit` users that are connected to this node, those whose names come behind `after`, in the order of the
    /// names: the last name of one page begins the next one, and an empty one the first.
    pub fn users(&self, after: &str, limit: usize) -> Vec<Box<str>> {
        self.broker.users(after, limit)
    }

    /// Ends a session; its client is told `reason`, as
    /// [`DisconnectedByApplication`](tidings_core::disconnect::Reason::DisconnectedByApplication). False where there is
    /// none on this node.
    pub fn disconnect(&self, session: &str, reason: Reason) -> bool {
        self.broker.disconnect(session, reason)
    }

    /// Asks one session, and waits for its reply until `deadline` is over. The message goes to those that have subscribed
    /// to `destination` behind the user prefix; it has a header `reply-to`, and what the client sends there is the reply.
    /// Must be awaited within a tokio runtime with time enabled.
    ///
    /// ```
    /// # async fn ask(template: tidings::MessagingTemplate, session: &str) -> Result<(), tidings::template::RequestError> {
    /// use std::time::Duration;
    ///
    /// let deadline = Duration::from_secs(5);
    /// let reply = template.request_session(session, "/queue/questions", "shall we?", deadline).await?;
    /// if reply.body == "yes" {
    ///     // We shall.
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send); or the session does not listen, or does not reply in time.
    pub async fn request_session(
        &self,
        session: &str,
        destination: &str,
        payload: impl IntoPayload,
        deadline: Duration,
    ) -> Result<Reply, RequestError> {
        let recipient = Recipient::Session(session.into());
        self.request(&recipient, destination, payload, deadline)
            .await
    }

    /// As [`request_session`](Self::request_session), of all sessions of a user; the first reply counts.
    ///
    /// # Errors
    /// As [`request_session`](Self::request_session).
    pub async fn request_user(
        &self,
        user: &str,
        destination: &str,
        payload: impl IntoPayload,
        deadline: Duration,
    ) -> Result<Reply, RequestError> {
        let recipient = Recipient::User(user.into());
        self.request(&recipient, destination, payload, deadline)
            .await
    }

    async fn request(
        &self,
        recipient: &Recipient,
        destination: &str,
        payload: impl IntoPayload,
        deadline: Duration,
    ) -> Result<Reply, RequestError> {
        let message = payload.into_payload()?;
        let path = behind_prefix(destination);
        Ok(self
            .broker
            .request(recipient, path, message, deadline)
            .await?)
    }

    fn send_to(
        &self,
        recipient: &Recipient,
        destination: &str,
        payload: impl IntoPayload,
    ) -> Result<usize, TemplateError> {
        let message = payload.into_payload()?;
        let path = behind_prefix(destination);
        Ok(self.broker.send_to(recipient, path, message)?)
    }
}

impl fmt::Debug for MessagingTemplate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MessagingTemplate")
            .finish_non_exhaustive()
    }
}

/// A message was not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// What it should carry can't be written.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The broker does not take it.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// A request got no reply.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// What it should carry can't be written.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// It was not sent, or nobody replied.
    #[error(transparent)]
    Reply(#[from] ReplyError),
}
