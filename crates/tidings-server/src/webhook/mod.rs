//! Webhooks: back ends in any language answer over HTTP what clients send to the application.
//!
//! [`Webhooks`] is an [`Application`]. `route` finds the back end, `request` writes and signs what it is sent,
//! `back_end` brings it there, `response` says what its answer means; `events` tells what happens to sessions.

mod back_end;
mod breaker;
mod events;
mod percent;
mod request;
mod response;
mod route;

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use tidings_core::application::{
    Answer, Application, Event, Request, RequestKind, Response, ResponseFuture,
};
use tidings_core::disconnect::Reason;
use tokio::runtime::Handle;

use crate::clock;
use crate::config::Webhook;
use crate::node::Node;
use crate::server::RunError;
use back_end::{BackEnd, BackEnds, Fault};
use events::Events;
use request::{Telling, Writer, stomp_headers};
use response::failed;
pub(crate) use route::{Routes, parse_url};

/// The application that asks back ends.
pub(crate) struct Webhooks {
    routes: Routes,
    /// In the order of `routes`.
    targets: Vec<BackEnd>,
    back_ends: Arc<BackEnds>,
    writer: Arc<Writer>,
    events: Option<Events>,
    timeout: Duration,
    /// Workers ask; what they ask for is done here.
    runtime: Handle,
}

impl Webhooks {
    /// Makes webhooks the application of `node`, where any are configured. Must be called within a tokio runtime.
    pub(crate) fn start(node: &Node) -> Result<Option<Arc<Self>>, RunError> {
        let webhook = &node.config.webhook;
        if webhook.routes.is_empty() && webhook.events_url.is_none() {
            return Ok(None);
        }
        let webhooks = Arc::new(Self::new(node, webhook)?);
        let application = Arc::clone(&webhooks) as Arc<dyn Application>;
        match node.application.set(application) {
            Ok(()) => Ok(Some(webhooks)),
            Err(_) => Err(RunError::TwoApplications),
        }
    }

    fn new(node: &Node, webhook: &Webhook) -> Result<Self, RunError> {
        let unchecked = |error: route::RouteError| RunError::Webhook(error.to_string());
        let secret = webhook.secret.as_ref();
        let secret = secret.ok_or_else(|| RunError::Webhook("has no secret".to_owned()))?;
        let routes = Routes::new(&webhook.routes, node.config.broker.separator);
        let routes = routes.map_err(unchecked)?;
        let events_url = webhook.events_url.as_deref().map(parse_url).transpose();
        let events_url = events_url.map_err(unchecked)?;
        let back_ends = BackEnds::new(webhook.clone(), node.telemetry.clone());
        let back_ends = Arc::new(back_ends);
        let writer = Arc::new(Writer::new(&secret.0));
        let runtime = Handle::current();
        let mut urls: Vec<_> = routes.urls().collect();
        urls.extend(&events_url);
        let mut targets = back_ends.at(&urls);
        let teller = events_url.is_some().then(|| targets.pop()).flatten();
        let events = teller.map(|back_end| {
            Events::start(
                Arc::clone(&back_ends),
                back_end,
                Arc::clone(&writer),
                webhook.max_events,
                node.telemetry.clone(),
                &runtime,
            )
        });
        Ok(Self {
            routes,
            targets,
            back_ends,
            writer,
            events,
            timeout: webhook.timeout,
            runtime,
        })
    }

    /// Waits until all events are told, or no longer.
    pub(crate) async fn finish(&self) {
        if let Some(events) = &self.events {
            events.finish(self.timeout).await;
        }
    }
}

impl Application for Webhooks {
    fn call(&self, request: Request) -> Answer {
        self.ask(request).into()
    }

    fn notice(&self, event: &Event) {
        if let Some(events) = &self.events {
            events.tell(event);
        }
    }
}

impl Webhooks {
    fn ask(&self, request: Request) -> ResponseFuture {
        let Some(found) = self.routes.find(request.path()) else {
            return Box::pin(ready(failed(
                Reason::UnknownDestination,
                "no webhook is there for this destination; send to another one",
            )));
        };
        let Ok(stomp_headers) = stomp_headers(&request.headers) else {
            return Box::pin(ready(failed(
                Reason::HeaderTooLong,
                "the headers of the frame are too long for the application; send fewer or shorter ones",
            )));
        };
        let target = self.targets[found.index].clone();
        let telling = Telling {
            kind: match request.kind {
                RequestKind::Message => "message",
                RequestKind::Subscribe => "subscribe",
            },
            destination: Some(&request.destination),
            session: &request.session.id,
            user: request.session.user.as_deref(),
            variables: &found.variables,
            stomp_headers: stomp_headers.as_deref(),
            content_type: request.headers.get("content-type"),
            body: request.body.clone(),
        };
        let post = self
            .writer
            .write(&target.url, telling, clock::system_ms() / 1_000);
        let back_ends = Arc::clone(&self.back_ends);
        let (kind, session) = (request.kind, request.session);
        let answer = self.runtime.spawn(async move {
            match back_ends.ask(&target, post).await {
                Ok(answer) => response::read(answer, kind, &session),
                Err(fault) => failed(reason(fault), fault.to_string()),
            }
        });
        Box::pin(async move { answer.await.unwrap_or_else(|_| given_up()) })
    }
}

fn reason(fault: Fault) -> Reason {
    match fault {
        Fault::LeftAlone | Fault::Unreachable => Reason::ApplicationUnavailable,
        Fault::Crowded | Fault::TimedOut => Reason::ApplicationTimeout,
        Fault::Broken | Fault::Rubbish | Fault::TooLarge => Reason::ApplicationFailed,
    }
}

/// The runtime ends, or the task has panicked.
fn given_up() -> Response {
    failed(
        Reason::InternalError,
        "the request was given up; the log of the server says why",
    )
}
