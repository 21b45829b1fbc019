//! The PROXY protocol before HTTP and before STOMP.

use std::io::Write;

use crate::server::{Client, KEY, Running, handshake};

const CONNECT: &str = "CONNECT\naccept-version:1.2\nhost:x\nlogin:ada\n\n\0";

fn proxied() -> Running {
    Running::behind_proxy(|config| {
        config.http.proxy_protocol = true;
        config.tcp.proxy_protocol = true;
        config.server.max_connections_per_address = 1;
    })
}

fn line(address: &str) -> Vec<u8> {
    format!("PROXY TCP4 {address} 198.51.100.2 4711 443\r\n").into_bytes()
}

/// Version 2, with TLVs behind the addresses.
fn binary(command: u8, address: [u8; 4]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([command, 0x11, 0, 18]);
    header.extend(address);
    header.extend([
        198, 51, 100, 2, 0x12, 0x67, 1, 187, 0x02, 0, 3, b'a', b'b', b'c',
    ]);
    header
}

/// Comes with a header, and the first bytes of the client right behind it.
fn websocket(server: &Running, header: &[u8]) -> Client {
    let mut client = Client::connect(server.http);
    client.send([header, handshake("").as_bytes()].concat());
    client
}

fn stomp(server: &Running, header: &[u8]) -> Client {
    let mut client = Client::connect(server.tcp);
    client.send([header, CONNECT.as_bytes()].concat());
    client
}

#[test]
fn the_header_names_the_client_and_is_no_part_of_what_it_says() {
    let server = proxied();
    let mut inside = websocket(&server, &line("192.0.2.1"));
    assert_eq!(inside.status(), 101);
    let mut second = websocket(&server, &binary(0x21, [192, 0, 2, 1]));
    assert_eq!(second.status(), 429, "the same client");
    let mut other = stomp(&server, &binary(0x21, [192, 0, 2, 2]));
    assert!(other.frame().starts_with("CONNECTED\n"));
    let mut api = Client::connect(server.http);
    api.send(b"PROXY UNKNOWN\r\n");
    api.get(
        "/api/v1/sessions",
        &format!("authorization: Bearer {KEY}\r\n"),
    );
    let (_, sessions) = api.response();
    assert!(
        sessions.contains("\"peer\":\"192.0.2.2:4711\""),
        "{sessions}"
    );
    let refused = stomp(&server, &line("192.0.2.2")).frame();
    assert!(
        refused.contains("code:too-many-from-address\n"),
        "{refused}"
    );
    assert_eq!(server.addresses(), 2);
    drop((inside, other));
    server.await_addresses(0);
    assert_eq!(websocket(&server, &line("192.0.2.1")).status(), 101);
}

#[test]
fn a_header_may_come_in_any_two_pieces() {
    let server = proxied();
    for header in [line("192.0.2.1"), binary(0x21, [192, 0, 2, 1])] {
        for cut in 0..=header.len() {
            let mut client = Client::connect(server.tcp);
            client.send(&header[..cut]);
            client.stream.flush().expect("it reads");
            client.send([&header[cut..], CONNECT.as_bytes()].concat());
            assert!(client.frame().starts_with("CONNECTED\n"), "cut at {cut}");
            drop(client);
            server.await_addresses(0);
        }
    }
}

#[test]
fn a_proxy_may_come_for_itself() {
    let server = proxied();
    for header in [b"PROXY UNKNOWN\r\n".to_vec(), binary(0x20, [192, 0, 2, 1])] {
        let clients = [(); 3].map(|()| websocket(&server, &header));
        for mut client in clients {
            assert_eq!(client.status(), 101, "a trusted proxy is not counted");
        }
    }
    assert_eq!(server.addresses(), 0);
}

#[test]
fn who_sends_no_header_is_cut() {
    let server = proxied();
    let mut client = Client::connect(server.http);
    client.get("/ws/info", "");
    client.is_cut();
    let mut client = Client::connect(server.tcp);
    client.send(CONNECT);
    client.is_cut();
    let mut client = Client::connect(server.http);
    client.send(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff");
    client.is_cut();
}

#[test]
fn who_is_no_trusted_proxy_is_cut_whatever_it_sends() {
    let server = Running::start(|config| {
        config.http.proxy_protocol = true;
        config.tcp.proxy_protocol = true;
        config.server.trusted_proxies = vec!["192.0.2.0/24".parse().expect("a network")];
    });
    let mut client = Client::connect(server.http);
    // It may be cut before it has said all.
    let _ = client.stream.write_all(&line("192.0.2.1"));
    client.is_cut();
    let mut client = Client::connect(server.tcp);
    let _ = client.stream.write_all(&binary(0x21, [192, 0, 2, 1]));
    client.is_cut();
}

#[test]
fn a_header_that_does_not_come_is_not_waited_for() {
    let server = Running::behind_proxy(|config| {
        config.tcp.proxy_protocol = true;
        config.websocket.handshake_timeout = std::time::Duration::from_millis(100);
    });
    let mut client = Client::connect(server.tcp);
    client.send("PROXY TCP4 192.0.2.1");
    client.is_cut();
}

#[test]
fn where_it_is_off_a_header_is_a_bad_request() {
    let server = Running::behind_proxy(|_| {});
    let mut client = Client::connect(server.http);
    client.send(line("192.0.2.1"));
    assert_eq!(client.status(), 400);
}
