//! The server's side of a connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidings_stomp::connection::MAX_HELD_INPUT_BYTES;
use tidings_stomp::{
    Command, Connected, Connection, ErrorReply, Event, HeartBeat, Request, ServerConfig, State,
    Timeout, Version,
};

const SECOND: Duration = Duration::from_secs(1);

/// A connection with its clock and what it wrote.
struct Peer {
    connection: Connection,
    now: Instant,
    out: Vec<u8>,
}

impl Peer {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            connection: Connection::server(&Arc::new(ServerConfig::default()), now),
            now,
            out: Vec::new(),
        }
    }

    /// A connection that was accepted after this CONNECT.
    fn connected(connect: &'static str) -> Self {
        let mut peer = Self::new();
        assert!(matches!(peer.hears(connect), Some(Event::Connect(_))));
        peer.accept();
        peer.out.clear();
        peer
    }

    fn hears(&mut self, input: &'static str) -> Option<Event> {
        self.connection
            .handle_input(self.now, Bytes::from_static(input.as_bytes()));
        self.connection.poll_event()
    }

    fn accept(&mut self) {
        let connected = Connected {
            session: "s-1",
            ..Connected::default()
        };
        self.connection.accept(self.now, &connected, &mut self.out);
    }

    /// Moves the clock and fires the timer.
    fn waits(&mut self, time: Duration) -> Option<Timeout> {
        self.now += time;
        self.connection.handle_timeout(self.now)
    }

    /// Hears what ends the connection; returns the code and the ERROR that tells the peer.
    fn fails_on(&mut self, input: &'static str) -> (&'static str, String) {
        let Some(Event::Failed(error)) = self.hears(input) else {
            panic!("{input:?} should fail")
        };
        self.connection.fail(&error, &mut self.out);
        assert_eq!(self.connection.state(), State::Closing);
        (error.code(), self.wrote())
    }

    fn wrote(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.out)).expect("text only")
    }
}

const CONNECT_1_0: &str = "CONNECT\nlogin: ann\nheart-beat:1000,1000\n\n\0";
const CONNECT_1_1: &str = "CONNECT\naccept-version:1.0,1.1\nhost:h\n\n\0";
const CONNECT_1_2: &str =
    "STOMP\r\naccept-version:1.2,1.0\r\nhost:h\r\nheart-beat:4000,30000\r\n\r\n\0";

#[test]
fn connect_is_answered_in_the_highest_common_version() {
    let mut peer = Peer::new();
    let Some(Event::Connect(request)) = peer.hears(CONNECT_1_2) else {
        panic!("a CONNECT")
    };
    assert_eq!(
        (request.version, request.host(), request.login()),
        (Version::V1_2, Some("h"), None)
    );
    assert_eq!(
        request.heart_beat,
        HeartBeat {
            send: 4 * SECOND,
            receive: 30 * SECOND
        }
    );
    let connected = Connected {
        session: "s-1",
        server: Some("tidings/0"),
        user_name: Some("ann"),
        headers: &[("x", "a:b\\c\nd")],
    };
    peer.connection.accept(peer.now, &connected, &mut peer.out);
    assert_eq!(
        peer.wrote(),
        "CONNECTED\nversion:1.2\nsession:s-1\nheart-beat:10000,10000\nserver:tidings/0\nuser-name:ann\nx:a:b\\c d\n\n\0"
    );
    assert_eq!(
        (peer.connection.version(), peer.connection.state()),
        (Some(Version::V1_2), State::Connected)
    );
}

#[test]
fn connect_of_1_0_has_no_heart_beats() {
    let mut peer = Peer::new();
    let Some(Event::Connect(request)) = peer.hears(CONNECT_1_0) else {
        panic!("a CONNECT")
    };
    assert_eq!(
        (request.version, request.login()),
        (Version::V1_0, Some("ann"))
    );
    peer.accept();
    assert_eq!(peer.wrote(), "CONNECTED\nversion:1.0\nsession:s-1\n\n\0");
    assert_eq!(peer.connection.poll_timeout(), None);
}

#[test]
fn line_ends_before_connect_are_no_frames() {
    assert!(matches!(
        Peer::new().hears("\n\r\n\nCONNECT\n\n\0"),
        Some(Event::Connect(_))
    ));
}

#[test]
fn frames_wait_for_the_answer_to_connect() {
    let mut peer = Peer::new();
    assert!(matches!(
        peer.hears("CONNECT\naccept-version:1.1\n\n\0SEND\ndestination:a\\cb\n"),
        Some(Event::Connect(_))
    ));
    assert!(peer.hears("\nx\0").is_none());
    peer.accept();
    let Some(Event::Request(frame)) = peer.connection.poll_event() else {
        panic!("the SEND")
    };
    assert_eq!(
        frame.request(Version::V1_1),
        Ok(Request::Send {
            destination: "a:b",
            transaction: None
        })
    );
}

