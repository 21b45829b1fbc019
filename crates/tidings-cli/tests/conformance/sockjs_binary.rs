//! Bodies that are not UTF-8, which SockJS cannot carry.

use crate::peer::{Opcode, Peer, Server, Transport, Version, WebSocket};

const BINARY: &[u8] = b"\xff\0\xc3";
const CODE: &str = "binary-over-sockjs";

fn raw_websocket(server: &Server) -> Peer {
    let websocket = WebSocket::open_at(server.http, "/ws/websocket", &[]);
    let websocket = websocket.unwrap_or_else(|refusal| panic!("{refusal:?}"));
    let mut peer = Peer::over_websocket(websocket);
    peer.connect(Version::V12);
    peer
}

#[test]
fn a_subscriber_over_sockjs_is_closed_and_the_others_go_on() {
    let server = Server::start();
    let mut sockjs = Transport::ALL.map(|transport| server.sockjs_session(transport));
    let mut others = [
        server.session(),
        server.websocket_session(),
        raw_websocket(&server),
    ];
    for peer in sockjs.iter_mut().chain(&mut others) {
        peer.subscribed("s", "/topic/a", &[]);
    }
    let mut bystander = server.sockjs_session(Transport::Xhr);
    bystander.subscribed("s", "/topic/b", &[]);
    server.session().publish("/topic/a", BINARY);
    for peer in &mut sockjs {
        peer.expect_error_frame(CODE);
        peer.expect_close(4530, CODE);
    }
    for peer in &mut others {
        peer.expect_message(BINARY);
        peer.expect_nothing();
    }
    bystander.expect_nothing();
    assert_eq!(server.disconnects(CODE), 3);
}

#[test]
fn text_before_it_is_delivered() {
    let server = Server::start();
    for transport in Transport::ALL {
        let mut peer = server.sockjs_session(transport);
        peer.subscribed("s", "/topic/a", &[]);
        let mut sender = server.session();
        sender.publish("/topic/a", "text");
        peer.expect_message("text");
        sender.publish("/topic/a", BINARY);
        peer.expect_error(CODE);
    }
}

#[test]
fn from_a_queue_it_goes_to_another_consumer() {
    let server = Server::start();
    for transport in Transport::ALL {
        for ack in ["auto", "client-individual"] {
            let mut peer = server.sockjs_session(transport);
            peer.subscribed("s", "/queue/a", &[("ack", ack)]);
            server.session().publish("/queue/a", BINARY);
            peer.expect_error(CODE);
            let mut other = server.session();
            other.subscribe("s", "/queue/a", &[]);
            other.expect_message(BINARY);
        }
    }
}

#[test]
fn from_a_queue_that_only_sockjs_listens_to_it_becomes_a_dead_letter() {
    let server = Server::configured("[queue]\nmax_deliveries = 3\n");
    let mut dead = server.session();
    dead.subscribed("dead", "/queue/dead-letter", &[]);
    server.session().publish("/queue/a", BINARY);
    for transport in Transport::ALL {
        let mut peer = server.sockjs_session(transport);
        peer.subscribe("s", "/queue/a", &[("ack", "client")]);
        peer.expect_error(CODE);
    }
    let letter = dead.expect_message(BINARY);
    assert_eq!(letter.get("original-destination"), "/queue/a");
    assert_eq!(letter.get("delivery-count"), "3");
    assert_eq!(letter.get("dead-letter-reason"), "abandoned");
}

#[test]
fn the_raw_websocket_carries_it_both_ways() {
    let server = Server::start();
    let mut peer = raw_websocket(&server);
    peer.subscribed("s", "/topic/a", &[]);
    peer.send("SEND", &[("destination", "/topic/a")], BINARY);
    peer.expect_message(BINARY);
}

#[test]
fn a_binary_message_of_the_client_over_a_framed_websocket_is_refused() {
    let server = Server::start();
    let mut peer = server.sockjs_session(Transport::WebSocket);
    let websocket = peer.sockjs().websocket();
    websocket
        .send_message(Opcode::BINARY, b"[\"\\n\"]")
        .expect("it is written");
    peer.expect_error_frame(CODE);
    peer.expect_close(4530, CODE);
}
