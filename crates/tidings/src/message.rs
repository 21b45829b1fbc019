//! What a handler answers: a message, and what of it outlives its body.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tidings_core::application::{Request, RequestKind, Session};
use tidings_stomp::Headers;

use crate::router::pattern::RoutePattern;

/// What a client sent to the application, once its route is known. As an extractor it is the last argument.
#[derive(Debug, Clone)]
pub struct Message {
    /// All but the body.
    pub parts: Parts,
    /// The body of a SEND; empty for a SUBSCRIBE.
    pub body: Bytes,
}

/// A [`Message`] without its body. Layers may change the headers, yet not the destination: the route was chosen by it.
#[derive(Debug, Clone)]
pub struct Parts {
    kind: RequestKind,
    destination: Arc<str>,
    path_at: usize,
    /// All headers of the frame.
    pub headers: Headers,
    /// Who asks.
    pub session: Arc<Session>,
    /// What names the values; absent where no route fits.
    route: Option<Arc<RoutePattern>>,
    /// Where in `destination` the values of the variables lie, in the order of the pattern.
    values: Vec<Range<usize>>,
}

impl Message {
    pub(crate) fn new(request: Request, route: Option<&Arc<RoutePattern>>) -> Self {
        let path = request.path();
        let path_at = request.destination.len() - path.len();
        let mut values = route.map_or_else(Vec::new, |route| route.capture(path));
        for value in &mut values {
            *value = value.start + path_at..value.end + path_at;
        }
        Self {
            parts: Parts {
                kind: request.kind,
                destination: request.destination,
                path_at,
                headers: request.headers,
                session: request.session,
                route: route.cloned(),
                values,
            },
            body: request.body,
        }
    }
}

impl Parts {
    /// SEND or SUBSCRIBE.
    pub fn kind(&self) -> RequestKind {
        self.kind
    }

    /// The destination as the client wrote it: `/app/trade/acme`.
    pub fn destination(&self) -> &Arc<str> {
        &self.destination
    }

    /// The destination behind the application prefix: `trade/acme`.
    pub fn path(&self) -> &str {
        &self.destination[self.path_at..]
    }

    /// The pattern of the route, without a leading `/`; `None` in the default [fallback](crate::Router::fallback).
    pub fn route(&self) -> Option<&str> {
        self.route.as_ref().map(|route| route.text())
    }

    /// The value of a destination variable, as it stands in the destination: `%` and its like mean themselves.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Name and value of each destination variable, in the order of the pattern.
    pub fn variables(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        let names = self
            .route
            .as_ref()
            .map_or(&[][..], |route| route.variables());
        names
            .iter()
            .zip(&self.values)
            .map(|(name, value)| (&**name, &self.destination[value.clone()]))
    }
}