#[test]
fn frames_after_connect_are_read_by_the_rules_of_the_agreed_version() {
    for (connect, value) in [
        (CONNECT_1_0, "x\\cy"),
        (CONNECT_1_1, "x:y\r"),
        (CONNECT_1_2, "x:y"),
    ] {
        let mut peer = Peer::connected(connect);
        let Some(Event::Request(frame)) = peer.hears("SEND\na:x\\cy\r\n\n\0") else {
            panic!("the SEND")
        };
        assert_eq!(frame.header("a"), Some(value), "{connect:?}");
    }
}

#[test]
fn error_of_a_strange_command_is_cut_at_the_advice() {
    let (_, error) = Peer::connected(CONNECT_1_2).fails_on("A;B; C\n\n\0");
    assert!(
        error.starts_with("ERROR\nmessage:unknown command \"A;B; C\"\ncode:unknown-command\n"),
        "{error}"
    );
}

#[test]
fn input_that_waits_is_bounded() {
    let mut peer = Peer::new();
    assert!(peer.connection.wants_input());
    peer.hears("CONNECT\n\n\0");
    let newlines = Bytes::from(vec![b'\n'; MAX_HELD_INPUT_BYTES - 1]);
    peer.connection.handle_input(peer.now, newlines);
    assert!(peer.connection.wants_input());
    peer.hears("\n");
    assert!(!peer.connection.wants_input());
    peer.accept();
    assert!(peer.connection.poll_event().is_none());
    assert!(peer.connection.wants_input());
}

#[test]
fn first_frame_must_be_connect() {
    for input in [
        "SEND\ndestination:/a\nreceipt:7\n\n\0",
        "MESSAGE\nreceipt:7\n\n\0",
    ] {
        let (code, error) = Peer::new().fails_on(input);
        assert_eq!(code, "not-connected");
        assert!(error.contains("\nreceipt-id:7\n"), "{error}");
    }
    assert_eq!(
        Peer::new().fails_on("GET / HTTP/1.1\r\n").0,
        "unknown-command"
    );
}

#[test]
fn second_connect_ends_the_connection() {
    assert_eq!(
        Peer::connected(CONNECT_1_2).fails_on("CONNECT\n\n\0").0,
        "already-connected"
    );
    assert_eq!(
        Peer::connected(CONNECT_1_1).fails_on("STOMP\n\n\0").0,
        "already-connected"
    );
}

#[test]
fn frames_of_servers_are_refused() {
    let (code, error) = Peer::connected(CONNECT_1_2).fails_on("MESSAGE\nreceipt:a\\cb\n\n\0");
    assert_eq!(code, "unexpected-command");
    assert_eq!(
        error,
        "ERROR\nmessage:MESSAGE is not for this side to send\ncode:unexpected-command\nreceipt-id:a\\cb\n\
         content-type:text/plain\ncontent-length:36\n\nMESSAGE is not for this side to send\0"
    );
}

#[test]
fn unknown_version_is_answered_with_those_we_speak() {
    let (code, error) = Peer::new().fails_on("CONNECT\naccept-version:3.0\n\n\0");
    assert_eq!(code, "unsupported-version");
    assert_eq!(
        error,
        "ERROR\nmessage:no common version\ncode:unsupported-version\nversion:1.0,1.1,1.2\ncontent-type:text/plain\n\
         content-length:43\n\nno common version; speak one of 1.0,1.1,1.2\0"
    );
}

#[test]
fn heart_beat_header_must_be_two_numbers() {
    assert_eq!(
        Peer::new()
            .fails_on("CONNECT\naccept-version:1.2\nheart-beat:x\n\n\0")
            .0,
        "invalid-heart-beat"
    );
}

#[test]
fn decode_errors_tell_the_receipt_in_the_peers_form() {
    let (code, error) = Peer::connected(CONNECT_1_1).fails_on("ACK\nreceipt:a\\cb\n\nbody\0");
    assert_eq!(code, "unexpected-body");
    assert!(error.contains("\nreceipt-id:a\\cb\n"), "{error}");
    let (_, error) = Peer::connected(CONNECT_1_0).fails_on("ACK\nreceipt:a:b\n\nbody\0");
    assert!(error.contains("\nreceipt-id:a:b\n"), "{error}");
}

