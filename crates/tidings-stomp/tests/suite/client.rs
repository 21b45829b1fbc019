//! The client's side of a connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidings_stomp::{
    ClientConfig, ClientConnection, ClientEvent, Command, Connected, Connection, Event, HeartBeat,
    Limits, ServerConfig, Timeout, Version,
};

const SECOND: Duration = Duration::from_secs(1);

fn open(now: Instant, out: &mut Vec<u8>) -> ClientConnection {
    let config = ClientConfig {
        limits: Limits::default(),
        heart_beat: HeartBeat {
            send: 4 * SECOND,
            receive: 6 * SECOND,
        },
        connect_timeout: 5 * SECOND,
        host: "h".into(),
        login: Some("ann".into()),
        passcode: Some("a:b".into()),
        headers: vec![("client-id".into(), "7".into())],
    };
    ClientConnection::open(&config, now, out)
}

fn hears(client: &mut ClientConnection, now: Instant, input: &'static str) -> Option<ClientEvent> {
    client.handle_input(now, Bytes::from_static(input.as_bytes()));
    client.poll_event(now)
}

#[test]
fn client_and_server_understand_each_other() {
    let (now, mut to_server, mut to_client) = (Instant::now(), Vec::new(), Vec::new());
    let mut client = open(now, &mut to_server);
    assert_eq!(
        to_server,
        b"CONNECT\naccept-version:1.0,1.1,1.2\nhost:h\nheart-beat:4000,6000\nlogin:ann\npasscode:a:b\nclient-id:7\n\n\0"
    );
    let mut server = Connection::server(&Arc::new(ServerConfig::default()), now);
    server.handle_input(now, to_server.into());
    let Some(Event::Connect(request)) = server.poll_event() else {
        panic!("a CONNECT")
    };
    assert_eq!(
        (request.login(), request.passcode()),
        (Some("ann"), Some("a:b"))
    );
    server.accept(
        now,
        &Connected {
            session: "s",
            ..Connected::default()
        },
        &mut to_client,
    );
    client.handle_input(now, to_client.into());
    let Some(ClientEvent::Connected(connected)) = client.poll_event(now) else {
        panic!("CONNECTED")
    };
    assert_eq!(connected.version, Version::V1_2);
    assert_eq!(
        connected.heart_beat,
        HeartBeat {
            send: 10 * SECOND,
            receive: 10 * SECOND
        }
    );
    assert_eq!(connected.frame.header("session"), Some("s"));
    assert_eq!(client.version(), Some(Version::V1_2));
    assert_eq!(client.poll_timeout(), Some(now + 5 * SECOND));
}

#[test]
fn messages_arrive_until_the_error() {
    let now = Instant::now();
    let mut client = open(now, &mut Vec::new());
    let stream = "CONNECTED\nversion:1.1\n\n\0\nMESSAGE\na:b\\c\n\nx\0ERROR\n\n\0MESSAGE\n\n\0";
    assert!(matches!(
        hears(&mut client, now, stream),
        Some(ClientEvent::Connected(_))
    ));
    let Some(ClientEvent::Frame(message)) = client.poll_event(now) else {
        panic!("the MESSAGE")
    };
    assert_eq!(
        (message.header("a"), &message.body[..]),
        (Some("b:"), &b"x"[..])
    );
    let Some(ClientEvent::Frame(error)) = client.poll_event(now) else {
        panic!("the ERROR")
    };
    assert_eq!(error.command, Command::Error);
    assert!(client.poll_event(now).is_none());
    assert_eq!(client.poll_timeout(), None);
}

#[test]
fn server_that_breaks_the_rules_is_left() {
    let now = Instant::now();
    for (stream, code) in [
        ("MESSAGE\n\n\0", "not-connected"),
        ("CONNECTED\nversion:9\n\n\0", "unsupported-version"),
        ("CONNECTED\nheart-beat:x\n\n\0", "invalid-heart-beat"),
        ("FOO\n", "unknown-command"),
    ] {
        let Some(ClientEvent::Failed(error)) = hears(&mut open(now, &mut Vec::new()), now, stream)
        else {
            panic!("{stream:?} should fail")
        };
        assert_eq!(error.code(), code, "{stream:?}");
    }
    let mut client = open(now, &mut Vec::new());
    hears(&mut client, now, "CONNECTED\nversion:1.2\n\n\0");
    let Some(ClientEvent::Failed(error)) = hears(&mut client, now, "SEND\n\n\0") else {
        panic!("a client's frame")
    };
    assert_eq!(error.code(), "unexpected-command");
}

#[test]
fn silent_server_is_left() {
    let now = Instant::now();
    let mut client = open(now, &mut Vec::new());
    assert_eq!(
        client.handle_timeout(now + 5 * SECOND),
        Some(Timeout::ConnectTimedOut)
    );
    let mut client = open(now, &mut Vec::new());
    hears(
        &mut client,
        now,
        "CONNECTED\nversion:1.2\nheart-beat:3000,3000\n\n\0",
    );
    // We can send every 4 s, so half of that; it can send every 3 s, but we asked for 6 s, so twice that.
    assert_eq!(
        client.handle_timeout(now + 2 * SECOND),
        Some(Timeout::SendHeartBeat)
    );
    client.handle_output(now + 11 * SECOND);
    assert_eq!(client.poll_timeout(), Some(now + 12 * SECOND));
    assert_eq!(
        client.handle_timeout(now + 12 * SECOND),
        Some(Timeout::HeartBeatMissed)
    );
    assert_eq!(client.poll_timeout(), None);
}
