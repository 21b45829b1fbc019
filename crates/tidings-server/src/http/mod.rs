//! What comes by HTTP: pages, the handshake of WebSocket, and SockJS.

mod answer;
mod carrier;
mod connection;
mod embedded;
mod embedding;
mod forward;
mod forwarded;
#[cfg(test)]
mod forwarded_invariants;
#[cfg(test)]
mod forwarded_tests;
mod handshake;
mod origin;
mod origin_pattern;
mod proof;
mod protection;
mod site;
mod sockjs;
mod upgrade;

use std::mem;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::middleware::map_response;
use axum::routing::any;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

pub(crate) use answer::refusal;
use carrier::Carrier;
pub(crate) use carrier::address_of;
use connection::Arrival;
pub(crate) use embedded::{Door, routes};
pub(crate) use protection::protect;

use crate::endpoint::Endpoint;
use crate::node::{Node, Ticket, lock};
use crate::peer::Peer;
use crate::stream::{Detached, Stream};

/// Everything that a connection of HTTP needs.
pub(crate) struct Http {
    pub(crate) node: Arc<Node>,
    router: Router,
    /// Where connections are served, also those that come back from a worker.
    runtime: Handle,
    /// Tasks that carry bytes between a worker and a client whose socket is none of ours.
    bridges: Mutex<JoinSet<()>>,
}

/// One endpoint as requests find it.
struct Entrance {
    node: Arc<Node>,
    endpoint: Arc<Endpoint>,
    /// Its place among the endpoints of the server.
    place: usize,
    /// The server's own copy of sockjs-client.
    client_library: Option<Bytes>,
}

impl Http {
    /// `pages` with `endpoints` in it. Must be called within the runtime that serves.
    pub(crate) fn new(
        node: &Arc<Node>,
        endpoints: &[Arc<Endpoint>],
        client_library: Option<&Bytes>,
        pages: Router,
    ) -> Arc<Self> {
        let mut router = Router::new();
        for (place, endpoint) in endpoints.iter().enumerate() {
            let entrance = Arc::new(Entrance {
                node: Arc::clone(node),
                endpoint: Arc::clone(endpoint),
                place,
                client_library: client_library.cloned(),
            });
            let path = &endpoint.path;
            router = router.route(path, any(sockjs::enter).with_state(Arc::clone(&entrance)));
            if endpoint.sockjs.is_some() {
                for beneath in ["/", "/{*rest}"] {
                    let service = any(sockjs::enter).with_state(Arc::clone(&entrance));
                    router = router.route(&format!("{path}{beneath}"), service);
                }
            }
        }
        Arc::new(Self {
            node: Arc::clone(node),
            router: router.layer(map_response(protect)).fallback_service(pages),
            runtime: Handle::current(),
            bridges: Mutex::default(),
        })
    }

    /// Serves a connection that has just been accepted.
    pub(crate) fn accept(self: &Arc<Self>, stream: Stream, peer: Peer, ticket: Ticket) {
        let arrival = Arrival {
            stream,
            peer,
            prefix: Arc::default(),
            early: Bytes::new(),
            ticket,
        };
        let served = connection::serve(Arc::clone(self), arrival);
        self.runtime.spawn(served);
    }

    /// Goes on with a connection that a worker gives back; `early` is what it has read behind the last request.
    pub(crate) fn resume(
        self: Arc<Self>,
        stream: Detached,
        peer: Peer,
        early: Bytes,
        ticket: Ticket,
    ) {
        let http = Arc::clone(&self);
        self.runtime.spawn(async move {
            match stream.attach() {
                Ok(stream) => {
                    let arrival = Arrival {
                        stream,
                        peer,
                        prefix: Arc::default(),
                        early,
                        ticket,
                    };
                    connection::resume(http, arrival).await;
                }
                Err(error) => tracing::warn!(%peer, %error, "could not register a connection"),
            }
        });
    }

    /// Runs a bridge.
    fn bridge(&self, bridge: impl Future<Output = ()> + Send + 'static) {
        let mut bridges = lock(&self.bridges);
        while bridges.try_join_next().is_some() {}
        bridges.spawn_on(bridge, &self.runtime);
    }

    /// Returns once all that the workers have written is out, as far as bridges carry it.
    pub(crate) async fn bridged(&self) {
        let bridges = mem::take(&mut *lock(&self.bridges));
        bridges.join_all().await;
    }
}
