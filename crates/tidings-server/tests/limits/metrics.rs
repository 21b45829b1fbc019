//! What an operator sees: which limit it was. Over real sockets, since that is where metrics are asked for.

use std::net::SocketAddr;
use std::time::Duration;

use tidings_server::config::{Config, Overrides};
use tidings_server::{ListenerKind, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

const CONNECT: &str = "CONNECT\naccept-version:1.2\nhost:h\nlogin:ada\n\n\0";

fn config() -> Config {
    let anywhere = Some("127.0.0.1:0".to_owned());
    let overrides = Overrides {
        listen: anywhere.clone(),
        tcp: anywhere.clone(),
        admin: anywhere,
        data_dir: None,
    };
    let mut config = Config::development(&overrides).expect("the addresses are good");
    config.session.max_frames_per_second = 1;
    config.session.rate_patience = Duration::ZERO;
    config.session.max_per_user = 1;
    config.session.max_subscriptions = 1;
    config
}

/// Says this, and gives what comes until the server closes.
async fn say(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(text.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    let read = timeout(PATIENCE, stream.read_to_string(&mut answer));
    read.await.expect("it closes").expect("UTF-8");
    answer
}

#[tokio::test]
async fn metrics_tell_which_limit_it_was() {
    let server = Server::bind(config()).await.expect("free ports");
    let address = |kind| {
        let mut listeners = server.listeners().iter();
        let found = listeners.find(|one: &&tidings_server::Listener| one.kind == kind);
        found.expect("it is on").address
    };
    let (tcp, admin) = (address(ListenerKind::Tcp), address(ListenerKind::Admin));
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(axum::Router::new(), async { drop(stopped.await) }));

    let mut first = TcpStream::connect(tcp).await.expect("it listens");
    first.write_all(CONNECT.as_bytes()).await.expect("it reads");
    let mut connected = [0; 9];
    let read = timeout(PATIENCE, first.read_exact(&mut connected));
    read.await.expect("it answers").expect("it answers");
    assert!(say(tcp, CONNECT).await.contains("code:too-many-sessions"));

    let bob = CONNECT.replace("ada", "bob");
    let subscribe = "SUBSCRIBE\nid:a\ndestination:/topic/a\n\n\0".to_owned();
    let twice = subscribe.clone() + &subscribe.replace("id:a", "id:b");
    let answer = say(tcp, &format!("{bob}{twice}")).await;
    assert!(answer.contains("code:too-many-subscriptions"), "{answer}");
    let flood = "SEND\ndestination:/topic/a\n\n\0".repeat(9);
    let answer = say(tcp, &format!("{bob}{flood}")).await;
    assert!(answer.contains("code:rate-exceeded"), "{answer}");

    let metrics = say(
        admin,
        "GET /metrics HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
    )
    .await;
    for limit in [
        "session.max_per_user",
        "session.max_subscriptions",
        "session.max_frames_per_second",
    ] {
        let line = format!("tidings_limit_reached_total{{limit=\"{limit}\"}} 1\n");
        assert!(metrics.contains(&line), "{limit}: {metrics}");
    }
    let line = "tidings_audit_events_total{event=\"limit-reached\"} 2\n";
    assert!(metrics.contains(line), "{metrics}");
    drop(stop);
    drop(first);
    let ended = timeout(PATIENCE, running).await.expect("it stops");
    ended
        .expect("it does not panic")
        .expect("it ends as it should");
}
