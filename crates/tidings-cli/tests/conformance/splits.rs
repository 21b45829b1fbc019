//! Frames cut by the network: the same session, cut everywhere.

use std::io::Write;

use crate::peer::{Peer, Server};

const SESSION: &[u8] = b"\
CONNECT\naccept-version:1.2\nhost:h\n\n\0\n\
SUBSCRIBE\r\nid:s\r\ndestination:/topic/\\c\r\n\r\n\0\
SEND\ndestination:/topic/\\c\ncontent-length:5\nk:\xe2\x82\xac\n\na\0b\n\xff\0\n\r\n\
SEND\ndestination:/topic/\\c\n\nplain\0\
DISCONNECT\nreceipt:r\n\n\0";

fn assert_whole(mut peer: Peer) {
    peer.expect("CONNECTED");
    let message = peer.expect_message(b"a\0b\n\xff");
    assert_eq!(
        (message.get("k"), message.get("subscription")),
        ("\u{20ac}", "s")
    );
    peer.expect_message("plain");
    peer.expect_receipt("r");
    peer.expect_end();
}

#[test]
fn a_tcp_session_may_be_cut_at_every_byte() {
    let server = Server::start();
    for cut in 0..=SESSION.len() {
        let mut stream = server.tcp_stream();
        // Without Nagle's algorithm each write is a segment of its own.
        stream.write_all(&SESSION[..cut]).expect("the link is open");
        stream.write_all(&SESSION[cut..]).expect("the link is open");
        assert_whole(Peer::over_tcp(stream));
    }
}

#[test]
fn a_tcp_session_may_come_byte_by_byte() {
    let server = Server::start();
    let mut stream = server.tcp_stream();
    for octet in SESSION {
        stream.write_all(&[*octet]).expect("the link is open");
    }
    assert_whole(Peer::over_tcp(stream));
}

#[test]
fn each_part_may_wait_for_an_answer_to_the_one_before() {
    let server = Server::start();
    // The receipt of the frame before shows that the server has read up to the cut.
    let send = b"SEND\ndestination:/topic/a\nreceipt:next\ncontent-length:3\n\n\0\0\0\0";
    for cut in 1..send.len() {
        let mut peer = server.session();
        peer.raw(
            &[
                b"SEND\ndestination:/topic/a\nreceipt:first\n\n\0",
                &send[..cut],
            ]
            .concat(),
        );
        peer.expect_receipt("first");
        peer.raw(&send[cut..]);
        peer.expect_receipt("next");
    }
}

#[test]
fn a_session_cut_at_every_byte_of_a_message_is_read_over_websocket() {
    let server = Server::start();
    for cut in 0..=SESSION.len() {
        let mut peer = server.websocket();
        peer.raw_binary(&SESSION[..cut]);
        peer.raw_binary(&SESSION[cut..]);
        assert_whole(peer);
    }
}
