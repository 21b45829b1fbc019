//! SIGTERM with sessions over SockJS: whoever listens gets the close frame, and nobody an ERROR.

use crate::peer::{Peer, Server, Transport};

fn assert_told(mut peers: Vec<Peer>, server: Server) {
    server.terminate();
    for peer in &mut peers {
        peer.expect_close(1001, "shutdown");
    }
    drop(peers);
    assert_eq!(server.exit().code(), Some(0));
}

#[test]
fn who_listens_gets_the_close_frame_alone() {
    let server = Server::start();
    let mut peers = Vec::new();
    for transport in Transport::ALL {
        let mut peer = server.sockjs_session(transport);
        peer.subscribed("s", "/topic/a", &[]);
        if transport == Transport::Xhr {
            peer.sockjs().exchange().park();
        }
        peers.push(peer);
    }
    assert_told(peers, server);
}

#[test]
fn so_does_who_has_not_sent_connect() {
    let server = Server::start();
    let mut peers = Vec::new();
    for transport in Transport::ALL {
        let mut peer = server.sockjs(transport);
        peer.sockjs().say(&["\n"]).expect("it is open");
        if transport == Transport::Xhr {
            peer.sockjs().exchange().park();
        }
        peers.push(peer);
    }
    assert_told(peers, server);
}

#[test]
fn a_session_between_two_polls_does_not_hold_the_server_up() {
    let server = Server::configured(
        "[server]\nshutdown_timeout = \"10m\"\n[sockjs]\ndisconnect_delay = \"10m\"\n",
    );
    let mut idle = server.sockjs_session(Transport::Xhr);
    idle.subscribed("s", "/topic/a", &[]);
    server.terminate();
    assert_eq!(server.exit().code(), Some(0));
}

#[test]
fn a_session_that_does_not_fetch_what_waits_is_cut_when_the_time_is_over() {
    let server = Server::configured(
        "[server]\nshutdown_timeout = \"300ms\"\n[sockjs]\ndisconnect_delay = \"10m\"\n",
    );
    let mut idle = server.sockjs_session(Transport::Xhr);
    idle.subscribed("s", "/topic/a", &[]);
    server.session().publish("/topic/a", "waits");
    server.terminate();
    assert_eq!(server.exit().code(), Some(0));
}

#[test]
fn what_waits_for_a_stream_comes_before_the_close_frame() {
    let server = Server::configured(
        "[stomp]\nmax_body_bytes = 65536\n\
         [sockjs]\nmessage_cache_bytes = 67108864\nstream_bytes_limit = \"1GiB\"\n",
    );
    let mut slow = server.sockjs_session(Transport::XhrStreaming);
    slow.subscribed("s", "/topic/a", &[]);
    let mut sender = server.session();
    let mut sent = 0;
    while server.metric("tidings_outbox_bytes") < 4 * 65_536 {
        sender.publish("/topic/a", [b'x'; 65_536]);
        sent += 1;
    }
    server.terminate();
    sender.expect_error("shutdown");
    for _ in 0..sent {
        slow.expect_message([b'x'; 65_536]);
    }
    slow.expect_close(1001, "shutdown");
    drop((slow, sender));
    assert_eq!(server.exit().code(), Some(0));
}
