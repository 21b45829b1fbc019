//! How sessions over SockJS end: the ERROR, then the close frame with the code that WebSocket would have.

use std::time::{Duration, Instant};

use crate::peer::{
    Http, Opcode, PATIENCE, Peer, Server, SockFrame, Transport, Version, WsFrame, frame_of,
    fresh_url,
};

/// A frame at fault, the code of its ERROR and of the close frame.
const FAULTS: [(&str, &str, u16); 7] = [
    ("NOSUCH\n\n\0", "unknown-command", 4500),
    (
        "CONNECT\naccept-version:1.2\n\n\0",
        "already-connected",
        4509,
    ),
    ("SEND\n\n\0", "missing-header", 4511),
    ("MESSAGE\n\n\0", "unexpected-command", 4514),
    (
        "SEND\ndestination:/elsewhere/a\n\n\0",
        "unknown-destination",
        4520,
    ),
    ("ACK\nid:never\n\n\0", "unknown-ack", 4525),
    (
        "SEND\ndestination:/topic/a\ncontent-length:1048577\n\n",
        "body-too-large",
        1009,
    ),
];

#[test]
fn a_fault_is_told_by_error_and_then_by_the_close_frame() {
    let server = Server::start();
    for transport in Transport::ALL {
        for (frame, code, close_code) in FAULTS {
            let mut peer = server.sockjs_session(transport);
            peer.raw(frame.as_bytes());
            peer.expect_error_frame(code);
            peer.expect_close(close_code, code);
        }
    }
    for (_, code, _) in FAULTS {
        assert_eq!(server.disconnects(code), Transport::ALL.len() as u64);
    }
}

#[test]
fn messages_behind_the_faulty_frame_are_not_handled() {
    let server = Server::start();
    let mut reader = server.session();
    reader.subscribed("s", "/topic/a", &[]);
    for transport in Transport::ALL {
        let mut peer = server.sockjs_session(transport);
        let send = "SEND\ndestination:/topic/a\n\n\0";
        peer.sockjs()
            .say(&[send, "NOSUCH\n\n\0", send])
            .expect("it is taken");
        peer.expect_error("unknown-command");
        reader.expect("MESSAGE");
        reader.expect_nothing();
    }
}

#[test]
fn the_time_to_connect_counts_from_the_opening() {
    let timeout = Duration::from_millis(400);
    let server = Server::configured("[stomp]\nconnect_timeout = \"400ms\"\n");
    for transport in Transport::ALL {
        let before = Instant::now();
        let mut peer = server.sockjs(transport);
        peer.expect_error_frame("connect-timeout");
        peer.expect_close(4000, "connect-timeout");
        assert!(before.elapsed() >= timeout, "{:?}", before.elapsed());
    }
}

#[test]
fn no_frame_of_sockjs_prolongs_the_time_to_connect() {
    let server = Server::configured(
        "[stomp]\nconnect_timeout = \"600ms\"\n[sockjs]\nheartbeat_time = \"100ms\"\n",
    );
    for transport in Transport::ALL {
        let mut peer = server.sockjs(transport);
        peer.sockjs().say(&["CONN"]).expect("it is taken");
        peer.expect_error("connect-timeout");
        assert!(peer.sockjs().heartbeats > 1);
    }
}

#[test]
fn a_client_that_promised_beats_and_is_silent_is_closed() {
    let server = Server::configured("[stomp]\nheart_beat_receive = \"300ms\"\n");
    for transport in Transport::ALL {
        let before = Instant::now();
        let mut peer = server.sockjs(transport);
        let headers = [
            ("accept-version", "1.2"),
            ("host", "h"),
            ("heart-beat", "300,0"),
        ];
        peer.connect_with(Version::V12, &headers);
        peer.expect_error_frame("heart-beat-missed");
        peer.expect_close(4001, "heart-beat-missed");
        assert!(before.elapsed() >= Duration::from_millis(600));
    }
}

#[test]
fn what_waits_comes_before_the_goodbye() {
    let server = Server::start();
    for transport in Transport::ALL {
        let mut peer = server.sockjs_session(transport);
        peer.subscribed("s", "/topic/a", &[]);
        for number in 0..3 {
            peer.send(
                "SEND",
                &[("destination", "/topic/a")],
                number.to_string().as_bytes(),
            );
        }
        peer.send("DISCONNECT", &[("receipt", "last")], b"");
        for number in 0..3 {
            peer.expect_message(number.to_string());
        }
        peer.expect_receipt("last");
        peer.expect_close(1000, "normal");
    }
}

#[test]
fn everyone_who_listens_after_the_close_gets_the_close_frame_again() {
    let server = Server::start();
    for transport in Transport::HTTP {
        let mut peer = server.sockjs_session(transport);
        peer.raw(b"NOSUCH\n\n\0");
        peer.expect_error("unknown-command");
        for _ in 0..3 {
            peer.expect_close(4500, "unknown-command");
        }
        let exchange = peer.sockjs().exchange();
        let answer = exchange.post("xhr_send", &[], "[\"x\"]");
        assert_eq!(answer.expect("it is answered").status, 404);
    }
}

