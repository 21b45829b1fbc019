//! The task behind a client: a connection, and after it the next.

use std::sync::Arc;

use tidings_stomp::ClientEvent;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::error::{ConnectError, Ended, ReceiptError};
use crate::event::Event;
use crate::renewal;
use crate::session::Session;
use crate::shared::Shared;
use crate::transport::{Dialer, random};

pub(crate) struct Connection {
    shared: Arc<Shared>,
    dialer: Dialer,
    /// To connect again, since a connection has lasted.
    attempts: u32,
    /// Renews sessions; ends with the client.
    _renewing: JoinSet<()>,
}

impl Connection {
    /// Connects, and goes on in a task of its own until the client ends.
    pub(crate) async fn start(shared: Arc<Shared>, dialer: Dialer) -> Result<(), ConnectError> {
        let (session, info) = Session::open(&dialer, &shared.settings).await?;
        shared.state().online(&info);
        let mut renewing = JoinSet::new();
        if shared.settings.renews && shared.settings.presented.fresh.is_some() {
            renewing.spawn(renewal::keep(Arc::clone(&shared)));
        }
        let connection = Self {
            shared,
            dialer,
            attempts: 0,
            _renewing: renewing,
        };
        tokio::spawn(connection.run(session));
        Ok(())
    }

    async fn run(mut self, mut session: Session) {
        let cause = loop {
            let began = Instant::now();
            let end = self.converse(&mut session).await;
            // The server may close at once behind the RECEIPT of DISCONNECT.
            let Err(why) = end.or_else(|why| self.is_confirmed().then_some(()).ok_or(why)) else {
                session.finish().await;
                break None;
            };
            tokio::spawn(session.finish());
            self.shared.state().offline(&why);
            if began.elapsed() >= self.shared.settings.backoff.max {
                self.attempts = 0;
            }
            match self.reconnect(why).await {
                Ok(Some(next)) => session = next,
                Ok(None) => break None,
                Err(cause) => break Some(Arc::new(cause)),
            }
        };
        self.shared.end(cause);
    }

    /// Carries frames both ways. Done when the program has said goodbye.
    async fn converse(&self, session: &mut Session) -> Result<(), Ended> {
        loop {
            self.hear(session)?;
            session.check_time()?;
            while session.has_room() {
                let next = self.shared.state().next_frame();
                let Some((frame, version)) = next else { break };
                session.write(&frame, version);
            }
            if self.is_confirmed() {
                return Ok(());
            }
            let closing = self.shared.state().closing();
            let deadline = closing.map(|closing| closing.deadline);
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                let error = ReceiptError::TimedOut(self.shared.settings.receipt_timeout);
                self.shared.state().goodbye_timed_out(&error);
                return Ok(());
            }
            if let Err(ended) = session.step(self.shared.wake.notified(), deadline).await {
                // What the server has said before tells more.
                return self.hear(session).and(Err(ended));
            }
        }
    }

    /// Takes what was read.
    fn hear(&self, session: &mut Session) -> Result<(), Ended> {
        while let Some(event) = session.receive()? {
            if let ClientEvent::Frame(frame) = event
                && let Some(ended) = self.shared.state().receive(frame)
            {
                return Err(ended);
            }
        }
        Ok(())
    }

    /// Connects again, as often as may be; `None` when the program says goodbye meanwhile.
    async fn reconnect(&mut self, why: Ended) -> Result<Option<Session>, ConnectError> {
        let mut cause = ConnectError::Ended(why);
        loop {
            if self.shared.state().closing().is_some() {
                return Ok(None);
            }
            self.attempts = self.attempts.saturating_add(1);
            let pause = self.shared.settings.backoff.delay(self.attempts, random());
            let Some(after) = pause.filter(|_| cause.retry()) else {
                return Err(cause);
            };
            self.shared.state().tell(&Event::Reconnecting {
                attempt: self.attempts,
                after,
            });
            let attempt = async {
                sleep(after).await;
                Session::open(&self.dialer, &self.shared.settings).await
            };
            let opened = tokio::select! {
                opened = attempt => opened,
                () = self.goodbye() => return Ok(None),
            };
            match opened {
                Ok((session, info)) => {
                    let is_wanted = self.shared.state().online(&info);
                    return Ok(is_wanted.then_some(session));
                }
                Err(error) => {
                    self.shared.state().tell(&Event::Failed(error.clone()));
                    cause = error;
                }
            }
        }
    }

    /// Whether the server has answered the program's goodbye.
    fn is_confirmed(&self) -> bool {
        let closing = self.shared.state().closing();
        closing.is_some_and(|closing| closing.confirmed)
    }

    /// Ready when the program has said goodbye.
    async fn goodbye(&self) {
        while self.shared.state().closing().is_none() {
            self.shared.wake.notified().await;
        }
    }
}

/// Also when the runtime ends before the client: nobody waits for what can't come.
impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.end(None);
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
