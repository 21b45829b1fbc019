//! Servers that die, lie, and say no.

use std::future::IntoFuture;
use std::time::Duration;

use tidings_client::{
    AckMode, AddressError, Backoff, Client, ConnectError, Ended, Event, HandshakeError, Reason,
    ReceiptError, ResponseError, SendError, Version,
};
use tidings_stomp::{Command, Frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::peer::{Script, message};
use crate::server::{RunningServer, hasty, within};

#[tokio::test]
async fn a_server_that_dies_within_a_frame_is_found_again() {
    within(async {
        let script = Script::start().await;
        let builder = hasty(&script.url());
        let (client, mut peer) =
            tokio::join!(builder.connect(), script.connected(Version::V1_2, "0,0"));
        let client = client.expect("connected");
        let mut events = client.events();
        let (news, first_id) = tokio::join!(
            async { client.subscribe("/topic/a").await },
            peer.subscribed()
        );
        let mut news = news.expect("subscribed");
        let sent = client.send("/topic/a", "x").receipt().await;
        let receipt = sent.expect("sent");
        peer.expect(Command::Send).await;
        peer.send(&message(&first_id, "whole")).await;
        peer.write(b"MESSAGE\nsubscription:").await;
        drop(peer);

        assert_eq!(news.next().await.expect("a message").text(), Ok("whole"));
        assert!(matches!(receipt.await, Err(ReceiptError::ConnectionLost)));
        assert!(matches!(
            events.next().await,
            Some(Event::Lost(Ended::Eof | Ended::Broken(_)))
        ));
        assert!(matches!(
            events.next().await,
            Some(Event::Reconnecting { attempt: 1, .. })
        ));
        let mut peer = script.connected(Version::V1_2, "0,0").await;
        assert_eq!(peer.subscribed().await, first_id);
        assert!(matches!(events.next().await, Some(Event::Connected { .. })));
        peer.send(&message(&first_id, "more")).await;
        assert_eq!(news.next().await.expect("a message").text(), Ok("more"));
    })
    .await;
}

#[tokio::test]
async fn an_error_decides_whether_the_client_comes_back() {
    within(async {
        for (reason, comes_back) in [
            (Reason::SlowConsumer, true),
            (Reason::QueueFull, true),
            (Reason::Refused, false),
            (Reason::InvalidHeader, false),
        ] {
            let script = Script::start().await;
            let builder = hasty(&script.url());
            let (client, mut peer) =
                tokio::join!(builder.connect(), script.connected(Version::V1_2, "0,0"));
            let mut events = client.as_ref().expect("connected").events();
            let error = Frame::new(Command::Error).with_header("code", reason.name());
            peer.send(&error).await;
            peer.gone().await;
            let Some(Event::Lost(Ended::Refused(error))) = events.next().await else {
                panic!("no loss");
            };
            assert_eq!(error.reason(), Some(reason));
            match events.next().await {
                Some(Event::Reconnecting { .. }) if comes_back => {
                    script.connected(Version::V1_2, "0,0").await;
                }
                Some(Event::GivenUp(_)) if !comes_back => {}
                other => panic!("{reason}: {other:?}"),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_gives_up_after_so_many_attempts() {
    within(async {
        let script = Script::start().await;
        let builder = Client::builder(&script.url()).reconnect(Backoff {
            initial: Duration::from_millis(1),
            max: Duration::from_secs(60),
            max_attempts: 3,
        });
        let (client, peer) =
            tokio::join!(builder.connect(), script.connected(Version::V1_2, "0,0"));
        let client = client.expect("connected");
        let mut events = client.events();
        drop((peer, script));
        assert!(matches!(events.next().await, Some(Event::Lost(_))));
        // Waits in the client, and never gets out.
        let sent = client.send("/topic/a", "x").receipt().await;
        for expected in 1..=3 {
            let Some(Event::Reconnecting { attempt, .. }) = events.next().await else {
                panic!("no attempt {expected}");
            };
            assert_eq!(attempt, expected);
            assert!(matches!(events.next().await, Some(Event::Failed(_))));
        }
        assert!(matches!(events.next().await, Some(Event::GivenUp(_))));
        let fate = sent.expect("queued").await;
        assert!(
            matches!(fate, Err(ReceiptError::NotSent(SendError::GivenUp(_)))),
            "{fate:?}"
        );
        let subscribed = client.subscribe("/topic/a").await;
        assert!(subscribed.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_refused_login_is_told() {
    within(async {
        let script = Script::start().await;
        let builder = Client::builder(&script.url()).login("ann", "secret");
        let refuse = async {
            let mut peer = script.accept().await;
            let connect = peer.expect(Command::Connect).await;
            assert_eq!(connect.header("login"), Some("ann"));
            assert_eq!(connect.header("passcode"), Some("secret"));
            assert_eq!(connect.header("host"), Some("127.0.0.1"));
            let error = Frame::new(Command::Error).with_header("code", "refused");
            peer.send(&error).await;
        };
        let (client, ()) = tokio::join!(builder.connect(), refuse);
        let Err(error) = client else {
            panic!("connected")
        };
        assert!(matches!(error, ConnectError::Ended(Ended::Refused(_))));
        assert!(!error.retry());
    })
    .await;
}

#[tokio::test]
async fn acknowledgements_are_written_for_the_version_of_the_server() {
    within(async {
        for (version, named) in [
            (Version::V1_0, vec![("message-id", "m")]),
            (
                Version::V1_1,
                vec![("message-id", "m"), ("subscription", "1")],
            ),
            (Version::V1_2, vec![("id", "ack-x")]),
        ] {
            let script = Script::start().await;
            let builder = hasty(&script.url());
            let (client, mut peer) =
                tokio::join!(builder.connect(), script.connected(version, "0,0"));
            let client = client.expect("connected");
            let subscribe = client.subscribe("/queue/a").ack(AckMode::Client);
            let (orders, id) = tokio::join!(subscribe.into_future(), peer.subscribed());
            let mut orders = orders.expect("subscribed");
            peer.send(&message(&id, "x")).await;
            let order = orders.next().await.expect("a message");
            if version == Version::V1_0 {
                assert!(matches!(order.nack().await, Err(SendError::NoNack)));
            }
            order.ack().await.expect("sent");
            let ack = peer.expect(Command::Ack).await;
            let headers: Vec<_> = ack.headers.iter().collect();
            assert_eq!(headers, named);
        }
    })
    .await;
}

#[tokio::test]
async fn what_opens_no_websocket_is_told() {
    within(async {
        for (answer, retry) in [
            ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", false),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", true),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", false),
            ("CONNECTED\nversion:1.2\n\n\0\r\n\r\n", false),
        ] {
            let script = Script::start().await;
            let url = format!("ws://{}/ws", script.address());
            let serve = async {
                let mut peer = script.accept().await;
                let mut request = [0; 1024];
                let _ = peer.stream.read(&mut request).await.expect("a request");
                peer.write(answer.as_bytes()).await;
                peer
            };
            let (client, _peer) = tokio::join!(Client::connect(&url), serve);
            let Err(error) = client else {
                panic!("connected")
            };
            assert!(matches!(error, ConnectError::Handshake(_)), "{error}");
            assert_eq!(error.retry(), retry, "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_head_without_end_is_not_read_forever() {
    within(async {
        let script = Script::start().await;
        let url = format!("ws://{}/ws", script.address());
        let flood = async {
            let mut peer = script.accept().await;
            let line = b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n";
            peer.write(b"HTTP/1.1 101 Switching Protocols\r\n").await;
            while peer.stream.write_all(line).await.is_ok() {}
        };
        let (client, ()) = tokio::join!(Client::connect(&url), flood);
        assert!(matches!(
            client,
            Err(ConnectError::Handshake(HandshakeError::Malformed))
        ));
    })
    .await;
}

#[tokio::test]
async fn addresses_that_lead_nowhere_are_told() {
    within(async {
        let unknown = Client::connect("http://localhost/ws").await;
        assert!(matches!(
            unknown,
            Err(ConnectError::Address(AddressError::Scheme))
        ));
        let closed = format!("tcp://{}", Script::start().await.address());
        let Err(error) = Client::connect(&closed).await else {
            panic!("connected")
        };
        assert!(matches!(error, ConnectError::Unreachable(_)));
        assert!(error.retry());
        let server = RunningServer::start().await;
        let [websocket, _] = server.urls();
        let nowhere = format!("{websocket}/nowhere/at/all");
        let Err(error) = Client::connect(&nowhere).await else {
            panic!("connected")
        };
        let ConnectError::Handshake(HandshakeError::Response(ResponseError::Status(404))) = error
        else {
            panic!("{error}")
        };
    })
    .await;
}
