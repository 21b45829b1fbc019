//! What the server hears of who connects, again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tidings_client::{Client, ConnectError, Credentials, CredentialsError, Event};
use tidings_stomp::{Command, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::peer::Script;
use crate::server::{hasty, within};

#[tokio::test]
async fn headers_of_the_program_reach_the_handshake_and_connect() {
    within(async {
        let script = Script::start().await;
        let url = format!("ws://{}/ws", script.address());
        let builder = Client::builder(&url)
            .handshake_header("Authorization", "Bearer abc")
            .handshake_header("Cookie", "a=1; b=2")
            .connect_header("tenant", "blue: 7");
        let serve = async {
            let mut stream = script.accept().await.stream;
            let mut request = String::new();
            while !request.ends_with("\r\n\r\n") {
                request.push(char::from(stream.read_u8().await.expect("a request")));
            }
            for line in ["Authorization: Bearer abc", "Cookie: a=1; b=2"] {
                assert!(request.lines().any(|found| found == line), "{request}");
            }
            let answer = b"HTTP/1.1 401 Unauthorized\r\n\r\n";
            stream.write_all(answer).await.expect("written");
        };
        let (client, ()) = tokio::join!(builder.clone().connect(), serve);
        assert!(matches!(client, Err(ConnectError::Handshake(_))));

        let builder = Client::builder(&script.url())
            .host("news.example")
            .connect_header("tenant", "blue: 7");
        let serve = async {
            let mut peer = script.accept().await;
            let connect = peer.expect(Command::Connect).await;
            assert_eq!(connect.header("tenant"), Some("blue: 7"));
            assert_eq!(connect.header("host"), Some("news.example"));
        };
        let (client, ()) = tokio::join!(builder.connect(), serve);
        assert!(client.is_err());
    })
    .await;
}

#[tokio::test]
async fn headers_that_can_not_be_sent_are_refused_before_anything_is() {
    within(async {
        for builder in [
            Client::builder("tcp://127.0.0.1:1").handshake_header("Cookie", "a=1"),
            Client::builder("tcp://127.0.0.1:1").connect_header("receipt", "1"),
            Client::builder("ws://127.0.0.1:1/ws").handshake_header("a", "b\r\nc: d"),
            Client::builder("tcp://127.0.0.1:1").login("ann", "a\nb"),
        ] {
            let Err(error) = builder.connect().await else {
                panic!("connected")
            };
            assert!(matches!(error, ConnectError::Credentials(_)), "{error}");
            assert!(!error.retry());
        }
    })
    .await;
}

/// What the hook does at its first call, its second one, ...
async fn nth_token(call: usize) -> Result<Credentials, std::io::Error> {
    match call {
        1 => Err(std::io::Error::other("the issuer of tokens is away")),
        2 => panic!("the program has a fault"),
        _ => Ok(Credentials::new().login("ann", &format!("token-{call}"))),
    }
}

#[tokio::test]
async fn each_attempt_has_fresh_credentials() {
    within(async {
        let script = Script::start().await;
        let calls = Arc::new(AtomicUsize::new(0));
        let builder = hasty(&script.url())
            .login("ann", "outdated")
            .credentials(move || nth_token(calls.fetch_add(1, Ordering::Relaxed)));
        let passcode = async || {
            let mut peer = script.accept().await;
            let connect = peer.expect(Command::Connect).await;
            let passcode = connect.header("passcode").expect("a passcode").to_owned();
            peer.answer_connect(Version::V1_2, "0,0").await;
            (peer, passcode)
        };
        let (client, (peer, first)) = tokio::join!(builder.connect(), passcode());
        let client = client.expect("connected");
        let mut events = client.events();
        drop(peer);
        let (_peer, second) = passcode().await;
        assert_eq!([first, second], ["token-0", "token-3"]);
        let mut failed = Vec::new();
        loop {
            match events.next().await {
                Some(Event::Failed(ConnectError::Credentials(error))) => {
                    failed.push(error.to_string());
                }
                Some(Event::Connected { .. }) => break,
                Some(Event::Lost(_) | Event::Reconnecting { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(
            failed[0],
            "the program gave no credentials: the issuer of tokens is away"
        );
        assert!(failed[1].contains("panicked"), "{failed:?}");
    })
    .await;
}

#[tokio::test]
async fn credentials_that_do_not_come_are_not_waited_for_forever() {
    within(async {
        let script = Script::start().await;
        let builder = Client::builder(&script.url())
            .connect_timeout(Duration::from_millis(50))
            .credentials(std::future::pending::<Result<_, CredentialsError>>);
        let client = builder.connect().await;
        assert!(matches!(client, Err(ConnectError::TimedOut(_))));
    })
    .await;
}
