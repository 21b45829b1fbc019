//! STOMP in WebSocket messages. Every reading peer also checks that one frame comes as one message of the right kind.

use crate::peer::{Opcode, Peer, Server, Version, WsFrame};

const CONNECT: &[u8] = b"CONNECT\naccept-version:1.2\nhost:h\n\n\0";
const SUBSCRIBE: &[u8] = b"SUBSCRIBE\nid:s\ndestination:/topic/a\n\n\0";
const SEND: &[u8] = b"SEND\ndestination:/topic/a\n\nhello\0";

/// A fragment: the first of a message when `opcode` is not a continuation, the last when `fin`.
fn fragment(opcode: u8, fin: bool, payload: &[u8]) -> WsFrame {
    WsFrame {
        fin,
        ..WsFrame::new(opcode, payload)
    }
}

#[test]
fn text_and_binary_messages_are_alike() {
    let server = Server::start();
    for opcode in [Opcode::TEXT, Opcode::BINARY] {
        let mut peer = server.websocket();
        for frame in [CONNECT, SUBSCRIBE, SEND] {
            peer.raw_websocket(&WsFrame::new(opcode, frame));
        }
        peer.expect("CONNECTED");
        peer.expect_message("hello");
    }
}

#[test]
fn text_carries_utf_8_and_binary_the_rest() {
    let server = Server::start();
    let mut peer = server.websocket_session();
    peer.subscribed("s", "/topic/a", &[]);
    for (body, opcode) in [
        (&b"plain"[..], Opcode::TEXT),
        ("\u{20ac} \u{1f4e8}".as_bytes(), Opcode::TEXT),
        (b"", Opcode::TEXT),
        (b"a\0b", Opcode::TEXT),
        (b"\xff", Opcode::BINARY),
        (b"ok so far \xe2\x82", Opcode::BINARY),
    ] {
        peer.send("SEND", &[("destination", "/topic/a")], body);
        assert_eq!(
            peer.read_websocket().opcode,
            opcode,
            "{}",
            body.escape_ascii()
        );
    }
}

#[test]
fn one_message_may_hold_several_frames() {
    let server = Server::start();
    let mut peer = server.websocket();
    peer.raw_websocket(&WsFrame::new(
        Opcode::TEXT,
        [CONNECT, b"\n", SUBSCRIBE, SEND, SEND].concat(),
    ));
    peer.expect("CONNECTED");
    peer.expect_message("hello");
    peer.expect_message("hello");
}

#[test]
fn one_frame_may_span_messages_of_both_kinds_cut_anywhere() {
    let server = Server::start();
    let session = [CONNECT, SUBSCRIBE, SEND].concat();
    for cut in 0..=session.len() {
        let mut peer = server.websocket();
        peer.raw_websocket(&WsFrame::new(Opcode::TEXT, &session[..cut]));
        peer.raw_websocket(&WsFrame::new(Opcode::BINARY, &session[cut..]));
        peer.expect("CONNECTED");
        peer.expect_message("hello");
    }
}

#[test]
fn every_octet_may_be_a_message_of_its_own() {
    let server = Server::start();
    let mut peer = server.websocket();
    for octet in [CONNECT, SUBSCRIBE, SEND].concat() {
        peer.raw_websocket(&WsFrame::new(Opcode::BINARY, [octet]));
    }
    peer.expect("CONNECTED");
    peer.expect_message("hello");
}

#[test]
fn a_message_may_come_in_fragments_cut_anywhere() {
    let server = Server::start();
    let session = [CONNECT, SUBSCRIBE, SEND].concat();
    for cut in 0..=session.len() {
        let mut peer = server.websocket();
        peer.raw_websocket(&fragment(Opcode::TEXT, false, &session[..cut]));
        peer.raw_websocket(&fragment(Opcode::CONTINUATION, false, b""));
        peer.raw_websocket(&fragment(Opcode::CONTINUATION, true, &session[cut..]));
        peer.expect("CONNECTED");
        peer.expect_message("hello");
    }
}

