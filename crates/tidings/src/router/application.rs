//! A router as the server sees it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tidings_core::application::{
    Answer, Application, Event, Failure, InterceptFuture, Outgoing, Request, RequestKind,
    ResponseFuture, Session,
};
use tidings_core::destination::Separator;
use tidings_stomp::{Command, Frame};

use super::interceptor::pass;
use super::near::unknown;
use super::{Router, endpoint, layered};
use crate::endpoint::unwound_at_once;
use crate::message::Message;

impl Router {
    /// The same as [`Application::call`].
    fn dispatch(&self, request: Request) -> Answer {
        let table = match request.kind {
            RequestKind::Message => &self.messages,
            RequestKind::Subscribe => &self.subscriptions,
        };
        let path = request.path();
        let route = table.find(path).or_else(|| self.fallbacks.find(path));
        match route {
            Some(route) => {
                let message = Message::new(request, Some(&route.pattern));
                Answer {
                    response: route.value.call(message, ()),
                    is_parallel: route.value.is_parallel(),
                }
            }
            None => self.no_route(request).into(),
        }
    }

    fn no_route(&self, request: Request) -> ResponseFuture {
        let failure = unknown(&request, &self.messages, &self.subscriptions);
        let answer = endpoint(async move || failure);
        let layers = self.layers.iter();
        let answer = layers.fold(answer, |inner, layer| layered(layer, inner));
        answer.call(Message::new(request, None), ())
    }
}

impl Application for Router {
    fn call(&self, request: Request) -> Answer {
        unwound_at_once(|| self.dispatch(request))
    }

    fn separator(&self) -> Option<Separator> {
        Some(self.separator)
    }

    fn intercepts(&self, command: Command) -> bool {
        self.interceptors.iter().any(|one| one.is_for(command))
    }

    fn intercept(&self, frame: Frame, session: Arc<Session>) -> InterceptFuture {
        let all = self.interceptors.iter();
        let interceptors = all.filter(|one| one.is_for(frame.command));
        Box::pin(pass(interceptors.cloned().collect(), frame, session))
    }

    fn intercepts_outgoing(&self) -> bool {
        !self.outgoing_interceptors.is_empty()
    }

    fn intercept_outgoing(&self, destination: &str, message: &mut Outgoing) -> Result<(), Failure> {
        let all = &self.outgoing_interceptors;
        all.iter().try_for_each(|one| one(destination, message))
    }

    fn notice(&self, event: &Event) {
        for listener in &self.listeners {
            // The panic hook has told of it; the others are to hear the event all the same.
            let _ = catch_unwind(AssertUnwindSafe(|| listener(event)));
        }
    }
}
