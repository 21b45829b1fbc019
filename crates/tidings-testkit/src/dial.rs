//! How a client comes to the server.

use std::future::Future;
use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tidings_stomp::{Command, Frame, HeartBeat, Version};
use tokio::time::timeout;

use crate::door::{Door, Speech};
use crate::http::TurnedAway;
use crate::link::{Link, WebSocket, Wire};
use crate::message::{Goodbye, shown_frame};
use crate::peer::Peer;
use crate::sockjs::SockJs;
use crate::time::PATIENCE;

/// A client that is going to connect: by default over TCP, with STOMP 1.2, no login and no heart-beats.
#[derive(Debug, Clone)]
#[must_use = "it connects when it is told to"]
pub struct Dial {
    door: Door,
    /// Path of WebSocket, beneath which SockJS is.
    path: String,
    /// What follows it, with its question mark.
    query: String,
    link: Link,
    name: String,
    versions: String,
    heart_beat: HeartBeat,
    /// Further headers of CONNECT.
    headers: Vec<(String, String)>,
    /// Headers of the handshake of WebSocket, and of each request of SockJS.
    http_headers: Vec<(String, String)>,
}

impl Dial {
    /// One that comes through this door, and finds WebSocket at this path and SockJS beneath it.
    pub fn new(door: impl Into<Door>, path: impl Into<String>) -> Self {
        Self {
            door: door.into(),
            path: path.into(),
            query: String::new(),
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

    /// With this query in the url: `ticket=...`.
    pub fn query(mut self, query: &str) -> Self {
        self.query = format!("?{query}");
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

    /// Panics of the peer name it so.
    pub(crate) fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
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

    /// With this header of the handshake of WebSocket, and of each request of SockJS: `Origin`, say.
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

    /// Comes in vain, by WebSocket or SockJS: gives the status of the answer of HTTP, after which nothing is open.
    ///
    /// # Panics
    /// The link opened, or there was no answer.
    #[track_caller]
    pub fn turned_away(self) -> impl Future<Output = u16> {
        let place = Location::caller();
        async move {
            match timeout(PATIENCE, self.wire()).await {
                Ok(Err(away)) if away.status > 0 => away.status,
                Ok(Err(away)) => panic!("{place}: {} heard no answer: {away}", self.name),
                Ok(Ok(_)) => panic!("{place}: {} was let in", self.name),
                Err(_) => panic!("{place}: {} heard nothing for {PATIENCE:?}", self.name),
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

    async fn wire(&self) -> Result<Wire, TurnedAway> {
        let headers: Vec<_> = self
            .http_headers
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let stream = async |speech| self.door.open(speech).await.map_err(TurnedAway::by);
        match self.link {
            Link::Tcp => Ok(Wire::Tcp(stream(Speech::Stomp).await?)),
            Link::WebSocket => {
                let url = format!("{}{}", self.path, self.query);
                let stream = stream(Speech::Http).await?;
                let socket = WebSocket::open(stream, &url, &headers).await?;
                Ok(Wire::WebSocket(socket))
            }
            link => {
                let url = (&*self.path, &*self.query);
                let name = session_name();
                let session = SockJs::open(&self.door, link, url, &name, &headers).await?;
                Ok(Wire::SockJs(Box::new(session)))
            }
        }
    }
}

/// Clients of SockJS choose it, each another.
fn session_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("test-session-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}