#[test]
fn a_character_may_be_cut_by_a_fragment() {
    let server = Server::start();
    let mut peer = server.websocket_session();
    peer.subscribed("s", "/topic/a", &[]);
    let send = "SEND\ndestination:/topic/a\n\n\u{1f4e8}\0".as_bytes();
    for cut in send.len() - 5..send.len() {
        peer.raw_websocket(&fragment(Opcode::TEXT, false, &send[..cut]));
        peer.raw_websocket(&fragment(Opcode::CONTINUATION, true, &send[cut..]));
        peer.expect_message("\u{1f4e8}");
    }
}

#[test]
fn control_frames_may_come_between_fragments() {
    let server = Server::start();
    let mut peer = server.websocket();
    peer.raw_websocket(&fragment(Opcode::TEXT, false, &CONNECT[..9]));
    peer.raw_websocket(&WsFrame::new(Opcode::PING, "between"));
    let pong = peer.read_websocket();
    assert_eq!(
        (pong.opcode, &pong.payload[..]),
        (Opcode::PONG, &b"between"[..])
    );
    peer.raw_websocket(&WsFrame::new(Opcode::PONG, ""));
    peer.raw_websocket(&fragment(Opcode::CONTINUATION, true, &CONNECT[9..]));
    peer.expect("CONNECTED");
}

#[test]
fn a_ping_is_answered_with_its_payload() {
    let server = Server::start();
    let mut early = server.websocket();
    let mut late = server.websocket_session();
    for peer in [&mut early, &mut late] {
        for payload in [&b""[..], b"\x00\xff", &[b'p'; 125]] {
            peer.raw_websocket(&WsFrame::new(Opcode::PING, payload));
            let pong = peer.read_websocket();
            assert_eq!(
                (pong.opcode, pong.fin, &pong.payload[..]),
                (Opcode::PONG, true, payload)
            );
        }
    }
}

#[test]
fn a_pong_that_nobody_asked_for_is_ignored() {
    let server = Server::start();
    let mut peer = server.websocket_session();
    peer.raw_websocket(&WsFrame::new(Opcode::PONG, "hello"));
    peer.expect_nothing();
}

#[test]
fn an_empty_message_is_nothing() {
    let server = Server::start();
    let mut peer = server.websocket_session();
    for opcode in [Opcode::TEXT, Opcode::BINARY] {
        peer.raw_websocket(&WsFrame::new(opcode, ""));
    }
    peer.expect_nothing();
}

#[test]
fn every_length_form_is_read_and_written() {
    let server = Server::start();
    let mut peer = server.websocket_session();
    peer.subscribed("s", "/topic/a", &[]);
    for len in [
        0, 1, 20, 60, 125, 126, 127, 65_400, 65_535, 65_536, 70_000, 1_000_000,
    ] {
        let body = vec![b'x'; len];
        peer.send("SEND", &[("destination", "/topic/a")], &body);
        peer.expect_message(&body);
    }
}

#[test]
fn a_websocket_frame_cut_at_every_byte_is_read() {
    let server = Server::start();
    let frame = WsFrame::new(Opcode::TEXT, [CONNECT, SUBSCRIBE, SEND].concat()).encode();
    for cut in 0..frame.len() {
        let mut websocket = server.raw_websocket();
        websocket.send_raw(&frame[..cut]).expect("the link is open");
        websocket.send_raw(&frame[cut..]).expect("the link is open");
        let mut peer = Peer::over_websocket(websocket);
        peer.expect("CONNECTED");
        peer.expect_message("hello");
    }
}

#[test]
fn sessions_over_websocket_and_tcp_talk_to_each_other() {
    let server = Server::start();
    let mut tcp = server.connect(Version::V11);
    let mut websocket = server.websocket_session();
    tcp.subscribed("t", "/topic/to-tcp", &[]);
    websocket.subscribed("w", "/topic/to-websocket", &[]);
    tcp.publish("/topic/to-websocket", "hello");
    websocket.expect_message("hello");
    websocket.publish("/topic/to-tcp", "hello yourself");
    tcp.expect_message("hello yourself");
}
