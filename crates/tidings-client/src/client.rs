//! The handle of a program.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tidings_stomp::{Command, Frame};

use crate::builder::Builder;
use crate::credentials;
use crate::error::{ConnectError, ReceiptError, RenewError, SendError};
use crate::event::Events;
use crate::outgoing::Outgoing;
use crate::renewal;
use crate::shared::Shared;
use crate::subscribe::Subscribe;
use crate::transaction::Transaction;

/// A connected STOMP client. Clones are the same client; when the last one is dropped, what was sent goes out and the
/// connection closes.
#[derive(Debug, Clone)]
pub struct Client {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    transactions: AtomicU64,
}

impl Client {
    /// Connects with default limits and deadlines to `ws://host:port/path` or `tcp://host:port`; with TLS to
    /// `wss://host:port/path` or `stomp+ssl://host:port`. Without a port it is 80, 61613, 443 or 61614. Call it within a tokio runtime that has I/O and time.
    ///
    /// # Errors
    /// The url is malformed, or the attempt failed.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        Self::builder(url).connect().await
    }

    /// A client with limits and deadlines of your own.
    pub fn builder(url: &str) -> Builder {
        Builder::new(url)
    }

    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            handle: Arc::new(Handle {
                shared,
                transactions: AtomicU64::new(1),
            }),
        }
    }

    /// Subscribes to a destination, or to a pattern of destinations where the server knows patterns.
    pub fn subscribe(&self, destination: &str) -> Subscribe {
        Subscribe::new(Arc::clone(&self.handle.shared), destination)
    }

    /// Sends a message to a destination.
    pub fn send(&self, destination: &str, body: impl Into<Bytes>) -> Outgoing {
        let frame = Frame::new(Command::Send)
            .with_header("destination", destination)
            .with_body(body);
        Outgoing::new(Arc::clone(&self.handle.shared), Ok(frame))
    }

    /// Opens a transaction on the connection that there is now.
    ///
    /// # Errors
    /// There is no connection now, too many transactions are open, or there is no room in the queue.
    pub async fn begin(&self) -> Result<Transaction, SendError> {
        let number = self.handle.transactions.fetch_add(1, Ordering::Relaxed);
        let name = format!("tx-{number}");
        Transaction::begin(Arc::clone(&self.handle.shared), name).await
    }

    /// Brings a new token of the same user, so that the session outlives the one that it began with; gives the time that
    /// is left from then on, `None` where the new one does not expire. Where the server refuses the token, its error ends
    /// the connection, as STOMP has it, unless [`Builder::continue_after_errors`] asks for another end.
    ///
    /// ```no_run
    /// # async fn renew(client: tidings_client::Client, token: &str) -> Result<(), tidings_client::RenewError> {
    /// use tidings_client::Reason;
    ///
    /// match client.renew(token).await {
    ///     Ok(Some(left)) => println!("renewed for {left:?}"),
    ///     Ok(None) => println!("renewed for good"),
    ///     Err(error) if error.reason() == Some(Reason::TokenMismatch) => println!("another user's"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The token can't be written; there is no connection now, or it was lost; the server has refused the token, or is no
    /// Tidings.
    pub async fn renew(&self, token: &str) -> Result<Option<Duration>, RenewError> {
        let value = credentials::authorization(token)?;
        renewal::renew(&self.handle.shared, &value).await
    }

    /// How long the session has until its token expires; `None` where there is no session now, or nothing that expires.
    pub fn expires_in(&self) -> Option<Duration> {
        renewal::left(&self.handle.shared)
    }

    /// What happens to the connection from now on.
    pub fn events(&self) -> Events {
        let events = Events::new();
        self.handle.shared.state().listen(&events);
        events
    }

    /// Closes the client: what was sent before goes out, and the server confirms that it has processed all of it. Nothing
    /// is taken any more, streams end, and other clones are closed too.
    ///
    /// # Errors
    /// The confirmation did not come, or there is no connection: what was sent before may not have arrived. The client
    /// is closed all the same.
    pub async fn disconnect(&self) -> Result<(), ReceiptError> {
        let Some(answered) = self.handle.shared.close() else {
            return Err(self.handle.shared.state().ended_error().into());
        };
        answered.await.unwrap_or(Err(ReceiptError::ConnectionLost))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.close();
    }
}
