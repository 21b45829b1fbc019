//! An example that runs, and those who talk to it.

use std::future::Future;
use std::time::Duration;

use serde_json::Value;
use tidings_client::{Client, Message, Subscription};
use tidings_server::config::{Config, Overrides};
use tidings_server::{ListenerKind, Server};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Development mode on free ports.
pub(crate) fn config() -> Config {
    let free = || Some("127.0.0.1:0".to_owned());
    let config = Config::development(&Overrides {
        listen: free(),
        tcp: free(),
        ..Overrides::default()
    });
    let mut config = config.expect("defaults");
    config.server.workers = 2;
    config
}

pub(crate) struct Running {
    url: String,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(server: Server) -> Self {
        let mut listeners = server.listeners().iter();
        let http = listeners.find(|listener| listener.kind == ListenerKind::Http);
        let address = http.expect("it listens").address;
        let (stop, stopped) = oneshot::channel::<()>();
        let done = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            let ended = server.run(axum::Router::new(), stopped).await;
            ended.expect("it ends as it should");
        });
        Self {
            url: format!("ws://{address}/ws"),
            stop,
            done,
        }
    }

    pub(crate) async fn client(&self, login: &str) -> Client {
        let connecting = Client::builder(&self.url).login(login, "").connect();
        soon(connecting).await.expect("it connects")
    }

    pub(crate) async fn stop(self) {
        drop(self.stop);
        soon(self.done).await.expect("no panic");
    }
}

/// Live on return: what is sent from now on is heard.
pub(crate) async fn subscribe(client: &Client, destination: &str) -> Subscription {
    let subscribing = async { client.subscribe(destination).await };
    soon(subscribing).await.expect("it may listen")
}

/// Done on return, and all that it caused is sent.
pub(crate) async fn send(client: &Client, destination: &str, body: &str) {
    let sending = client.send(destination, body.to_owned());
    let sending = sending.content_type("application/json").confirmed();
    soon(sending).await.expect("it is taken");
}

pub(crate) async fn next(subscription: &mut Subscription) -> Message {
    let message = soon(subscription.next()).await;
    message.expect("the connection holds")
}

pub(crate) async fn next_json(subscription: &mut Subscription) -> Value {
    let message = next(subscription).await;
    serde_json::from_slice(message.body()).expect("JSON")
}

/// Nothing has come that was sent before this was called.
pub(crate) async fn hears_no_more(client: &Client, subscription: &mut Subscription) {
    let mut last = subscribe(client, "/topic/last").await;
    send(client, "/topic/last", "").await;
    next(&mut last).await;
    let waiting = tokio::time::timeout(Duration::ZERO, subscription.next());
    assert!(waiting.await.is_err(), "{}", subscription.destination());
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(PATIENCE, future).await;
    outcome.expect("it does not hang")
}
