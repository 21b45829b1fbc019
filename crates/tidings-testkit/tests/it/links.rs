//! Both links, politely and not.

use tidings_testkit::{Command, Frame, Link, TestServer, run};

#[test]
fn any_version_may_be_spoken() {
    run(async {
        let server = TestServer::builder().start().await;
        for versions in ["1.0", "1.1", "1.0,1.1,1.2"] {
            let mut peer = server.dial().versions(versions).connect().await;
            peer.subscribe("/topic/a:b").await;
            peer.send("/topic/a:b", "hello").await;
            assert_eq!(peer.message().await.destination(), "/topic/a:b");
        }
        let goodbye = server.dial().versions("2.0").refused().await;
        assert_eq!(goodbye.code(), "unsupported-version");
        server.shutdown().await;
    });
}

#[test]
fn a_frame_may_come_in_pieces_and_a_piece_may_be_none() {
    run(async {
        let server = TestServer::builder().start().await;
        let mut peer = server.connect("ann").await;
        for byte in b"SUBSCRIBE\nid:1\ndestination:/topic/a\nreceipt:r\n\n\0" {
            peer.send_bytes(&[*byte]).await;
        }
        let receipt = peer.frame().await;
        assert_eq!(receipt.command, Command::Receipt);
        assert_eq!(receipt.header("receipt-id"), Some("r"));
        peer.send_bytes(b"NONSENSE\n\n\0").await;
        let goodbye = peer.error().await;
        assert_eq!(goodbye.code(), "unknown-command");
        assert!(!goodbye.details().is_empty());
        server.shutdown().await;
    });
}

#[test]
fn who_breaks_the_rules_of_websocket_gets_its_close_code() {
    run(async {
        let server = TestServer::builder().start().await;
        let mut peer = server.dial().over(Link::WebSocket).connect().await;
        // A text frame without a mask (RFC 6455, section 5.1).
        peer.send_raw(&[0x81, 0x01, b'x']).await;
        assert_eq!(peer.closed().await, Some(1002));
        server.shutdown().await;
    });
}

#[test]
fn bytes_go_through_whole_however_many() {
    run(async {
        let server = TestServer::builder().start().await;
        let body: Vec<u8> = (0..1 << 20).map(|at: u32| (at % 251) as u8).collect();
        for link in [Link::Tcp, Link::WebSocket] {
            let mut peer = server.dial().over(link).connect().await;
            peer.subscribe("/topic/large").await;
            peer.send("/topic/large", body.clone()).await;
            let message = peer.message().await;
            assert!(message.body == body, "{} bytes", message.body.len());
        }
        server.shutdown().await;
    });
}

#[test]
fn a_client_that_does_not_read_is_cut_when_its_outbox_is_full() {
    run(async {
        let server = TestServer::builder()
            .config(|config| config.outbox.max_bytes = 256 * 1024)
            .start()
            .await;
        let mut slow = server.connect("slow").await;
        slow.subscribe("/topic/flood").await;
        let mut sender = server.connect("sender").await;
        for _ in 0..10 {
            let frame = Frame::new(Command::Send)
                .with_header("destination", "/topic/flood")
                .with_body(vec![b'x'; 64 * 1024]);
            sender.confirm(frame).await;
        }
        let mut heard = 0;
        while slow.frame().await.command == Command::Message {
            heard += 1;
        }
        assert!(heard < 10, "all came through");
        assert_eq!(slow.closed().await, None);
        server.shutdown().await;
    });
}

#[test]
fn the_server_is_full_when_its_configuration_says_so() {
    run(async {
        let server = TestServer::builder()
            .config(|config| config.server.max_connections = 1)
            .start()
            .await;
        let ann = server.connect("ann").await;
        let goodbye = server.dial().login("bob").refused().await;
        assert_eq!(goodbye.code(), "too-many-connections");
        ann.disconnect().await;
        server.shutdown().await;
    });
}