#[test]
fn nothing_after_disconnect_is_read() {
    let mut peer = Peer::connected(CONNECT_1_2);
    let Some(Event::Request(frame)) =
        peer.hears("DISCONNECT\nreceipt:9\n\n\0SEND\ndestination:/a\n\n\0")
    else {
        panic!("the DISCONNECT")
    };
    assert_eq!(
        (frame.command, frame.receipt()),
        (Command::Disconnect, Some("9"))
    );
    assert_eq!(peer.connection.state(), State::Disconnecting);
    assert!(peer.connection.poll_event().is_none());
    assert!(peer.hears("garbage").is_none());
    assert!(peer.connection.wants_input());
    assert_eq!(peer.connection.poll_timeout(), None);
}

#[test]
fn connect_can_be_refused_and_only_one_error_is_written() {
    let mut peer = Peer::new();
    peer.hears(CONNECT_1_2);
    let reply = ErrorReply {
        code: "bad-credentials",
        message: "bad: login",
        details: "log in",
        ..ErrorReply::default()
    };
    peer.connection.error(&reply, &mut peer.out);
    assert_eq!(
        peer.wrote(),
        "ERROR\nmessage:bad\\c login\ncode:bad-credentials\ncontent-type:text/plain\ncontent-length:6\n\nlog in\0"
    );
    peer.connection.error(&reply, &mut peer.out);
    peer.accept();
    assert_eq!(peer.wrote(), "");
    assert!(peer.hears("SEND\n\n\0").is_none());
}

#[test]
fn connect_must_come_in_time() {
    let mut peer = Peer::new();
    peer.hears("\nCONN");
    assert_eq!(peer.connection.poll_timeout(), Some(peer.now + 10 * SECOND));
    assert_eq!(peer.waits(9 * SECOND), None);
    assert_eq!(peer.waits(SECOND), Some(Timeout::ConnectTimedOut));
    assert_eq!(
        (peer.connection.state(), peer.connection.poll_timeout()),
        (State::Failed, None)
    );
    let error = Timeout::ConnectTimedOut
        .error()
        .expect("it ends the connection");
    peer.connection.fail(&error, &mut peer.out);
    assert!(
        peer.wrote()
            .starts_with("ERROR\nmessage:no complete CONNECT in time\ncode:connect-timeout\n")
    );
}

#[test]
fn no_timer_runs_while_the_answer_to_connect_is_due() {
    let mut peer = Peer::new();
    peer.hears(CONNECT_1_2);
    assert_eq!(peer.connection.poll_timeout(), None);
    assert_eq!(peer.waits(100 * SECOND), None);
}

#[test]
fn silent_peer_is_given_twice_its_interval() {
    // The client can send every 4 s and we want 10 s: 10 s it is. It wants 30 s of us.
    let mut peer = Peer::connected(CONNECT_1_2);
    assert_eq!(peer.connection.poll_timeout(), Some(peer.now + 15 * SECOND));
    assert_eq!(peer.waits(15 * SECOND), Some(Timeout::SendHeartBeat));
    // Part of a frame is a sign of life too.
    peer.now += 4 * SECOND;
    assert!(peer.hears("SEN").is_none());
    assert_eq!(peer.waits(11 * SECOND), Some(Timeout::SendHeartBeat));
    assert_eq!(peer.connection.poll_timeout(), Some(peer.now + 9 * SECOND));
    assert_eq!(peer.waits(8 * SECOND), None);
    assert_eq!(peer.waits(SECOND), Some(Timeout::HeartBeatMissed));
    assert_eq!(
        (peer.connection.state(), peer.waits(SECOND)),
        (State::Failed, None)
    );
}

#[test]
fn output_postpones_our_heart_beat() {
    let mut peer = Peer::connected("CONNECT\naccept-version:1.2\nheart-beat:0,2000\n\n\0");
    // We offer 10 s, so every 10 s; half of it is 5 s.
    assert_eq!(peer.waits(4 * SECOND), None);
    peer.connection.handle_output(peer.now);
    assert_eq!(peer.waits(4 * SECOND), None);
    assert_eq!(peer.waits(SECOND), Some(Timeout::SendHeartBeat));
    assert_eq!(peer.waits(Duration::ZERO), None);
    // It sends none, so it may be silent for ever.
    assert_eq!(peer.waits(1000 * SECOND), Some(Timeout::SendHeartBeat));
}

#[test]
fn idle_connection_is_small() {
    let bytes = size_of::<Connection>();
    eprintln!("Connection: {bytes} bytes");
    assert!(bytes <= 200, "Connection grew to {bytes} bytes");
}
