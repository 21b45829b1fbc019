//! What happens to sessions, told to a back end: in order, one at a time, never waited for.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tidings_core::application::Event;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::debug;

use super::back_end::{BackEnd, BackEnds};
use super::request::Telling;
use crate::node::lock;
use crate::telemetry::Telemetry;

/// How a lost event is counted.
const LOST: &str = "webhook-event";

/// Where events wait to be told.
pub(super) struct Events {
    /// Nothing is the end.
    waiting: mpsc::Sender<Option<Event>>,
    teller: std::sync::Mutex<Option<JoinHandle<()>>>,
    telemetry: Telemetry,
}

/// An event as a back end reads it.
#[derive(Serialize)]
struct Told<'a> {
    event: &'static str,
    session: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl Events {
    pub(super) fn start(
        back_ends: Arc<BackEnds>,
        back_end: BackEnd,
        max_events: usize,
        telemetry: Telemetry,
        runtime: &Handle,
    ) -> Self {
        let (waiting, mut events) = mpsc::channel::<Option<Event>>(max_events);
        let lost = telemetry.clone();
        let teller = runtime.spawn(async move {
            while let Some(Some(event)) = events.recv().await {
                let Some(told) = told(&event) else { continue };
                let telling = Telling {
                    kind: told.event,
                    destination: told.destination,
                    session: Some(told.session),
                    user: told.user,
                    content_type: Some("application/json"),
                    body: serde_json::to_vec(&told).unwrap_or_default().into(),
                    ..Telling::default()
                };
                let request = back_ends.write(&back_end, telling);
                match back_ends.ask(&back_end, request).await {
                    Ok(answer) if answer.status.is_success() => {}
                    answer => {
                        let status = answer.map(|answer| answer.status);
                        debug!(?status, event = told.event, "an event was not taken");
                        lost.dropped(LOST, 1);
                    }
                }
            }
        });
        Self {
            waiting,
            teller: std::sync::Mutex::new(Some(teller)),
            telemetry,
        }
    }

    /// Will be told, if there is room for it.
    pub(super) fn tell(&self, event: &Event) {
        if self.waiting.try_send(Some(event.clone())).is_err() {
            self.telemetry.dropped(LOST, 1);
        }
    }

    /// Waits until all are told, at most for `patience`.
    pub(super) async fn finish(&self, patience: Duration) {
        let teller = lock(&self.teller).take();
        let told = async {
            // Closed: it has ended.
            let _ = self.waiting.send(None).await;
            if let Some(teller) = teller {
                let _ = teller.await;
            }
        };
        if tokio::time::timeout(patience, told).await.is_err() {
            debug!("events were left untold");
        }
    }
}

fn told(event: &Event) -> Option<Told<'_>> {
    let (name, session) = match event {
        Event::Connect { session } => ("connect", session),
        Event::Connected { session } => ("connected", session),
        Event::Subscribed { session, .. } => ("subscribed", session),
        Event::Unsubscribed { session, .. } => ("unsubscribed", session),
        Event::Disconnected { session, .. } => ("disconnected", session),
        _ => return None,
    };
    let mut told = Told {
        event: name,
        session: &session.id,
        user: session.user.as_deref(),
        subscription: None,
        destination: None,
        reason: None,
    };
    match event {
        Event::Subscribed {
            subscription,
            destination,
            ..
        } => {
            told.subscription = subscription.as_deref();
            told.destination = Some(destination);
        }
        Event::Unsubscribed { subscription, .. } => told.subscription = subscription.as_deref(),
        Event::Disconnected { reason, .. } => told.reason = Some(reason.name()),
        _ => {}
    }
    Some(told)
}
