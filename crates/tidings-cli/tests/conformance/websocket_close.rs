//! How a WebSocket ends, and with which code.

use crate::peer::{Opcode, Peer, Server, WsFrame};

/// Breaks the protocol in a fresh session and returns the close code.
fn close_code_after(server: &Server, octets: &[u8]) -> Option<u16> {
    let mut peer = server.websocket_session();
    peer.raw_octets(octets);
    peer.expect_end()
}

fn text(payload: &[u8]) -> WsFrame {
    WsFrame::new(Opcode::TEXT, payload)
}

#[test]
fn breaking_rfc_6455_closes_with_1002() {
    let server = Server::start();
    let table: Vec<(&str, WsFrame)> = vec![
        (
            "no mask",
            WsFrame {
                masked: false,
                ..text(b"\n")
            },
        ),
        (
            "RSV1 without compression",
            WsFrame {
                reserved: 4,
                ..text(b"\n")
            },
        ),
        (
            "RSV2",
            WsFrame {
                reserved: 2,
                ..text(b"\n")
            },
        ),
        (
            "RSV3",
            WsFrame {
                reserved: 1,
                ..text(b"\n")
            },
        ),
        ("reserved opcode 3", WsFrame::new(3, "\n")),
        ("reserved opcode 7", WsFrame::new(7, "\n")),
        ("reserved opcode 11", WsFrame::new(11, "")),
        ("reserved opcode 15", WsFrame::new(15, "")),
        (
            "continuation of nothing",
            WsFrame::new(Opcode::CONTINUATION, "\n"),
        ),
        (
            "fragmented ping",
            WsFrame {
                fin: false,
                ..WsFrame::new(Opcode::PING, "")
            },
        ),
        ("ping of 126 bytes", WsFrame::new(Opcode::PING, [0; 126])),
        ("close of one byte", WsFrame::new(Opcode::CLOSE, [3])),
        ("close code 1005", WsFrame::close(1005)),
        ("close code 999", WsFrame::close(999)),
    ];
    let count = table.len() as u64 + 2;
    for (fault, frame) in table {
        assert_eq!(
            close_code_after(&server, &frame.encode()),
            Some(1002),
            "{fault}"
        );
    }
    let start = WsFrame {
        fin: false,
        ..text(b"\n")
    };
    let twice = [start.encode(), text(b"\n").encode()].concat();
    assert_eq!(
        close_code_after(&server, &twice),
        Some(1002),
        "a message within a message"
    );
    let negative = [0x82, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4];
    assert_eq!(
        close_code_after(&server, &negative),
        Some(1002),
        "a length with its top bit set"
    );
    server.await_disconnects("websocket-protocol", count);
}

#[test]
fn text_that_is_not_utf_8_closes_with_1007() {
    let server = Server::start();
    for bad in [&b"\xff"[..], b"SEND\n\n\xc3", b"\xed\xa0\x80", b"\xc0\x80"] {
        assert_eq!(
            close_code_after(&server, &text(bad).encode()),
            Some(1007),
            "{}",
            bad.escape_ascii()
        );
    }
    let first = WsFrame {
        fin: false,
        ..text(b"\xe2\x82")
    };
    let fragments = [
        first.encode(),
        WsFrame::new(Opcode::CONTINUATION, "x").encode(),
    ]
    .concat();
    assert_eq!(close_code_after(&server, &fragments), Some(1007));
    server.await_disconnects("invalid-utf8", 5);
}

#[test]
fn a_close_reason_that_is_not_utf_8_closes_with_1007() {
    let server = Server::start();
    let frame = WsFrame::new(
        Opcode::CLOSE,
        [&1000_u16.to_be_bytes()[..], b"\xff"].concat(),
    );
    assert_eq!(close_code_after(&server, &frame.encode()), Some(1007));
}

