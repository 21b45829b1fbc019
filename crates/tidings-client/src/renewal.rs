//! A session that outlives its first token.

use std::sync::Arc;
use std::time::Duration;

use tidings_stomp::{Command, Frame};
use tokio::time::{Instant, sleep, sleep_until};

use crate::backoff::Backoff;
use crate::credentials::AUTHORIZATION;
use crate::error::RenewError;
use crate::event::Event;
use crate::outgoing::Parcel;
use crate::shared::Shared;
use crate::transport::random;

/// Where a Tidings server takes new tokens.
const SESSION_TOKEN: &str = "/session/token";

/// How many milliseconds a session has, in CONNECTED and in the RECEIPT of a renewal.
const EXPIRES_IN: &str = "session-expires-in";

/// How soon one renewal may follow another, whatever a server says of its tokens.
const LEAST_PAUSE: Duration = Duration::from_secs(1);

/// Tries of one renewal, and the pauses between them.
const TRIES: Backoff = Backoff {
    initial: Duration::from_millis(500),
    max: Duration::from_secs(30),
    max_attempts: 4,
};

/// When a session expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiry {
    at: Instant,
    /// When it is time to renew it.
    due: Instant,
}

impl Expiry {
    /// As CONNECTED or RECEIPT says now; a time further than any process runs is none.
    pub(crate) fn of(frame: &Frame) -> Option<Self> {
        let left = frame.header(EXPIRES_IN)?.parse().ok()?;
        let left = Duration::from_millis(left);
        let now = Instant::now();
        Some(Self {
            at: now.checked_add(left)?,
            due: now.checked_add((left / 4 * 3).max(LEAST_PAUSE))?,
        })
    }
}

/// How long the session has.
pub(crate) fn left(shared: &Shared) -> Option<Duration> {
    let expiry = *shared.state().expiry().borrow();
    let left = |expiry: Expiry| expiry.at.saturating_duration_since(Instant::now());
    expiry.map(left)
}

/// Brings a token in the words of `Authorization`; gives the time that is left.
pub(crate) async fn renew(
    shared: &Arc<Shared>,
    authorization: &str,
) -> Result<Option<Duration>, RenewError> {
    let frame = Frame::new(Command::Send)
        .with_header("destination", SESSION_TOKEN)
        .with_header(AUTHORIZATION, authorization);
    let epoch = shared.state().current_epoch();
    let mut parcel = Parcel::new(frame);
    // The next connection comes with credentials of its own.
    parcel.epoch = Some(epoch.map_err(crate::ReceiptError::from)?);
    parcel.renews = true;
    let receipt = shared.send_for_receipt(parcel).await;
    receipt.map_err(crate::ReceiptError::from)?.await?;
    Ok(left(shared))
}

/// Renews each session in time, with what the program gives, until the client ends.
pub(crate) async fn keep(shared: Arc<Shared>) {
    let mut expiry = shared.state().expiry();
    loop {
        let next = *expiry.borrow_and_update();
        let Some(next) = next else {
            if expiry.changed().await.is_err() {
                return;
            }
            continue;
        };
        tokio::select! {
            // Renewed by the program, or of another connection.
            changed = expiry.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            () = sleep_until(next.due) => {}
        }
        tokio::select! {
            () = sleep_until(next.at.max(next.due + LEAST_PAUSE)) => {}
            () = attempt(&shared) => {}
        }
        if *expiry.borrow() == Some(next) && expiry.changed().await.is_err() {
            return;
        }
    }
}

/// Tries until it is done, or has failed often enough.
async fn attempt(shared: &Arc<Shared>) {
    let mut tries = 0;
    loop {
        let error = match from_credentials(shared).await {
            Ok(expires_in) => return shared.state().tell(&Event::Renewed { expires_in }),
            Err(error) => error,
        };
        tries += 1;
        let pause = TRIES.delay(tries, random()).filter(|_| error.retry());
        shared.state().tell(&Event::NotRenewed(error));
        match pause {
            Some(pause) => sleep(pause).await,
            None => return,
        }
    }
}

async fn from_credentials(shared: &Arc<Shared>) -> Result<Option<Duration>, RenewError> {
    let settings = &shared.settings;
    let scheme = settings.address.scheme;
    let authorization = settings.presented.authorization(scheme).await?;
    renew(shared, &authorization).await
}

#[cfg(test)]
mod tests;
