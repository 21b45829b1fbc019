//! How a client comes to the server.

use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use tidings::security::Principal;
use tidings_server::{Connector, Identity};
use tidings_stomp::{Command, Frame, HeartBeat, Version};
use tokio::time::timeout;

use crate::link::{Link, WebSocket, Wire};
use crate::message::{Goodbye, shown_frame};
use crate::peer::Peer;
use crate::time::PATIENCE;

/// A client that is going to connect: by default over TCP, with STOMP 1.2, no login and no heart-beats.
#[derive(Debug, Clone)]
#[must_use = "it connects when it is told to"]
pub struct Dial {
    connector: Connector,
    /// Path of WebSocket.
    path: String,
    link: Link,
    name: String,
    versions: String,
    heart_beat: HeartBeat,
    /// Further headers of CONNECT.
    headers: Vec<(String, String)>,
    /// Headers of the handshake of WebSocket.
    http_headers: Vec<(String, String)>,
}

impl Dial {
    pub(crate) fn new(connector: Connector, path: String) -> Self {
        Self {
            connector,
            path,
            link: Link::Tcp,
            name: "nobody".to_owned(),
            versions: Version::V1_2.as_str().to_owned(),
            heart_beat: HeartBeat::NONE,
            headers: Vec::new(),
            http_headers: Vec::new(),
        }
    }

    /// Over this link.
    pub fn over(mut self, link: Link) -> Self {
        self.link = link;
        self
    }

    /// Over WebSocket on this path, where it is not that of STOMP.
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self.over(Link::WebSocket)
    }

    /// With this `login`. Panics of the peer name it.
    pub fn login(mut self, login: &str) -> Self {
        login.clone_into(&mut self.name);
        self.header("login", login)
    }

    /// As this one, with its roles and claims: as if the program around the server had found out who it is, whatever the
    /// server's authenticator says. Panics of the peer name its user.
    pub fn principal(mut self, principal: Principal) -> Self {
        if let Some(name) = &principal.name {
            self.name = name.to_string();
        }
        self.connector = self.connector.with_identity(Identity::of(principal));
        self
    }

    /// With this token in CONNECT: `Authorization: Bearer TOKEN`.
    pub fn token(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// With this `accept-version`: `1.0,1.1`.
    pub fn versions(mut self, versions: &str) -> Self {
        versions.clone_into(&mut self.versions);
        self
    }

    /// With the promise of a heart-beat each `send`, and the wish for one each `receive`; none where that is zero. The test
    /// has to keep the promise, or to break it.
    pub fn heart_beat(mut self, send: Duration, receive: Duration) -> Self {
        self.heart_beat = HeartBeat { send, receive };
        self
    }

    /// With this header of CONNECT: `passcode`, say.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this header of the handshake of WebSocket: `Origin`, say.
    pub fn http_header(mut self, name: &str, value: &str) -> Self {
        self.http_headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Connects, and waits for CONNECTED.
    ///
    /// # Panics
    /// Something else came.
    #[track_caller]
    pub fn connect(self) -> impl Future<Output = Peer> {
        let place = Location::caller();
        async move {
            let connect = self.frame();
            let mut peer = self.reach(place).await;
            if let Err(answer) = peer.shake_hands(place, connect).await {
                peer.fail(place, "CONNECTED", &shown_frame(&answer));
            }
            peer
        }
    }

    /// Connects in vain: the answer to CONNECT is an ERROR, and the end of the connection.
    ///
    /// # Panics
    /// Something else came.
    #[track_caller]
    pub fn refused(self) -> impl Future<Output = Goodbye> {
        let place = Location::caller();
        async move {
            let connect = self.frame();
            let mut peer = self.reach(place).await;
            match peer.shake_hands(place, connect).await {
                Err(error) if error.command == Command::Error => {
                    let close_code = peer.end(place).await;
                    Goodbye { error, close_code }
                }
                Err(other) => peer.fail(place, "an ERROR", &shown_frame(&other)),
                Ok(()) => peer.fail(place, "an ERROR", "CONNECTED"),
            }
        }
    }

    /// Opens the link and says nothing yet: CONNECT is left to the test.
    ///
    /// # Panics
    /// The server has stopped, or answered the handshake of WebSocket by something else.
    #[track_caller]
    pub fn open(self) -> impl Future<Output = Peer> {
        let place = Location::caller();
        self.reach(place)
    }

    fn frame(&self) -> Frame {
        let mut connect = Frame::new(Command::Connect)
            .with_header("accept-version", &self.versions)
            .with_header("host", "localhost")
            .with_header("heart-beat", &self.heart_beat.to_string());
        for (name, value) in &self.headers {
            connect.headers.push(name, value);
        }
        connect
    }

    async fn reach(self, place: &'static Location<'static>) -> Peer {
        match timeout(PATIENCE, self.wire()).await {
            Ok(Ok(wire)) => Peer::new(self.name, wire),
            Ok(Err(error)) => panic!("{place}: {} could not connect: {error}", self.name),
            Err(_) => panic!(
                "{place}: {} could not connect within {PATIENCE:?}",
                self.name
            ),
        }
    }

    async fn wire(&self) -> Result<Wire, String> {
        match self.link {
            Link::Tcp => {
                let connection = self.connector.connect_stomp().await;
                Ok(Wire::Tcp(connection.map_err(|error| error.to_string())?))
            }
            Link::WebSocket => {
                let connection = self.connector.connect_http().await;
                let connection = connection.map_err(|error| error.to_string())?;
                let headers: Vec<_> = self
                    .http_headers
                    .iter()
                    .map(|(name, value)| (&**name, &**value))
                    .collect();
                let socket = WebSocket::open(connection, &self.path, &headers).await?;
                Ok(Wire::WebSocket(socket))
            }
        }
    }
}