#[test]
fn a_frame_too_large_closes_with_1009_before_it_arrives() {
    let server = Server::start();
    for len in [1_114_113_u64, u64::from(u32::MAX), (1 << 63) - 1] {
        let head = [&[0x82, 0xff][..], &len.to_be_bytes(), &[1, 2, 3, 4]].concat();
        assert_eq!(close_code_after(&server, &head), Some(1009), "{len}");
    }
    server.await_disconnects("websocket-too-large", 3);
}

#[test]
fn a_message_too_large_in_fragments_closes_with_1009() {
    let tables = "[stomp]\nmax_body_bytes = 1024\n[websocket]\nmax_frame_bytes = 70000\nmax_message_bytes = 70000\n";
    let server = Server::configured(tables);
    let mut peer = server.websocket_session();
    peer.raw_websocket(&WsFrame {
        fin: false,
        ..text(&[b'\n'; 40_000])
    });
    peer.raw_websocket(&WsFrame {
        fin: false,
        ..WsFrame::new(Opcode::CONTINUATION, [b'\n'; 40_000])
    });
    assert_eq!(peer.expect_end(), Some(1009));
}

#[test]
fn the_client_may_close_and_gets_its_answer() {
    let server = Server::start();
    for mut peer in [server.websocket(), server.websocket_session()] {
        peer.raw_websocket(&WsFrame::close(1000));
        assert_eq!(peer.expect_end(), Some(1000));
    }
    let mut peer = server.websocket_session();
    peer.raw_websocket(&WsFrame::close(1001));
    let code = peer.expect_end();
    assert!(matches!(code, Some(1000 | 1001)), "{code:?}");
    let mut peer = server.websocket_session();
    peer.raw_websocket(&WsFrame::new(Opcode::CLOSE, ""));
    let code = peer.expect_end();
    assert!(matches!(code, None | Some(1000)), "{code:?}");
}

#[test]
fn disconnect_closes_with_1000_after_its_receipt() {
    let server = Server::start();
    let mut peer = server.websocket_session();
    peer.done("DISCONNECT", &[], b"");
    assert_eq!(peer.expect_end(), Some(1000));
    let mut peer = server.websocket_session();
    peer.send("DISCONNECT", &[], b"");
    assert_eq!(peer.expect_end(), Some(1000));
}

#[test]
fn a_close_frame_tells_the_name_of_its_code() {
    let server = Server::start();
    let mut peer = server.websocket_session();
    peer.send("ACK", &[("id", "never")], b"");
    assert_reason(&mut peer, "unknown-ack");
    let mut peer = server.websocket_session();
    peer.raw_websocket(&WsFrame::new(3, ""));
    assert_reason(&mut peer, "websocket-protocol");
}

fn assert_reason(peer: &mut Peer, reason: &str) {
    let close = peer
        .read_to_close()
        .pop()
        .expect("it ends with a close frame");
    let told = String::from_utf8(close.payload[2..].to_vec()).expect("a close reason is UTF-8");
    assert!(told.starts_with(reason), "{told:?}");
}

#[test]
fn a_link_cut_without_a_close_frame_ends_its_session() {
    let server = Server::start();
    let mut peer = server.websocket_session();
    peer.subscribe("s", "/queue/a", &[("ack", "client")]);
    server.session().publish("/queue/a", "x");
    peer.expect_message("x");
    drop(peer);
    let mut other = server.session();
    other.subscribe("s", "/queue/a", &[]);
    assert_eq!(other.expect_message("x").get("redelivered"), "true");
}

#[test]
fn others_notice_nothing_of_bad_frames() {
    let server = Server::start();
    let mut other = server.websocket_session();
    other.subscribed("s", "/topic/a", &[]);
    for first in 0..=u8::MAX {
        let mut peer = server.websocket_session();
        peer.raw_octets(&[first, 0x81, 0, 0, 0, 0, b'\n']);
        peer.raw_websocket(&WsFrame::close(1000));
        peer.read_to_end();
    }
    other.send("SEND", &[("destination", "/topic/a")], b"x");
    other.expect_message("x");
}
