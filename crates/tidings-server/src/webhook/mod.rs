//! Webhooks: back ends in any language answer over HTTP what clients send to the application.
//!
//! [`Webhooks`] is an [`Application`]. `route` finds the back end, `request` writes and signs what it is sent,
//! `back_end` brings it there, `response` says what its answer means; `permission` asks before clients connect or subscribe,
//! `events` tells what happens to sessions. [`authenticator()`] asks a back end who a client is, whatever the application.

mod authenticator;
mod back_end;
mod breaker;
mod events;
mod identity;
mod percent;
mod permission;
mod request;
mod response;
mod route;

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use tidings_core::application::{
    Answer, Application, Event, Failure, InterceptFuture, Request, RequestKind, ResponseFuture,
    Session,
};
use tidings_core::disconnect::Reason;
use tidings_stomp::{Command, Frame};
use tokio::runtime::Handle;

use crate::config::Webhook;
use crate::node::Node;
use crate::outgoing::{UrlError, parse};
use crate::server::RunError;
pub(crate) use authenticator::authenticator;
pub(crate) use back_end::BackEnds;
use back_end::{BackEnd, Fault};
use events::Events;
use permission::Permissions;
use request::{Telling, stomp_headers};
use response::failed;
pub(crate) use route::Routes;

/// The application that asks back ends.
pub(crate) struct Webhooks {
    routes: Routes,
    /// In the order of `routes`.
    targets: Vec<BackEnd>,
    back_ends: Arc<BackEnds>,
    permissions: Permissions,
    events: Option<Events>,
    timeout: Duration,
    /// Workers ask; what they ask for is done here.
    runtime: Handle,
}

impl Webhooks {
    /// Makes webhooks the application of `node`, where any are configured. Must be called within a tokio runtime.
    pub(crate) fn start(node: &Node) -> Result<Option<Arc<Self>>, RunError> {
        let webhook = &node.config.webhook;
        if !webhook.is_used() {
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
        let back_ends = BackEnds::of(node)?;
        let routes = Routes::new(&webhook.routes, node.config.broker.separator);
        let routes = routes.map_err(|error| RunError::Webhook(error.to_string()))?;
        let optional = |url: &Option<String>| match url {
            Some(url) => back_end(&back_ends, url).map(Some),
            None => Ok(None),
        };
        let runtime = Handle::current();
        let events = optional(&webhook.events_url)?.map(|back_end| {
            Events::start(
                Arc::clone(&back_ends),
                back_end,
                webhook.max_events,
                node.telemetry.clone(),
                &runtime,
            )
        });
        Ok(Self {
            targets: routes.urls().map(|url| back_ends.at(url.clone())).collect(),
            routes,
            permissions: Permissions {
                connect: optional(&webhook.connect_url)?,
                subscribe: optional(&webhook.subscribe_url)?,
                application_prefix: node.config.broker.application_prefix.clone(),
            },
            events,
            timeout: webhook.timeout,
            back_ends,
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

    fn intercepts(&self, command: Command) -> bool {
        self.permissions.back_end(command).is_some()
    }

    fn intercept(&self, frame: Frame, session: Arc<Session>) -> InterceptFuture {
        self.permit(frame, &session)
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
            return Box::pin(ready(too_long().into()));
        };
        let target = self.targets[found.index].clone();
        let telling = Telling {
            kind: match request.kind {
                RequestKind::Message => "message",
                RequestKind::Subscribe => "subscribe",
            },
            destination: Some(&request.destination),
            session: Some(&request.session.id),
            user: request.session.user.as_deref(),
            variables: &found.variables,
            stomp_headers: stomp_headers.as_deref(),
            content_type: request.headers.get("content-type"),
            body: request.body.clone(),
        };
        let post = self.back_ends.write(&target, telling);
        let back_ends = Arc::clone(&self.back_ends);
        let (kind, session) = (request.kind, request.session);
        let answer = self.runtime.spawn(async move {
            match back_ends.ask(&target, post).await {
                Ok(answer) => response::read(answer, kind, &session),
                Err(fault) => failed(reason(fault), fault.to_string()),
            }
        });
        Box::pin(async move { answer.await.unwrap_or_else(|_| given_up().into()) })
    }
}

/// The one at a url of the configuration.
fn back_end(back_ends: &BackEnds, url: &str) -> Result<BackEnd, RunError> {
    let url = parse(url).map_err(|error: UrlError| RunError::Webhook(error.to_string()))?;
    Ok(back_ends.at(url))
}

fn reason(fault: Fault) -> Reason {
    match fault {
        Fault::LeftAlone | Fault::Unreachable | Fault::Untrusted | Fault::NoTls => {
            Reason::ApplicationUnavailable
        }
        Fault::Crowded | Fault::TimedOut => Reason::ApplicationTimeout,
        Fault::Broken | Fault::Rubbish | Fault::TooLarge => Reason::ApplicationFailed,
    }
}

fn too_long() -> Failure {
    Failure {
        reason: Reason::HeaderTooLong,
        details:
            "the headers of the frame are too long for the application; send fewer or shorter ones"
                .to_owned(),
    }
}

/// The runtime ends, or the task has panicked.
fn given_up() -> Failure {
    Failure {
        reason: Reason::InternalError,
        details: "the request was given up; the log of the server says why".to_owned(),
    }
}