#[test]
fn a_closed_session_is_forgotten_after_the_disconnect_delay() {
    let server = Server::configured("[sockjs]\ndisconnect_delay = \"200ms\"\n");
    let mut peer = server.sockjs_session(Transport::Xhr);
    let url = peer.sockjs().exchange().url.clone() + "/xhr";
    peer.raw(b"NOSUCH\n\n\0");
    peer.expect_error("unknown-command");
    await_sessions(&server, 0);
    let answer = server.http().post(&url, &[], "");
    assert_eq!(frame_of(&answer.rest), SockFrame::Open, "it is a new one");
}

fn await_sessions(server: &Server, count: i64) {
    let sample = "tidings_connections{link=\"sockjs-http\"}";
    server.await_metric(sample, |sessions| sessions == count);
}

#[test]
fn a_client_whose_connection_breaks_while_it_listens_is_gone_at_once() {
    let server = Server::configured("[sockjs]\ndisconnect_delay = \"10m\"\n");
    for transport in Transport::HTTP {
        let mut peer = server.sockjs_session(transport);
        peer.subscribed("s", "/topic/a", &[]);
        let exchange = peer.sockjs().exchange();
        let url = exchange.url.clone() + "/xhr";
        if transport == Transport::Xhr {
            exchange.park();
        }
        exchange.abort();
        server.await_metric("tidings_subscriptions", |count| count == 0);
        let answer = server.http().post(&url, &[], "");
        assert_eq!(frame_of(&answer.rest), SockFrame::Open, "it is a new one");
    }
    assert_eq!(server.disconnects("connection-reset"), 2);
}

#[test]
fn a_client_that_does_not_come_back_is_gone_after_the_delay_and_sending_does_not_prolong_it() {
    let delay = Duration::from_millis(500);
    let server = Server::configured("[sockjs]\ndisconnect_delay = \"500ms\"\n");
    let url = fresh_url();
    let mut http = server.http();
    let before = Instant::now();
    let opened = http.post(&format!("{url}/xhr"), &[], "");
    assert_eq!(frame_of(&opened.rest), SockFrame::Open);
    // It says something all the time, until it is not known any more.
    let send = format!("{url}/xhr_send");
    while http.post(&send, &[], "[\"\\n\"]").status == 204 {
        assert!(before.elapsed() < Duration::from_secs(8), "it goes on");
    }
    assert!(before.elapsed() >= delay, "{:?}", before.elapsed());
    assert_eq!(http.post(&send, &[], "[\"\\n\"]").status, 404);
    await_sessions(&server, 0);
}

#[test]
fn the_delay_does_not_run_while_the_client_listens() {
    let server = Server::configured(
        "[sockjs]\ndisconnect_delay = \"100ms\"\n[stomp]\nheart_beat_send = \"1s\"\n",
    );
    let mut peer = server.sockjs(Transport::XhrStreaming);
    let headers = [
        ("accept-version", "1.2"),
        ("host", "h"),
        ("heart-beat", "0,1000"),
    ];
    peer.connect_with(Version::V12, &headers);
    for _ in 0..2 {
        peer.expect_beat();
    }
    peer.expect_nothing();
}

fn send_to(http: &mut Http, url: &str, body: &str) -> (u16, String) {
    let answer = http.post(&format!("{url}/xhr_send"), &[], body);
    (answer.status, answer.text().trim_end().to_owned())
}

#[test]
fn a_payload_that_is_no_array_of_strings_is_refused_and_the_session_goes_on() {
    let server = Server::start();
    for transport in Transport::HTTP {
        let mut peer = server.sockjs_session(transport);
        let url = peer.sockjs().exchange().url.clone();
        let mut http = server.http();
        for (body, cause) in [
            ("", "Payload expected."),
            ("{}", "Payload expected."),
            ("[\"x", "Broken JSON encoding."),
            ("SEND", "Broken JSON encoding."),
        ] {
            assert_eq!(
                send_to(&mut http, &url, body),
                (500, cause.into()),
                "{body}"
            );
        }
        peer.expect_nothing();
    }
}

#[test]
fn a_payload_that_is_no_array_of_strings_ends_a_framed_websocket() {
    let server = Server::start();
    for payload in ["[\"x", "{}", "[1]", "x"] {
        let mut peer = server.sockjs_session(Transport::WebSocket);
        say_raw(&mut peer, payload);
        let end = peer.sockjs().websocket().read(Instant::now() + PATIENCE);
        let end = end.expect("a close frame comes");
        assert_eq!(end.close_code(), Some(1002), "{payload}");
        assert_eq!(&end.payload[2..], b"sockjs-protocol", "{payload}");
    }
    server.await_disconnects("sockjs-protocol", 4);
}

fn say_raw(peer: &mut Peer, text: &str) {
    let websocket = peer.sockjs().websocket();
    websocket
        .send_message(Opcode::TEXT, text.as_bytes())
        .expect("it is written");
}

#[test]
fn a_close_of_the_client_is_answered_by_a_close_of_websocket() {
    let server = Server::start();
    let mut peer = server.sockjs_session(Transport::WebSocket);
    let websocket = peer.sockjs().websocket();
    websocket
        .send(&WsFrame::close(1000))
        .expect("it is written");
    let answer = websocket.read(Instant::now() + PATIENCE);
    assert_eq!(answer.expect("it is answered").close_code(), Some(1000));
    server.await_disconnects("normal", 1);
}
