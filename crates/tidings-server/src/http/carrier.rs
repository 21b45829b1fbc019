//! What a request came by, and how it gets at more than an answer.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};

use super::forwarded::Contradiction;
use super::site::{Hearing, Site, hear};
use super::upgrade::Upgrade;
use crate::admission::{NoEntry, Place};
use crate::clock;
use crate::config::Network;
use crate::node::Node;
use crate::node::lock;
use crate::peer::Peer;
use crate::worker::Bare;

/// What a request does with the bare socket in place of an answer.
pub(super) type Takeover = Box<dyn FnOnce(Bare) + Send>;

/// What a request came by.
#[derive(Clone)]
pub(super) struct Carrier {
    /// Who asks: the client behind the proxy, where a trusted one has brought the request.
    pub(super) peer: Peer,
    /// The proxy has told the address, so that the connection has no place among those of the address.
    pub(super) is_told: bool,
    pub(super) site: Site,
    /// Where clients find the endpoints: beneath this path of the application around the server.
    pub(super) prefix: Arc<str>,
    pub(super) way: Way,
}

impl Carrier {
    /// As proxies tell of one request, where `self` is what its connection came by.
    ///
    /// # Errors
    /// They contradict themselves.
    pub(super) fn told(
        &self,
        trusted: &[Network],
        headers: &HeaderMap,
    ) -> Result<Self, Contradiction> {
        let Hearing { client, site } = hear(trusted, self.peer.address, headers)?;
        let mut carrier = Self {
            site: Site {
                scheme: site.scheme.or(self.site.scheme),
                host: site.host,
            },
            ..self.clone()
        };
        if client.is_some() {
            carrier.peer.address = client;
            // It is the proxy's: it proves none of its clients.
            carrier.peer.certificate = None;
            carrier.is_told = true;
        }
        Ok(carrier)
    }

    /// Counts a WebSocket that begins, and gives it a place among the connections of its address if it needs one.
    ///
    /// # Errors
    /// There are too many.
    pub(super) fn begin(&self, node: &Node) -> Result<Option<Place>, NoEntry> {
        let address = self.peer.ip();
        node.admission.begin(address, clock::now())?;
        match self.is_told {
            true => node.admission.place(address),
            false => Ok(None),
        }
    }
}

/// Where a request comes from, as far as anybody tells.
pub(crate) fn address_of(extensions: &Extensions) -> Option<SocketAddr> {
    match extensions.get::<Carrier>() {
        Some(carrier) => carrier.peer.address,
        None => {
            let told = extensions.get::<ConnectInfo<SocketAddr>>();
            told.map(|ConnectInfo(address)| *address)
        }
    }
}

/// How a request gets at the socket.
#[derive(Clone)]
pub(super) enum Way {
    /// A connection of our own, which the request may take over.
    Own(Arc<Tie>),
    /// A connection of somebody else, which gives the socket away for a handshake only. Taken by the first who asks.
    Upgrade(Arc<Mutex<Option<Upgrade>>>),
}

/// What a connection of our own and its requests tell each other.
#[derive(Default)]
pub(super) struct Tie {
    takeover: Mutex<Option<Takeover>>,
    /// An answer is on its way, and the socket takes no more for now.
    pub(super) is_blocked: AtomicBool,
    /// A request has come, so its end is no failed handshake.
    pub(super) has_asked: AtomicBool,
}

impl Tie {
    /// Takes the bare socket in place of answering. The request must have been read to its end. Never returns.
    pub(super) async fn take_over<T>(
        self: Arc<Self>,
        takeover: impl FnOnce(Bare) + Send + 'static,
    ) -> T {
        *lock(&self.takeover) = Some(Box::new(takeover));
        drop(self);
        pending().await
    }

    /// Ready with nothing when a request wants the socket and all earlier answers are out.
    pub(super) fn poll_takeover<T>(&self) -> Poll<Option<T>> {
        if lock(&self.takeover).is_some() && !self.is_blocked.load(Ordering::Relaxed) {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }

    pub(super) fn takeover(&self) -> Option<Takeover> {
        lock(&self.takeover).take()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_certificate_of_a_proxy_is_not_that_of_who_is_behind_it() {
        let carrier = Carrier {
            peer: Peer {
                address: Some(SocketAddr::from(([10, 0, 0, 1], 1))),
                certificate: Some("the proxy".into()),
                ..Peer::default()
            },
            is_told: false,
            site: Site::default(),
            prefix: "".into(),
            way: Way::Own(Arc::default()),
        };
        let trusted: [Network; 1] = ["10.0.0.0/8".parse().expect("a network")];
        let mut headers = HeaderMap::new();
        let direct = carrier.told(&trusted, &headers).expect("nothing is told");
        assert_eq!(direct.peer.certificate.as_deref(), Some("the proxy"));
        headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1"));
        let behind = carrier.told(&trusted, &headers).expect("one client");
        assert_eq!(behind.peer.certificate, None);
        let stranger = carrier.told(&[], &headers).expect("nobody is heard");
        assert_eq!(stranger.peer.certificate.as_deref(), Some("the proxy"));
    }
}
