//! permessage-deflate (RFC 7692).

use crate::peer::{Opcode, Peer, Server, Version, WebSocket, WsFrame};

const COMPRESSION: &str = "[websocket]\ncompression = true\n";

fn open(server: &Server, offer: &str) -> WebSocket {
    let offer = [("Sec-WebSocket-Extensions", offer)];
    WebSocket::open(server.http, &offer).expect("any offer is accepted or passed over")
}

fn session(server: &Server) -> Peer {
    let mut peer = Peer::over_websocket(open(server, "permessage-deflate"));
    peer.connect(Version::V12);
    peer
}

/// What the server agreed to.
fn agreed(server: &Server, offer: &str) -> Option<String> {
    open(server, offer)
        .response
        .header("sec-websocket-extensions")
        .map(str::to_owned)
}

#[test]
fn without_configuration_no_compression_is_agreed() {
    let server = Server::start();
    assert_eq!(agreed(&server, "permessage-deflate"), None);
}

#[test]
fn without_an_offer_no_compression_is_agreed() {
    let server = Server::configured(COMPRESSION);
    let mut peer = server.websocket();
    peer.connect(Version::V12);
    peer.raw_websocket(&WsFrame {
        reserved: 4,
        ..WsFrame::new(Opcode::TEXT, "\n")
    });
    assert_eq!(peer.expect_end(), Some(1002));
}

#[test]
fn offers_are_taken_or_passed_over() {
    let server = Server::configured(COMPRESSION);
    for offer in [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "permessage-bzip2, permessage-deflate",
        "permessage-deflate; mode=fast, permessage-deflate",
    ] {
        let agreed = agreed(&server, offer).unwrap_or_else(|| panic!("{offer} can be fulfilled"));
        assert!(agreed.starts_with("permessage-deflate"), "{agreed}");
    }
    for offer in [
        "permessage-bzip2",
        "permessage-deflate; mode=fast",
        "permessage-deflate; server_max_window_bits=99",
    ] {
        assert_eq!(agreed(&server, offer), None, "{offer}");
    }
}

#[test]
fn sessions_talk_compressed_and_plain_ones_hear_them() {
    let server = Server::configured(COMPRESSION);
    let mut compressed = session(&server);
    let mut plain = server.websocket_session();
    let mut tcp = server.session();
    for peer in [&mut compressed, &mut plain, &mut tcp] {
        peer.subscribed("s", "/topic/a", &[]);
    }
    let bodies = [
        "",
        "short",
        &"long and dull ".repeat(10_000),
        &"\u{1f4e8}".repeat(1_000),
    ];
    for body in bodies {
        compressed.send("SEND", &[("destination", "/topic/a")], body.as_bytes());
        compressed.expect_message(body);
        plain.expect_message(body);
        tcp.expect_message(body);
    }
}

#[test]
fn long_messages_leave_compressed() {
    let server = Server::configured(COMPRESSION);
    let mut peer = session(&server);
    peer.subscribed("s", "/topic/a", &[]);
    server
        .session()
        .publish("/topic/a", "long and dull ".repeat(1_000));
    let frame = peer.read_websocket();
    assert_eq!((frame.reserved, frame.opcode), (4, Opcode::TEXT));
    assert!(
        frame.payload.len() > 14_000,
        "the peer inflates what it reads"
    );
}

#[test]
fn a_peer_that_agreed_may_still_send_plain() {
    let server = Server::configured(COMPRESSION);
    let mut peer = session(&server);
    peer.raw_websocket(&WsFrame::new(
        Opcode::TEXT,
        "SEND\ndestination:/topic/a\nreceipt:r\n\nx\0",
    ));
    peer.expect_receipt("r");
}

#[test]
fn what_does_not_inflate_ends_the_connection() {
    let server = Server::configured(COMPRESSION);
    let mut peer = session(&server);
    peer.raw_websocket(&WsFrame {
        reserved: 4,
        ..WsFrame::new(Opcode::BINARY, [0xff; 16])
    });
    let code = peer.expect_end();
    assert!(matches!(code, Some(1002 | 1007)), "{code:?}");
}

#[test]
fn a_compressed_control_frame_breaks_the_protocol() {
    let server = Server::configured(COMPRESSION);
    let mut peer = session(&server);
    peer.raw_websocket(&WsFrame {
        reserved: 4,
        ..WsFrame::new(Opcode::PING, "")
    });
    assert_eq!(peer.expect_end(), Some(1002));
}

#[test]
fn a_message_that_inflates_beyond_the_limit_is_too_large() {
    let server = Server::configured(COMPRESSION);
    let mut peer = session(&server);
    // 64 MiB of line ends, a few KiB on the wire.
    peer.raw(&vec![b'\n'; 64 * 1024 * 1024]);
    assert_eq!(peer.expect_end(), Some(1009));
    session(&server).expect_nothing();
}
